"""An environment's bill: every resource in its templates is counted, or known to be free."""

from collections.abc import Mapping

from infra.costs import compute, data, network, operations, scheduled
from infra.costs.deployed import Deployed
from infra.costs.free import CUSTOM, FREE
from infra.costs.line import Counter, Line
from infra.costs.prices import Prices, UnknownPrice

COUNTERS: Mapping[str, Counter] = (
    compute.COUNTERS | network.COUNTERS | data.COUNTERS | scheduled.COUNTERS | operations.COUNTERS
)
"""Who counts what there is of a type. One counter may count several."""


def bill(deployed: Deployed) -> list[Line]:
    """The lines of a month in which nobody uses the environment.

    Raises:
        UnknownPrice: there is a type of resource of which it is not known what it costs.
    """
    types = {resource.type for resource in deployed.resources}
    unknown = sorted(t for t in types - FREE - COUNTERS.keys() if not t.startswith(CUSTOM))
    if unknown:
        raise UnknownPrice(
            f"{deployed.name}: what do {', '.join(unknown)} cost? Count it in infra/costs, or name it in its free.py"
        )
    return [line for counter in dict.fromkeys(COUNTERS.values()) for line in counter(deployed)]


def total(lines: list[Line], prices: Prices) -> float:
    """US dollars a month."""
    return sum(line.usd(prices) for line in lines)
