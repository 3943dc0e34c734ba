"""What an idle environment costs is counted from its templates, line by line, and stays below what it may."""

import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.costs.bill import COUNTERS, bill, total
from infra.costs.deployed import Deployed, Properties, Resource, read_deployed
from infra.costs.economies import ECONOMIES, Context, UnknownWorth
from infra.costs.free import FREE
from infra.costs.page import MOST
from infra.costs.prices import HOURS, Prices, UnknownPrice
from infra.reference.pages import pages
from infra.reference.setting_costs import COSTS, cost_of
from infra.reference.settings_page import setting_paths, settings_page
from infra.services import read_services
from infra.settings import read_environments

PRICES = Prices()
ENVIRONMENTS = {environment.name: environment for environment in read_environments()}


@pytest.fixture(scope="module")
def deployed(assembly: Path) -> dict[str, Deployed]:
    """What each environment consists of."""
    return read_deployed(assembly)


def _task(count: int, architecture: str = "ARM64") -> dict[str, Properties]:
    definition = {
        "Cpu": "512",
        "Memory": "1024",
        "RuntimePlatform": {"CpuArchitecture": architecture},
        "ContainerDefinitions": [{"Name": "backend"}],
    }
    return {
        "AWS::ECS::TaskDefinition": definition,
        "AWS::ECS::Service": {"DesiredCount": count, "TaskDefinition": {"Ref": "ECS::TaskDefinition"}},
    }


def _cluster(least: float, **more: object) -> dict[str, Properties]:
    return {
        "AWS::RDS::DBCluster": {"ServerlessV2ScalingConfiguration": {"MinCapacity": least}} | more,
        "AWS::RDS::DBInstance": {"DBClusterIdentifier": {"Ref": "RDS::DBCluster"}},
    }


def _plan(**copied: object) -> dict[str, Properties]:
    rule = {"Lifecycle": {"DeleteAfterDays": 7}} | ({"CopyActions": [copied]} if copied else {})
    return {"AWS::Backup::BackupPlan": {"BackupPlan": {"BackupPlanRule": [rule]}}}


@dataclass(frozen=True)
class Case:
    """What some resources cost a month: by type, with its properties; a reference is the type without ``AWS::``."""

    name: str
    resources: dict[str, Properties]
    usd: float


def _of(kind: str, **properties: object) -> dict[str, Properties]:
    return {f"AWS::{kind}": properties}


