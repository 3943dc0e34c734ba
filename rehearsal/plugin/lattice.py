"""VPC Lattice, of which MiniStack has nothing: the record of it here, and who may call a service.

The front forwards to the tasks that ECS registered. Rules, weights and what else Lattice can do are in no template.
"""

import uuid
from collections.abc import Callable
from typing import Any

from rehearsal.plugin import endpoints, ministack
from rehearsal.plugin.endpoints import Endpoint
from rehearsal.plugin.handlers import Json, Made, register

_NOBODY: Json = {"Version": "2012-10-17", "Statement": []}
_made: dict[str, tuple[str, Json]] = {}
"""By ARN or other physical id: type and properties."""


def install() -> None:
    """Make its types known."""
    _register("ServiceNetwork", lambda _: f"servicenetwork/sn-{_id()}")
    _register("Service", lambda _: f"service/svc-{_id()}", more=_named)
    _register("TargetGroup", lambda _: f"targetgroup/tg-{_id()}")
    _register("Listener", lambda given: f"service/{_last(given['ServiceIdentifier'])}/listener/listener-{_id()}")
    _register("ServiceNetworkVpcAssociation", lambda _: f"servicenetworkvpcassociation/snva-{_id()}")
    _register("ServiceNetworkServiceAssociation", lambda _: f"servicenetworkserviceassociation/snsa-{_id()}")
    _register("AuthPolicy", lambda given: f"{_last(given['ResourceIdentifier'])}/authpolicy")


def publish(target_group: str, targets: list[str]) -> None:
    """Tell the front which tasks are behind the services that forward to ``target_group``."""
    for kind, given in list(_made.values()):
        if kind != "Listener":
            continue
        groups = given["DefaultAction"]["Forward"]["TargetGroups"]
        if any(_last(group["TargetGroupIdentifier"]) == _last(target_group) for group in groups):
            arn = _find("Service", given["ServiceIdentifier"])
            for endpoint in endpoints.ALL.values():
                if endpoint.resource == arn:
                    endpoint.targets = targets


def policy(arn: str) -> tuple[Any, str]:
    """The auth policy of a service that a request's resource is in; nobody may where there is none."""
    service = next(name for name, (kind, _) in _made.items() if kind == "Service" and arn.startswith(name))
    return _policy_of(service), arn.split(":")[4]


def network_of(service: str) -> tuple[Any, str]:
    """The auth policy of the network that a service is in, and the VPC that may call it.

    Raises:
        LookupError: it is in none, or no VPC is.
    """
    network = next(
        given["ServiceNetworkIdentifier"]
        for kind, given in _made.values()
        if kind == "ServiceNetworkServiceAssociation" and _last(given["ServiceIdentifier"]) == _last(service)
    )
    vpc = next(
        given["VpcIdentifier"]
        for kind, given in _made.values()
        if kind == "ServiceNetworkVpcAssociation" and _last(given["ServiceNetworkIdentifier"]) == _last(network)
    )
    return _policy_of(network), vpc


def _policy_of(resource: str) -> Any:
    found = (
        given["Policy"]
        for kind, given in _made.values()
        if kind == "AuthPolicy" and _last(given["ResourceIdentifier"]) == _last(resource)
    )
    return next(found, _NOBODY)


def _register(kind: str, path: Callable[[Json], str], more: Callable[[str, Json], Json] = lambda _, __: {}) -> None:
    def create(_: str, properties: Json, __: str) -> Made:
        arn = ministack.arn("vpc-lattice", path(properties))
        _made[arn] = (kind, properties)
        return arn, {"Arn": arn, "Id": _last(arn), **more(arn, properties)}

    def delete(physical: str, _: Json) -> None:
        _made.pop(physical, None)
        for host, endpoint in list(endpoints.ALL.items()):
            if endpoint.resource == physical:
                del endpoints.ALL[host]

    register(f"AWS::VpcLattice::{kind}", create, delete)


def _named(arn: str, properties: Json) -> Json:
    host = f"{properties['Name']}-{_last(arn)[4:]}.7d67968.vpc-lattice-svcs.{ministack.region()}.on.aws"
    endpoints.ALL[host] = Endpoint("lattice", arn, ministack.account(), ministack.region())
    return {"DnsEntry.DomainName": host, "DnsEntry.HostedZoneId": "Z0EMULATED"}


def _find(kind: str, reference: str) -> str:
    return next(arn for arn, (found, _) in _made.items() if found == kind and _last(arn) == _last(reference))


def _last(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _id() -> str:
    return uuid.uuid4().hex[:17]
