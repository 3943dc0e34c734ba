"""Epoch keys in AWS Secrets Manager, a secret each, replicated to the recovery regions.

A deletion without a recovery window and a replication end some time after the call that asked for them
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html): here a call returns when they
have ended, or fails.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import BotoCoreError, ClientError
from chassis import aws
from chassis.sealing.cells import KEY_BYTES

from backend.keys.epochs import EpochGone, EpochKeysUnavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef, ReplicaRegionTypeTypeDef

WAIT_SECONDS = 300.0
"""How long a replication or a deletion may take."""
ASK_SECONDS = 2.0


class EpochSecrets:
    """The secrets ``<prefix>/<epoch>``.

    Args:
        location: ``arn:aws:secretsmanager:<region>:<account>:secret:<prefix>``.
        secrets_key: ARN of the KMS key of new ones, or of its alias; without it AWS's own for secrets.
        recovery_regions: Where new ones are replicated to.
    """

    def __init__(self, location: str, secrets_key: str | None, recovery_regions: Sequence[str]) -> None:
        self._prefix = location.split(":secret:", 1)[1]
        self._secrets_key = secrets_key
        self._regions = frozenset(recovery_regions)
        self._client = aws.secrets_manager()

    def create(self, epoch: int) -> None:
        """See ``EpochKeys``."""
        with _telling():
            with suppress(self._client.exceptions.ResourceExistsException):  # of a run that was broken off
                self._client.create_secret(
                    Name=self._name(epoch), SecretBinary=os.urandom(KEY_BYTES), **_sealed_with(self._secrets_key)
                )
            self._replicate(epoch)
        self._wait(lambda: self._everywhere(epoch), f"epoch {epoch} is not in every recovery region")

    def read(self, epoch: int) -> bytes:
        """See ``EpochKeys``."""
        with _telling():
            try:
                return self._client.get_secret_value(SecretId=self._name(epoch))["SecretBinary"]
            except self._client.exceptions.ResourceNotFoundException:
                raise EpochGone(f"there is no key of epoch {epoch}") from None

    def destroy(self, epoch: int) -> None:
        """See ``EpochKeys``. Replicas go first, since nothing deletes a secret that has some."""
        name = self._name(epoch)
        with _telling():
            replicas = _replicas(self._described(epoch))
            if replicas:
                self._client.remove_regions_from_replication(SecretId=name, RemoveReplicaRegions=sorted(replicas))
        self._wait(lambda: not _replicas(self._described(epoch)), f"epoch {epoch} is still in a recovery region")
        with _telling(), suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        self._wait(lambda: self._described(epoch) is None, f"the key of epoch {epoch} is still there")

    def _name(self, epoch: int) -> str:
        return f"{self._prefix}/{epoch}"

    def _described(self, epoch: int) -> DescribeSecretResponseTypeDef | None:
        with _telling():
            try:
                return self._client.describe_secret(SecretId=self._name(epoch))
            except self._client.exceptions.ResourceNotFoundException:
                return None

    def _replicate(self, epoch: int) -> None:
        """Ask for the replicas that are missing, and once more for those that failed."""
        name, statuses = self._name(epoch), _replicas(self._described(epoch))
        failed = sorted(region for region, status in statuses.items() if status == "Failed")
        if failed:
            self._client.remove_regions_from_replication(SecretId=name, RemoveReplicaRegions=failed)
        missing = self._regions - (statuses.keys() - set(failed))
        if missing:
            self._client.replicate_secret_to_regions(SecretId=name, AddReplicaRegions=self._there(missing))

    def _there(self, regions: Iterable[str]) -> list[ReplicaRegionTypeTypeDef]:
        return [{"Region": region, **_sealed_with(_in(region, self._secrets_key))} for region in sorted(regions)]

    def _everywhere(self, epoch: int) -> bool:
        statuses = _replicas(self._described(epoch))
        failed = sorted(region for region in self._regions if statuses.get(region) == "Failed")
        if failed:
            raise EpochKeysUnavailable(f"the key of epoch {epoch} was not replicated to {', '.join(failed)}")
        if any(statuses.get(region) != "InSync" for region in self._regions):
            return False
        try:
            return len(self.read(epoch)) == KEY_BYTES
        except EpochGone:  # not to be seen by every reader yet
            return False

    def _wait(self, done: Callable[[], bool], otherwise: str) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while not done():
            if time.monotonic() > until:
                raise EpochKeysUnavailable(f"{otherwise} after {WAIT_SECONDS:.0f} s")
            time.sleep(ASK_SECONDS)


def _replicas(secret: DescribeSecretResponseTypeDef | None) -> dict[str, str]:
    """The regions that have it, or are about to, and how far each is."""
    return {
        status["Region"]: status["Status"]
        for status in (secret or {}).get("ReplicationStatus", [])
        if "Region" in status and "Status" in status
    }


class _SealedWith(TypedDict, total=False):
    KmsKeyId: str


def _sealed_with(key: str | None) -> _SealedWith:
    return {"KmsKeyId": key} if key else {}


def _in(region: str, key: str | None) -> str | None:
    """The key of the same name in another region."""
    if key is None:
        return None
    arn, partition, service, _, name = key.split(":", 4)
    return f"{arn}:{partition}:{service}:{region}:{name}"


@contextmanager
def _telling() -> Generator[None]:
    """Raises the errors of AWS as this package's."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise EpochKeysUnavailable(f"AWS Secrets Manager: {code}") from error
    except BotoCoreError as error:
        raise EpochKeysUnavailable("AWS Secrets Manager does not answer") from error