BALANCER = "ElasticLoadBalancingV2::LoadBalancer"
CASES = [
    Case("a load balancer and its addresses", _of(BALANCER, Scheme="internet-facing", Subnets=[1, 2]), 730 * 0.0325),
    Case("an internal one has none", _of(BALANCER, Scheme="internal", Subnets=[1, 2]), 730 * 0.0225),
    Case(
        "an endpoint in each zone",
        _of("EC2::VPCEndpoint", VpcEndpointType="Interface", SubnetIds=[1, 2, 3]),
        730 * 0.03,
    ),
    Case("a gateway endpoint", _of("EC2::VPCEndpoint", VpcEndpointType="Gateway"), 0),
    Case("a NAT gateway and its address", _of("EC2::NatGateway") | _of("EC2::EIP"), 730 * 0.05),
    Case("a service of VPC Lattice", _of("VpcLattice::Service"), 18.25),
    Case("a firewall of four rules", _of("WAFv2::WebACL", Rules=[1, 2, 3, 4]), 9.06),
    Case("a hosted zone", _of("Route53::RecordSet", HostedZoneId="Z1"), 0.5),
    Case("three tasks", _task(3), 3 * 730 * (0.5 * 0.03238 + 0.00356)),
    Case("a task on X86_64", _task(1, "X86_64"), 730 * (0.5 * 0.04048 + 0.004445)),
    Case(
        "tasks at the least of their scaling",
        _task(9) | _of("ApplicationAutoScaling::ScalableTarget", MinCapacity=2, ResourceId={"Ref": "ECS::Service"}),
        2 * 730 * (0.5 * 0.03238 + 0.00356),
    ),
    Case("a database that pauses", _cluster(0), 1.0),
    Case("a database that does not", _cluster(2), 2 * 87.6 + 1.2),
    Case("its administrator's secret", _cluster(0, ManageMasterUserPassword=True), 1.4),
    Case("its insights", _cluster(2, DatabaseInsightsMode="advanced"), 2 * (87.6 + 730 * 0.003125) + 1.2),
    Case("its monitoring", _cluster(0, MonitoringInterval=30), 1.3),
    Case(
        "search nodes with disks",
        _of(
            "OpenSearchService::Domain",
            ClusterConfig={"InstanceType": "t3.small.search", "InstanceCount": 2},
            EBSOptions={"VolumeSize": 10},
        ),
        2 * (26.28 + 1.22),
    ),
    Case(
        "managers of search nodes",
        _of(
            "OpenSearchService::Domain",
            ClusterConfig={
                "InstanceType": "t3.small.search",
                "InstanceCount": 1,
                "DedicatedMasterEnabled": True,
                "DedicatedMasterCount": 3,
                "DedicatedMasterType": "m7g.large.search",
            },
            EBSOptions={"VolumeSize": 10},
        ),
        26.28 + 1.22 + 3 * 98.55,
    ),
    Case("backups", _plan(), 7 * 10 * 0.021),
    Case("their copies", _plan(Lifecycle={"DeleteAfterDays": 35}), (7 + 35) * 10 * 0.021 + 30 * 10 * 0.02),
    Case("a key", _of("KMS::Key"), 1.3),
    Case("a secret", _of("SecretsManager::Secret"), 0.4),
    Case(
        "the key of an epoch in two regions",
        _of(
            "ECS::TaskDefinition",
            ContainerDefinitions=[
                {
                    "Environment": [
                        {"Name": "EPOCH_KEYS", "Value": "arn:x"},
                        {"Name": "RECOVERY_REGIONS", "Value": "us-west-2"},
                    ]
                }
            ],
        ),
        0.8,
    ),
    Case(
        "a task every six hours, and the database that it wakes",
        {"AWS::ECS::TaskDefinition": _task(0)["AWS::ECS::TaskDefinition"]}
        | _of("Scheduler::Schedule", ScheduleExpression="rate(6 hours)", Target={"Ref": "ECS::TaskDefinition"})
        | {
            "AWS::RDS::DBCluster": {
                "ServerlessV2ScalingConfiguration": {"MinCapacity": 0, "SecondsUntilAutoPause": 300}
            }
        },
        1 + 730 / 6 * (2 / 60 * (0.5 * 0.03238 + 0.00356) + 7 / 60 * 0.5 * 0.12),
    ),
    Case(
        "a task each month, and a database that is awake",
        {"AWS::ECS::TaskDefinition": _task(0)["AWS::ECS::TaskDefinition"]}
        | _of("Scheduler::Schedule", ScheduleExpression="rate(30 days)", Target={"Ref": "ECS::TaskDefinition"})
        | _cluster(2),
        730 / 720 * 2 / 60 * (0.5 * 0.03238 + 0.00356) + 2 * 87.6 + 1.2,
    ),
    Case("a bucket", _of("S3::Bucket"), 0.023),
    Case("an alarm", _of("CloudWatch::Alarm", MetricName="x"), 0.1),
    Case(
        "an alarm on two metrics and what comes of them",
        _of("CloudWatch::Alarm", Metrics=[{"MetricStat": "a"}, {"MetricStat": "b"}, {"Expression": "a/b"}]),
        0.2,
    ),
    Case("an alarm of a store", _of("CloudWatch::Alarm", MetricName="x", Namespace="AWS/ES"), 0.1),
    Case(
        "metrics from logs, one of which has no figure while nobody is there",
        _of("Logs::MetricFilter", MetricTransformations=[{"MetricName": f"backend.{m}"} for m in ("Timed", "Slow")]),
        0.3,
    ),
    Case("a dashboard", _of("CloudWatch::Dashboard"), 3),
    Case(
        "Container Insights",
        _of("ECS::Cluster", ClusterSettings=[{"Name": "containerInsights", "Value": "enhanced"}]),
        20 * 0.07,
    ),
    Case(
        "none",
        _of("ECS::Cluster", ClusterSettings=[{"Name": "containerInsights", "Value": "disabled"}]),
        0,
    ),
    Case("logs of a task", _task(1) | _of("Logs::LogGroup", RetentionInDays=30), 730 * 0.01975 + 0.1 * 0.53),
    Case(
        "flow logs",
        _task(1) | _of("Logs::LogGroup", RetentionInDays=30) | _of("EC2::FlowLog"),
        730 * 0.01975 + 0.6 * 0.53,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_each_thing_costs_what_the_price_list_says(case: Case) -> None:
    resources = tuple(
        Resource("Stack", kind.removeprefix("AWS::"), kind, properties) for kind, properties in case.resources.items()
    )
    assert total(bill(Deployed("dev", resources)), PRICES) == pytest.approx(case.usd, abs=0.001)


def test_a_metric_with_a_figure_in_every_minute_is_not_counted_as_one_without() -> None:
    transformation = {"MetricName": "backend.Slow", "DefaultValue": 0}
    filters = Resource("Stack", "Slow", "AWS::Logs::MetricFilter", {"MetricTransformations": [transformation]})
    with pytest.raises(ValueError, match=r"backend\.Slow"):
        bill(Deployed("dev", (filters,)))


def test_what_costs_an_unknown_amount_is_an_error_that_names_it() -> None:
    thing = Resource("Stack", "Thing", "AWS::SageMaker::Endpoint", {})
    with pytest.raises(UnknownPrice, match="dev: what do AWS::SageMaker::Endpoint cost"):
        bill(Deployed("dev", (thing,)))
    cluster = {"InstanceType": "i9.huge.search", "InstanceCount": 1}
    node = Resource(
        "S", "D", "AWS::OpenSearchService::Domain", {"ClusterConfig": cluster, "EBSOptions": {"VolumeSize": 9}}
    )
    with pytest.raises(UnknownPrice, match=r"no price for opensearch.i9.huge.search"):
        total(bill(Deployed("dev", (node,))), PRICES)
    assert not FREE & COUNTERS.keys()


@pytest.mark.parametrize("name", MOST)
def test_an_idle_environment_costs_no_more_than_it_may(name: str, deployed: dict[str, Deployed]) -> None:
    lines = bill(deployed[name])
    assert 0 < total(lines, PRICES) <= MOST[name], [(line.what, round(line.usd(PRICES), 2)) for line in lines]


def test_an_idle_environment_leaves_room_in_its_budget(deployed: dict[str, Deployed]) -> None:
    for name, environment in ENVIRONMENTS.items():
        told_at = 0.8 * environment.operations.monthly_budget_usd
        assert total(bill(deployed[name]), PRICES) < told_at


def test_what_is_deployed_is_what_is_counted(deployed: dict[str, Deployed]) -> None:
    endpoint = next(r for r in deployed["prod"].of("AWS::EC2::VPCEndpoint") if "SubnetIds" in r.properties)
    fewer = copy.deepcopy(dict(endpoint.properties))
    fewer["SubnetIds"] = fewer["SubnetIds"][1:]
    others = tuple(r for r in deployed["prod"].resources if r is not endpoint)
    less = Deployed("prod", (*others, Resource(endpoint.stack, endpoint.logical_id, endpoint.type, fewer)), 2)
    saved = total(bill(deployed["prod"]), PRICES) - total(bill(less), PRICES)
    assert saved == pytest.approx(HOURS * 0.01)


def test_every_economy_of_dev_saves_something_and_says_what_it_gives_up(deployed: dict[str, Deployed]) -> None:
    services = list(read_services().values())
    full = bill(deployed["prod"])
    dev = Context(ENVIRONMENTS["dev"], services, bill(deployed["dev"]), full, PRICES)
    used = {economy.setting: economy for economy in ECONOMIES if economy.applies(ENVIRONMENTS["dev"])}
    assert {"network.endpoint_zones", "memory.nodes", "database.min_acu"} <= used.keys()
    for economy in used.values():
        # A paused database has no reader that costs.
        assert economy.saves(dev) > 0 or economy.setting == "database.readers"
        assert len(economy.gives_up) > 20
    assert not [economy.setting for economy in ECONOMIES if economy.applies(ENVIRONMENTS["prod"])]
    with pytest.raises(UnknownWorth, match="the bill without economies has no Nothing"):
        dev.of_full("Nothing")


def test_the_pages_of_settings_and_costs_are_up_to_date(assembly: Path) -> None:
    for path, text in pages(assembly).items():
        assert path.read_text() == text, f"{path.name} is out of date: make reference"


def test_every_setting_is_on_its_page_and_each_that_costs_says_how_much() -> None:
    page, paths = settings_page(PRICES), set(setting_paths())
    assert COSTS.keys() <= paths
    for path in paths:
        table, _, key = path.rpartition(".")
        section = page[page.index(f"## `[{table}]`" if table else "## At the top") :]
        row = next(line for line in section.splitlines() if line.startswith(f"| `{key}` |"))
        assert re.search(r"\w{3}", row.split("|")[2])
        assert cost_of(path, PRICES) in row
    assert "$" not in re.sub(r"`[^`]*`", "", page)


def test_every_price_says_its_unit_its_date_and_how_far_it_can_be_trusted(deployed: dict[str, Deployed]) -> None:
    for name in ENVIRONMENTS:
        for line in bill(deployed[name]):
            price = PRICES[line.item]
            assert all((price.unit, price.as_of, price.confidence, price.source))
            assert re.search(r"-(hour|month)$|million|GB|10,000", price.unit), json.dumps(line.item)
