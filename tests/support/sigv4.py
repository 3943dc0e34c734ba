"""Verifies AWS Signature Version 4 from its specification, not with the library that signs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

from tests.support.aws import CREDENTIALS, REGION

_AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=(\S+)")
_CLOCKS_DIFFER = timedelta(minutes=5)


def is_signed(method: str, target: str, headers: Mapping[str, str], body: bytes, *, service: str) -> bool:
    """Whether a request was signed just now for ``service`` with the credentials of the tests.

    Args:
        method: As it came.
        target: Path and query, as they came.
        headers: By name in any case.
        body: As it came; must be part of what was signed.
        service: Signing name of the service that was called.
    """
    match = _AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if match is None or headers.get("X-Amz-Security-Token") != CREDENTIALS["AWS_SESSION_TOKEN"]:
        return False
    credential, signed, signature = match.groups()
    stamp = headers["X-Amz-Date"]
    scope = f"{stamp[:8]}/{REGION}/{service}/aws4_request"
    age = datetime.now(UTC) - datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if credential != f"{CREDENTIALS['AWS_ACCESS_KEY_ID']}/{scope}" or abs(age) > _CLOCKS_DIFFER:
        return False
    names = signed.split(";")
    if not {"host", "x-amz-date", "x-amz-security-token"} <= set(names):
        return False
    path, _, query = target.partition("?")
    canonical = "\n".join(
        (
            method,
            quote(path, safe="/~"),
            "&".join(sorted(query.split("&"))),
            *(f"{name}:{headers[name].strip()}" for name in names),
            "",
            signed,
            sha256(body).hexdigest(),
        )
    )
    key = f"AWS4{CREDENTIALS['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    return hmac.compare_digest(signature, hmac.digest(key, text.encode(), "sha256").hex())
