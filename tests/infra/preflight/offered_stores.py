"""Accounts to which AWS offers the stores of the settings, and others."""

from tests.infra.preflight.case import BAD, GOOD, UNKNOWN, Case
from tests.infra.preflight.conftest import ENVIRONMENTS
from tests.infra.preflight.recorded import Json, Refused

ZONES = ENVIRONMENTS["prod"].network.zones


def _versions(*versions: str) -> Json:
    found = [{"EngineVersion": v, "SupportedCACertificateIdentifiers": ["rds-ca-rsa2048-g1"]} for v in versions]
    return {"rds.DescribeDBEngineVersions": {"DBEngineVersions": found}}


def _serverless(zones: tuple[str, ...]) -> Json:
    options = [{"AvailabilityZones": [{"Name": zone} for zone in zones]}]
    return {"rds.DescribeOrderableDBInstanceOptions": {"OrderableDBInstanceOptions": options}}


def _nodes(zones: tuple[str, ...], *, encrypted: bool = True) -> Json:
    instance = {"InstanceType": "m7g.medium.search", "EncryptionEnabled": encrypted, "AvailabilityZones": list(zones)}
    return {
        "opensearch.ListVersions": {"Versions": ["OpenSearch_3.7", "OpenSearch_3.5"]},
        "opensearch.ListInstanceTypeDetails": {"InstanceTypeDetails": [instance]},
    }


CASES = [
    Case(
        "Database",
        "ready",
        _versions("17.7") | _serverless(ZONES),
        GOOD,
        "serverless instances in us-east-1a, us-east-1b, us-east-1c",
    ),
    Case("Database", "zones", _versions("17.7") | _serverless(ZONES[:2]), BAD, "no serverless instances in us-east-1c"),
    Case("Database", "version", _versions(), BAD, "Aurora PostgreSQL 17.7 is not offered"),
    Case("Memory", "ready", _nodes(ZONES), GOOD, "m7g.medium.search for OpenSearch_3.5"),
    Case("Memory", "zones", _nodes(ZONES[1:]), BAD, "is not in us-east-1a"),
    Case("Memory", "unencrypted", _nodes(ZONES, encrypted=False), BAD, "cannot be encrypted"),
    Case("Memory", "another type", _nodes(ZONES), BAD, "is not offered", settings={"memory.instance": "x9.a.search"}),
    Case(
        "Memory",
        "no such type",
        _nodes(ZONES) | {"opensearch.ListInstanceTypeDetails": Refused("ValidationException: x")},
        BAD,
        "is not offered",
    ),
    Case("Memory", "engine", {"opensearch.ListVersions": {"Versions": ["OpenSearch_2.19"]}}, BAD, "is not offered in"),
    Case("Memory", "zones by id", _nodes(("use1-az1",)), UNKNOWN, "does not say in which zones"),
    Case("Memory", "zones not told", _nodes(()), UNKNOWN, "does not say in which zones"),
]
