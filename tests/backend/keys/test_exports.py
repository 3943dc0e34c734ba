"""An export is kept as a whole or not at all, is read as it was written, and counts only where it has to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from backend.keys import exports_bucket
from backend.keys.exports import ExportFailed, Exports, exports_at
from moto import mock_aws

from tests.support.aws import REGION, with_credentials

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "sanctum-test-exports"
ARN = f"arn:aws:s3:::{BUCKET}"
NAME, LATER = "keys-20261126T120000.000000Z-00000002", "keys-20261126T180000.000000Z-00000003"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    with_credentials(monkeypatch)
    monkeypatch.setattr(exports_bucket, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(exports_bucket, "REPLICATION_SECONDS", 0.2)
    with mock_aws():
        client: S3Client = boto3.client("s3", region_name=REGION)  # pyright: ignore[reportUnknownMemberType]
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield client


@pytest.fixture(params=["folder", "bucket"])
def exports(request: pytest.FixtureRequest, tmp_path: Path) -> Exports:
    if request.param == "folder":
        return exports_at(str(tmp_path / "exports"), replicated=False)
    request.getfixturevalue("bucket")
    return exports_at(ARN, replicated=False)


def kept(exports: Exports, name: str) -> bytes:
    with closing(exports.read(name)) as file:
        return file.read()


def test_what_was_written_is_read_in_whatever_parts_it_came(exports: Exports) -> None:
    parts = [b"", b"a", os.urandom(100), b"", os.urandom(300_000), b"z"]
    exports.write(NAME, iter(parts))
    assert kept(exports, NAME) == b"".join(parts)
    with closing(exports.read(NAME)) as file:
        assert [file.read(1), file.read(100), file.read(300_001), file.read(1)] == [
            b"a",
            parts[2],
            parts[4] + b"z",
            b"",
        ]


def test_the_newest_comes_last(exports: Exports) -> None:
    assert exports.names() == []
    for name in (LATER, NAME):
        exports.write(name, [b"it"])
    assert exports.names() == [NAME, LATER]


def test_what_is_not_there_cannot_be_read(exports: Exports) -> None:
    exports.write(NAME, [b"it"])
    with pytest.raises(ExportFailed, match="read"):
        exports.read(LATER)


def test_an_export_that_breaks_off_is_none(exports: Exports) -> None:
    def parts() -> Iterator[bytes]:
        yield os.urandom(9_000_000)  # so that S3 has begun to take parts
        raise RuntimeError("the database is away")

    exports.write(NAME, [b"earlier"])
    with pytest.raises(RuntimeError):
        exports.write(LATER, parts())
    assert exports.names() == [NAME]


def test_a_large_export_is_whole(bucket: S3Client) -> None:
    exports = exports_at(ARN, replicated=False)
    parts = [os.urandom(1_000_000) for _ in range(20)]
    exports.write(NAME, iter(parts))
    assert kept(exports, NAME) == b"".join(parts)
    assert "-3" in bucket.head_object(Bucket=BUCKET, Key=NAME)["ETag"]  # in parts


def test_a_folder_and_its_exports_are_the_accounts_alone(tmp_path: Path) -> None:
    exports_at(str(tmp_path / "exports"), replicated=False).write(NAME, [b"it"])
    assert [path.stat().st_mode & 0o777 for path in sorted(tmp_path.rglob("*"))] == [0o700, 0o600]


def test_a_bucket_that_is_not_there_is_told() -> None:
    with mock_aws(), pytest.raises(ExportFailed):
        exports_at(f"{ARN}-gone", replicated=False).names()


def replicates(bucket: S3Client, *statuses: str | None) -> Exports:
    """A bucket whose objects have these statuses, one each time that somebody asks: moto copies nothing."""
    following = iter(statuses)
    last = statuses[-1]

    def add(parsed: dict[str, Any], **_: Any) -> None:
        if status := next(following, last):
            parsed["ReplicationStatus"] = status

    exports = exports_at(ARN, replicated=True)
    client: S3Client = vars(exports)["_client"]
    client.meta.events.register("after-call.s3.HeadObject", add)
    exports.write(NAME, [b"it"])
    assert bucket.head_object(Bucket=BUCKET, Key=NAME)
    return exports


def test_an_export_counts_when_s3_has_copied_it(bucket: S3Client) -> None:
    replicates(bucket, "PENDING", "PENDING", "COMPLETED").settle(NAME)


@pytest.mark.parametrize(
    ("status", "told"),
    [("PENDING", "after 0 s"), ("FAILED", "did not copy"), (None, "did not copy"), ("REPLICA", "did not copy")],
)
def test_an_export_that_s3_has_not_copied_does_not_count(bucket: S3Client, status: str | None, told: str) -> None:
    with pytest.raises(ExportFailed, match=told):
        replicates(bucket, status).settle(NAME)


def test_where_there_is_no_recovery_region_nothing_is_waited_for(bucket: S3Client) -> None:
    exports = exports_at(ARN, replicated=False)
    exports.write(NAME, [b"it"])
    exports.settle(NAME)
    assert bucket
