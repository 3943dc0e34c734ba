"""Tells whoever has started schemathesis what it said and was told; it takes this in with the hooks."""

import json
import os
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.cli import EventHandler
from schemathesis.engine.events import EngineEvent

from tests.support import canaries

FILE = "FUZZ_SAID"
"""Variable that names the file for what was said."""


def note(response: schemathesis.Response) -> None:
    """Remember a call."""
    sent = response.request
    headers = {name: value for name, value in sent.headers.items() if isinstance(value, str)}
    body: object = sent.body
    if isinstance(body, str):
        body = body.encode(errors="surrogatepass")
    canaries.remember_sent(headers, body if isinstance(body, bytes) else b"")
    canaries.remember_json(response.content)


class Said(EventHandler[Any]):
    """Writes down in the end what was said in this process."""

    def handle_event(self, ctx: object, event: EngineEvent) -> None:
        """Nothing: calls are noted one by one."""

    def shutdown(self, ctx: object) -> None:  # noqa: ARG002 - as all handlers
        """Write."""
        Path(os.environ[FILE]).write_text(json.dumps([word.hex() for word in canaries.words]), encoding="utf-8")


def read(file: Path) -> None:
    """Remember in this process what was written to ``file``."""
    canaries.words.update(map(bytes.fromhex, json.loads(file.read_text(encoding="utf-8"))))
