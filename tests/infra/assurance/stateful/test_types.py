"""What is known of types is held against CloudFormation's schemas: no type and no property is spelled wrong."""

import importlib.util
import json
from pathlib import Path

import pytest

from infra.assurance.stateful.protection import PROTECTIONS, Protection
from infra.assurance.stateful.schema import schema_of
from infra.assurance.stateful.types import HOLDS, OVERWRITTEN, PROTECTS

REGION = "us-east-1"
NO_DATA = {"AWS::CloudFormation::Stack": "its resources are looked at one by one"}


def test_every_type_that_cfn_lint_calls_stateful_is_known() -> None:
    spec = importlib.util.find_spec("cfnlint")
    assert spec
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "data" / "AdditionalSpecs" / "StatefulResources.json"
    assert set(json.loads(file.read_text())["ResourceTypes"]) <= {*HOLDS, *NO_DATA}


@pytest.mark.parametrize("type_", [*HOLDS, *PROTECTS, *OVERWRITTEN])
def test_every_type_has_a_schema(type_: str) -> None:
    schema = schema_of(type_, REGION)
    assert schema
    assert set(OVERWRITTEN.get(type_, ())) <= schema.properties


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda protection: protection.path)
def test_every_property_that_protects_is_one(protection: Protection) -> None:
    having = {
        type_
        for type_ in (protection.types or HOLDS)
        if (schema := schema_of(type_, REGION)) and protection.path.partition(".")[0] in schema.properties
    }
    assert having
    assert protection.types <= HOLDS.keys() | PROTECTS


def test_what_protects_in_some_type_is_known() -> None:
    """Properties named so protect; one that is new in a schema has to find its place here."""
    known = {protection.path.partition(".")[0] for protection in PROTECTIONS} | {
        "PerformanceInsightsRetentionPeriod",  # of measurements of how fast it is
        "AutomaticBackupReplicationRetentionPeriod",  # of a copy that goes with the replication
        "SnapshotCopyRetentionPeriod",
        "FinalSnapshotRetentionPeriod",
        "DeletionProtectionCheck",
        "MaxRetentionDays",  # limits what is kept, and is nobody's promise
    }
    schemas = {type_: schema for type_ in HOLDS if (schema := schema_of(type_, REGION))}
    found = {
        (type_, name)
        for type_, schema in schemas.items()
        for name in schema.properties
        if "DeletionProtect" in name or "Retention" in name
    }
    assert {(type_, name) for type_, name in found if name not in known} == set()
