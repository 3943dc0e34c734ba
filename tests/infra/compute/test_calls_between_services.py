"""Calls go through VPC Lattice: signed, allowed three times over, and encrypted on both legs."""

import json
import re

from tests.infra.compute.parts import SERVICES, definition, family, service, statements
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, as_list, reference

TARGETS, POLICY = "AWS::VpcLattice::TargetGroup", "AWS::VpcLattice::AuthPolicy"
SERVICE, NETWORK = "AWS::VpcLattice::Service", "AWS::VpcLattice::ServiceNetwork"
CALL = "vpc-lattice-svcs:Invoke"


@promise(
    both_ways=setting("AWS::ECS::Service", "LoadBalancers", [{"ContainerName": "ai_core"}]),
    no_way=without("AWS::ECS::Service", "LoadBalancers"),
)
def test_a_service_is_public_only_where_its_description_says_so(stacks: Stacks) -> None:
    for name, described in SERVICES.items():
        properties = service(stacks, name)["Properties"]
        assert ("LoadBalancers" in properties) == described.public
        assert ("VpcLatticeConfigurations" in properties) == (not described.public)


def _policies(stacks: Stacks) -> dict[str, Json]:
    """The statement of each policy, by the type of what it is about."""
    resources = stacks["Compute"].resources()
    policies = stacks.properties(POLICY)
    return {resources[reference(p["ResourceIdentifier"])]["Type"]: p["Policy"]["Statement"][0] for p in policies}


def _callers_may_not_call(stacks: Stacks) -> None:
    for policy in stacks["Compute"].properties("AWS::IAM::Policy"):
        said = policy["PolicyDocument"]["Statement"]
        policy["PolicyDocument"]["Statement"] = [s for s in said if CALL not in as_list(s["Action"])]


@promise(
    open_network=setting(NETWORK, "AuthType", "NONE"),
    open_service=setting(SERVICE, "AuthType", "NONE"),
    no_policies=without(POLICY),
    anybody=setting(POLICY, "Policy.Statement.0.Principal", {"AWS": "*"}),
    any_account=setting(POLICY, "Policy.Statement.0.Condition", {}),
    not_the_caller=_callers_may_not_call,
)
def test_the_backend_alone_may_call_the_ai_core_and_each_of_three_policies_says_so(stacks: Stacks) -> None:
    """With ``AWS_IAM`` whatever is not allowed is refused: by the network, by the service, and to the caller."""
    assert [p["AuthType"] for p in stacks.properties(NETWORK, SERVICE)] == ["AWS_IAM", "AWS_IAM"]
    policies = _policies(stacks)
    assert set(policies) == {NETWORK, SERVICE}
    assert {statement["Action"] for statement in policies.values()} == {CALL}
    here = policies[NETWORK].get("Condition", {}).get("StringEquals", {})
    assert here.get("aws:PrincipalAccount") == stacks.settings.account.id
    assert "vpc-lattice-svcs:SourceVpc" in here
    (caller,) = as_list(policies[SERVICE]["Principal"]["AWS"])
    assert isinstance(caller, dict)
    assert stacks["Compute"].resources()[reference(caller)]["Properties"]["RoleName"] == family(stacks, "backend")
    calling = [(role, s) for role, s in statements(stacks) if CALL in as_list(s["Action"])]
    assert [role for role, _ in calling] == [family(stacks, "backend")]
    (service_,) = stacks["Compute"].resources(SERVICE)
    assert service_ in str(calling[0][1]["Resource"])


@promise(
    plain_to_the_listener=setting("AWS::VpcLattice::Listener", "Protocol", "HTTP"),
    plain_to_the_targets=setting(TARGETS, "Config.Protocol", "HTTP"),
    plain_checks=setting(TARGETS, "Config.HealthCheck.Protocol", "HTTP"),
)
def test_both_legs_of_a_call_are_https(stacks: Stacks) -> None:
    (listener,) = stacks.properties("AWS::VpcLattice::Listener")
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    (targets,) = stacks.properties(TARGETS)
    config = targets["Config"]
    assert (config["Protocol"], config["HealthCheck"]["Protocol"]) == ("HTTPS", "HTTPS")
    assert config["Port"] == SERVICES["ai_core"].port


