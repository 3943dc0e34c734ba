"""``docs/costs.md``."""

from collections.abc import Iterable, Mapping, Sequence

from infra.costs import assumptions
from infra.costs.bill import bill, total
from infra.costs.deployed import Deployed
from infra.costs.economies import Context, economies_of
from infra.costs.line import Line
from infra.costs.prices import HOURS, PATH, Prices
from infra.markdown import table
from infra.services import Service
from infra.settings import PIPELINE, Environment

MOST = {"dev": 145, "prod": 650}
"""US dollars a month that an idle environment may cost."""

HEAD = f"""\
<!-- Written by `make reference`; change infra/costs and run it again. -->
# What an idle environment costs

Counted from the templates that are deployed, at the list prices of us-east-1, in US dollars for a month of {HOURS}
hours in which nobody uses it. People come on top: the model's tokens above all, then traffic, capacity and logs.

"""

ECONOMIES = "What an environment does not have at all is worth what the dearest of them pays for it."


def costs_page(
    environments: Sequence[Environment],
    services: Sequence[Service],
    deployed: Mapping[str, Deployed],
    prices: Prices,
) -> str:
    """The page, in Markdown.

    Raises:
        UnknownPrice: something that is deployed has no price.
    """
    bills = {environment.name: bill(deployed[environment.name]) for environment in environments}
    full = bills[max(bills, key=lambda name: total(bills[name], prices))]
    parts = [HEAD + _overview(environments, bills, prices), "## What is assumed\n\n" + assumptions.TEXT]
    for environment in environments:
        lines = bills[environment.name]
        parts.append(f"## {environment.name}\n\n{_lines(lines, prices)}")
        if found := economies_of(Context(environment, services, lines, full, prices)):
            rows = [(f"`{economy.setting}`", f"{saved:.2f}", economy.gives_up) for economy, saved in found]
            head = f"### Economies of {environment.name}\n\n{ECONOMIES}\n\n"
            parts.append(head + table(("setting", "saves a month", "gives up"), rows))
    if shared := deployed.get(PIPELINE):
        bills[PIPELINE] = bill(shared)
        parts.append(f"## The pipeline\n\nIn an account of its own.\n\n{_lines(bills[PIPELINE], prices)}")
    parts.append(_prices({line.item for lines in bills.values() for line in lines}, prices))
    return "\n\n".join(parts) + "\n"


def _overview(environments: Sequence[Environment], bills: Mapping[str, list[Line]], prices: Prices) -> str:
    rows = [
        (
            f"[{e.name}](#{e.name})",
            f"{total(bills[e.name], prices):.2f}",
            str(MOST.get(e.name, "–")),
            str(e.operations.monthly_budget_usd),
        )
        for e in environments
    ]
    return table(("environment", "idle", "may be at the most", "`operations.monthly_budget_usd`"), rows)


def _lines(lines: Sequence[Line], prices: Prices) -> str:
    rows = [(line.what, line.reckoned, line.working(prices), f"{line.usd(prices):.2f}") for line in lines]
    rows.append(("**Together**", "", "", f"**{total(list(lines), prices):.2f}**"))
    return table(("what", "counted", "quantity × price", "USD a month"), rows)


def _prices(items: Iterable[str], prices: Prices) -> str:
    rows = [
        (f"`{item}`", price.unit, f"{price.usd:g}", price.as_of, price.confidence, price.source)
        for item in sorted(items)
        if (price := prices[item])
    ]
    return f"## Prices\n\nFrom `infra/costs/{PATH.name}`, which says of each where it was read.\n\n" + table(
        ("item", "unit", "USD", "as of", "confidence", "source"), rows
    )
