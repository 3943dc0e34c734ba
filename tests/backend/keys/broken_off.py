"""``python -m tests.backend.keys.broken_off WHEN WHAT TIME``: a roll that is killed before or after a call.

``WHAT`` is ``module:name`` or ``module:Class.name``; ``TIME`` says which call of it.
"""

import asyncio
import inspect
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from backend import roll_keys
from backend.keys import roll_wraps
from chassis.settings import read_settings

roll_wraps.BATCH = 1


def break_off(when: str, what: str, time: int) -> None:
    """Have this process killed around a call."""
    module, _, path = what.partition(":")
    holder: Any = import_module(module)
    *classes, name = path.split(".")
    for part in classes:
        holder = getattr(holder, part)
    original: Callable[..., Any] = getattr(holder, name)
    calls = 0

    def die(now: str) -> None:
        if now == when and calls == time:
            os.kill(os.getpid(), signal.SIGKILL)

    def plain(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        die("before")
        result = original(*arguments)
        die("after")
        return result

    async def waited(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        die("before")
        result = await original(*arguments)
        die("after")
        return result

    setattr(holder, name, waited if inspect.iscoroutinefunction(original) else plain)


if __name__ == "__main__":
    break_off(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    asyncio.run(roll_keys.run(read_settings(roll_keys.RollSettings)))
