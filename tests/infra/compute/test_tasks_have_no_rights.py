"""What a task may do on its machine, and what its roles may do in the account: no more than its process needs."""

from tests.infra.compute.parts import (
    SERVICES,
    containers,
    definition,
    family,
    in_containers,
    saying,
    statements,
    who_may,
)
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import as_list, strings

DEFINITION = "AWS::ECS::TaskDefinition"
WITHOUT_RESOURCES = {
    "ecr:GetAuthorizationToken",
    "ec2:DescribeInstances",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
}
"""Actions that IAM can allow on everything only: each reads, and reads nothing of people's."""
MODEL = "bedrock:InvokeModelWithResponseStream"


@promise(
    as_root=in_containers("User", "0:0"),
    as_the_images_user=in_containers("User", None),
    writable_root=in_containers("ReadonlyRootFilesystem", value=False),
    with_a_capability=in_containers("LinuxParameters", {"Capabilities": {"Drop": ["ALL"], "Add": ["NET_RAW"]}}),
    with_the_usual_capabilities=in_containers("LinuxParameters", {}),
    privileged=in_containers("Privileged", value=True),
    writable_elsewhere=in_containers(
        "MountPoints", [{"ContainerPath": "/srv", "ReadOnly": False, "SourceVolume": "tmp"}]
    ),
    with_a_disk_of_the_host=setting(DEFINITION, "Volumes", [{"Name": "tmp", "Host": {"SourcePath": "/"}}]),
    seeing_other_processes=setting(DEFINITION, "PidMode", "host"),
    on_the_hosts_network=setting(DEFINITION, "NetworkMode", "host"),
)
def test_a_task_runs_as_nobody_and_can_write_to_tmp_alone(stacks: Stacks) -> None:
    for properties in stacks.properties(DEFINITION):
        assert properties["Volumes"] == [{"Name": "tmp"}]
        assert properties["NetworkMode"] == "awsvpc"
        assert "PidMode" not in properties
        assert "IpcMode" not in properties
    for container in containers(stacks):
        assert container.get("User") == "10001:10001"
        assert container["ReadonlyRootFilesystem"] is True
        assert container["LinuxParameters"].get("Capabilities") == {"Drop": ["ALL"]}
        assert container["MountPoints"] == [{"ContainerPath": "/tmp", "ReadOnly": False, "SourceVolume": "tmp"}]  # noqa: S108  # the image declares it as a volume
        assert not container.get("Privileged", False)


