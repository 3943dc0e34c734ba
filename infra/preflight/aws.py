"""Questions to AWS: each answered in bounded time, and each failure with a name."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

if TYPE_CHECKING:
    import boto3

Json = dict[str, Any]

LIMITS = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
"""A minute and a half for one question, at the worst."""

REFUSED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
INVALID = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)


class AwsError(Exception):
    """AWS answered with an error, or not at all; ``code`` is the error's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class NotAllowed(AwsError):
    """The credentials may not ask this; ``permission`` would let them."""

    def __init__(self, permission: str) -> None:
        super().__init__("AccessDenied", f"needs {permission}")
        self.permission = permission


class NoCredentials(AwsError):
    """There are no credentials, or they are not valid."""


class Aws:
    """One operator's view of one account and region."""

    def __init__(self, region: str, session: "boto3.Session | None" = None) -> None:
        self.region = region
        self._session = session
        self._clients: dict[tuple[str, str], BaseClient] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str | None = None) -> BaseClient:
        """The client of a service, made once."""
        where = region or self.region
        with self._lock:  # a session is not made for several threads
            if self._session is None:
                import boto3  # noqa: PLC0415  # takes a quarter of a second, and who brings a session needs it not

                self._session = boto3.Session()
            if (service, where) not in self._clients:
                make = cast("Callable[..., BaseClient]", self._session.client)
                self._clients[service, where] = make(service, region_name=where, config=LIMITS)
            return self._clients[service, where]

    def ask(self, service: str, operation: str, /, *, region: str | None = None, **parameters: object) -> Json:
        """The answer to ``operation``, all pages of it.

        Raises:
            NotAllowed: the credentials may not ask.
            NoCredentials: there are none, or they are not valid.
            AwsError: AWS answers with any other error, or not at all.
        """
        try:
            client = self.client(service, region)
            if client.can_paginate(operation):
                return client.get_paginator(operation).paginate(**parameters).build_full_result()
            return cast("Json", getattr(client, operation)(**parameters))
        except _CREDENTIALS as error:
            raise NoCredentials("NoCredentials", str(error)) from error
        except ClientError as error:
            answer = error.response.get("Error", {})
            code, message = answer.get("Code", "Unknown"), answer.get("Message", "")
            if code in REFUSED:
                raise NotAllowed(self._permission(service, operation, region)) from error
            raise (NoCredentials if code in INVALID else AwsError)(code, message) from error
        except BotoCoreError as error:
            raise AwsError(type(error).__name__, str(error)) from error

    def find(self, missing: str, service: str, operation: str, **parameters: Any) -> Json | None:
        """The answer to ``operation``; ``None`` where AWS says that there is no such thing, by the code ``missing``.

        Raises:
            AwsError: as ``ask``.
        """
        try:
            return self.ask(service, operation, **parameters)
        except AwsError as error:
            if error.code != missing:
                raise
            return None

    def _permission(self, service: str, operation: str, region: str | None) -> str:
        meta = self.client(service, region).meta
        return f"{meta.service_model.signing_name}:{meta.method_to_api_mapping[operation]}"
