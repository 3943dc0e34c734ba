"""Which resource types hold data, known from CloudFormation's own schemas and from cfn-lint's list."""

import functools
import importlib.util
import json
import re
from collections.abc import Iterable
from pathlib import Path

from tests.infra.template import Json

ENCRYPTS = re.compile(r"(?i)kms|encrypt|^sse")
"""A type that can be told a key for what is at rest has something at rest."""

HOLDS_NOTHING = {
    "AWS::Backup::BackupPlan": "names vaults",
    "AWS::Backup::BackupSelection": "names what is copied",
    "AWS::CloudTrail::Trail": "writes to a bucket, which holds it",
    "AWS::CodeBuild::Project": "its key is for what it leaves in a bucket",
    "AWS::CodePipeline::Pipeline": "its key is for what it leaves in a bucket",
    "AWS::EC2::LaunchTemplate": "describes disks, has none",
    "AWS::EC2::VPC": "may be told to encrypt what passes, and keeps none of it",
    "AWS::Events::EventBus": "passes on",
    "AWS::KMS::Alias": "a name",
    "AWS::Lambda::Function": "its key is for its environment variables, which deployments write",
    "AWS::SNS::Subscription": "passes on",
    "AWS::SNS::Topic": "passes messages on and keeps none",
    "AWS::Scheduler::Schedule": "its key is for what it says when it starts something, which deployments write",
    "AWS::SecretsManager::ResourcePolicy": "says who may",
    "AWS::StepFunctions::StateMachine": "its key is for what was passed along, which deployments write",
}
"""Types that have a key and keep nothing, with the reason."""


@functools.cache
def _schemas() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data"


@functools.cache
def _listed() -> frozenset[str]:
    return frozenset(
        json.loads((_schemas() / "AdditionalSpecs" / "StatefulResources.json").read_text())["ResourceTypes"]
    )


@functools.cache
def _schema_files() -> dict[str, str]:
    return json.loads((_schemas() / "schemas" / "providers" / "us-east-1.json").read_text())


@functools.cache
def holds_data(resource_type: str) -> bool:
    """Whether a deployment that deletes a resource of this type would delete data.

    A type that is neither listed nor has anything to do with encryption holds none; a new one that has is taken to
    hold some until ``HOLDS_NOTHING`` says why not.
    """
    if resource_type in _listed():
        return True
    if resource_type in HOLDS_NOTHING or resource_type.startswith(("Custom::", "AWS::CDK::")):
        return False
    schema: Json = json.loads(
        (_schemas() / "schemas" / "resources" / f"{_schema_files()[resource_type]}.json").read_text()
    )
    names: Iterable[str] = schema["properties"]
    return any(ENCRYPTS.search(name) for name in names)
