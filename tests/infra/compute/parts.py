"""What the tests of the Compute stack look for in it."""

from collections.abc import Iterator

from infra.services import read_services
from tests.infra.promise import Mutation, Stacks
from tests.infra.template import Json, as_list, reference

SERVICES = read_services()


def family(stacks: Stacks, service: str, task: str | None = None) -> str:
    """The family of a task definition, which is also the name of its role."""
    return stacks.settings.resource_name(service, *([task] if task else []))


def definition(stacks: Stacks, service: str, task: str | None = None) -> Json:
    """The task definition of a service, or of one of its one-off tasks."""
    wanted = family(stacks, service, task)
    (found,) = [p for p in stacks.properties("AWS::ECS::TaskDefinition") if p["Family"] == wanted]
    return found


def containers(stacks: Stacks) -> list[Json]:
    """Every container of every task."""
    return [c for p in stacks.properties("AWS::ECS::TaskDefinition") for c in p["ContainerDefinitions"]]


def service(stacks: Stacks, name: str) -> Json:
    """The ECS service: the whole resource."""
    compute = stacks["Compute"]
    (found,) = [
        resource
        for resource in compute.resources("AWS::ECS::Service").values()
        if compute.resources()[reference(resource["Properties"]["TaskDefinition"])]["Properties"]["Family"]
        == family(stacks, name)
    ]
    return found


def alarms_of(stacks: Stacks, name: str) -> dict[str, Json]:
    """The alarms of a service, which roll a deployment of it back unless the settings say otherwise, by the end of
    their names."""
    if not stacks.settings.compute.watched:
        assert "Alarms" not in service(stacks, name)["Properties"]["DeploymentConfiguration"]
        alarms = {str(p["AlarmName"]): p for p in stacks["Compute"].properties("AWS::CloudWatch::Alarm")}
        begin = family(stacks, name) + "-"
        return {n.removeprefix(begin): p for n, p in alarms.items() if n.startswith(begin)}
    configured = service(stacks, name)["Properties"]["DeploymentConfiguration"]["Alarms"]
    assert configured["Enable"] is True
    assert configured["Rollback"] is True
    resources, found = stacks["Compute"].resources(), dict[str, Json]()
    for alarm in configured["AlarmNames"]:
        assert isinstance(alarm, dict), f"{alarm} is a text: the service would not wait for the alarm"
        properties = resources[reference(alarm)]["Properties"]
        found[str(properties["AlarmName"]).removeprefix(family(stacks, name) + "-")] = properties
    return found


def metrics(alarm: Json) -> list[Json]:
    """The metrics that an alarm looks at, each with its ``Period``."""
    if "Metrics" not in alarm:
        return [alarm]
    stats = [m["MetricStat"] for m in alarm["Metrics"] if "MetricStat" in m]
    return [stat["Metric"] | {"Period": stat["Period"], "Statistic": stat["Stat"]} for stat in stats]


def statements(stacks: Stacks) -> Iterator[tuple[str, Json]]:
    """Name of the role (its id where it has no name) and statement, for every role of the Compute stack."""
    compute = stacks["Compute"]
    roles = {k: r["Properties"].get("RoleName", k) for k, r in compute.resources("AWS::IAM::Role").items()}
    for policy in compute.properties("AWS::IAM::Policy"):
        for role in policy["Roles"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield str(roles[reference(role)]), statement


def who_may(stacks: Stacks, action: str, resource: str) -> set[str]:
    """The roles that may do ``action`` on something whose name has ``resource`` in it."""
    return {
        role
        for role, s in statements(stacks)
        if action in as_list(s["Action"]) and any(resource in str(r) for r in as_list(s["Resource"]))
    }


def saying(statement: Json, *, role: str) -> Mutation:
    """Add a statement to the policy of the role whose logical id begins with ``role``."""

    def mutate(stacks: Stacks) -> None:
        policies = stacks["Compute"].properties("AWS::IAM::Policy")
        (policy,) = [p for p in policies if reference(p["Roles"][0]).startswith(role)]
        policy["PolicyDocument"]["Statement"].append({"Effect": "Allow"} | statement)

    return mutate


def in_containers(key: str, value: object) -> Mutation:
    """Set ``key`` of every container; remove it where ``value`` is ``None``."""

    def mutate(stacks: Stacks) -> None:
        for container in containers(stacks):
            container[key] = value
            if value is None:
                del container[key]

    return mutate
