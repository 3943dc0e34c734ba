"""What is taken out of an image, and what must stay."""

import inspect
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from chassis import aws

TRIM = Path(aws.__file__).parents[1] / "trim.sh"


def test_an_image_keeps_what_boto3_knows_of_every_service_that_is_called_and_of_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def client(service: str, **_: Any) -> None:
        called.append(service)

    monkeypatch.setattr(boto3, "client", client)
    for name, make in inspect.getmembers(aws, inspect.isfunction):
        if name not in ("region", "_client"):
            make(*[Config()] * len(inspect.signature(make).parameters))
    for package in ("botocore", "boto3"):
        for service in (*called, "ec2", "sqs"):
            (tmp_path / package / "data" / service).mkdir(parents=True)
    subprocess.run(["sh", TRIM, tmp_path], check=True)
    assert {path.name for path in (tmp_path / "botocore" / "data").iterdir()} == set(called)
    assert {"kms", "s3", "bedrock-runtime", "secretsmanager", "rds"} <= set(called)
