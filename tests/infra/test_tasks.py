"""Every task is what its ``service.toml`` says, and has no right that it does not need."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from infra.settings import read_environment
from tests.infra.synth import ROOT
from tests.infra.template import Json, Template, reference

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


def test_no_secret_is_in_the_environment_of_a_task(compute: Template, run: tuple[str, str | None]) -> None:
    container = _container(compute, *run)
    names = {pair["Name"] for pair in container["Environment"]}
    assert names & set(DESCRIPTIONS[run[0]]["secrets"]) == set()
    for pair in container["Environment"]:
        if pair["Name"] in {"SIGNING_KEYS", "DATABASE_ADMIN_SECRET"}:  # where a secret is, not what it is
            assert "Fn::ImportValue" in pair["Value"]


def test_a_task_runs_without_rights_on_its_machine(compute: Template, run: tuple[str, str | None]) -> None:
    definition, container = _definition(compute, *run), _container(compute, *run)
    assert container["User"] == "10001:10001"
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert container["MountPoints"] == [{"ContainerPath": "/tmp", "ReadOnly": False, "SourceVolume": "tmp"}]  # noqa: S108  # the one place a task may write to
    assert definition["Volumes"] == [{"Name": "tmp"}]
    assert "Privileged" not in container


def test_a_task_has_the_size_and_the_grace_of_its_description(compute: Template, run: tuple[str, str | None]) -> None:
    described, definition = DESCRIPTIONS[run[0]], _definition(compute, *run)
    assert definition["Cpu"] == str(described["size"]["cpu"])
    assert definition["Memory"] == str(described["size"]["memory_mib"])
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


def _statements(compute: Template) -> Iterator[tuple[str, Json]]:
    """Name of the role (its id where it has no name) and statement, for every role of the stack."""
    roles = {k: r["Properties"].get("RoleName", k) for k, r in compute.resources("AWS::IAM::Role").items()}
    for policy in compute.properties("AWS::IAM::Policy"):
        for role in policy["Roles"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield roles[reference(role)], statement


def _who_may(compute: Template, action: str, resource: str) -> set[str]:
    return {
        role
        for role, s in _statements(compute)
        if action in _list(s["Action"]) and any(resource in str(r) for r in _list(s["Resource"]))
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]  # JSON


def test_the_migration_alone_may_read_the_administrators_password(compute: Template) -> None:
    readers = _who_may(compute, "secretsmanager:GetSecretValue", "MasterUserSecret")
    assert readers == {_family(compute.environment, "backend", "migrate")}


def test_the_rotation_alone_may_write_the_signing_keys_and_the_backend_reads_them(compute: Template) -> None:
    backend, rotation = (_family(compute.environment, "backend", task) for task in (None, "rotate_keys"))
    assert _who_may(compute, "secretsmanager:PutSecretValue", "SigningKeys") == {rotation}
    assert _who_may(compute, "secretsmanager:GetSecretValue", "SigningKeys") == {backend, rotation}


def test_who_reads_a_secret_may_decrypt_it_through_secrets_manager_and_in_no_other_way(compute: Template) -> None:
    region = read_environment(compute.environment).account.region
    readers = {role for role, s in _statements(compute) if "secretsmanager:GetSecretValue" in _list(s["Action"])}
    decrypting = [(role, s) for role, s in _statements(compute) if "kms:Decrypt" in _list(s["Action"])]
    assert {role for role, _ in decrypting} == readers
    for _, statement in decrypting:
        assert "SecretsKey" in str(statement["Resource"])
        assert statement["Condition"] == {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}}


def test_the_backend_alone_signs_in_to_the_users_and_the_ai_core_alone_uses_memory_and_model(
    compute: Template,
) -> None:
    backend, ai_core = (_family(compute.environment, name, None) for name in ("backend", "ai_core"))
    assert _who_may(compute, "rds-db:connect", "/backend") == {backend}
    assert _who_may(compute, "bedrock:InvokeModelWithResponseStream", "foundation-model") == {ai_core}
    assert _who_may(compute, "es:ESHttpPost", ":domain/") == {ai_core, f"{ai_core}-prepare-memory"}


def test_roles_name_the_resources_they_may_use(compute: Template) -> None:
    unnamed = [
        (role, statement["Action"])
        for role, statement in _statements(compute)
        if "*" in _list(statement["Resource"]) and _list(statement["Action"]) != ["ecr:GetAuthorizationToken"]
    ]
    assert unnamed == []
    wild = [a for _, s in _statements(compute) for a in _list(s["Action"]) if "*" in a]
    assert wild == []


def test_aws_manages_one_policy_alone_that_a_role_of_ours_has(compute: Template) -> None:
    managed = [arn for p in compute.properties("AWS::IAM::Role") for arn in p.get("ManagedPolicyArns", [])]
    assert managed == ["arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForVpcLattice"]
