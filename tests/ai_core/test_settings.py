"""Which settings the AI core accepts, and what it says about the others."""

import pytest
from ai_core.core import memory_store
from ai_core.settings import DatabaseSettings, MemorySettings, Settings
from chassis.settings import read_settings

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
    for name, value in (cloud | {"MEMORY_URL": "https://memory.example"}).items():
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


@pytest.mark.parametrize("name", ["CLIENT_CA_FILE", "MODEL_URL", "MODEL_NAME", "PORT"])
def test_a_missing_setting_is_named(name: str, variables: pytest.MonkeyPatch) -> None:
    variables.delenv(name)
    assert name in said_about(Settings)


def test_everything_that_is_wrong_is_named_in_one_go(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("PORT", "0")
    variables.delenv("MODEL_NAME")
    said = said_about(Settings)
    assert "PORT" in said
    assert "MODEL_NAME" in said


def test_a_domain_without_an_address_is_refused(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("MEMORY_STORE", "opensearch")
    with pytest.raises(SystemExit, match="MEMORY_URL"):
        read_settings(MemorySettings)


@pytest.mark.parametrize("url", ["http://memory.example", "http://localhost.memory.example", "memory.example"])
def test_a_domain_is_asked_over_tls_alone(variables: pytest.MonkeyPatch, url: str) -> None:
    variables.setenv("MEMORY_STORE", "opensearch")
    variables.setenv("MEMORY_URL", url)
    with pytest.raises(SystemExit, match="MEMORY_URL"):
        read_settings(MemorySettings)


def test_a_domain_without_credentials_is_refused(variables: pytest.MonkeyPatch) -> None:
    without_credentials(variables)
    variables.setenv("MEMORY_STORE", "opensearch")
    variables.setenv("MEMORY_URL", "https://memory.example")
    with pytest.raises(SystemExit, match=r"MEMORY_STORE opensearch: .* needs AWS credentials and a region"):
        memory_store(read_settings(MemorySettings))


def test_passwords_show_in_no_text(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("MODEL_API_KEY", "zymurgy")
    variables.setenv("DATABASE_PASSWORD", "zymurgy")
    assert "zymurgy" not in f"{read_settings(Settings)!r}{read_settings(DatabaseSettings)!r}"
