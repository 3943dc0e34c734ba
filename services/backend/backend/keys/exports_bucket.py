"""Exports of keys in a bucket of Amazon S3, which S3 itself copies to the recovery regions.

The bucket encrypts by its own default. A task in a VPC without a way out reaches S3 of its own region alone, so what is
asked there is how far the replication is (https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html).
"""

from __future__ import annotations

import io
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError
from chassis import aws

from backend.keys.exports import ExportFailed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from mypy_boto3_s3 import S3Client

REPLICATION_SECONDS = 3600.0
"""S3 copies most objects within seconds and nearly all within 15 minutes."""
ASK_SECONDS = 5.0
_BUFFER_BYTES = 1 << 20


class BucketOfExports:
    """A bucket.

    Args:
        location: Its ARN.
        replicated: Whether exports have to be copied by S3 before they count.
    """

    def __init__(self, location: str, *, replicated: bool) -> None:
        self._bucket = location.rsplit(":", 1)[1]
        self._replicated = replicated
        # boto3's, which sends what is large in parts; botocore's would have to be told each.
        self._client: S3Client = cast("Any", boto3).client("s3", region_name=aws.region())

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """See ``Exports``. S3 refuses what arrives with another checksum than it left with."""
        with _telling("written"):
            file = io.BufferedReader(_Readable(parts), _BUFFER_BYTES)
            self._client.upload_fileobj(file, self._bucket, name, {"ChecksumAlgorithm": "SHA256"})

    def read(self, name: str) -> BinaryIO:
        """See ``Exports``."""
        with _telling("read"):
            body = self._client.get_object(Bucket=self._bucket, Key=name)["Body"]
        return cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", body), _BUFFER_BYTES))

    def settle(self, name: str) -> None:
        """See ``Exports``."""
        if not self._replicated:
            return
        until = time.monotonic() + REPLICATION_SECONDS
        while (status := self._status(name)) != "COMPLETED":
            if status != "PENDING":
                raise ExportFailed("S3 did not copy the export: does the bucket replicate, and may its role do so?")
            if time.monotonic() > until:
                raise ExportFailed(f"S3 has not copied the export after {REPLICATION_SECONDS:.0f} s")
            time.sleep(ASK_SECONDS)

    def names(self) -> list[str]:
        """See ``Exports``."""
        with _telling("listed"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix="keys-")
            return sorted(key for page in pages for found in page.get("Contents", []) if (key := found.get("Key")))

    def thin_out(self) -> None:
        """See ``Exports``; the bucket's lifecycle does."""

    def _status(self, name: str) -> str:
        with _telling("asked for"):
            return self._client.head_object(Bucket=self._bucket, Key=name).get("ReplicationStatus", "")


class _Readable(io.RawIOBase):
    """Parts as the file that boto3 wants; it reads as much at a time as it sends, and never seeks."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        into = memoryview(buffer).cast("B")
        while not self._rest:
            following = next(self._parts, None)
            if following is None:
                return 0
            self._rest = following
        taken, self._rest = self._rest[: len(into)], self._rest[len(into) :]
        into[: len(taken)] = taken
        return len(taken)


@contextmanager
def _telling(done: str) -> Generator[None]:
    """Raises the errors of AWS as this package's."""
    try:
        yield
    except (ClientError, BotoCoreError, S3UploadFailedError) as error:
        raise ExportFailed(f"the export could not be {done}") from error
