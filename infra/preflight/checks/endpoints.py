"""Whether the interface endpoints can be in their zones."""

from collections.abc import Iterator, Mapping, Sequence

from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Inquiry
from infra.settings import Environment

SERVICES = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms")
MODEL = "bedrock-runtime"


def endpoint_zones(environment: Environment) -> Mapping[str, Sequence[str]]:
    """The services that have an interface endpoint, each with the zones it is in."""
    network = environment.network
    if network.egress == "nat":
        return {}
    zones = network.endpoint_zones or network.zones
    model = {MODEL: network.model_endpoint_zones or zones} if environment.model.provider == "bedrock" else {}
    return dict.fromkeys(SERVICES, zones) | model


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """Not every service is in every zone: "does not support the availability zone of the subnet"."""
    prefix = f"com.amazonaws.{inquiry.environment.account.region}."
    wanted = endpoint_zones(inquiry.environment)
    if not wanted:
        yield good("none: network.egress is nat")
        return
    names = [{"Name": "service-name", "Values": [prefix + service for service in wanted]}]
    answer = inquiry.aws.ask("ec2", "describe_vpc_endpoint_services", Filters=names)
    offered = {
        detail["ServiceName"].removeprefix(prefix): detail["AvailabilityZones"]
        for detail in answer["ServiceDetails"]
        if any(kind["ServiceType"] == "Interface" for kind in detail["ServiceType"])
    }
    for service, zones in wanted.items():
        missing = sorted(set(zones) - set(offered.get(service, ())))
        setting = "network.model_endpoint_zones" if service == MODEL else "network.endpoint_zones"
        if missing:
            there = ", ".join(sorted(set(inquiry.environment.network.zones) - set(missing))) or "other network.zones"
            yield bad(f"{service} is not in {', '.join(missing)}", f"write {setting} with {there}")
        else:
            yield good(f"{service} is in {', '.join(zones)}")
