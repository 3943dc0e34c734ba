"""Whether Aurora is offered as the settings want it."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Inquiry

ENGINE = "aurora-postgresql"
INSTANCE = "db.serverless"
CA = "rds-ca-rsa2048-g1"


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """The version, its certificates, and serverless instances of it in the zones."""
    version, zones = inquiry.environment.database.version, inquiry.environment.network.zones
    what = {"Engine": ENGINE, "EngineVersion": version}
    found = inquiry.aws.ask("rds", "describe_db_engine_versions", **what)["DBEngineVersions"]
    if not found:
        major = version.partition(".")[0]
        offered = inquiry.aws.ask("rds", "describe_db_engine_versions", Engine=ENGINE)["DBEngineVersions"]
        of_major = [known["EngineVersion"] for known in offered if known["EngineVersion"].startswith(f"{major}.")]
        yield bad(
            f"Aurora PostgreSQL {version} is not offered in {inquiry.environment.account.region}",
            f"choose database.version of {', '.join(of_major) or 'another region'}",
        )
        return
    yield good(f"Aurora PostgreSQL {version} is offered")
    authorities = found[0].get("SupportedCACertificateIdentifiers", [])
    if authorities and CA not in authorities:
        yield bad(f"{CA} signs no certificates for it, only {', '.join(authorities)}", "choose another version")
    options = inquiry.aws.ask("rds", "describe_orderable_db_instance_options", DBInstanceClass=INSTANCE, **what)
    there = {zone["Name"] for option in options["OrderableDBInstanceOptions"] for zone in option["AvailabilityZones"]}
    if missing := sorted(set(zones) - there):
        yield bad(f"no serverless instances in {', '.join(missing)}", "choose other network.zones")
    else:
        yield good(f"serverless instances in {', '.join(zones)}")
