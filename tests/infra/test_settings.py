"""A wrong setting is named, with what is allowed, before anything is created."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.services import read_services
from infra.settings import ROOT, InvalidSettings, read_environment, read_environments
from infra.sizes import check_quota

Write = Callable[..., Path]
_PROD = (ROOT / "prod.toml").read_text().splitlines(keepends=True)
COPIES = "".join(line for line in _PROD if line.startswith(("copy_region", "words_key")))
"""Two settings of which one needs the other."""


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


def test_every_settings_source_of_every_service_has_a_value_and_every_value_is_read() -> None:
    sources = {variable.source for service in read_services().values() for variable in service.variables.values()}
    for environment in read_environments():
        values = set(environment.service_values())
        assert {source for source in sources if source.startswith("settings.")} <= values <= sources


def test_lists_reach_a_service_separated_by_commas(write: Write) -> None:
    folder = write(('["https://sanctum.example"]', '["https://a.example", "https://b.example:8443"]'))
    values = read_environment("prod", folder).service_values()
    assert values["settings.frontend_origins"] == "https://a.example,https://b.example:8443"
    assert values["settings.trusted_proxies"] == "10.30.0.0/24,10.30.1.0/24,10.30.2.0/24"
    assert values["settings.max_body_bytes"] == "65536"


def test_all_that_is_wrong_is_said_in_one_go_with_file_key_value_and_what_is_allowed(write: Write) -> None:
    folder = write(
        ("[backup]", "[memory]\nnodes = 4\n[backup]"),
        ("max_acu = 16", "max_acu = 0.3"),
        ('region = "us-east-1"', "region = 7"),
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


FIRST = 'name = "prod"'
OUTSIDE = """provider = "openai"
url = "https://models.example.com/v1"
api_key_secret = "arn:aws:secretsmanager:us-east-1:777788889999:secret:model-AbCdEf"
api_key_kms_key = "arn:aws:kms:us-east-1:777788889999:key/0a1b2c3d-0000-4000-8000-000000000000"
"""
PROFILE = """name = "us.amazon.nova-lite-v1:0"
destination_regions = ["us-east-1", "us-east-2", "us-west-2"]
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('id = "777788889999"', "id = 777788889999", "account.id = 777788889999: Input should be a valid string"),
        ("fargate_vcpus = 40", "fargate_vcpus = 0", "account.fargate_vcpus = 0: Input should be greater than"),
        ('"us-east-1c"', '"us-east-1b"', "network.zones = ["),
        ('"us-east-1c"', '"us-west-2c"', "zones must be in us-east-1, not us-west-2c"),
        (', "us-east-1b", "us-east-1c"', "", "network.zones = ["),
        ("10.30.0.0/16", "10.30.0.0/20", "network.cidr"),
        ("10.30.0.0/16", "8.30.0.0/16", "must be a private network of size /16 to /19"),
        ("[database]", 'zone_ids = ["use1-az1", "use1-az2", "use1-az3"]\n[database]', "does not exist in use1-az3"),
        ("[database]", 'zone_ids = ["use1-az1"]\n[database]', "one id for each of network.zones"),
        ("[database]", 'endpoint_zones = ["us-east-1d"]\n[database]', "must be some of network.zones"),
        ("[database]", 'model_endpoint_zones = ["us-east-1d"]\n[database]', "must be some of network.zones"),
        ("[database]", 'nat_zones = ["us-east-1d"]\n[database]', "must be some of network.zones"),
        ("[database]", 'egress = "internet"\n[database]', "Input should be 'endpoints' or 'nat'"),
        ("[database]", 'lattice_prefix_list = "pl-1"\n[database]', "Cannot overwrite a value"),
        ("max_acu = 16", "min_acu = 9", "database.max_acu = 8: must not be less than database.min_acu"),
        ("max_acu = 16", "max_acu = 1\nmin_acu = 2", "must not be less than database.min_acu"),
        ("max_acu = 16", "min_acu = 0.25", "database.min_acu = 0.25: Input should be a multiple of 0.5"),
        ("max_acu = 16", 'version = "16.4"', 'database.version = "16.4": String should match'),
        (', "us-east-1c"', "", "memory: nodes = 3 must be a multiple of the 2 zones"),
        ("[backup]", "[memory]\nnodes = 1\n[backup]", "nodes = 1 would be lost with its zone"),
        ('copy_region = "us-west-2"', 'copy_region = "us-east-1"', "must be another region than account.region"),
        (COPIES, "enabled = false", "enabled = false is for environments that are not protected"),
        ('copy_region = "us-west-2"', "", "needs copy_region, where the replica is to be"),
        ('words_key = "mrk-', 'words_key = "', "backup.words_key = "),
        ('copy_region = "us-west-2"', "days = 7\nlock_days = 8", "must not be more than backup.days"),
        ('destination_regions = ["us-east-1", "us-east-2", "us-west-2"]', "", "must name the regions of model.name's"),
        ('"us.amazon', '"amazon', "and nothing for any other model"),
        (PROFILE, OUTSIDE + PROFILE, "and nothing for any other model"),
        (
            PROFILE,
            f'provider = "openai"\nname = "large"\n{PROFILE[PROFILE.index("dest") :]}',
            "model.url = null: must be",
        ),
        ("[web]", 'url = "https://models.example.com"\n[web]', 'must be given where model.provider is "openai"'),
        (PROFILE, (OUTSIDE + 'name = "large"\n').replace("https", "http"), "model.url = "),
        (PROFILE, (OUTSIDE + 'name = "large"\n').replace("7777", "1111"), "must be in account 777788889999 and region"),
        ("[web]", "context_tokens = 1024\n[web]", "model.reply_tokens = 1024: must be at most half"),
        ("[web]", "reply_tokens = 5000\n[web]", "at most half of model.context_tokens"),
        ("[web]", 'provider = "vertex"\n[web]', "Input should be 'bedrock' or 'openai'"),
        ('hosted_zone_id = "Z0EXAMPLE0000"', "", "must be given where web.hosted_zone_id is not"),
        (
            "[operations]",
            "firewall = false\n[operations]",
            "firewall = false is for environments that are not protected",
        ),
        (
            "[operations]",
            "[operations]\nstore_alarms = false",
            "store_alarms = false is for environments that are not protected",
        ),
        ("https://sanctum.example", "http://sanctum.example", "must be https, not http://sanctum.example"),
        ("https://sanctum.example", "https://sanctum.example/", "web.frontend_origins.0"),
        ("https://sanctum.example", "*", "web.frontend_origins.0"),
        ('emails = ["operations@sanctum.example"]', "emails = []", "operations.emails = []"),
        ("operations@sanctum", "operations sanctum", 'operations.emails.0 = "operations sanctum.example"'),
        ("monthly_budget_usd = 1200", "monthly_budget_usd = 1200\np99_seconds = 0.0", "greater than 0"),
        ("[logs]", "[limits]\nrefresh_token_seconds = 9_000_000\n[logs]", "limits.sign_in_seconds = 7776000: must not"),
        ("[logs]", "[limits]\nsign_in_seconds = 60\n[logs]", "must not be less than limits.refresh_token_seconds"),
        (
            "[compute.backend]\nleast = 3",
            "[compute.backend]\nleast = 13",
            "compute.backend.most = 12: must not be less",
        ),
        (
            "[compute.backend]",
            "[compute.backend]\ncpu = 512",
            "compute.backend.memory_mib = null: must be given together",
        ),
        ("[compute.backend]", "[compute.backend]\ncpu = 512\nmemory_mib = 8192", "must be 1024, 2048, 3072 … 4096"),
        ("[compute.backend]", '[compute.backend]\nstrategy = "linear"', "'rolling', 'canary' or 'blue_green'"),
        ("[compute.ai_core]", '[compute.ai_core]\nstrategy = "canary"', 'compute.ai_core.strategy = "canary": unknown'),
        (FIRST, f"{FIRST}\nprotected = false", "protected = false: must be true outside dev"),
        (FIRST, 'name = "live"', 'name = "live": must be "prod"'),
        (FIRST, "name =", "prod.toml: Invalid value"),
    ],
)
def test_an_impossible_setting_is_refused(write: Write, old: str, new: str, expected: str) -> None:
    assert expected in _refused(write((old, new)))


