"""The tags by which people and bills tell resources apart."""

import aws_cdk as cdk
from constructs import IConstruct

from infra.guards.classification import CLASSIFICATION

APPLICATION = "sanctum"


def tag(scope: IConstruct, *, environment: str) -> None:
    """Tag everything in ``scope`` with application and environment, and what holds data with its classification."""
    tags = cdk.Tags.of(scope)
    tags.add("application", APPLICATION)
    tags.add("environment", environment)
    for classification in sorted({*CLASSIFICATION.values()}):
        types = [name for name, value in CLASSIFICATION.items() if value == classification]
        tags.add("classification", classification, include_resource_types=types)
