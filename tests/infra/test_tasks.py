"""Every task is what its ``service.toml`` says."""

import tomllib

import pytest

from infra.services import read_services
from infra.settings import read_environment
from infra.sizes import size_of
from tests.infra.synth import ROOT
from tests.infra.template import Json, Template

DESCRIPTIONS: dict[str, Json] = {
    path.parent.name: tomllib.loads(path.read_text()) for path in (ROOT / "services").glob("*/service.toml")
}
RUNS = [(name, task) for name, d in sorted(DESCRIPTIONS.items()) for task in (None, *d.get("tasks", {}))]


def _family(environment: str, service: str, task: str | None) -> str:
    return "-".join(("sanctum", environment, service, *([task] if task else []))).replace("_", "-")


def _definition(compute: Template, service: str, task: str | None) -> Json:
    family = _family(compute.environment, service, task)
    (found,) = [p for p in compute.properties("AWS::ECS::TaskDefinition") if p["Family"] == family]
    return found


def _container(compute: Template, service: str, task: str | None) -> Json:
    (container,) = _definition(compute, service, task)["ContainerDefinitions"]
    return container


@pytest.fixture(params=RUNS, ids=lambda run: f"{run[0]}.{run[1] or 'service'}")
def run(request: pytest.FixtureRequest) -> tuple[str, str | None]:
    """Each service, and each of its one-off tasks."""
    return request.param


def test_there_is_a_task_definition_for_each_service_and_each_one_off_task_and_no_other(compute: Template) -> None:
    families = {p["Family"] for p in compute.properties("AWS::ECS::TaskDefinition")}
    assert families == {_family(compute.environment, *run) for run in RUNS}


def test_the_environment_of_a_task_is_what_its_description_says_and_no_more(
    compute: Template, run: tuple[str, str | None]
) -> None:
    service, task = run
    described = DESCRIPTIONS[service]
    variables: Json = described["variables"] | (described["tasks"][task].get("variables", {}) if task else {})
    in_cloud = {name: v for name, v in variables.items() if v.get("where", "cloud") == "cloud"}
    needed = {name for name, v in in_cloud.items() if not v.get("optional")}
    given = {pair["Name"]: pair["Value"] for pair in _container(compute, *run)["Environment"]}
    assert needed <= set(given) <= set(in_cloud)
    settings = read_environment(compute.environment).service_values()
    for name in needed:
        source = in_cloud[name]["from"]
        if source in settings:
            assert given[name] == settings[source]
    assert given["PORT"] == str(described["port"])
    assert given["DRAIN_SECONDS"] == str(described["grace"]["drain_seconds"])


def test_a_task_has_the_size_and_the_grace_of_its_description(compute: Template, run: tuple[str, str | None]) -> None:
    described, definition = DESCRIPTIONS[run[0]], _definition(compute, *run)
    environment = read_environment(compute.environment)
    size = size_of(environment, read_services()[run[0]])
    assert (definition["Cpu"], definition["Memory"]) == (str(size.cpu), str(size.memory_mib))
    assert _container(compute, *run)["StopTimeout"] == described["grace"]["stop_seconds"]
    assert definition["RuntimePlatform"]["CpuArchitecture"] == "ARM64"


def test_a_service_is_asked_whether_it_lives_and_a_one_off_task_runs_its_module(
    compute: Template, run: tuple[str, str | None]
) -> None:
    service, task = run
    container, described = _container(compute, *run), DESCRIPTIONS[service]
    if task:
        assert container["Command"] == ["python", "-m", described["tasks"][task]["module"]]
        assert "HealthCheck" not in container
    else:
        assert f":{described['port']}{described['health']['live']}'" in container["HealthCheck"]["Command"][-1]
        assert container["HealthCheck"]["Timeout"] == described["health"]["timeout_seconds"]
