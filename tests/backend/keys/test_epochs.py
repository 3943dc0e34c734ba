"""An epoch key is made once, is everywhere before anybody relies on it, and is gone when that was said."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import boto3
import pytest
from backend.keys import epoch_secrets
from backend.keys.epochs import EpochGone, EpochKeys, EpochKeysUnavailable, epoch_keys
from moto import mock_aws
from moto.secretsmanager.models import ReplicaSecret, SecretsManagerBackend

from tests.support.aws import REGION, with_credentials

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRETS = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:sanctum-test-epochs"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/mrk-0123"
ELSEWHERE = ("eu-central-1", "eu-north-1")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with_credentials(monkeypatch)
    monkeypatch.setattr(epoch_secrets, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(epoch_secrets, "WAIT_SECONDS", 1)
    with mock_aws():
        yield


@pytest.fixture(params=["folder", "secrets"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> EpochKeys:
    if request.param == "folder":
        return epoch_keys(str(tmp_path / "epochs"))
    request.getfixturevalue("aws")
    return epoch_keys(SECRETS, secrets_key=KEY, recovery_regions=ELSEWHERE)


def secrets(region: str = REGION) -> SecretsManagerClient:
    return boto3.client("secretsmanager", region_name=region)  # pyright: ignore[reportUnknownMemberType]


def test_a_key_is_32_bytes_that_nobody_has_seen_before(keys: EpochKeys) -> None:
    for epoch in (1, 2, 10):
        keys.create(epoch)
    made = {keys.read(epoch) for epoch in (1, 2, 10)}
    assert [len(key) for key in made] == [32] * 3


def test_a_key_that_is_there_is_never_made_again(keys: EpochKeys) -> None:
    keys.create(1)
    first = keys.read(1)
    keys.create(1)
    assert keys.read(1) == first


def test_many_who_make_a_key_at_once_make_one(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def make(_: int) -> bytes:
        mine = epoch_keys(str(tmp_path / "epochs"))
        start.wait()
        mine.create(1)
        return mine.read(1)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 1
    assert [path.name for path in (tmp_path / "epochs").iterdir()] == ["00000001.key"]


def test_a_destroyed_key_is_gone_and_its_neighbour_is_not(keys: EpochKeys) -> None:
    for epoch in (1, 2):
        keys.create(epoch)
    neighbour = keys.read(2)
    keys.destroy(1)
    with pytest.raises(EpochGone):
        keys.read(1)
    assert keys.read(2) == neighbour


def test_what_is_gone_may_be_destroyed_again(keys: EpochKeys) -> None:
    keys.create(1)
    keys.destroy(1)
    keys.destroy(1)


def test_what_never_was_is_gone(keys: EpochKeys) -> None:
    keys.create(1)
    with pytest.raises(EpochGone):
        keys.read(2)


def test_a_folder_and_its_keys_are_the_accounts_alone(tmp_path: Path) -> None:
    epoch_keys(str(tmp_path / "epochs")).create(1)
    assert [path.stat().st_mode & 0o777 for path in sorted(tmp_path.rglob("*"))] == [0o700, 0o600]


def test_a_key_is_overwritten_before_its_name_goes(tmp_path: Path) -> None:
    keys = epoch_keys(str(tmp_path / "epochs"))
    keys.create(1)
    key = keys.read(1)
    other_name = tmp_path / "kept"
    other_name.hardlink_to(tmp_path / "epochs" / "00000001.key")
    keys.destroy(1)
    assert other_name.read_bytes() != key
    assert len(other_name.read_bytes()) == 32


def test_a_folder_that_is_not_there_is_not_taken_for_destroyed_keys(tmp_path: Path) -> None:
    with pytest.raises(EpochKeysUnavailable, match="no folder"):
        epoch_keys(str(tmp_path / "not mounted")).read(1)


@pytest.mark.usefixtures("aws")
def test_a_secret_is_replicated_with_the_key_of_the_same_name_there() -> None:
    epoch_keys(SECRETS, secrets_key=KEY, recovery_regions=ELSEWHERE).create(7)
    told = secrets().describe_secret(SecretId="sanctum-test-epochs/7")
    assert told["KmsKeyId"] == KEY
    assert {status.get("Region"): status.get("Status") for status in told["ReplicationStatus"]} == dict.fromkeys(
        ELSEWHERE, "InSync"
    )
    here = secrets().get_secret_value(SecretId="sanctum-test-epochs/7")["SecretBinary"]
    for region in ELSEWHERE:
        assert secrets(region).get_secret_value(SecretId="sanctum-test-epochs/7")["SecretBinary"] == here


@pytest.mark.usefixtures("aws")
def test_the_replicas_go_with_the_secret() -> None:
    keys = epoch_keys(SECRETS, secrets_key=KEY, recovery_regions=ELSEWHERE)
    keys.create(7)
    keys.destroy(7)
    for region in (REGION, *ELSEWHERE):
        assert secrets(region).list_secrets(IncludePlannedDeletion=True)["SecretList"] == []


@pytest.mark.usefixtures("aws")
def test_a_key_that_a_broken_off_run_made_is_replicated_now() -> None:
    epoch_keys(SECRETS).create(7)
    epoch_keys(SECRETS, recovery_regions=ELSEWHERE[:1]).create(7)
    keys = epoch_keys(SECRETS, recovery_regions=ELSEWHERE)
    keys.create(7)
    assert secrets(ELSEWHERE[1]).get_secret_value(SecretId="sanctum-test-epochs/7")["SecretBinary"] == keys.read(7)


@pytest.mark.usefixtures("aws")
def test_a_failed_replication_is_told_and_asked_for_again() -> None:
    in_the_way = secrets(ELSEWHERE[0])
    in_the_way.create_secret(Name="sanctum-test-epochs/7", SecretString="of somebody else")
    keys = epoch_keys(SECRETS, recovery_regions=ELSEWHERE)
    with pytest.raises(EpochKeysUnavailable, match="not replicated to eu-central-1"):
        keys.create(7)
    in_the_way.delete_secret(SecretId="sanctum-test-epochs/7", ForceDeleteWithoutRecovery=True)
    keys.create(7)
    assert in_the_way.get_secret_value(SecretId="sanctum-test-epochs/7")["SecretBinary"] == keys.read(7)


@pytest.mark.usefixtures("aws")
def test_a_key_is_not_relied_on_before_it_is_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    original = ReplicaSecret.__init__

    def slow(self: ReplicaSecret, *arguments: object) -> None:
        original(self, *arguments)  # pyright: ignore[reportArgumentType]
        self.status = self.config["Status"] = "InProgress"

    monkeypatch.setattr(ReplicaSecret, "__init__", slow)
    with pytest.raises(EpochKeysUnavailable, match="not in every recovery region"):
        epoch_keys(SECRETS, recovery_regions=ELSEWHERE).create(7)


@pytest.mark.usefixtures("aws")
def test_a_key_that_is_still_there_is_not_said_to_be_destroyed(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = epoch_keys(SECRETS)
    keys.create(7)
    # As when AWS takes its time: the call is accepted, and the secret can be seen still.
    monkeypatch.setattr(SecretsManagerBackend, "delete_secret", Mock(return_value=("", "", 0.0)))
    with pytest.raises(EpochKeysUnavailable, match="still there"):
        keys.destroy(7)


@pytest.mark.usefixtures("aws")
def test_a_secret_marked_for_deletion_is_not_taken_for_destroyed() -> None:
    keys = epoch_keys(SECRETS)
    keys.create(7)
    secrets().delete_secret(SecretId="sanctum-test-epochs/7", RecoveryWindowInDays=7)
    with pytest.raises(EpochKeysUnavailable, match="InvalidRequestException"):
        keys.read(7)
