"""What the emulator did not do: one JSON line each, of which the README of the rehearsal is made."""

import json
import os
from pathlib import Path
from typing import Any, Final, Literal

FILE: Final = Path(os.environ["REHEARSAL_FOLDER"]) / "journal.jsonl"


def note(kind: Literal["recorded", "repaired", "bypassed"], what: str, **more: Any) -> None:
    """``recorded``: a resource that is nothing but a line here. ``repaired``: made by the plugin. ``bypassed``: a
    behaviour of AWS that is not there."""
    with FILE.open("a") as journal:
        journal.write(json.dumps({"kind": kind, "what": what, **more}, default=str) + "\n")
