"""A claim is judged where its environment is deployed, and says so without naming accounts."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.assurance.claims import Claims, Place, places_of
from infra.assurance.model.model import Model, read_models
from infra.assurance.refusal import Refused
from tests.infra.assurance.assembly import write

ENVIRONMENTS = {"dev": "dev", "prod": "delivery/prod", "later": "later"}


def places_in(
    model: Model, names: Mapping[str, str] | None = None, environments: Mapping[str, str] = ENVIRONMENTS
) -> list[Place]:
    apart = ("builds", "guards-{account}")
    return places_of(model, Claims(Path("claims.toml"), environments, (), names or {}, apart))


@pytest.fixture
def model(tmp_path: Path) -> Model:
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    write(tmp_path, {"Shop": topic}, account="111122223333", stage="dev")
    write(tmp_path, {"Shop": topic}, account="777788889999", region="eu-west-1", stage="delivery/prod")
    write(tmp_path, {"builds": topic}, account="999900001111")
    return read_models(tmp_path)[0]


def test_places_are_the_environments_that_are_there_and_what_is_outside(model: Model) -> None:
    assert [(place.name, place.path) for place in places_in(model)] == [
        ("dev", "dev"),
        ("prod", "delivery/prod"),
        ("", ""),
    ]


def test_names_stand_for_where_things_are_deployed(model: Model) -> None:
    _, prod, outside = places_in(model, {"list": "pl-1", "owner": "root of {account}"})
    assert prod.filled("~/Web {account} {region} {list}") == "delivery/prod/Web 777788889999 eu-west-1 pl-1"
    assert prod.filled("{owner} in {environment}") == "root of 777788889999 in prod"
    assert prod.filled("{dev.account} {builds.account} {{resolve:x}}") == "111122223333 999900001111 {{resolve:x}}"
    assert outside.filled("~/Web {prod.region}") == "~/Web eu-west-1"


@pytest.mark.parametrize(("place", "name"), [(0, "nobody"), (2, "account"), (1, "lists")])
def test_a_name_that_stands_for_nothing_is_refused(model: Model, place: int, name: str) -> None:
    with pytest.raises(Refused, match=rf"\{{{name}\}} stands for nothing; there are .*list, prod.account"):
        places_in(model, {"list": "pl-1"})[place].filled(f"a {{{name}}}")


def test_environments_are_read_side_by_side(model: Model) -> None:
    places = places_in(model)
    values = ["delivery/prod/Web", "root of 777788889999", "task of delivery/prod/Web", "my-delivery/prod/Web"]
    shortened = [places[1].shortened(value) for value in values]
    assert shortened == ["~/Web", "root of {account}", "task of ~/Web", "my-delivery/prod/Web"]


def test_an_assembly_read_by_itself_is_its_environment(tmp_path: Path) -> None:
    body = {"Type": "AWS::SNS::Topic", "Metadata": {"aws:cdk:path": "delivery/prod/Shop/Topic/Resource"}}
    write(tmp_path, {"Shop": {"Resources": {"Topic": body}}})
    assert [place.name for place in places_in(read_models(tmp_path)[0])] == ["prod"]


def test_without_environments_everything_is_outside(tmp_path: Path) -> None:
    write(tmp_path, {"empty": {}})
    assert [place.name for place in places_in(read_models(tmp_path)[0], environments={})] == [""]


def test_stacks_that_may_be_apart_are_known_to_be_lacking(tmp_path: Path) -> None:
    body = {"Type": "AWS::SNS::Topic", "Metadata": {"aws:cdk:path": "dev/Shop/Topic/Resource"}}
    guards = {"Type": "AWS::SNS::Topic", "Metadata": {"aws:cdk:path": "guards-111122223333/Topic/Resource"}}
    write(tmp_path, {"Shop": {"Resources": {"Topic": body}}})
    assert [place.lacks for place in places_in(read_models(tmp_path)[0])] == [("builds", "guards-111122223333")]
    write(tmp_path, {"guards-111122223333": {"Resources": {"Topic": guards}}})
    assert {place.name: place.lacks for place in places_in(read_models(tmp_path)[0])}["dev"] == ("builds",)
