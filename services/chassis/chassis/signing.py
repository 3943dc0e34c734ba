"""Requests signed with the task's role (AWS Signature Version 4)."""

import asyncio

from chassis import aws


class NoCredentials(RuntimeError):
    """The process has no AWS credentials or no region to sign with."""


class Signer:
    """Signs requests to one AWS service.

    Args:
        service: Its signing name, such as ``es``.
        sign_payload: Whether the body is signed too. VPC Lattice does not read it: there TLS alone protects it.

    Raises:
        NoCredentials: there is nothing to sign with.
    """

    def __init__(self, service: str, *, sign_payload: bool) -> None:
        session = aws.session()
        credentials = session.get_credentials()
        region = aws.region() or session.get_config_variable("region")
        if credentials is None or region is None:
            raise NoCredentials(f"requests to {service} are signed: that needs AWS credentials and a region")
        self._credentials = credentials
        self._service = service
        self._region = str(region)
        self._sign_payload = sign_payload

    async def headers(self, method: str, url: str, body: bytes | None = None) -> dict[str, str]:
        """The headers that sign a request for exactly this address."""
        return await asyncio.to_thread(self._sign, method, url, body)

    def _sign(self, method: str, url: str, body: bytes | None) -> dict[str, str]:
        from botocore.auth import SigV4Auth  # noqa: PLC0415 - one machine never needs it
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - as above

        request = AWSRequest(method=method, url=url, data=body)
        request.context["payload_signing_enabled"] = self._sign_payload
        # The credentials object renews itself, which may ask the network: hence the thread.
        SigV4Auth(self._credentials, self._service, self._region).add_auth(request)
        return {str(name): str(value) for name, value in request.headers.items()}
