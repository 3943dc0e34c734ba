"""Alarms as rows: which figure of a store means that somebody has to look, from when on, and what they should do."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One figure that CloudWatch has of a resource, and when it is wrong."""

    name: str
    """What is wrong, in one word or two: the end of the alarm's name."""
    metric: str
    threshold: float
    """From here on it is wrong."""
    todo: str
    """What it means and what to do: the alarm's description, which is all that somebody has at night."""
    statistic: str = "Maximum"
    minutes: int = 5
    """Period of the figure."""
    times: int = 1
    """How many periods in a row it has to be wrong."""
    below: bool = False
    """It is wrong below ``threshold``."""
    absence_is_wrong: bool = False
    """Nothing has no figure but what does not work. Otherwise it may well be paused, or never had the trouble that the
    figure counts."""
