"""Requests signed with the task's role (AWS Signature Version 4), as VPC Lattice asks for."""

import asyncio

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest


class NoCredentials(RuntimeError):
    """The process has no AWS credentials or no region to sign with."""


class Signer:
    """Signs with an unsigned payload: TLS protects the body, and Lattice does not read it."""

    def __init__(self) -> None:
        session = botocore.session.get_session()
        credentials = session.get_credentials()
        region = session.get_config_variable("region")
        if credentials is None or region is None:
            raise NoCredentials("AI_CORE_AUTH=sigv4 needs AWS credentials and a region")
        self._credentials = credentials
        self._region = str(region)

    async def headers(self, method: str, url: str) -> dict[str, str]:
        """The headers that sign a request for exactly this address."""
        return await asyncio.to_thread(self._sign, method, url)

    def _sign(self, method: str, url: str) -> dict[str, str]:
        request = AWSRequest(method=method, url=url)
        request.context["payload_signing_enabled"] = False
        # The credentials object renews itself, which may ask the network: hence the thread.
        SigV4Auth(self._credentials, "vpc-lattice-svcs", self._region).add_auth(request)
        return {str(name): str(value) for name, value in request.headers.items()}
