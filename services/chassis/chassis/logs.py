"""Logs as JSON lines that have no room for a person's words.

An event is a fixed name with typed fields; there is no free text. Of an exception only the type and the place are
written, because its message may quote what a person sent; of one of AWS also which operation was answered with which
code. That holds too for what Python itself would print of an exception that nobody caught.
"""

import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, LiteralString, Self, cast
from uuid import UUID

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


class Word(str):
    """A word of the source code, such as the name of a method: the only text that a field may be."""

    __slots__ = ()

    def __new__(cls, text: LiteralString) -> Self:
        """``text`` as a word."""
        return super().__new__(cls, text)


Field = int | float | bool | UUID | Word | None
"""A field of an event: numbers, opaque ids and words of the source code, never text that came from outside."""

REFUSED = "refused"
"""Stands where something else was passed in spite of the types."""
_EVENT = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_NAME = re.compile(r"[A-Za-z.]{1,60}")
"""What operations of AWS and codes of its errors look like."""

Level = Literal["debug", "info", "warning", "error"]
_logger = logging.getLogger("sanctum")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name == _logger.name:
            event["event"] = _event(record.msg)
            event |= {name: _admitted(value) for name, value in getattr(record, "fields", {}).items()}
        else:
            # A library's log line: where it was written, not what it says.
            event["event"] = "library"
            event["logger"] = record.name
            event["place"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1]:
            event["error"] = describe(record.exc_info[1])
        return json.dumps(event)


def _event(name: object) -> str:
    return name if isinstance(name, str) and _EVENT.fullmatch(name) else REFUSED


def _admitted(value: object) -> object:
    """What may be written of a field. Exactly these classes: one derived from them may print as anything."""
    if isinstance(value, UUID):
        return str(UUID(int=value.int))  # the database driver's ids are of a class of its own
    return value if type(value) in (int, float, bool, Word, type(None)) else REFUSED


def describe(error: BaseException) -> list[str]:
    """An exception and its causes as type and place, without a message."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < 10:  # noqa: PLR2004 - a bound, so that a circle of causes ends
        frames = traceback.extract_tb(seen.__traceback__)
        place = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames[-4:]))
        lines.append(
            f"{type(seen).__module__}.{type(seen).__qualname__}{_answer_of_aws(seen)} at {place or 'no frame'}"
        )
        seen = seen.__cause__ or seen.__context__
    return lines


def _answer_of_aws(error: BaseException) -> str:
    """Which operation was answered with which code: without them nobody would know which right a role lacks."""
    if not type(error).__module__.startswith("botocore.") or not hasattr(error, "operation_name"):
        return ""
    refused = cast("ClientError", error)
    names = (refused.operation_name, refused.response.get("Error", {}).get("Code", ""))
    return f" ({': '.join(names)})" if all(map(_NAME.fullmatch, names)) else ""


def configure(level: Level) -> None:
    """Send every log line of this process to standard output as JSON; libraries only from ``warning`` on.

    Warnings, and exceptions that nobody caught, become log lines as well: Python would print what they say.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _logger.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a line that cannot be written is lost, and not printed with its arguments
    sys.excepthook = lambda _type, error, _trace: log("process.uncaught", "error", error)
    threading.excepthook = lambda thrown: log("thread.uncaught", "error", thrown.exc_value)
    sys.unraisablehook = lambda thrown: log("object.uncaught", "error", thrown.exc_value)


def log(event: LiteralString, level: Level = "info", error: BaseException | None = None, /, **fields: Field) -> None:
    """Write one event, such as ``reply.failed``, with the type and place of ``error``."""
    _logger.log(getattr(logging, level.upper()), event, exc_info=error, extra={"fields": fields})