@promise(
    idle_for_a_minute=without(SERVICE, "IdleTimeoutSeconds"),
    idle_too_long=setting(SERVICE, "IdleTimeoutSeconds", 601),
    held_back=setting(TARGETS, "Config.ProtocolVersion", "HTTP2"),
)
def test_a_stream_passes_as_it_is_written_and_is_not_taken_for_idle(stacks: Stacks) -> None:
    (targets,) = stacks.properties(TARGETS)
    assert targets["Config"]["ProtocolVersion"] == "HTTP1"
    (found,) = stacks.properties(SERVICE)
    assert stacks.settings.model.timeout_seconds < found.get("IdleTimeoutSeconds", 60) <= 600


@promise(
    never_asked=setting(TARGETS, "Config.HealthCheck.Enabled", value=False),
    asked_for_the_root=without(TARGETS, "Config.HealthCheck.Path"),
    any_answer_does=setting(TARGETS, "Config.HealthCheck.Matcher.HttpCode", "200-499"),
    asked_for_the_stores=setting(TARGETS, "Config.HealthCheck.Path", "/readyz"),
)
def test_lattice_asks_whether_a_task_lives(stacks: Stacks) -> None:
    health = SERVICES["ai_core"].health
    (targets,) = stacks.properties(TARGETS)
    check = targets["Config"]["HealthCheck"]
    assert check["Enabled"] is True
    assert check["ProtocolVersion"] == "HTTP1"
    assert (check.get("Path"), check["Matcher"]) == (health.live, {"HttpCode": "200"})
    assert (check["HealthCheckIntervalSeconds"], check["HealthCheckTimeoutSeconds"]) == (
        health.interval_seconds,
        health.timeout_seconds,
    )
    assert (check["HealthyThresholdCount"], check["UnhealthyThresholdCount"]) == (
        health.healthy_count,
        health.unhealthy_count,
    )


@promise(
    reserved=setting(SERVICE, "Name", "svc-ai-core"),
    too_long=setting(SERVICE, "Name", "a" * 41),
    two_dashes=setting(NETWORK, "Name", "sanctum--prod"),
    line_breaks=setting(POLICY, "Policy.Statement.0.Sid", "first\nsecond"),
    too_large=setting(POLICY, "Policy.Statement.0.Sid", "x" * 10_000),
)
def test_lattice_takes_the_names_and_the_policies(stacks: Stacks) -> None:
    for properties in stacks.properties(SERVICE, NETWORK):
        assert re.fullmatch(r"(?!svc-|sn-)[a-z0-9](-?[a-z0-9])*", properties["Name"])
        assert 3 <= len(properties["Name"]) <= 40
    for properties in stacks.properties(POLICY):
        text = json.dumps(properties["Policy"])
        assert "\\n" not in text
        assert len(text) < 10_000


@promise(
    by_nobody=without("AWS::ECS::Service", "VpcLatticeConfigurations"),
    through_another_port=setting("AWS::ECS::Service", "VpcLatticeConfigurations.0.PortName", "http"),
    with_everything=setting("AWS::ECS::Service", "VpcLatticeConfigurations.0.RoleArn", "arn:aws:iam::aws:role/admin"),
)
def test_ecs_tells_lattice_where_the_tasks_are_with_a_role_for_that_alone(stacks: Stacks) -> None:
    resource = service(stacks, "ai_core")
    (lattice,) = resource["Properties"].get("VpcLatticeConfigurations", [{}])
    (container,) = definition(stacks, "ai_core")["ContainerDefinitions"]
    assert [port["Name"] for port in container["PortMappings"]] == [lattice.get("PortName")]
    compute, registrar = stacks["Compute"].resources(), reference(lattice["RoleArn"])
    assert compute.get(registrar, {}).get("Type") == "AWS::IAM::Role"
    trust = compute[registrar]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Service": "ecs.amazonaws.com"}
    (targets,) = stacks["Compute"].resources(TARGETS)
    said = {a: s["Resource"] for role, s in statements(stacks) if role == registrar for a in as_list(s["Action"])}
    for action in ("RegisterTargets", "DeregisterTargets", "GetTargetGroup", "ListTargets"):
        assert reference(said[f"vpc-lattice:{action}"]) == targets
    (listener,) = stacks["Compute"].resources("AWS::VpcLattice::Listener")
    assert {registrar, listener} <= set(resource["DependsOn"])
    policies = stacks["Compute"].resources("AWS::IAM::Policy")
    rights = [k for k, p in policies.items() if registrar in {reference(role) for role in p["Properties"]["Roles"]}]
    assert set(rights) <= set(resource["DependsOn"])
