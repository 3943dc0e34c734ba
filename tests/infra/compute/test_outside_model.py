"""A language model outside AWS: its key is fetched when a task starts, and nobody else may read it."""

from pathlib import Path

import pytest

from tests.infra.template import Json, as_list, read_application, reference, strings

SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:model-abc123"
KEY = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d"


@pytest.fixture(scope="module")
def resources(alone: Path) -> dict[str, Json]:
    """The AI core's tasks with such a model."""
    return read_application(alone / "outside_model")["Test"].resources()


def _container(resources: dict[str, Json], family: str) -> Json:
    (container,) = [
        container
        for resource in resources.values()
        if resource["Properties"].get("Family") == family
        for container in resource["Properties"]["ContainerDefinitions"]
    ]
    return container


def test_the_key_is_injected_into_the_service_and_into_no_one_off_task(resources: dict[str, Json]) -> None:
    service = _container(resources, "sanctum-dev-ai-core")
    assert service["Secrets"] == [{"Name": "MODEL_API_KEY", "ValueFrom": SECRET}]
    assert {"Name": "MODEL_URL", "Value": "https://model.example/v1"} in service["Environment"]
    assert SECRET not in set(strings(service["Environment"]))
    assert "Secrets" not in _container(resources, "sanctum-dev-ai-core-prepare-memory")


def test_a_task_can_start_because_its_execution_role_may_read_the_secret_and_use_its_key(
    resources: dict[str, Json],
) -> None:
    """The library does not allow the key of a secret that it knows by its ARN: *Access to KMS is not allowed*."""
    may = {
        (action, reference(policy["Properties"]["Roles"][0])): statement
        for policy in resources.values()
        if policy["Type"] == "AWS::IAM::Policy"
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
        if SECRET in strings(statement["Resource"]) or KEY in strings(statement["Resource"])
    }
    roles = {role for _, role in may}
    assert len(roles) == 1
    (role,) = roles
    assert role.startswith("TaskExecutionRole")
    assert ("secretsmanager:GetSecretValue", role) in may
    via = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    assert may["kms:Decrypt", role]["Condition"] == via
