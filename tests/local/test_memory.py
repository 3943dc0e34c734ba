"""Which memory Sanctum is started with on one machine, and what it is told of it."""

from pathlib import Path

import pytest

from local import memory as memory_module
from local.failure import Failure
from local.sanctum import Sanctum
from local.state import State


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has what OpenSearch needs, though nothing runs here."""
    monkeypatch.setattr(memory_module, "missing", lambda: None)
    monkeypatch.setattr("local.opensearch.java", lambda: tmp_path / "java")


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
        assert keys == {"backend-client", "memory-client", "opensearch"}
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
