"""A wrong setting of the pipeline is named before anything is made."""

from pathlib import Path

import pytest

from infra.delivery.settings import read_pipeline
from infra.delivery.stacks import deployed_as
from infra.settings import ROOT, InvalidSettings, read_environments

ENVIRONMENTS = read_environments()
SHIPPED = (ROOT / "pipeline.toml").read_text()


def test_without_its_file_there_is_no_pipeline(tmp_path: Path) -> None:
    assert read_pipeline(ENVIRONMENTS, tmp_path) is None
    assert deployed_as("prod", None) == "prod/*"


def test_an_environment_of_the_pipeline_is_deployed_as_a_part_of_it() -> None:
    pipeline = read_pipeline(ENVIRONMENTS)
    assert deployed_as("prod", pipeline) == "pipeline/prod/*"
    assert deployed_as("dev", pipeline) == "dev/*"
    assert deployed_as("pipeline", pipeline) == "pipeline"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('environment = "prod"', 'environment = "production"', 'stages.1.environment = "production": must be one of'),
        ('environment = "prod"', 'environment = "staging"', "must name each environment once, not staging, staging"),
        ('region = "us-east-1"', 'region = "us-west-2"', "must be in account 999900001111 and region us-west-2"),
        ("approval = true", "approve = true", "stages.1.approve = true: unknown; known here are environment, approval"),
        ('emails = ["delivery@sanctum.example"]', "emails = []", "notifications.emails = []"),
        ('repository = "sanctum-example/sanctum"', 'repository = "sanctum"', 'source.repository = "sanctum"'),
        ('id = "999900001111"', "id = 999900001111", "account.id = 999900001111"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file_its_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in SHIPPED
    (tmp_path / "pipeline.toml").write_text(SHIPPED.replace(old, new))
    with pytest.raises(InvalidSettings) as raised:
        read_pipeline(ENVIRONMENTS, tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / 'pipeline.toml'}:")
    assert told in str(raised.value)


def test_images_of_two_architectures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text(SHIPPED)
    other = [
        e.model_copy(update={"compute": e.compute.model_copy(update={"architecture": "X86_64"})})
        if e.name == "prod"
        else e
        for e in ENVIRONMENTS
    ]
    with pytest.raises(InvalidSettings, match=r"must have the same compute\.architecture"):
        read_pipeline(other, tmp_path)
