"""Which links of the OpenAPI document schemathesis has followed; it takes this in with the hooks."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from schemathesis.cli import EventHandler
from schemathesis.engine.events import EngineEvent, ScenarioFinished

FILE = "FUZZ_FOLLOWED"
"""Variable that names the file for what was followed."""


class Followed(EventHandler[Any]):
    """Counts the links that led to an answer which is no error, and writes that down in the end."""

    def __init__(self, *_: object, **__: object) -> None:
        self._links = Counter[str]()

    def handle_event(self, ctx: object, event: EngineEvent) -> None:  # noqa: ARG002 - as all handlers
        """Look at a sequence of calls that is over."""
        if not isinstance(event, ScenarioFinished):
            return
        for name, case in event.recorder.cases.items():
            # A link whose values were left out, as some are to see what comes of it, is a call like others.
            if case.transition and case.is_transition_applied and name in event.recorder.interactions:
                response = event.recorder.interactions[name].response
                self._links[case.transition.id] += bool(response and response.status_code < 400)

    def shutdown(self, ctx: object) -> None:  # noqa: ARG002 - as all handlers
        """Write."""
        Path(os.environ[FILE]).write_text(json.dumps(self._links), encoding="utf-8")


def read(file: Path) -> Counter[str]:
    """How often each link was followed; 0 where that led to errors only."""
    return Counter(json.loads(file.read_text(encoding="utf-8")))
