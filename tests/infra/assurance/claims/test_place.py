"""A claim is judged where its environment is deployed, and says so without naming accounts."""

from pathlib import Path

import pytest

from infra.assurance.claims import places_of
from infra.assurance.model.model import Model, read_models
from tests.infra.assurance.assembly import write

ENVIRONMENTS = {"dev": "dev", "prod": "delivery/prod", "later": "later"}


@pytest.fixture
def model(tmp_path: Path) -> Model:
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    write(tmp_path, {"Shop": topic}, account="111122223333", stage="dev")
    write(tmp_path, {"Shop": topic}, account="777788889999", region="eu-west-1", stage="delivery/prod")
    write(tmp_path, {"builds": topic}, account="999900001111")
    return read_models(tmp_path)[0]


def test_places_are_the_environments_that_are_there_and_what_is_outside(model: Model) -> None:
    assert [(place.name, place.path) for place in places_of(model, ENVIRONMENTS)] == [
        ("dev", "dev"),
        ("prod", "delivery/prod"),
        ("", ""),
    ]


def test_names_stand_for_where_things_are_deployed(model: Model) -> None:
    _, prod, outside = places_of(model, ENVIRONMENTS, {"list": "pl-1", "owner": "root of {account}"})
    assert prod.filled("~/Web {account} {region} {list}") == "delivery/prod/Web 777788889999 eu-west-1 pl-1"
    assert prod.filled("{owner} in {environment}") == "root of 777788889999 in prod"
    assert prod.filled("{dev.account} {builds.account} {nobody}") == "111122223333 999900001111 {nobody}"
    assert outside.filled("~/Web {account} {prod.region}") == "~/Web {account} eu-west-1"


def test_environments_are_read_side_by_side(model: Model) -> None:
    places = places_of(model, ENVIRONMENTS)
    values = ["delivery/prod/Web", "root of 777788889999", "task of delivery/prod/Web", "my-delivery/prod/Web"]
    shortened = [places[1].shortened(value) for value in values]
    assert shortened == ["~/Web", "root of {account}", "task of ~/Web", "my-delivery/prod/Web"]


def test_an_assembly_read_by_itself_is_its_environment(tmp_path: Path) -> None:
    body = {"Type": "AWS::SNS::Topic", "Metadata": {"aws:cdk:path": "delivery/prod/Shop/Topic/Resource"}}
    write(tmp_path, {"Shop": {"Resources": {"Topic": body}}})
    assert [place.name for place in places_of(read_models(tmp_path)[0], ENVIRONMENTS)] == ["prod"]


def test_without_environments_everything_is_outside(tmp_path: Path) -> None:
    write(tmp_path, {"empty": {}})
    assert [place.name for place in places_of(read_models(tmp_path)[0], {})] == [""]
