"""Typed clients of the AWS services that are called; each is made where it is first needed.

They are botocore's own: boto3 makes the same ones, and takes an eighth of a second more to load.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.session import Session
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


_MAKES_ONE = threading.Lock()
"""A session is not for several threads at once; its clients are
(https://docs.aws.amazon.com/boto3/latest/guide/clients.html)."""


def region() -> str | None:
    """The task's region, which ECS names in ``AWS_REGION``; botocore by itself reads only ``AWS_DEFAULT_REGION``."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def secrets_manager() -> SecretsManagerClient:
    """AWS Secrets Manager in the task's region."""
    return _client("secretsmanager")


def rds() -> RDSClient:
    """Amazon RDS in the task's region; signs tokens, calls nothing."""
    return _client("rds")


def bedrock_runtime(config: Config) -> BedrockRuntimeClient:
    """Amazon Bedrock's models in the task's region."""
    return _client("bedrock-runtime", config)


def kms() -> KMSClient:
    """AWS KMS in the task's region; gives up soon, because a person waits."""
    from botocore.config import Config  # noqa: PLC0415 - as below

    return _client(
        "kms", Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})
    )


@functools.cache
def session() -> Session:
    """What all clients share: the task's credentials, found once, and what botocore has read of AWS."""
    import botocore.session  # noqa: PLC0415 - an eighth of a second at each start, and one machine never needs it

    return botocore.session.get_session()


def _client(service: str, config: Config | None = None) -> Any:
    with _MAKES_ONE:
        return cast("Any", session()).create_client(service, region_name=region(), config=config)
