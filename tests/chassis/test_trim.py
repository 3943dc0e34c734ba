"""What is taken out of an image, and what must stay."""

import inspect
import subprocess
from pathlib import Path
from typing import Any

import pytest
from backend.keys.exports_bucket import BucketOfExports
from botocore.config import Config
from botocore.session import Session
from chassis import aws

from tests.support.aws import with_credentials

TRIM = Path(aws.__file__).parents[1] / "trim.sh"


def test_an_image_keeps_what_botocore_knows_of_every_service_that_is_called_and_of_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def create(_: Session, service: str, **_more: Any) -> None:
        called.append(service)

    with_credentials(monkeypatch)
    monkeypatch.setattr(Session, "create_client", create)
    for name, make in inspect.getmembers(aws, inspect.isfunction):
        if name not in ("region", "_client"):
            make(*[Config()] * len(inspect.signature(make).parameters))
    BucketOfExports("arn:aws:s3:::exports", replicated=True)
    for service in (*called, "ec2", "sqs"):
        (tmp_path / "botocore" / "data" / service).mkdir(parents=True)
    subprocess.run(["sh", TRIM, tmp_path], check=True)
    assert {path.name for path in (tmp_path / "botocore" / "data").iterdir()} == set(called)
    assert {"kms", "s3", "bedrock-runtime", "secretsmanager", "rds"} <= set(called)
