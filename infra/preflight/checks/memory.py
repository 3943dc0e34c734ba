"""Whether OpenSearch is offered as the settings want it."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good, unknown
from infra.preflight.aws import Json
from infra.preflight.check import Inquiry

ENGINE = "OpenSearch_3.5"


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """The engine, and the instance type for it in the zones that it is to be in."""
    settings = inquiry.environment.memory
    region = inquiry.environment.account.region
    versions = inquiry.aws.ask("opensearch", "list_versions", MaxResults=100)["Versions"]
    if ENGINE not in versions:
        yield bad(f"{ENGINE} is not offered in {region}, only {', '.join(versions[:5])} and older", "wait for it")
        return
    answer = inquiry.aws.find(
        "ValidationException",
        "opensearch",
        "list_instance_type_details",
        EngineVersion=ENGINE,
        InstanceType=settings.instance,
        RetrieveAZs=True,
    )
    details: list[Json] = answer["InstanceTypeDetails"] if answer else []
    found = [d for d in details if d["InstanceType"] == settings.instance]
    if not found:
        yield bad(f"{settings.instance} is not offered for {ENGINE} in {region}", "choose another memory.instance")
        return
    if not found[0].get("EncryptionEnabled"):
        yield bad(f"{settings.instance} cannot be encrypted", "choose another memory.instance")
    zones = inquiry.environment.network.zones[: settings.nodes]
    there = [zone for zone in found[0].get("AvailabilityZones", ()) if zone.startswith(region)]
    if not there:  # or by ids, which are not ours
        yield unknown(f"AWS does not say in which zones {settings.instance} is")
    elif missing := sorted(set(zones) - set(there)):
        yield bad(f"{settings.instance} is not in {', '.join(missing)}", "choose other zones or memory.instance")
    else:
        yield good(f"{settings.instance} for {ENGINE} in {', '.join(zones)}")
