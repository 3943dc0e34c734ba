"""What load balancers and VPC Lattice accept, and how they speak to their targets."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.transport.hops import hops
from tests.infra.assurance.transport.reading import Json, edge, hops_of, model_of, resource, spoken

V2 = "AWS::ElasticLoadBalancingV2"


def _application(listener: Json, *, group: Json | None = None, rules: tuple[Json, ...] = ()) -> dict[str, Json]:
    to_group = {"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}
    listener = {"DefaultActions": [to_group], "LoadBalancerArn": {"Ref": "Balancer"}, **listener}
    group = {"Port": 8443, "Protocol": "HTTPS", "TargetType": "ip", **(group or {})}
    service: Json = {
        "LoadBalancers": [{"TargetGroupArn": {"Ref": "Group"}, "ContainerName": "web", "ContainerPort": 8443}]
    }
    found = {
        "Balancer": resource(f"{V2}::LoadBalancer", path="balancer"),
        "Listener": resource(f"{V2}::Listener", **listener),
        "Group": resource(f"{V2}::TargetGroup", **group),
        "Service": resource("AWS::ECS::Service", path="service", **service),
        "Task": resource("AWS::ECS::TaskDefinition", path="task"),
    }
    for number, actions in enumerate(rules):
        rule: Json = {
            "ListenerArn": {"Ref": "Listener"},
            "Actions": [actions],
            "Priority": number + 1,
            "Conditions": [],
        }
        found[f"Rule{number}"] = resource(f"{V2}::ListenerRule", **rule)
    return found


REDIRECT: Json = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}


TLS12: Json = {"Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"}


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        ({"Port": 443, "Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-TLS13-1-3-2021-06"}, ("HTTPS", "TLSv1.3")),
        ({"Port": 443, **TLS12}, ("HTTPS", "TLSv1.2")),
        ({"Port": 443, "Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-TLS13-1-0-2021-06"}, ("HTTPS", "TLSv1.0")),
        ({"Port": 443, "Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-FS-1-1-2019-08"}, ("HTTPS", "TLSv1.1")),
        ({"Port": 443, "Protocol": "HTTPS"}, ("HTTPS", "TLSv1.0")),
        ({"Port": 443, "Protocol": "TLS", "SslPolicy": "ELBSecurityPolicy-TLS-1-2-2017-01"}, ("TLS", "TLSv1.2")),
        ({"Port": 443, "Protocol": "TCP"}, ("TCP", "target decides")),
        ({"Port": "443", "Protocol": "HTTP"}, ("HTTP", "none")),
        ({"Port": 443, "Protocol": "HTTP", "DefaultActions": [REDIRECT]}, ("HTTP redirect", "none")),
    ],
)  # fmt: skip
def test_a_listener_admits_what_its_protocol_and_policy_say(
    tmp_path: Path, listener: Json, expected: tuple[str, str]
) -> None:
    model = model_of(tmp_path, _application(listener))
    assert spoken(model, "internet", "balancer", "tcp 443") == {expected}


def test_a_redirect_with_one_rule_that_forwards_is_plain_http(tmp_path: Path) -> None:
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": {"Ref": "Group"}}]}}
    listener = {"Port": 80, "Protocol": "HTTP", "DefaultActions": [REDIRECT]}
    model = model_of(tmp_path, _application(listener, rules=(REDIRECT, forward)))
    assert spoken(model, "internet", "balancer", "tcp 80") == {("HTTP", "none")}


def test_a_policy_that_no_table_has_is_refused_by_name(tmp_path: Path) -> None:
    model = model_of(tmp_path, _application({"Port": 443, "Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-Mine"}))
    assert not hops(model, [edge("internet", "balancer", "tcp 443")])
    assert ["ELBSecurityPolicy-Mine" in str(refused) for refused in model.refusals] == [True]


def test_a_range_of_ports_meets_each_listener_in_it_and_a_port_without_one_is_unknown(tmp_path: Path) -> None:
    resources = _application({"Port": 443, "Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"})
    plain: Json = {"LoadBalancerArn": {"Ref": "Balancer"}, "Port": 80, "Protocol": "HTTP", "DefaultActions": [REDIRECT]}
    model = model_of(tmp_path, {**resources, "Plain": resource(f"{V2}::Listener", **plain)})
    assert spoken(model, "internet", "balancer", "tcp 0-65535") == {("HTTPS", "TLSv1.2"), ("HTTP redirect", "none")}
    assert spoken(model, "internet", "balancer", "tcp 8080") == {("unknown service on tcp 8080", "unknown")}
    assert spoken(model, "internet", "balancer", "udp 443") == {("unknown service on udp 443", "unknown")}


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({}, {("HTTPS", "target decides"), ("health check HTTP", "none")}),
        ({"HealthCheckProtocol": "HTTPS"}, {("HTTPS", "target decides"), ("health check HTTPS", "target decides")}),
        ({"HealthCheckProtocol": "HTTPS", "HealthCheckPort": "9000"}, {("HTTPS", "target decides")}),
        ({"Protocol": "HTTP", "HealthCheckEnabled": False}, {("HTTP", "none")}),
        ({"Protocol": "TLS"}, {("TLS", "target decides")}),
    ],
)
def test_the_last_hop_speaks_as_the_target_group_says(
    tmp_path: Path, group: Json, expected: set[tuple[str, str]]
) -> None:
    model = model_of(tmp_path, _application({"Port": 443, "Protocol": "HTTPS"}, group=group))
    assert spoken(model, "balancer", "service", "tcp 8443") == expected


@pytest.mark.parametrize(("listener", "tls"), [("TLS", "none"), ("TCP", "target decides")])
def test_a_tcp_group_behind_a_listener_that_ends_tls_gets_plain_text(tmp_path: Path, listener: str, tls: str) -> None:
    resources = _application({"Port": 443, "Protocol": listener}, group={"Protocol": "TCP"})
    assert spoken(model_of(tmp_path, resources), "balancer", "service", "tcp 8443") == {("TCP", tls)}


def test_a_group_behind_a_rule_only_counts_too(tmp_path: Path) -> None:
    forward = {"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = {"Port": 443, "Protocol": "HTTPS", "DefaultActions": [fixed]}
    group = {"Protocol": "HTTP", "HealthCheckEnabled": "false"}
    model = model_of(tmp_path, _application(listener, group=group, rules=(forward,)))
    assert spoken(model, "balancer", "service", "tcp 8443") == {("HTTP", "none")}


def test_what_is_no_target_gets_nothing_known(tmp_path: Path) -> None:
    model = model_of(tmp_path, _application({"Port": 443, "Protocol": "HTTPS"}))
    assert spoken(model, "balancer", "task", "tcp 8443") == {("unknown service on tcp 8443", "unknown")}
    assert spoken(model, "task", "service", "tcp 8443") == {("target decides", "target decides")}


def test_targets_that_a_group_of_machines_registers_are_spoken_to_as_the_group_says(tmp_path: Path) -> None:
    resources = _application(
        {"Port": 443, "Protocol": "HTTPS"}, group={"Protocol": "HTTP", "HealthCheckEnabled": False}
    )
    del resources["Service"]
    machines = {"TargetGroupARNs": [{"Ref": "Group"}]}
    resources["Machines"] = resource("AWS::AutoScaling::AutoScalingGroup", path="machines", **machines)
    model = model_of(tmp_path, resources)
    assert spoken(model, "balancer", "machines", "tcp 8443") == {("HTTP", "none")}


def test_a_balancer_before_a_balancer_meets_its_listeners(tmp_path: Path) -> None:
    resources = _application({"Port": 443, "Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"})
    resources["Outer"] = resource(f"{V2}::LoadBalancer", path="outer", Type="network")
    assert spoken(model_of(tmp_path, resources), "outer", "balancer", "tcp 443") == {("HTTPS", "TLSv1.2")}


def _classic(listener: Json, policies: list[Json]) -> dict[str, Json]:
    properties: dict[str, Any] = {"Listeners": [listener], "Policies": policies}
    balancer = resource("AWS::ElasticLoadBalancing::LoadBalancer", path="classic", **properties)
    return {"Classic": balancer, "Machine": resource("AWS::EC2::Instance", path="machine")}


def test_a_classic_balancer_admits_what_its_policies_say_and_speaks_as_its_instances_expect(tmp_path: Path) -> None:
    plain: Json = {"LoadBalancerPort": "443", "Protocol": "HTTPS", "InstancePort": "80"}
    listener: Json = {**plain, "InstanceProtocol": "HTTP", "PolicyNames": ["mine"]}
    attributes = [{"Name": "Protocol-TLSv1.1", "Value": "true"}, {"Name": "Protocol-TLSv1", "Value": False}]
    policy = {"PolicyName": "mine", "PolicyType": "SSLNegotiationPolicyType", "Attributes": attributes}
    model = model_of(tmp_path, _classic(listener, [policy]))
    assert spoken(model, "internet", "classic", "tcp 443") == {("HTTPS", "TLSv1.1")}
    assert spoken(model, "classic", "machine", "tcp 80") == {("HTTP", "none")}


def _lattice(protocol: str, group: Json) -> dict[str, Json]:
    targets = {"TargetGroups": [{"TargetGroupIdentifier": {"Fn::GetAtt": ["Group", "Id"]}, "Weight": 100}]}
    listener: Json = {
        "ServiceIdentifier": {"Ref": "Service"},
        "Protocol": protocol,
        "DefaultAction": {"Forward": targets},
    }
    registered = [{"TargetGroupArn": {"Fn::GetAtt": ["Group", "Arn"]}, "PortName": "web"}]
    service: Json = {"TaskDefinition": {"Ref": "Task"}, "VpcLatticeConfigurations": registered}
    containers = [{"Name": "c", "PortMappings": [{"Name": "web", "ContainerPort": 8443}]}]
    return {
        "Service": resource("AWS::VpcLattice::Service", path="mesh"),
        "Listener": resource("AWS::VpcLattice::Listener", **listener),
        "Group": resource("AWS::VpcLattice::TargetGroup", Type="IP", Config={"Port": 1, **group}),
        "Task": resource("AWS::ECS::TaskDefinition", ContainerDefinitions=containers),
        "Tasks": resource("AWS::ECS::Service", path="tasks", **service),
    }


def test_lattice_ends_tls_and_speaks_to_its_targets_as_the_group_says(tmp_path: Path) -> None:
    check = {"Enabled": True, "Protocol": "HTTPS"}
    model = model_of(tmp_path / "a", _lattice("HTTPS", {"Protocol": "HTTPS", "HealthCheck": check}))
    edges = (("task", "mesh", "tcp 443"), ("mesh", "tasks", "tcp 8443"))
    assert hops_of(model, *edges) == {
        ("task", "mesh", "HTTPS", "TLSv1.2"),
        ("mesh", "tasks", "HTTPS", "target decides"),
        ("mesh", "tasks", "health check HTTPS", "target decides"),
    }
    model = model_of(tmp_path / "b", _lattice("TLS_PASSTHROUGH", {"Protocol": "HTTP", "ProtocolVersion": "HTTP2"}))
    assert spoken(model, "mesh", "tasks", "tcp 8443") == {("HTTP", "none")}
    model = model_of(tmp_path / "c", _lattice("HTTPS", {"Protocol": "HTTPS"}))
    assert ("health check HTTP", "none") in spoken(model, "mesh", "tasks", "tcp 8443")
