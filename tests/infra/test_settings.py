"""A wrong setting is named, with what is allowed, before anything is created."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.services import read_services
from infra.settings import ROOT, InvalidSettings, read_environment, read_environments

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write ``environments/<name>.toml`` of ``of`` with pieces of text replaced; returns the folder."""

    def _write(*changes: tuple[str, str], of: str = "prod", add: str = "") -> Path:
        text = (ROOT / f"{of}.toml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / f"{of}.toml").write_text(text + add)
        return tmp_path

    return _write


def _refused(folder: Path, name: str = "prod") -> str:
    with pytest.raises(InvalidSettings) as refused:
        read_environment(name, folder)
    return str(refused.value)


def test_the_environments_of_the_repository_are_valid_and_apart() -> None:
    environments = read_environments()
    assert [e.name for e in environments] == ["dev", "prod", "staging"]
    assert len({e.network.cidr for e in environments}) == 3
    assert [e.name for e in environments if not e.protected] == ["dev"]


def test_every_settings_source_of_every_service_has_a_value() -> None:
    sources = {
        variable.source
        for service in read_services().values()
        for variable in service.variables.values()
        if variable.source.startswith("settings.")
    }
    for environment in read_environments():
        assert sources == set(environment.service_values())


def test_lists_reach_a_service_separated_by_commas(write: Write) -> None:
    folder = write(('["https://sanctum.example"]', '["https://a.example", "https://b.example:8443"]'))
    values = read_environment("prod", folder).service_values()
    assert values["settings.frontend_origins"] == "https://a.example,https://b.example:8443"
    assert values["settings.trusted_proxies"] == "10.30.0.0/24,10.30.1.0/24,10.30.2.0/24"
    assert values["settings.max_body_bytes"] == "65536"


def test_all_that_is_wrong_is_said_in_one_go_with_file_key_value_and_what_is_allowed(write: Write) -> None:
    folder = write(
        ("nodes = 3", "nodes = 4"),
        ("max_acu = 16", "max_acu = 0.3"),
        ('region = "eu-west-1"', "region = 7"),
        ('domain = "api.sanctum.example"', ""),
        ("retention_days = 365", "retention_days = 366"),
        ("most = 12", "mots = 12"),
        add="\n[databse]\nreaders = 1\n",
    )
    message = _refused(folder)
    assert message.startswith(f"{folder / 'prod.toml'}:\n")
    for line in (
        "account.region = 7: Input should be a valid string",
        "memory: nodes = 4 must be a multiple of the 3 zones in network.zones",
        "database.max_acu = 0.3: Input should be a multiple of 0.5",
        "web.domain: missing",
        "compute.backend.mots = 12: unknown; known here are least, most",
        "compute.ai_core.mots = 12: unknown; known here are least, most",
    ):
        assert f"\n  {line}" in message
    assert "\n  logs.retention_days = 366: Input should be 1, 3, 5" in message
    assert "\n  databse: unknown; known here are name, protected, account, network, database" in message


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('id = "777788889999"', "id = 777788889999", "account.id = 777788889999: Input should be a valid string"),
        ('"eu-west-1c"', '"eu-west-1b"', "network.zones = ["),
        ('"eu-west-1c"', '"us-east-1c"', "zones must be in eu-west-1, not us-east-1c"),
        ("10.30.0.0/16", "10.30.0.0/20", "network.cidr"),
        ("10.30.0.0/16", "8.30.0.0/16", "must be a private network of size /16 to /19"),
        ("[database]", 'zone_ids = ["euw1-az1", "euw1-az2", "euw1-az4"]\n[database]', "does not exist in euw1-az4"),
        ("[database]", 'zone_ids = ["euw1-az1"]\n[database]', "one id for each of network.zones"),
        ("[database]", 'model_endpoint_zones = ["eu-west-1d"]\n[database]', "must be some of network.zones"),
        ("max_acu = 16", "max_acu = 1\nmin_acu = 2", "must not be less than database.min_acu"),
        ("least = 3", "least = 13", "compute.backend.most = 12: must not be less than least"),
        ("[logs]", "[limits]\nsign_in_seconds = 60\n[logs]", "must not be less than limits.refresh_token_seconds"),
        ('name = "eu.amazon', 'name = "amazon', "nothing for a plain model"),
        ("[web]", "reply_tokens = 5000\n[web]", "at most half of model.context_tokens"),
        ("[web]", 'provider = "openai"\n[web]', "model.provider = \"openai\": Input should be 'bedrock'"),
        ('hosted_zone_id = "Z0EXAMPLE0000"', "", "must be given where web.hosted_zone_id is not"),
        ("https://sanctum.example", "http://sanctum.example", "must be https, not http://sanctum.example"),
        ("https://sanctum.example", "https://sanctum.example/", "web.frontend_origins.0"),
        ("https://sanctum.example", "*", "web.frontend_origins.0"),
        ('name = "prod"', 'name = "prod"\nprotected = false', "protected = false: must be true outside dev"),
        ('name = "prod"', 'name = "live"', 'name = "live": must be "prod"'),
        ('name = "prod"', "name =", "prod.toml: Invalid value"),
    ],
)
def test_an_impossible_setting_is_refused(write: Write, old: str, new: str, expected: str) -> None:
    assert expected in _refused(write((old, new)))


def test_a_certificate_that_exists_takes_the_place_of_a_zone_if_it_is_of_this_account_and_region(
    write: Write,
) -> None:
    arn = "arn:aws:acm:{}:777788889999:certificate/12345678-1234-1234-1234-123456789012"
    zone = 'hosted_zone_id = "Z0EXAMPLE0000"'
    folder = write((zone, f'certificate_arn = "{arn.format("eu-west-1")}"'))
    assert read_environment("prod", folder).web.certificate_arn == arn.format("eu-west-1")
    folder = write((zone, f'certificate_arn = "{arn.format("us-east-1")}"'))
    assert "must be in account 777788889999 and region eu-west-1" in _refused(folder)
    folder = write((zone, f'{zone}\ncertificate_arn = "{arn.format("eu-west-1")}"'))
    assert "left out where it is" in _refused(folder)


def test_an_environment_that_does_not_exist_is_answered_with_those_that_do() -> None:
    assert "the environments are dev, prod, staging" in _refused(ROOT, "production")


def test_the_committed_files_hold_no_account_of_anybody() -> None:
    # Runs of four equal digits are what the documentation of AWS uses for examples.
    ids = {tomllib.loads(path.read_text())["account"]["id"] for path in ROOT.glob("*.toml")}
    assert ids == {"111122223333", "444455556666", "777788889999"}
