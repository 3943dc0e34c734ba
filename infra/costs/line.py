"""One line of a bill."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infra.costs.deployed import Deployed
from infra.costs.prices import HOURS, Prices


@dataclass(frozen=True)
class Line:
    """``quantity`` of ``item`` a month; a thing that is paid by the hour is counted once and runs for all hours."""

    what: str
    reckoned: str
    item: str
    quantity: float

    def usd(self, prices: Prices) -> float:
        """What it costs a month, in US dollars."""
        return prices.month(self.item, self.quantity)

    def working(self, prices: Prices) -> str:
        """How the amount comes about."""
        price = prices[self.item]
        hours = f" × {HOURS} h" if price.unit.endswith("-hour") else ""
        return f"{round(self.quantity, 3):g}{hours} × {price.usd:g}"


Counter = Callable[[Deployed], Iterable[Line]]
"""Counts what costs of some types of resources."""
