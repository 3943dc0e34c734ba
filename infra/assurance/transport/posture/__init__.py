"""Qualities of resources that decide how safely they run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from infra.assurance.facts import Fact, Relation
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.posture import buckets, containers, data, surroundings, web
from infra.assurance.transport.posture.plain_secrets import plain_secrets, says_no_secret
from infra.assurance.transport.posture.settings import NO, SETTINGS, YES, of_settings

__all__ = ["postures"]

_Qualities = Iterator[tuple[str, str]]
_Reader = Callable[[Model, Resource], Iterator[tuple[str, str, str]]]
_RUN_TASKS: Final = frozenset(
    {
        "AWS::ECS::Service",
        "AWS::ECS::TaskSet",
        "AWS::Events::Rule",
        "AWS::Pipes::Pipe",
        "AWS::Scheduler::Schedule",
        "AWS::StepFunctions::StateMachine",
    }
)
IN_PLAIN_SIGHT: Final = "secret in plain sight"
"""The quality whose value is the name of a variable or property that holds a secret."""


def postures(model: Model) -> list[Fact]:
    """A fact for each quality of each resource that has any. What cannot be told is in `model.refusals`."""
    found: list[Fact] = list(_stacks(model))
    for resource in model.resources:
        for reader in _readers(resource.type):
            with model.refusals.collected():
                for name, quality, value in reader(model, resource):
                    found.append(Fact(Relation.POSTURE, (name, quality, value), (resource,)))
    return found


def _stacks(model: Model) -> Iterator[Fact]:
    """Whether a stack can be deleted by one call; a nested one goes with the one around it."""
    for stack in model.scopes:
        if stack.parent is None:
            protected = YES if stack.termination_protection else NO
            yield Fact(Relation.POSTURE, (stack.path, "termination protection", protected))


@cache
def _readers(type_: str) -> Sequence["_Reader"]:
    return tuple(_readers_of(type_))


def _readers_of(type_: str) -> Iterator["_Reader"]:
    if not says_no_secret(type_):
        yield _plain_secrets
    if type_ in SETTINGS:
        yield _named(of_settings)
    if type_ in data.STATEFUL:
        yield _named(lambda _, stateful: data.of_removal(stateful))
    if type_ in web.GUARDED:
        yield _named(lambda model, guarded: iter([("web ACL", web.web_acl(model, guarded))]))
    if type_ in {containers.TASK, containers.JOB}:
        yield containers.of_containers
    if type_ == "AWS::EC2::SubnetRouteTableAssociation":
        yield surroundings.of_subnet_routes
    if type_ in _RUN_TASKS:
        yield _named(_task_addresses)
    if type_ in _READERS:
        yield _named(_READERS[type_])


def _named(reader: Callable[[Model, Resource], _Qualities]) -> "_Reader":
    """A reader of qualities of the resource as a whole."""
    return lambda model, resource: ((resource.name, *quality) for quality in reader(model, resource))


def _plain_secrets(model: Model, resource: Resource) -> Iterator[tuple[str, str, str]]:
    return ((resource.name, IN_PLAIN_SIGHT, where) for where in plain_secrets(model, resource))


def _task_addresses(_model: Model, resource: Resource) -> _Qualities:
    """Whether tasks that it starts get a public address."""
    asked = list(containers.public_addresses(resource))
    if asked:
        yield "public address", YES if any(asked) else NO


_READERS: Final[Mapping[str, Callable[[Model, Resource], _Qualities]]] = {
    **dict.fromkeys(data.PARAMETERS, lambda _, group: data.of_parameters(group)),
    **dict.fromkeys(data.SEARCH, lambda _, domain: data.of_search(domain)),
    "AWS::Backup::BackupPlan": data.of_plan,
    "AWS::Backup::BackupVault": lambda _, vault: data.of_vault(vault),
    "AWS::CloudFront::Distribution": web.of_distribution,
    "AWS::CloudTrail::Trail": lambda _, trail: surroundings.of_trail(trail),
    "AWS::EC2::Instance": lambda _, instance: surroundings.of_instance(instance),
    "AWS::EC2::LaunchTemplate": lambda _, template: surroundings.of_instance(template),
    "AWS::EC2::VPC": surroundings.of_vpc,
    "AWS::ECS::TaskDefinition": lambda _, task: containers.of_task(task),
    "AWS::EKS::Cluster": lambda _, cluster: surroundings.of_kubernetes(cluster),
    "AWS::ElasticLoadBalancing::LoadBalancer": lambda _, balancer: web.of_classic(balancer),
    "AWS::ElasticLoadBalancingV2::Listener": web.of_listener,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": web.of_balancer,
    "AWS::Events::Rule": surroundings.of_rule,
    "AWS::IAM::User": surroundings.of_user,
    "AWS::Route53Resolver::FirewallDomainList": surroundings.of_domains,
    "AWS::Route53Resolver::FirewallRuleGroup": surroundings.of_dns_firewall,
    "AWS::SNS::Subscription": surroundings.of_subscription,
    "AWS::S3::Bucket": buckets.of_bucket,
    "AWS::SecretsManager::Secret": data.of_secret,
    "AWS::VpcLattice::Listener": web.of_lattice_listener,
    "AWS::WAFv2::WebACL": web.of_acl,
}
