"""The bookshop as a cloud assembly."""

from pathlib import Path

from tests.infra.assurance.assembly import write
from tests.infra.assurance.other_application.foundation import foundation
from tests.infra.assurance.other_application.letters import letters
from tests.infra.assurance.other_application.shop import shop
from tests.infra.assurance.other_application.store import store

CLAIMS = Path(__file__).with_name("claims.toml")
ACCOUNT = "222233334444"


def write_bookshop(folder: Path) -> Path:
    """Write it into a folder."""
    stacks = {
        "bookshop-foundation": foundation(),
        "bookshop-store": store(),
        "bookshop-shop": shop(),
        "bookshop-letters": letters(),
    }
    return write(folder, stacks, account=ACCOUNT)
