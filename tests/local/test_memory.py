"""Which memory Sanctum is started with on one machine, and what it is told of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from local import memory as memory_module
from local.certificates import LEAF_LIFE, Authority
from local.failure import Failure
from local.memory import OpenSearchMemory
from local.sanctum import Sanctum
from local.state import State
from local.supervisor import Stopped, Supervisor


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder on a machine that has what OpenSearch needs, though nothing runs here."""
    monkeypatch.setattr(memory_module, "missing", lambda: None)
    monkeypatch.setattr("local.opensearch.java", lambda: tmp_path / "java")
    return tmp_path


def _told(sanctum: Sanctum) -> dict[str, str]:
    environment = sanctum._python(sanctum._services["ai_core"], "ai_core")[1]  # pyright: ignore[reportPrivateUsage] - what the process is told
    return {name: value for name, value in environment.items() if name.startswith("MEMORY_")}


def test_by_default_it_remembers_in_pgvector(tmp_path: Path) -> None:
    told = _told(Sanctum(State(tmp_path), 8443))
    assert told["MEMORY_STORE"] == "pgvector"
    assert not {"MEMORY_URL", "MEMORY_AUTH", "MEMORY_CLIENT_CERT_FILE", "MEMORY_CLIENT_KEY_FILE"} & set(told)


@pytest.mark.usefixtures("ready")
def test_opensearch_is_reached_over_tls_with_a_certificate(tmp_path: Path) -> None:
    told = _told(Sanctum(State(tmp_path), 8443, memory="opensearch"))
    assert told["MEMORY_STORE"] == "opensearch"
    assert told["MEMORY_AUTH"] == "mtls"
    assert told["MEMORY_URL"].startswith("https://127.0.0.1:")
    for name in ("MEMORY_CA_FILE", "MEMORY_CLIENT_CERT_FILE", "MEMORY_CLIENT_KEY_FILE"):
        assert Path(told[name]).exists()
    assert Path(told["MEMORY_CLIENT_KEY_FILE"]).stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("ready")
def test_the_authority_of_its_clients_is_new_at_each_start_and_its_key_in_no_file(tmp_path: Path) -> None:
    made: set[bytes] = set()
    for _ in range(2):
        Sanctum(State(tmp_path), 8443, memory="opensearch")
        certificates = tmp_path / "certificates"
        made.add((certificates / "memory-clients.pem").read_bytes())
        keys = {path.stem for path in certificates.glob("*.key")}
        assert keys == {"backend-client", "memory-client", "opensearch", "ai_core", "backend", "model"}
    assert len(made) == 2


def test_without_java_or_maven_it_says_so_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "missing", lambda: "OpenSearch needs something: install it.")
    with pytest.raises(Failure, match=r"^OpenSearch needs something: install it\.$"):
        Sanctum(State(tmp_path), 8443, memory="opensearch")


@pytest.mark.usefixtures("ready")
def test_certificates_that_only_an_earlier_start_had_are_never_outdated(tmp_path: Path) -> None:
    Sanctum(State(tmp_path), 8443, memory="opensearch")
    stale = tmp_path / "certificates" / "opensearch.pem"
    assert stale.exists()
    Sanctum(State(tmp_path), 8443)
    assert not stale.exists()


@pytest.mark.usefixtures("ready")
def test_a_certificate_that_ended_is_renewed_with_all_others_in_the_same_files(tmp_path: Path) -> None:
    sanctum = Sanctum(State(tmp_path), 8443, memory="opensearch")
    sanctum._postgres.prepare()  # pyright: ignore[reportPrivateUsage] - its certificate is made as late as that
    files = [*(tmp_path / "certificates").glob("*"), sanctum._postgres.certificate]  # pyright: ignore[reportPrivateUsage]
    before, told = {file: file.read_bytes() for file in files}, _told(sanctum)
    assert sanctum.outdated() is None
    kept = Authority.kept("Sanctum on this machine", sanctum.ca, tmp_path / "secrets" / "ca.key")
    kept.issue_server("ai_core", tmp_path / "certificates", at=datetime.now(UTC) - 2 * LEAF_LIFE)
    assert "ai_core.pem is not valid" in str(sanctum.outdated())
    sanctum.renew_certificates(Supervisor(tmp_path, print))
    assert sanctum.outdated() is None
    assert not [file for file in files if file.read_bytes() == before[file]]
    assert _told(sanctum) == told


@pytest.fixture
def memory(ready: Path, monkeypatch: pytest.MonkeyPatch) -> OpenSearchMemory:
    """Of a machine where OpenSearch is yet to be downloaded."""
    monkeypatch.setattr(memory_module, "INSTALLATION", ready / "missing")
    monkeypatch.setattr(memory_module, "ROOT", ready)
    (ready / "local").mkdir()
    return OpenSearchMemory(ready / "data", ready, Authority("test"), ready / "ca.pem")


def _download(memory: OpenSearchMemory, folder: Path, program: str, *, stopped: bool = False) -> list[str]:
    """What is said while ``program`` stands in for the download."""
    (folder / "local" / "opensearch_binaries.py").write_text(program)
    said: list[str] = []
    supervisor = Supervisor(folder, said.append)
    if stopped:
        supervisor.request_stop()
    memory.install(supervisor, said.append)
    return said


def test_the_first_start_says_that_it_downloads_and_how_much(memory: OpenSearchMemory, tmp_path: Path) -> None:
    (line,) = _download(memory, tmp_path, "print('done')")
    assert line.startswith("Downloading OpenSearch ")
    assert "200 MB" in line
    assert (tmp_path / "opensearch_download.log").read_text() == "done\n"


def test_a_download_that_fails_is_named_with_its_log(memory: OpenSearchMemory, tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"opensearch_download failed: .*opensearch_download\.log says why"):
        _download(memory, tmp_path, "raise SystemExit('no network')")
    assert "no network" in (tmp_path / "opensearch_download.log").read_text()


def test_a_download_can_be_stopped(memory: OpenSearchMemory, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        _download(memory, tmp_path, "import time; time.sleep(600)", stopped=True)
