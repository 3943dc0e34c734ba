"""Every page that is written from the code."""

from pathlib import Path

from infra.costs.deployed import read_deployed
from infra.costs.page import costs_page
from infra.costs.prices import Prices
from infra.reference.settings_page import settings_page
from infra.services import read_services
from infra.settings import read_environments

DOCS = Path(__file__).resolve().parents[2] / "docs"


def pages(assembly: Path) -> dict[Path, str]:
    """Each page's text, by its path. What is deployed is read from ``assembly``.

    Raises:
        UnknownPrice: something that is deployed has no price.
    """
    prices = Prices()
    environments, services = read_environments(), list(read_services().values())
    return {
        DOCS / "settings.md": settings_page(prices),
        DOCS / "costs.md": costs_page(environments, services, read_deployed(assembly), prices),
    }


def write_pages(assembly: Path) -> list[Path]:
    """Write them; returns where.

    Raises:
        UnknownPrice: as ``pages``.
    """
    written = pages(assembly)
    for path, text in written.items():
        path.write_text(text)
    return list(written)
