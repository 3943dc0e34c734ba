"""Whatever stands where a value is wanted, edges are computed or the value is refused: nothing fails in another way."""

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import pytest

from infra.assurance.network.kinds import KINDS
from tests.infra.assurance.network import test_interfaces as interfaces
from tests.infra.assurance.network import test_lattice as lattice
from tests.infra.assurance.network import test_tasks as tasks
from tests.infra.assurance.network.templates import Resources, graph

WEIRD: Final[tuple[Any, ...]] = (
    1, -1, 1e400, True, "", "x", "a,b", '{"a":[', [], ["x"], [["x"]], [1], [{}], {}, {"a": 1}, {"Fn::Sub": "${Vpc}"},
)  # fmt: skip
STORE: Final = "AWS::RDS::DBProxy"
TEMPLATES: Final[dict[str, Resources]] = {
    "lattice": lattice.lattice(),
    "task": tasks.PLACE | tasks.run("Custom::Run", TaskDefinition=tasks.ARN, Subnets=tasks.SUBNETS, G=tasks.GROUPS),
    "instance": interfaces.PLACE | interfaces.instance(NetworkInterfaces=[interfaces.NETWORK_INTERFACE]),
    "cluster": interfaces.PLACE | interfaces.cluster(PubliclyAccessible=False),
    "balancer": interfaces.PLACE | interfaces.load_balancer(Type="network"),
    "store": interfaces.PLACE | interfaces.of_type(STORE, KINDS[STORE]),
}


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value."""
    yield at
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield from paths(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[Any]", value)):
            yield from paths(inner, (*at, index))


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_else_than_a_refusal(tmp_path: Path, name: str) -> None:
    chosen = random.Random(name)  # noqa: S311  the same places each time
    places = [
        (logical_id, *path)
        for logical_id, body in TEMPLATES[name].items()
        for path in paths(body["Properties"], ("Properties",))
    ]
    for place in chosen.sample(places, 12):
        template: Any = copy.deepcopy(TEMPLATES[name])
        *way, last = place
        inner = template
        for key in way:
            inner = inner[key]
        inner[last] = chosen.choice(WEIRD)
        graph(tmp_path, template)
