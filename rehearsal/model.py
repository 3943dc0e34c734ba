"""``python -m rehearsal.model``: the small language model over plain HTTP on this machine, for the emulator's proxy.

The environment gives PORT. The proxy knows neither TLS nor keys.
"""

import os

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from local.llama import Llama
from local.model import create_app

_KEY = "the emulator's"


def _as_who_has_the_key(app: ASGIApp) -> ASGIApp:
    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [*scope["headers"], (b"authorization", f"Bearer {_KEY}".encode())]
        await app(scope, receive, send)

    return asked


if __name__ == "__main__":
    # The other processors have all else that is rehearsed to run, and two threads wait for each other at every token.
    app = _as_who_has_the_key(create_app(Llama(reading_threads=1), _KEY))
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
