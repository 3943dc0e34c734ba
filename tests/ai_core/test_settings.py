"""Which settings the AI core accepts, and what it says about the others."""

from pathlib import Path

import pytest
from ai_core.core import memory_store
from ai_core.settings import DatabaseSettings, MemorySettings, Settings
from chassis.settings import read_settings

from tests.ai_core.conftest import Files
from tests.support.aws import without_credentials


@pytest.fixture
def variables(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The process's environment, with everything that the AI core needs in it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def said_about(kind: type[Settings]) -> str:
    with pytest.raises(SystemExit) as refusal:
        read_settings(kind)
    return str(refusal.value)


def test_what_one_machine_sets_is_accepted(variables: pytest.MonkeyPatch) -> None:
    assert read_settings(Settings).caller_auth == "mtls"
    variables.setenv("MODEL_URL", "http://localhost:11434/v1")
    assert read_settings(Settings).model_url == "http://localhost:11434/v1"


def test_what_the_cloud_sets_is_accepted(variables: pytest.MonkeyPatch) -> None:
    for name in ("MODEL_URL", "MODEL_CA_FILE", "MODEL_API_KEY", "TLS_CERT_FILE", "TLS_KEY_FILE", "CLIENT_CA_FILE"):
        variables.delenv(name)
    cloud = {"CALLER_AUTH": "sigv4", "MODEL_PROVIDER": "bedrock", "MEMORY_STORE": "opensearch"}
    for name, value in (cloud | {"MEMORY_URL": "https://memory.example", "MEMORY_AUTH": "sigv4"}).items():
        variables.setenv(name, value)
    assert read_settings(Settings).memory_url == "https://memory.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALLER_AUTH", "none"),
        ("CALLER_AUTH", ""),
        ("MODEL_URL", "ftp://models.example/v1"),
        ("MODEL_URL", "http://models.example/v1"),
        ("MODEL_URL", "http://localhost.models.example/v1"),
        ("MODEL_PROVIDER", "other"),
        ("MODEL_REPLY_TOKENS", "2000"),
        ("MODEL_CONCURRENCY", "0"),
        ("MEMORY_STORE", "memory"),
        ("MEMORY_AUTH", "none"),
        ("MEMORY_SEARCH", "hnsw"),
        ("MEMORIES_PER_PERSON", "0"),
        ("KEY_SERVICE", "a/relative/path"),
        ("PORT", "many"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line_that_shows_no_value(
    name: str, value: str, variables: pytest.MonkeyPatch
) -> None:
    variables.setenv(name, value)
    said = said_about(Settings)
    assert name in said
    assert len(said.splitlines()) == 1
    assert "model key" not in said


@pytest.mark.parametrize(
    "name", ["CLIENT_CA_FILE", "KEY_SERVICE", "MEMORIES_PER_PERSON", "MEMORY_SEARCH", "MODEL_URL", "MODEL_NAME", "PORT"]
)
def test_a_missing_setting_is_named(name: str, variables: pytest.MonkeyPatch) -> None:
    variables.delenv(name)
    assert name in said_about(Settings)


def test_everything_that_is_wrong_is_named_in_one_go(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("PORT", "0")
    variables.delenv("MODEL_NAME")
    said = said_about(Settings)
    assert "PORT" in said
    assert "MODEL_NAME" in said


@pytest.fixture
def with_opensearch(variables: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The process's environment, with OpenSearch as the cloud has it."""
    for name, value in {"STORE": "opensearch", "URL": "https://memory.example", "AUTH": "sigv4"}.items():
        variables.setenv(f"MEMORY_{name}", value)
    return variables


@pytest.mark.parametrize("name", ["MEMORY_URL", "MEMORY_AUTH"])
def test_opensearch_without_an_address_or_a_way_to_be_known_is_refused(
    with_opensearch: pytest.MonkeyPatch, name: str
) -> None:
    read_settings(MemorySettings)
    with_opensearch.delenv(name)
    with pytest.raises(SystemExit, match=f"MEMORY_STORE opensearch.* needs {name}$"):
        read_settings(MemorySettings)


@pytest.mark.parametrize("name", ["MEMORY_CLIENT_CERT_FILE", "MEMORY_CLIENT_KEY_FILE"])
def test_a_client_certificate_needs_both_its_files(with_opensearch: pytest.MonkeyPatch, name: str) -> None:
    for file in ("MEMORY_CLIENT_CERT_FILE", "MEMORY_CLIENT_KEY_FILE"):
        with_opensearch.setenv(file, "/a/file")
    with_opensearch.setenv("MEMORY_AUTH", "mtls")
    read_settings(MemorySettings)
    with_opensearch.delenv(name)
    with pytest.raises(SystemExit, match=f"MEMORY_STORE opensearch with MEMORY_AUTH mtls needs {name}$"):
        read_settings(MemorySettings)


@pytest.mark.parametrize(
    "url", ["http://memory.example", "http://localhost:9200", "http://127.0.0.1:9200", "memory.example"]
)
def test_opensearch_is_asked_over_tls_alone(with_opensearch: pytest.MonkeyPatch, url: str) -> None:
    with_opensearch.setenv("MEMORY_URL", url)
    with pytest.raises(SystemExit, match="MEMORY_URL"):
        read_settings(MemorySettings)


def test_a_domain_without_credentials_is_refused(with_opensearch: pytest.MonkeyPatch) -> None:
    without_credentials(with_opensearch)
    with pytest.raises(SystemExit, match=r"MEMORY_STORE opensearch: .* needs AWS credentials and a region"):
        memory_store(read_settings(MemorySettings))


@pytest.mark.parametrize("name", ["MEMORY_CA_FILE", "MEMORY_CLIENT_CERT_FILE"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_that_holds_no_certificate_is_refused(
    with_opensearch: pytest.MonkeyPatch, files: Files, tmp_path: Path, name: str, content: str | None
) -> None:
    if content:
        (tmp_path / "file").write_text(content)
    told = {"CA_FILE": files.ca, "CLIENT_CERT_FILE": files.client, "CLIENT_KEY_FILE": files.client_key, "AUTH": "mtls"}
    for variable, value in told.items():
        with_opensearch.setenv(f"MEMORY_{variable}", str(value))
    memory_store(read_settings(MemorySettings))
    with_opensearch.setenv(name, str(tmp_path / "file"))
    with pytest.raises(SystemExit, match="MEMORY_STORE opensearch: "):
        memory_store(read_settings(MemorySettings))


def test_passwords_show_in_no_text(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("MODEL_API_KEY", "zymurgy")
    variables.setenv("DATABASE_PASSWORD", "zymurgy")
    assert "zymurgy" not in f"{read_settings(Settings)!r}{read_settings(DatabaseSettings)!r}"
