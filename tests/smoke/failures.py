"""What can go wrong with a call, in sentences that quote nothing of what was said, and where to begin looking."""

import json
import re
import ssl
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException
from socket import gaierror

PROBLEM = "application/problem+json"
_PLAIN = re.compile(r"[\w :/.,-]{1,100}", re.ASCII)
"""What of a problem document is worth a line; anything else might be words."""
_LOGS = "on AWS the log group /sanctum/<environment>/{0}, on one machine .sanctum/logs/{0}.log"
BACKEND, AI_CORE = _LOGS.format("backend"), _LOGS.format("ai_core")
MEMORY = f"whether ai_core runs and reaches the memory; {AI_CORE}"
BESIDE = {
    "reply": f"whether ai_core runs, and whether it may call the model (access in Bedrock, its quota); {AI_CORE}",
    "memory": MEMORY,
    "export": MEMORY,
}
"""What steps take beside the backend and its database."""
LIMITS = "the limits in environments/<environment>.toml, and who else calls from this address"


class Failed(Exception):
    """A step did not go as it should; the text says how, and never what anybody said."""

    refused = False
    """Whether it is known that nothing was done."""

    def look_at(self, step: str) -> str:
        """Where to begin looking; empty where the text says it all."""
        return BESIDE.get(step, "")


class Unreachable(Failed):
    """Nobody answered, or not to the end."""

    def look_at(self, step: str) -> str:
        return BESIDE.get(step) or (
            "the name in DNS, the load balancer and its security group, whether the backend's tasks run"
        )


class Untrusted(Failed):
    """Whoever answered could not show a certificate for the name."""

    def look_at(self, step: str) -> str:  # noqa: ARG002 - the same for all
        return "which certificate it shows; one that no public authority signed takes --ca FILE (make smoke CA=FILE)"


class Refused(Failed):
    """An answer with a status that was not expected."""

    def __init__(self, status: int, headers: Message, body: bytes) -> None:
        self.status = status
        self.refused = status < HTTPStatus.INTERNAL_SERVER_ERROR
        self.ours = headers.get_content_type() == PROBLEM
        super().__init__(f"{status}, {described(body) if self.ours else 'without a problem document'}")

    def look_at(self, step: str) -> str:
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return LIMITS
        if self.status == HTTPStatus.FORBIDDEN and not self.ours:
            return "the firewall's log (aws-waf-logs-…): a rule may have taken the request for an attack"
        if not self.ours:
            return f"the load balancer's target group and the events of the service backend; {BACKEND}"
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return BESIDE.get(step) or f"whether the backend reaches its database and its keys (KMS); {BACKEND}"
        return f"the request by its id; {BACKEND}"


class TooOften(Failed):
    """A limit that is not over before the time is."""

    refused = True

    def look_at(self, step: str) -> str:  # noqa: ARG002 - the same for all
        return LIMITS


def described(body: bytes | str) -> str:
    """Type, title and request of a problem document; ``detail`` is left out, since a bad version might quote there."""
    try:
        document = json.loads(body)
        told = [document["type"], document["title"], document["request_id"]]
    except (ValueError, KeyError, TypeError):
        return "a problem document that cannot be read"
    kind, title, request = (str(text) if _PLAIN.fullmatch(str(text)) else "?" for text in told)
    return f"problem {kind} ({title}), request {request}"


def explained(error: OSError | HTTPException, where: str) -> Failed:
    """An error of a connection to ``where`` as what an operator may do something about."""
    match error:
        case ssl.SSLCertVerificationError():
            return Untrusted(f"the certificate of {where} is not good: {error.verify_message}")
        case ssl.SSLError():
            how = f"speaks no TLS with us: {error.reason}"
        case gaierror():
            how = f"is no name that is known: {error.strerror}"
        case TimeoutError():
            how = "does not answer in time"
        case ConnectionRefusedError():
            how = "refuses connections: nobody listens there"
        case OSError():  # also a connection that ends without an answer
            how = f"ended the connection: {error.strerror or type(error).__name__}"
        case _:
            how = f"speaks no HTTP, or not to the end: {type(error).__name__}"
    return Unreachable(f"{where} {how}")
