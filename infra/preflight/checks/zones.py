"""Whether the zones exist, and VPC Lattice in them."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Inquiry
from infra.setting_tables import LATTICE_MISSING


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """Names differ by account in what they stand for, so that their ids tell."""
    network = inquiry.environment.network
    found = {
        zone["ZoneName"]: zone["ZoneId"]
        for zone in inquiry.aws.ask("ec2", "describe_availability_zones")["AvailabilityZones"]
        if zone["State"] == "available" and zone.get("ZoneType", "availability-zone") == "availability-zone"
    }
    usable = [name for name, zone_id in sorted(found.items()) if zone_id not in LATTICE_MISSING]
    change = f"choose network.zones of {', '.join(usable)}"
    ids: list[str] = []
    for name in network.zones:
        if name not in found:
            yield bad(f"{name} does not exist in this account, or is not available", change)
            continue
        ids.append(found[name])
        if found[name] in LATTICE_MISSING:
            yield bad(f"{name} is {found[name]}, where there is no VPC Lattice", change)
        else:
            yield good(f"{name} is {found[name]}")
    if network.zone_ids and len(ids) == len(network.zones) and list(network.zone_ids) != ids:
        written = ", ".join(f'"{zone_id}"' for zone_id in ids)
        yield bad(f"network.zone_ids is {', '.join(network.zone_ids)}", f"write zone_ids = [{written}]")
