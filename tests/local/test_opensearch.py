"""The OpenSearch server on this machine: who may reach it, as whom it runs, and what is said when it cannot start.

That it has all it had after a kill is shown in ``tests/e2e/test_on_opensearch.py``.
"""

import os
import subprocess
from collections.abc import Generator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from local import opensearch as opensearch_module
from local.failure import Failure
from local.opensearch import OpenSearch, running, used
from local.opensearch_binaries import missing
from local.opensearch_errors import explain
from local.unprivileged import Account, accounts
from tests.support import privacy
from tests.support.inside import processes_told

pytestmark = pytest.mark.xdist_group("opensearch_on_one_machine")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server of this module has its data."""
    if lacks := missing():
        pytest.skip(lacks)
    return tmp_path_factory.mktemp("opensearch")


@pytest.fixture(scope="module")
def server(folder: Path) -> Generator[OpenSearch]:
    with running(folder) as server:
        yield server
    privacy.keep(folder)


def test_it_tells_whether_anything_was_ever_stored(server: OpenSearch) -> None:
    assert server.ready(0)
    assert server.alive(0)
    assert not used(server.folder)
    body = b'{"said": "zymurgy"}'
    request = Request(f"{server.url}/x/_doc/1", body, {"Content-Type": "application/json"}, method="PUT")  # noqa: S310 - http
    urlopen(request, timeout=30).close()  # noqa: S310 - http
    assert used(server.folder)


def _process(server: OpenSearch) -> Path:
    (found,) = processes_told(f"-Dopensearch.path.conf={server.folder}", os.getpid())
    return found


def test_it_listens_to_this_machine_alone(server: OpenSearch) -> None:
    links = [str(file.readlink()) for file in (_process(server) / "fd").iterdir() if file.is_symlink()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    tables = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    listening = {row[1].partition(":")[0] for row in tables if row[3] == "0A" and row[9] in inodes}
    assert listening == {"0000000000000000FFFF00000100007F"}  # 127.0.0.1, as Java writes it


def test_it_runs_without_roots_rights_in_a_folder_of_its_own(server: OpenSearch) -> None:
    status = (_process(server) / "status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    assert int(fields["Uid"].split()[0]) != 0 or int(fields["CapEff"], 16) == 0
    assert server.folder.stat().st_mode & 0o077 == 0


def test_a_second_server_on_the_same_data_is_refused(server: OpenSearch, tmp_path: Path) -> None:
    data = {"path.data": str(server.folder / "data")}
    with pytest.raises(Failure, match="Another OpenSearch runs on"), running(tmp_path, data):
        pass


def test_too_little_memory_is_named(folder: Path, tmp_path: Path) -> None:
    assert folder
    greedy = ("-Xms64T", "-Xmx64T")
    with pytest.raises(Failure, match="too little memory from this machine"), running(tmp_path, options=greedy):
        pass


def test_data_of_something_else_are_named(folder: Path, tmp_path: Path) -> None:
    assert folder
    state = tmp_path / "opensearch" / "data" / "nodes" / "0" / "_state"
    state.mkdir(parents=True)
    (state / "segments_1").write_bytes(b"\xff" * 100)
    with pytest.raises(Failure, match=r"^OpenSearch cannot run on the data in [^\n]+ \([^\n]+\): put back a good copy"):
        running(tmp_path).__enter__()


@pytest.mark.parametrize("account", accounts())
def test_every_way_to_run_without_roots_rights_is_tried_where_others_may_enter(
    account: Account, folder: Path, reachable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder
    monkeypatch.setattr(opensearch_module, "accounts", lambda: [account])
    command = OpenSearch(reachable / "opensearch").prepare()
    assert command[: len(account.prefix)] == account.prefix
    assert (reachable / "opensearch").stat().st_uid == (account.owner or os.geteuid())
    version = subprocess.run([*account.prefix, "id", "-u"], check=True, capture_output=True, text=True).stdout
    assert version.strip() != "0"


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("java.net.BindException: Address already in use\n\tat x", "A port .* is in use: start again"),
        ("Caused by: java.io.IOException: No space left on device", "The disk that holds /folder is full: free"),
        (
            "uncaught\nLikely root cause: java.lang.X: broken\n\tat y\n",
            r"cannot run on the data in /folder \(.*broken\)",
        ),
        (
            "one\nError: Could not find or load main class\n",
            r"cannot be started on /folder \(Error: .* main class\): mend",
        ),
        ("", "says nothing: start again"),
    ],
)
def test_why_it_does_not_start_is_one_sentence_with_what_to_do(output: str, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        raise explain(output, Path("/folder"))
