"""Settings that are accepted can be synthesized, whatever their combination; those that are refused say why.

``EXAMPLES=all`` synthesizes as many environments as it takes for every two values to meet.
"""

import functools
import itertools
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from infra.costs.bill import bill
from infra.costs.deployed import read_deployed
from infra.preflight.checks.endpoints import endpoint_zones
from infra.services import read_services
from infra.settings import Environment, InvalidSettings, read_environment
from infra.sizes import check_quota, needed_vcpus
from tests.infra.conftest import EVERYTHING
from tests.infra.settings_strategy import CHOICES, SYNTHESIZED, Choice, File, covering, file_of, files, values, write

SERVICES = read_services()

examples = settings(max_examples=30, derandomize=True, deadline=None, database=None)


def _read(file: File) -> Environment:
    with tempfile.TemporaryDirectory() as folder:
        return read_environment(write(file, Path(folder)).stem, Path(folder))


@given(files())
@examples
def test_settings_that_go_together_are_accepted_and_fit(file: File) -> None:
    environment = _read(file)
    network = environment.network
    assert len(network.public_cidrs) == len(network.zones)
    assert all(subnet.subnet_of(network.cidr) for subnet in network.public_cidrs)
    for zones in endpoint_zones(environment).values():
        assert zones
        assert set(zones) <= set(network.zones)
    assert environment.has_nat == (network.egress == "nat" or environment.model.host is not None)
    for service in SERVICES.values():
        wanted = {v.source for v in service.variables.values() if v.source.startswith("settings.")}
        assert wanted <= set(environment.service_values())
    # 28 characters are the shortest name that any of them may have (a domain of OpenSearch).
    assert len(environment.resource_name("memory")) <= 28
    quota = environment.account.fargate_vcpus
    if needed_vcpus(environment, SERVICES) > quota:
        with pytest.raises(InvalidSettings, match=f"account.fargate_vcpus = {quota}"):
            check_quota([environment], SERVICES)
    else:
        check_quota([environment], SERVICES)


@dataclass(frozen=True)
class Broken:
    """A key that is made wrong, and what has to be said of it."""

    path: tuple[str, ...]
    value: object
    says: str


MISSING = object()


def _wrong(model: type[BaseModel] = Environment, above: tuple[str, ...] = ()) -> Iterator[Broken]:
    """Every way to make one key of a file wrong: of another type, out of range, missing, and unknown."""
    schema = model.model_json_schema()["properties"]
    yield Broken((*above, "nonsense"), 1, f"{'.'.join((*above, 'nonsense'))} = 1: unknown; known here are ")
    for key, field in model.model_fields.items():
        path = (*above, key)
        name = ".".join(path)
        annotation = cast("object", field.annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _wrong(annotation, path)
            if field.is_required():
                yield Broken(path, MISSING, f"{name}: missing")
            continue
        text = {str, bool} & {annotation, *get_args(annotation)}
        value = 7 if text else "seven"
        yield Broken(path, value, f"{name} = {json.dumps(value)}: ")
        if field.is_required():
            yield Broken(path, MISSING, f"{name}: missing")
        if "minimum" in schema[key]:
            less = schema[key]["minimum"] - 1
            yield Broken(path, less, f"{name} = {less}: Input should be greater than or equal to ")
        if "maximum" in schema[key]:
            more = schema[key]["maximum"] + 1
            yield Broken(path, more, f"{name} = {more}: Input should be less than or equal to ")


WRONG = sorted(_wrong(), key=lambda broken: broken.path)


def _break(file: File, broken: Broken) -> None:
    *tables, key = broken.path
    table: dict[str, Any] = file
    for name in tables:
        table = table.setdefault(name, {})
    if broken.value is MISSING:
        table.pop(key, None)
    else:
        table[key] = broken.value


def _refusal(file: File, *broken: Broken) -> tuple[str, str]:
    """The name of the file, and what is said of it."""
    for one in broken:
        _break(file, one)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prod.toml"
        write(file | {"name": "prod"}, Path(folder)).rename(path)
        if file.get("name") != "prod":
            renamed = path.read_text().replace('name = "prod"', f"name = {json.dumps(file.get('name'))}", 1)
            path.write_text(renamed if "name" in file else path.read_text().replace('name = "prod"\n', "", 1))
        with pytest.raises(InvalidSettings) as refused:
            read_environment("prod", Path(folder))
        return str(path), str(refused.value)


@pytest.mark.parametrize("broken", WRONG, ids=lambda broken: f"{'.'.join(broken.path)}-{broken.says.split()[-1]}")
def test_every_key_that_is_wrong_is_named_with_its_value_and_what_is_allowed(broken: Broken) -> None:
    path, message = _refusal(file_of({key: choices[0] for key, choices in CHOICES.items()}), broken)
    lines = message.splitlines()
    assert lines[0] == f"{path}:"
    assert any(line.startswith(f"  {broken.says}") for line in lines), message


@given(files(), st.lists(st.sampled_from(WRONG), min_size=2, max_size=6, unique_by=lambda broken: broken.path))
@examples
def test_all_that_is_wrong_is_said_at_once_whatever_else_the_file_says(file: File, broken: list[Broken]) -> None:
    gone = [b.path for b in broken if b.value is MISSING]
    apart = [b for b in broken if not any(b.path != g and b.path[: len(g)] == g for g in gone)]
    _, message = _refusal(file, *apart)
    for one in apart:
        assert f"\n  {one.says}" in message


@functools.cache
def _chosen() -> list[Choice]:
    return list(itertools.islice(covering(), None if EVERYTHING else SYNTHESIZED))


def test_every_value_is_in_one_of_the_environments_that_are_synthesized() -> None:
    assert set[str]().union(*map(values, _chosen())) == {f"{k}={v}" for k, vs in CHOICES.items() for v in vs}


@pytest.mark.parametrize("number", range(len(_chosen())))
def test_settings_that_are_accepted_can_be_synthesized_and_priced(number: int, variants: Path) -> None:
    failure, out = variants / str(number) / "failure.txt", variants / str(number) / "cdk.out"
    assert not failure.exists(), failure.read_text()
    environment = _read(file_of(_chosen()[number]))
    manifests = [json.loads(path.read_text()) for path in out.rglob("manifest.json")]
    assert not [missing for manifest in manifests for missing in manifest.get("missing", ())]
    errors = [
        message["data"]
        for manifest in manifests
        for artifact in manifest["artifacts"].values()
        for messages in artifact.get("metadata", {}).values()
        for message in messages
        if message["type"] == "aws:cdk:error"
    ]
    assert errors == []
    assert bill(read_deployed(out)[environment.name])
