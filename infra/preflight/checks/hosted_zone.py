"""Whether the hosted zone is the one that the internet asks for the domain."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good, unknown
from infra.preflight.check import Inquiry


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """It exists, is public, holds the domain and is delegated to. The certificate waits for ever where it is not."""
    web = inquiry.environment.web
    if web.hosted_zone_id is None:
        yield good("none: the address record is yours to make")
        return
    found = inquiry.aws.find("NoSuchHostedZone", "route53", "get_hosted_zone", Id=web.hosted_zone_id)
    if found is None:
        yield bad(f"{web.hosted_zone_id} does not exist in this account", "`aws route53 list-hosted-zones` has its id")
        return
    zone = found["HostedZone"]["Name"].rstrip(".")
    if found["HostedZone"]["Config"].get("PrivateZone"):
        yield bad(f"{zone} is private: nobody outside can ask it", "choose a public zone")
        return
    if web.domain != zone and not web.domain.endswith(f".{zone}"):
        yield bad(f"{web.hosted_zone_id} is {zone}, which {web.domain} is not in", "choose the zone of web.domain")
        return
    yield good(f"{web.domain} is in {zone}, which is public")
    yield _delegated(inquiry, zone, {server.rstrip(".").lower() for server in found["DelegationSet"]["NameServers"]})


def _delegated(inquiry: Inquiry, zone: str, own: set[str]) -> Answer:
    listed = ", ".join(sorted(own))
    told = inquiry.name_servers(zone)
    if told is None:
        return unknown(
            f"whether {zone} is delegated to: this machine has no `dig`, or no way to a name server",
            f"`dig +short NS {zone}` must name {listed}",
        )
    if told & own:
        return good(f"{zone} is delegated to")
    at_present = f"names {', '.join(sorted(told))}" if told else "names no servers"
    return bad(f"the internet {at_present} for {zone}", f"have its parent, or its registrar, name {listed}")