def test_a_certificate_that_exists_takes_the_place_of_a_zone_if_it_is_of_this_account_and_region(
    write: Write,
) -> None:
    arn = "arn:aws:acm:{}:777788889999:certificate/12345678-1234-1234-1234-123456789012"
    zone = 'hosted_zone_id = "Z0EXAMPLE0000"'
    folder = write((zone, f'certificate_arn = "{arn.format("us-east-1")}"'))
    assert read_environment("prod", folder).web.certificate_arn == arn.format("us-east-1")
    folder = write((zone, f'certificate_arn = "{arn.format("eu-west-1")}"'))
    assert "must be in account 777788889999 and region us-east-1" in _refused(folder)
    folder = write((zone, f'{zone}\ncertificate_arn = "{arn.format("us-east-1")}"'))
    assert "left out where it is" in _refused(folder)


def test_an_environment_that_does_not_exist_is_answered_with_those_that_do() -> None:
    assert "the environments are dev, prod, staging" in _refused(ROOT, "production")


def test_an_outside_model_is_accepted_with_its_address_and_its_key(write: Write) -> None:
    environment = read_environment("prod", write((PROFILE, OUTSIDE + 'name = "large"\n')))
    assert (environment.model.host, environment.has_nat) == ("models.example.com", True)


def test_an_account_whose_quota_would_stop_a_deployment_is_refused_with_what_it_needs(write: Write) -> None:
    environment = read_environment("prod", write(("fargate_vcpus = 40", "fargate_vcpus = 36")))
    with pytest.raises(InvalidSettings, match=r"prod: account.fargate_vcpus = 36 does not do .* which takes 37: ask"):
        check_quota([environment], read_services())
    check_quota(read_environments(), read_services())


def test_the_committed_files_hold_no_account_of_anybody() -> None:
    # Runs of four equal digits are what the documentation of AWS uses for examples.
    ids = {tomllib.loads(path.read_text())["account"]["id"] for path in ROOT.glob("*.toml")}
    assert all(re.fullmatch(r"(\d)\1{3}(\d)\2{3}(\d)\3{3}", account) for account in ids)
