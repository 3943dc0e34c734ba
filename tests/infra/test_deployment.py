"""How the services reach each other, and what a deployment does."""

from infra.services import read_services
from infra.settings import read_environment
from tests.infra.template import Json, Template, reference


def _service(compute: Template, name: str) -> tuple[Json, list[str]]:
    wanted = f"sanctum-{compute.environment}-{name}".replace("_", "-")
    family = {k: r["Properties"]["Family"] for k, r in compute.resources("AWS::ECS::TaskDefinition").items()}
    (found,) = [
        r
        for r in compute.resources("AWS::ECS::Service").values()
        if family[reference(r["Properties"]["TaskDefinition"])] == wanted
    ]
    return found["Properties"], found["DependsOn"]


def test_a_service_is_public_only_where_its_description_says_so(compute: Template) -> None:
    for name, service in read_services().items():
        properties, _ = _service(compute, name)
        assert ("LoadBalancers" in properties) == service.public
        assert ("VpcLatticeConfigurations" in properties) == (not service.public)


def test_tasks_are_in_application_subnets_without_public_addresses_or_a_shell(compute: Template) -> None:
    for properties in compute.properties("AWS::ECS::Service"):
        network = properties["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "DISABLED"
        assert all("application" in reference(subnet) for subnet in network["Subnets"])
        assert properties["EnableExecuteCommand"] is False


def test_a_release_that_does_not_come_up_is_rolled_back_and_nobody_notices(compute: Template) -> None:
    for properties in compute.properties("AWS::ECS::Service"):
        assert properties["DeploymentConfiguration"] == {
            "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True, "ResetOnHealthyTask": False},
            "MinimumHealthyPercent": 100,
            "MaximumPercent": 200,
        }
        assert "DesiredCount" not in properties  # the scaling's, not the deployment's


def test_scaling_stays_within_the_settings(compute: Template) -> None:
    settings = read_environment(compute.environment).compute
    limits = {
        (p["MinCapacity"], p["MaxCapacity"]) for p in compute.properties("AWS::ApplicationAutoScaling::ScalableTarget")
    }
    assert limits == {(t.least, t.most) for t in (settings.backend, settings.ai_core)}


def test_a_service_starts_after_its_one_off_tasks_and_once_its_roles_have_their_rights(compute: Template) -> None:
    runs = compute.resources("Custom::RunTask")
    for name, service in read_services().items():
        _, depends_on = _service(compute, name)
        assert len([d for d in depends_on if d in runs]) == len(service.tasks)
        assert any("ExecutionRoleDefaultPolicy" in d for d in depends_on)


def test_tasks_for_each_deployment_run_each_time_and_scheduled_ones_at_first_and_on_their_schedule(
    compute: Template,
) -> None:
    whens = {name: r["Properties"]["When"] for name, r in compute.resources("Custom::RunTask").items()}
    assert sorted(whens.values()) == ["each", "each", "first"]
    (scheduled,) = [name for name, when in whens.items() if when == "first"]
    assert "rotatekeys" in scheduled
    schedule = compute.only("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == read_services()["backend"].tasks["rotate_keys"].when
    assert "rotatekeys" in reference(schedule["Target"]["EcsParameters"]["TaskDefinitionArn"])


def test_calls_between_services_are_signed_and_allowed_to_the_backend_alone(compute: Template) -> None:
    assert compute.only("AWS::VpcLattice::ServiceNetwork")["AuthType"] == "AWS_IAM"
    assert compute.only("AWS::VpcLattice::Service")["AuthType"] == "AWS_IAM"
    policies = {
        reference(p["ResourceIdentifier"]): p["Policy"]["Statement"]
        for p in compute.properties("AWS::VpcLattice::AuthPolicy")
    }
    (network,) = [s for name, (s,) in policies.items() if "Mesh" in name]
    (service,) = [s for name, (s,) in policies.items() if "Mesh" not in name]
    account = read_environment(compute.environment).account.id
    assert network["Condition"]["StringEquals"]["aws:PrincipalAccount"] == account
    (caller,) = service["Principal"]["AWS"]
    role = compute.resources()[reference(caller)]["Properties"]["RoleName"]
    assert role == f"sanctum-{compute.environment}-backend"


def test_both_legs_through_lattice_are_https(compute: Template) -> None:
    listener = compute.only("AWS::VpcLattice::Listener")
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    config = compute.only("AWS::VpcLattice::TargetGroup")["Config"]
    assert (config["Protocol"], config["ProtocolVersion"]) == ("HTTPS", "HTTP1")
    assert (config["HealthCheck"]["Enabled"], config["HealthCheck"]["Protocol"]) == (True, "HTTPS")
    assert compute.only("AWS::VpcLattice::Service")["IdleTimeoutSeconds"] == 300


def test_the_cluster_is_observed_into_an_encrypted_group_of_ours(compute: Template) -> None:
    cluster = compute.only("AWS::ECS::Cluster")
    assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enhanced"}]
    names = {p["LogGroupName"] for p in compute.properties("AWS::Logs::LogGroup")}
    assert f"/aws/ecs/containerinsights/{cluster['ClusterName']}/performance" in names