@promise(
    public_address=setting("AWS::ECS::Service", "NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp", "ENABLED"),
    public_address_of_a_scheduled_task=setting(
        "AWS::Scheduler::Schedule",
        "Target.EcsParameters.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp",
        "ENABLED",
    ),
    a_shell_inside=setting("AWS::ECS::Service", "EnableExecuteCommand", value=True),
)
def test_nobody_gets_into_a_task_from_outside(stacks: Stacks) -> None:
    services = stacks.properties("AWS::ECS::Service")
    schedules = [p["Target"]["EcsParameters"] for p in stacks.properties("AWS::Scheduler::Schedule")]
    for starts in (*services, *schedules):
        network = starts["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "DISABLED"
        assert all("application" in str(subnet) for subnet in network["Subnets"])
    assert [p["EnableExecuteCommand"] for p in services] == [False] * len(services)


def _password_in_the_environment(stacks: Stacks) -> None:
    for container in containers(stacks):
        container["Environment"].append({"Name": "DATABASE_PASSWORD", "Value": "hunter2"})


def _resolved_into_the_environment(stacks: Stacks) -> None:
    secret = "{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:777788889999:secret:x}}"
    for container in containers(stacks):
        container["Environment"].append({"Name": "LOG_LEVEL", "Value": secret})


@promise(written=_password_in_the_environment, resolved=_resolved_into_the_environment)
def test_no_secret_is_in_the_environment_of_a_task(stacks: Stacks) -> None:
    """Where one is, not what it is: whoever may read a task definition reads its environment."""
    for name, described in SERVICES.items():
        for task in (None, *described.tasks):
            (container,) = definition(stacks, name, task)["ContainerDefinitions"]
            assert {pair["Name"] for pair in container["Environment"]} & set(described.secrets) == set()
            assert [text for text in strings(container) if "{{resolve:" in text] == []
            for pair in container["Environment"]:
                if pair["Name"] in {"SIGNING_KEYS", "DATABASE_ADMIN_SECRET"}:
                    assert "Fn::ImportValue" in pair["Value"]


@promise(
    any_action=saying(
        {"Action": "secretsmanager:*", "Resource": "arn:aws:secretsmanager:::secret"}, role="aicoreTaskRole"
    ),
    any_resource=saying({"Action": "secretsmanager:GetSecretValue", "Resource": "*"}, role="backendTaskRole"),
    among_others=saying({"Action": ["ecr:GetAuthorizationToken", "s3:GetObject"], "Resource": "*"}, role="aicoreTaskR"),
    any_role=setting("AWS::IAM::Role", "ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]),
)
def test_every_statement_of_a_role_names_its_actions_and_resources(stacks: Stacks) -> None:
    for role, statement in statements(stacks):
        actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
        assert [action for action in actions if "*" in action] == [], role
        if "*" in resources:
            assert set(actions) <= WITHOUT_RESOURCES, (role, actions)
    assert [
        p["ManagedPolicyArns"] for p in stacks["Compute"].properties("AWS::IAM::Role") if "ManagedPolicyArns" in p
    ] == []


@promise(
    the_backend_too=saying(
        {"Action": "secretsmanager:GetSecretValue", "Resource": "UsersMasterUserSecretArn"}, role="backendTaskRole"
    ),
)
def test_the_migration_alone_may_read_the_administrators_password(stacks: Stacks) -> None:
    readers = who_may(stacks, "secretsmanager:GetSecretValue", "MasterUserSecret")
    assert readers == {family(stacks, "backend", "migrate")}


@promise(
    the_backend_writes=saying(
        {"Action": "secretsmanager:PutSecretValue", "Resource": "SigningKeys"}, role="backendTaskRole"
    ),
    the_ai_core_reads=saying(
        {"Action": "secretsmanager:GetSecretValue", "Resource": "SigningKeys"}, role="aicoreTaskRole"
    ),
)
def test_the_rotation_alone_may_write_the_signing_keys_and_the_backend_reads_them(stacks: Stacks) -> None:
    backend, rotation = (family(stacks, "backend", task) for task in (None, "rotate_keys"))
    assert who_may(stacks, "secretsmanager:PutSecretValue", "SigningKeys") == {rotation}
    assert who_may(stacks, "secretsmanager:GetSecretValue", "SigningKeys") == {backend, rotation}


def _may_not_decrypt(stacks: Stacks) -> None:
    for policy in stacks["Compute"].properties("AWS::IAM::Policy"):
        said = policy["PolicyDocument"]["Statement"]
        policy["PolicyDocument"]["Statement"] = [s for s in said if "SecretsKey" not in str(s["Resource"])]


@promise(
    not_at_all=_may_not_decrypt,
    in_every_way=saying({"Action": "kms:Decrypt", "Resource": "SecretsKey"}, role="backendTaskRole"),
    others_too=saying({"Action": "kms:Decrypt", "Resource": "SecretsKey"}, role="aicoreTaskRole"),
)
def test_who_reads_a_secret_may_decrypt_it_through_secrets_manager_and_in_no_other_way(stacks: Stacks) -> None:
    """Without that, a task that reads a secret gets *Access to KMS is not allowed*."""
    via = {"kms:ViaService": f"secretsmanager.{stacks.settings.account.region}.amazonaws.com"}
    readers = {role for role, s in statements(stacks) if "secretsmanager:GetSecretValue" in as_list(s["Action"])}
    using = [(r, s) for r, s in statements(stacks) if "SecretsKey" in str(s["Resource"]) and "s3." not in str(s)]
    assert {role for role, s in using if "kms:Decrypt" in as_list(s["Action"])} == readers
    for _, statement in using:
        assert statement.get("Condition") == {"StringEquals": via}


@promise(
    the_ai_core_signs_in=saying({"Action": "rds-db:connect", "Resource": "dbuser:x/backend"}, role="aicoreTaskRole"),
    the_backend_remembers=saying({"Action": "es:ESHttpPost", "Resource": ":domain/x/*"}, role="backendTaskRole"),
    the_backend_asks=saying({"Action": MODEL, "Resource": "arn:aws:bedrock:::foundation-model/x"}, role="backendTaskR"),
)
def test_the_backend_alone_signs_in_to_the_users_and_the_ai_core_alone_uses_memory_and_model(stacks: Stacks) -> None:
    backend, ai_core = (family(stacks, name) for name in ("backend", "ai_core"))
    keepers = {family(stacks, "backend", task) for task in ("prepare_keys", "roll_keys")}
    assert who_may(stacks, "rds-db:connect", "/backend") == {backend, *keepers}
    assert who_may(stacks, MODEL, "foundation-model") == {ai_core}
    assert who_may(stacks, "es:ESHttpPost", ":domain/") == {ai_core, f"{ai_core}-prepare-memory"}


@promise(
    keys_of_aws=setting("AWS::ECS::Cluster", "Configuration", {}),
    another_cluster=setting("AWS::ECS::Cluster", "ClusterName", "another"),
    nobody_may_use_it=setting("AWS::KMS::Key", "KeyPolicy.Statement", []),
)
def test_the_disks_of_tasks_are_encrypted_with_a_key_of_ours_that_fargate_may_use_for_this_cluster(
    stacks: Stacks,
) -> None:
    (cluster,) = stacks.properties("AWS::ECS::Cluster")
    storage = cluster["Configuration"].get("ManagedStorageConfiguration", {})
    key = stacks["Compute"].resources().get(storage.get("FargateEphemeralStorageKmsKeyId", {}).get("Ref"), {})
    said = {
        s["Action"]: s["Condition"]["StringEquals"]["kms:EncryptionContext:aws:ecs:clusterName"]
        for s in key.get("Properties", {}).get("KeyPolicy", {}).get("Statement", [])
        if s["Principal"] == {"Service": "fargate.amazonaws.com"}
    }
    name = [cluster["ClusterName"]]
    assert said == {"kms:GenerateDataKeyWithoutPlaintext": name, "kms:CreateGrant": name}


@promise(
    unseen=setting("AWS::ECS::Cluster", "ClusterSettings", []),
    not_ours=setting("AWS::Logs::LogGroup", "LogGroupName", "x"),
    key_of_aws=without("AWS::Logs::LogGroup", "KmsKeyId"),
)
def test_the_cluster_is_observed_where_the_settings_pay_for_it_into_an_encrypted_group_of_ours(stacks: Stacks) -> None:
    (cluster,) = stacks.properties("AWS::ECS::Cluster")
    insights = stacks.settings.compute.insights
    value = "enhanced" if insights else "disabled"
    assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": value}]
    group = f"/aws/ecs/containerinsights/{cluster['ClusterName']}/performance"
    keys = {p["LogGroupName"]: p.get("KmsKeyId") for p in stacks["Compute"].properties("AWS::Logs::LogGroup")}
    assert (group in keys) == insights
    assert all(keys.values())
