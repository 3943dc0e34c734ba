"""What listens where: one port of a server, the protocol it speaks and the lowest TLS it admits."""

import re
from typing import Final, NamedTuple

from infra.assurance.model.resource import Resource
from infra.assurance.transport.tls import TARGET_DECIDES

_RANGE: Final = re.compile(r"(tcp|udp) (\d+)(?:-(\d+))?$")
_PORTS: Final = range(65536)


class Served(NamedTuple):
    """One thing that answers; `port` None means any port."""

    port: int | None
    protocol: str
    tls: str
    evidence: tuple[Resource, ...] = ()
    over: str = "tcp"

    def is_met(self, ports: str) -> bool:
        """Whether an edge's ports, as `reaches` writes them, lead to it."""
        return any(
            over == self.over and (self.port is None or self.port in within) for over, within in port_ranges(ports)
        )


def decided_by_target(*evidence: Resource) -> Served:
    """A program answers, and only it knows what it speaks."""
    return Served(None, TARGET_DECIDES, TARGET_DECIDES, evidence)


def port_ranges(ports: str) -> list[tuple[str, range]]:
    """The ranges that a text such as `tcp 443`, `udp 0-1023`, `all` or several of them names, by protocol."""
    found: list[tuple[str, range]] = []
    for part in ports.split(","):
        text = part.strip()
        if text.split(" ")[0] == "all":
            found += [("tcp", _PORTS), ("udp", _PORTS)]
        elif match := _RANGE.match(text):
            low, high = int(match.group(2)), int(match.group(3) or match.group(2))
            found.append((match.group(1), range(low, high + 1)))
    return found
