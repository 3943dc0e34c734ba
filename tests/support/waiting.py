"""Waiting for what happens in another process."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T | None], seconds: float = 20, pause: float = 0.05) -> T:
    """What ``look`` finds, as soon as it finds something; it is asked again after ``pause`` seconds.

    Raises:
        TimeoutError: it found nothing in ``seconds``.
    """
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"nothing after {seconds} s")
        time.sleep(pause)
    return found
