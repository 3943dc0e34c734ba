"""Three answers: no, maybe, yes.

Maybe is what depends on a value that no file tells. An Allow counts unless it certainly does not apply, a Deny only if
it certainly does: whoever wants in chooses what is open. So access is never missed, though it may be overstated.
"""

from collections.abc import Iterable
from enum import IntEnum


class Truth(IntEnum):
    """In rising order, so that `min` is *and*, `max` is *or*."""

    NO = 0
    MAYBE = 1
    YES = 2


NO, MAYBE, YES = Truth.NO, Truth.MAYBE, Truth.YES


def negated(truth: Truth) -> Truth:
    """Not: maybe stays maybe."""
    return Truth(2 - truth)


def every(truths: Iterable[Truth]) -> Truth:
    """All of them; of none, yes."""
    found = YES
    for truth in truths:
        if truth is NO:
            return NO
        found = min(found, truth)
    return found


def some(truths: Iterable[Truth]) -> Truth:
    """At least one of them; of none, no."""
    found = NO
    for truth in truths:
        if truth is YES:
            return YES
        found = max(found, truth)
    return found
