"""A process with AWS credentials of its own, and one that has none."""

import functools

import boto3
import pytest
from chassis import aws

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a key of the tests",
    "AWS_SESSION_TOKEN": "a session of the tests",
}
REGION = "eu-west-1"
_SOURCES = ("AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


def with_credentials(variables: pytest.MonkeyPatch, *, region_from: str = "AWS_REGION") -> None:
    """As in a task; ``region_from`` names the one variable that tells the region."""
    without_credentials(variables)
    for name, value in (CREDENTIALS | {region_from: REGION}).items():
        variables.setenv(name, value)


def without_credentials(variables: pytest.MonkeyPatch) -> None:
    """Wherever botocore looks for credentials or a region, there are none."""
    for name in (*CREDENTIALS, *_SOURCES, *_REGIONS):
        variables.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        variables.setenv(name, "/dev/null")
    variables.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # Both keep the credentials that they found first.
    variables.setattr(boto3, "DEFAULT_SESSION", None)
    variables.setattr(aws, "session", functools.cache(aws.session.__wrapped__))
