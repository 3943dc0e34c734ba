"""Logs as JSON lines that have no room for a person's words.

An event is a fixed name with typed fields; there is no free text. Of an exception only the type and the place are
written, because its message may quote what a person sent.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Literal, LiteralString
from uuid import UUID

Field = int | float | bool | UUID | LiteralString | None
"""A field of an event: numbers, opaque ids and words of the source code, never text that came from outside."""

Level = Literal["debug", "info", "warning", "error"]
_logger = logging.getLogger("sanctum")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name == _logger.name:
            event["event"] = record.msg
            event |= getattr(record, "fields", {})
        else:
            # A library's log line: where it was written, not what it says.
            event["event"] = "library"
            event["logger"] = record.name
            event["place"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1]:
            event["error"] = describe(record.exc_info[1])
        return json.dumps(event, default=str)


def describe(error: BaseException) -> list[str]:
    """An exception and its causes as type and place, without a message."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < 10:  # noqa: PLR2004 - a bound, so that a circle of causes ends
        frames = traceback.extract_tb(seen.__traceback__)
        place = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames[-4:]))
        lines.append(f"{type(seen).__module__}.{type(seen).__qualname__} at {place or 'no frame'}")
        seen = seen.__cause__ or seen.__context__
    return lines


def configure(level: Level) -> None:
    """Send every log line of this process to standard output as JSON; libraries only from ``warning`` on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _logger.setLevel(level.upper())


def log(event: LiteralString, level: Level = "info", error: BaseException | None = None, /, **fields: Field) -> None:
    """Write one event, such as ``reply.failed``, with the type and place of ``error``."""
    _logger.log(getattr(logging, level.upper()), event, exc_info=error, extra={"fields": fields})
