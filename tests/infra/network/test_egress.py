"""Other ways out than those of the environments that are shipped: NAT gateways, and a model outside AWS."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.settings import ROOT as ENVIRONMENTS
from infra.settings import Environment
from tests.infra.network.read import endpoints, routes, rules, subnet_kind, to_addresses
from tests.infra.promise import Stacks
from tests.infra.template import Json, read_assembly, reference
from tests.infra.test_trail import told_of

OUTSIDE: Json = {
    "provider": "openai",
    "name": "large",
    "url": "https://models.example.com/v1",
    "api_key_secret": "arn:aws:secretsmanager:us-east-1:777788889999:secret:model-AbCdEf",
    "api_key_kms_key": "arn:aws:kms:us-east-1:777788889999:key/0a1b2c3d-0000-4000-8000-000000000000",
}
ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
VARIANTS: Mapping[str, Json] = {
    "nat": {"network": {"egress": "nat"}},
    "one-nat": {"network": {"egress": "nat", "nat_zones": ZONES[1:2]}},
    "outside": {"model": OUTSIDE, "network": {"nat_zones": ZONES[:2], "endpoint_zones": ZONES[:1]}},
    "outside-nat": {"model": OUTSIDE, "network": {"egress": "nat"}},
    "zones": {"network": {"endpoint_zones": ZONES[:2], "model_endpoint_zones": ZONES[2:]}, "account": {"trail": False}},
}
"""What of ``prod.toml`` is otherwise."""


def environment_of(changes: Json) -> Environment:
    """The settings of a variant."""
    file: dict[str, Any] = tomllib.loads((ENVIRONMENTS / "prod.toml").read_text())
    for table, values in changes.items():
        file[table] = values if table == "model" else file[table] | values
    return Environment.model_validate_json(json.dumps(file))


@pytest.fixture(scope="module")
def networks(alone: Path) -> dict[str, Stacks]:
    """The stacks of each variant that its changes are about."""
    templates = read_assembly(alone / "egress")
    return {
        name: Stacks(environment_of(changes), {s: t for (variant, s), t in templates.items() if variant == name})
        for name, changes in VARIANTS.items()
    }


def _natted(stacks: Stacks) -> dict[str, list[str]]:
    """The zones of NAT gateways that each application subnet's zone goes out by."""
    network = stacks["Network"]
    zones = {name: r["Properties"]["AvailabilityZone"] for name, r in network.resources("AWS::EC2::Subnet").items()}
    gateways = {
        name: zones[reference(r["Properties"]["SubnetId"])]
        for name, r in network.resources("AWS::EC2::NatGateway").items()
    }
    return {
        zones[subnet]: [gateways[reference(route["NatGatewayId"])] for route in found]
        for subnet, found in routes(stacks).items()
        if subnet_kind(subnet) == "application"
    }


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("nat", {zone: [zone] for zone in ZONES}),
        ("one-nat", {zone: [ZONES[1]] for zone in ZONES}),
        ("outside", {ZONES[0]: [ZONES[0]], ZONES[1]: [ZONES[1]], ZONES[2]: [ZONES[0]]}),
        ("zones", {zone: list[str]() for zone in ZONES}),
    ],
)
def test_application_subnets_go_out_by_their_own_zones_nat_gateway_or_by_anothers_where_it_has_none(
    networks: dict[str, Stacks], variant: str, expected: dict[str, list[str]]
) -> None:
    assert _natted(networks[variant]) == expected


@pytest.mark.parametrize("variant", VARIANTS)
def test_data_subnets_have_no_way_out_in_any_mode(networks: dict[str, Stacks], variant: str) -> None:
    found = routes(networks[variant])
    assert {subnet_kind(subnet) for subnet, out in found.items() if out} <= {"public", "application"}
    assert len([subnet for subnet in found if subnet_kind(subnet) == "data"]) == len(ZONES)


@pytest.mark.parametrize(
    ("variant", "services"),
    [
        ("nat", {"backend", "ai-core"}),
        ("outside", {"ai-core"}),
        ("outside-nat", {"backend", "ai-core"}),
        ("zones", set[str]()),
    ],
)
def test_only_services_that_need_the_nat_gateway_may_use_it(
    networks: dict[str, Stacks], variant: str, services: set[str]
) -> None:
    assert to_addresses(networks[variant]) == {(service, "0.0.0.0/0", 443) for service in services}
    assert all(rule["IpProtocol"] == "tcp" for _, rule in rules(networks[variant], "Egress"))


@pytest.mark.parametrize(
    ("variant", "services"),
    [
        ("nat", set[str]()),
        ("outside-nat", set[str]()),
        ("outside", {"ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms"}),
        ("zones", {"ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "bedrock-runtime"}),
    ],
)
def test_there_are_no_endpoints_that_nothing_goes_through_but_the_free_one(
    networks: dict[str, Stacks], variant: str, services: set[str]
) -> None:
    assert endpoints(networks[variant]).keys() == services | {"s3"}


def test_the_models_endpoint_can_be_in_other_zones_than_the_rest(networks: dict[str, Stacks]) -> None:
    stacks = networks["zones"]
    zones = {
        name: r["Properties"]["AvailabilityZone"] for name, r in stacks["Network"].resources("AWS::EC2::Subnet").items()
    }
    found = {
        name: [zones[reference(subnet)] for subnet in endpoint.get("SubnetIds", [])]
        for name, endpoint in endpoints(stacks).items()
    }
    assert found["bedrock-runtime"] == ZONES[2:]
    assert found["secretsmanager"] == ZONES[:2]


def _names(stacks: Stacks) -> set[str]:
    lists = stacks["Network"].properties("AWS::Route53Resolver::FirewallDomainList")
    return {name for each in lists for name in each["Domains"]}


def test_an_outside_model_adds_its_one_host_to_the_names_and_takes_bedrock_away(networks: dict[str, Stacks]) -> None:
    inside, outside = _names(networks["nat"]), _names(networks["outside"])
    assert outside - inside == {"models.example.com"}
    assert inside - outside == {"bedrock-runtime.us-east-1.amazonaws.com"}
    assert _names(networks["outside-nat"]) == outside


def test_the_key_to_an_outside_model_comes_through_the_secrets_endpoint(networks: dict[str, Stacks]) -> None:
    read, *others = endpoints(networks["outside"])["secretsmanager"]["PolicyDocument"]["Statement"]
    assert OUTSIDE["api_key_secret"] in read["Resource"]
    assert [OUTSIDE["api_key_secret"] in statement["Resource"] for statement in others] == [False, False]


def test_an_account_that_has_a_trail_gets_no_second_one_and_is_told_of_its_keys_all_the_same(
    networks: dict[str, Stacks],
) -> None:
    operations = networks["zones"]["Operations"]
    assert operations.resources("AWS::CloudTrail::Trail") == {}
    assert not [name for name in operations.resources("AWS::S3::Bucket", "AWS::KMS::Key") if "Trail" in name]
    detail = {"eventSource": "kms.amazonaws.com", "eventName": "ScheduleKeyDeletion"}
    event = {"source": "aws.kms", "detail-type": "AWS API Call via CloudTrail", "detail": detail}
    assert told_of(networks["zones"], event)
