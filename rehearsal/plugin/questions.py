"""What the fronts ask the emulator, beside the API of AWS: under /_rehearsal/."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rehearsal.plugin import database, endpoints, rights, tasks

_PREFIX = "/_rehearsal/"
Asgi = Callable[[Any, Any, Any], Any]


def answering(app: Asgi) -> Asgi:
    """``app``, and before it the questions."""

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer = _QUESTIONS[scope["path"].removeprefix(_PREFIX)](**json.loads(body or b"{}"))
        content = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return asked


def _endpoints() -> dict[str, Any]:
    return {host: asdict(endpoint) for host, endpoint in endpoints.ALL.items()}


def _healthy(targets: list[str]) -> None:
    tasks.healthy.clear()
    tasks.healthy.update(targets)


_QUESTIONS: dict[str, Callable[..., Any]] = {
    "endpoints": _endpoints,
    "healthy": _healthy,
    "refusal": rights.refusal,
    "database": database.allowed,
}
