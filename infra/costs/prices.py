"""Prices of AWS in us-east-1, without free allotments, from ``prices.csv``; each says how far it can be trusted."""

import csv
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_name("prices.csv")
HOURS = 730
"""A month, as AWS reckons it."""


class UnknownPrice(LookupError):
    """Something costs what ``prices.csv`` does not say."""


@dataclass(frozen=True)
class Price:
    """US dollars for one ``unit``; ``as_of`` is when the source said so, and ``confidence`` how well it is backed."""

    unit: str
    usd: float
    as_of: str
    confidence: str
    source: str


class Prices:
    """The price list."""

    def __init__(self, path: Path = PATH) -> None:
        with path.open(newline="") as file:
            self._prices = {
                row["item"]: Price(row["unit"], float(row["usd"]), row["as_of"], row["confidence"], row["source"])
                for row in csv.DictReader(file)
            }

    def __getitem__(self, item: str) -> Price:
        """The price of an item.

        Raises:
            UnknownPrice: the list does not have it.
        """
        if item not in self._prices:
            raise UnknownPrice(f"{PATH.name} has no price for {item}: look it up and add a row")
        return self._prices[item]

    def month(self, item: str, quantity: float = 1) -> float:
        """US dollars a month for ``quantity`` of it all the time."""
        price = self[item]
        return price.usd * quantity * (HOURS if price.unit.endswith("-hour") else 1)
