"""What the preflight asks for is what the templates have."""

import re
from pathlib import Path

import pytest

from infra.preflight.aws import Aws
from infra.preflight.check import PipelineInquiry
from infra.preflight.checks import bootstrap, builds, database, linked_roles, memory, quotas
from infra.preflight.checks.endpoints import endpoint_zones
from tests.infra.preflight.conftest import ENVIRONMENTS, PIPELINE
from tests.infra.template import Template

Templates = dict[tuple[str, str], Template]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_endpoints_that_are_asked_for_are_those_that_will_be_made(name: str, templates: Templates) -> None:
    network, environment = templates[name, "Network"], ENVIRONMENTS[name]
    zone_of = {
        logical_id: subnet["Properties"]["AvailabilityZone"]
        for logical_id, subnet in network.resources("AWS::EC2::Subnet").items()
    }
    made = {
        endpoint["ServiceName"].removeprefix(f"com.amazonaws.{environment.account.region}."): {
            zone_of[subnet["Ref"]] for subnet in endpoint["SubnetIds"]
        }
        for endpoint in network.properties("AWS::EC2::VPCEndpoint")
        if endpoint["VpcEndpointType"] == "Interface"
    }
    assert made == {service: set(zones) for service, zones in endpoint_zones(environment).items()}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_engines_that_are_asked_for_are_those_that_will_be_made(name: str, templates: Templates) -> None:
    cluster = templates[name, "Data"].only("AWS::RDS::DBCluster")
    assert (cluster["Engine"], cluster["EngineVersion"]) == (database.ENGINE, ENVIRONMENTS[name].database.version)
    for instance in templates[name, "Data"].properties("AWS::RDS::DBInstance"):
        assert (instance["DBInstanceClass"], instance["CACertificateIdentifier"]) == (database.INSTANCE, database.CA)
    domain = templates[name, "Data"].only("AWS::OpenSearchService::Domain")
    assert domain["EngineVersion"] == memory.ENGINE


def test_the_bootstrap_version_that_is_asked_for_is_enough_for_every_stack(assembly: Path) -> None:
    found = {
        int(version)
        for manifest in assembly.rglob("manifest.json")
        for version in re.findall(r'"requiresBootstrapStackVersion":\s*(\d+)', manifest.read_text())
    }
    assert max(found) == bootstrap.VERSION


def test_room_is_kept_for_as_many_log_policies_as_will_be_made(templates: Templates) -> None:
    for name in ENVIRONMENTS:
        stacks = [template for (environment, _), template in templates.items() if environment == name]
        made = sum(len(stack.resources("AWS::Logs::ResourcePolicy")) for stack in stacks)
        assert 0 < made <= quotas.OWN_LOG_POLICIES


def test_every_service_that_needs_a_role_of_its_own_is_asked_for(templates: Templates) -> None:
    needs = {
        "AWS::ECS::Cluster": "ecs.amazonaws.com",
        "AWS::ApplicationAutoScaling::ScalableTarget": "ecs.application-autoscaling.amazonaws.com",
        "AWS::ElasticLoadBalancingV2::LoadBalancer": "elasticloadbalancing.amazonaws.com",
        "AWS::OpenSearchService::Domain": "opensearchservice.amazonaws.com",
        "AWS::RDS::DBCluster": "rds.amazonaws.com",
        "AWS::VpcLattice::ServiceNetworkVpcAssociation": "vpc-lattice.amazonaws.com",
        "AWS::WAFv2::LoggingConfiguration": "wafv2.amazonaws.com",
        "AWS::Backup::BackupPlan": "backup.amazonaws.com",
    }
    for name, environment in ENVIRONMENTS.items():
        stacks = [template for (of, _), template in templates.items() if of == name]
        made = {resource["Type"] for stack in stacks for resource in stack.resources().values()}
        assert {service for kind, service in needs.items() if kind in made} == set(linked_roles.services(environment))


def test_the_builds_that_are_asked_for_are_those_of_the_pipeline(application: dict[str, Template]) -> None:
    environments = [project["Environment"] for project in application["pipeline"].properties("AWS::CodeBuild::Project")]
    platforms = {"ARM_CONTAINER": "ARM", "LINUX_CONTAINER": "Linux"}
    sizes = {f"BUILD_GENERAL1_{size.upper()}": size for size in ("Small", "Medium", "Large")}
    made = {f"{platforms[e['Type']]}/{sizes[e['ComputeType']]}" for e in environments}
    asked = PipelineInquiry(PIPELINE, Aws(PIPELINE.account.region), list(ENVIRONMENTS.values()))
    assert made == set(builds.kinds(asked))
