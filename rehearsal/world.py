"""Everything that stands in for AWS, up while the block is open."""

import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.ports import free_port
from rehearsal import stores
from rehearsal.authority import Authority
from rehearsal.emulator import emulator, fronts
from rehearsal.engine import engine, need_base, network
from rehearsal.places import FOLDER, LOGS


@dataclass(frozen=True)
class World:
    """Where what is deployed can be reached."""

    port: int
    """Of 127.0.0.1, where the load balancer answers to the environment's public name."""
    ca: Path
    """Who signs its certificate."""
    database: stores.Aurora
    opensearch: str

    @property
    def url(self) -> str:
        """The load balancer."""
        return f"https://localhost:{self.port}"


@contextmanager
def world() -> Generator[World]:
    """Start it afresh; nothing of it is left when the block is.

    Raises:
        Failure: this machine lacks something.
    """
    for old in ("postgres", "opensearch", "emulator", "authority", "assemblies", "sources"):
        shutil.rmtree(FOLDER / old, ignore_errors=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    for written in ("journal", "moments", "lattice"):
        (FOLDER / f"{written}.jsonl").unlink(missing_ok=True)
    authority = Authority(FOLDER / "authority")
    database = stores.aurora(FOLDER)
    port = free_port()
    with ExitStack() as up:
        up.enter_context(engine())
        need_base()
        up.enter_context(network())
        opensearch = up.enter_context(stores.opensearch(FOLDER))
        up.enter_context(database)
        model = up.enter_context(stores.language_model())
        up.enter_context(emulator(database, model))
        up.enter_context(fronts(database, opensearch, port))
        yield World(port, authority.certificate, database, opensearch)
