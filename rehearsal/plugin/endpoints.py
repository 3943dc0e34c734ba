"""Names that AWS would give to what is deployed, and what stands behind each.

Tasks find them at the gateway of their network, where the fronts answer; the fronts ask which there are.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Endpoint:
    """What answers to a name."""

    kind: Literal["database", "domain", "lattice"]
    resource: str
    """ARN that a caller needs rights to."""
    account: str
    region: str
    targets: list[str] = field(default_factory=list[str])
    """``address:port`` of the tasks behind it."""


ALL: dict[str, Endpoint] = {}
"""By their host names."""


def at(host: str) -> Endpoint:
    """What answers to ``host``.

    Raises:
        KeyError: nothing.
    """
    return ALL[host.lower()]
