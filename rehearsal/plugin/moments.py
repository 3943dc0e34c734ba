"""What the emulator did at which moment, one JSON line each: what a step holds against what people saw."""

import json
import os
import time
from pathlib import Path
from typing import Any, Final, Literal

FILE: Final = Path(os.environ["REHEARSAL_FOLDER"]) / "moments.jsonl"


def happened(what: Literal["told to end", "written"], **more: Any) -> None:
    """``told to end``: a running task, at this ``address``. ``written``: all of a reply, whose words are ``text``."""
    with FILE.open("a") as moments:
        moments.write(json.dumps({"what": what, "at": time.time(), **more}) + "\n")
