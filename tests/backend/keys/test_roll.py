"""A roll ends what was erased in every backup, and loses nobody's keys, wherever it is broken off."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO
from unittest.mock import Mock
from uuid import UUID

import pytest
from backend import roll_keys
from backend.erasures import repository as erasures
from backend.keys import exports_made, roll, roll_wraps
from backend.keys.active import hold_active
from backend.keys.epochs import EpochKeysUnavailable, FolderOfEpochKeys
from backend.keys.exports import ExportFailed, FolderOfExports
from backend.keys.roll_wraps import KeysLeftBehind
from backend.schema import user_keys
from backend.users import repository as users
from chassis.direct import Built, Transaction
from chassis.sealing.key_service import CannotUnwrap
from sqlalchemy import select, text

from tests.backend.keys.house import House, Somebody
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]


def test_yesterdays_backup_opens_before_the_roll_and_not_after_and_the_neighbour_stays(house: House) -> None:
    alice, bob = house.register(), house.register()
    yesterday = house.backup()
    erasure = house.erase(alice)
    assert yesterday.reads(alice)
    assert yesterday.reads(bob)
    assert not house.reads(alice)
    assert not house.finished(erasure)
    house.roll()
    assert not yesterday.reads(alice)
    assert house.reads(bob)
    assert house.finished(erasure)
    assert house.states() == {1: "destroyed", 2: "active"}


def test_nothing_is_rolled_that_nobody_waits_for(house: House) -> None:
    house.register()
    house.roll()
    assert house.states() == {1: "active"}


def test_an_epoch_ends_after_a_month_also_where_nobody_was_erased(house: House) -> None:
    bob = house.register()
    house.sql("UPDATE key_epochs SET created_at = now() - interval '29 days'")
    house.roll()
    assert house.states() == {1: "active"}
    house.sql("UPDATE key_epochs SET created_at = now() - interval '31 days'")
    house.roll()
    assert house.states() == {1: "destroyed", 2: "active"}
    assert house.reads(bob)


POINTS = {
    "the new key is made": ("after", "backend.keys.epochs:FolderOfEpochKeys.create", 1),
    "the new epoch has begun": ("before", "backend.keys.roll:wrap_anew", 1),
    "one key is wrapped anew": ("before", "backend.keys.roll_wraps:_batch", 2),
    "all keys are wrapped anew": ("after", "backend.keys.roll:wrap_anew", 1),
    "the export is half written": ("after", "backend.keys.exports_format:_encoded", 2),
    "the export is written": ("after", "backend.keys.exports:FolderOfExports.write", 1),
    "the export is read back": ("after", "backend.keys.exports_made:_compare", 1),
    "the export is proven": ("after", "backend.keys.roll:export_keys", 1),
    "one old key is destroyed": ("after", "backend.keys.epochs:FolderOfEpochKeys.destroy", 1),
    "all old keys are destroyed": ("after", "backend.keys.roll:_destroy", 1),
    "the receipts are written": ("after", "backend.keys.roll:_receipts", 1),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_roll_that_is_killed_loses_nothing_and_the_next_finishes_it(house: House, point: str) -> None:
    alice, bob, carol = (house.register() for _ in range(3))
    yesterday = house.backup()
    erasure = house.erase(alice)
    when, what, time = POINTS[point]
    command = [sys.executable, "-m", "tests.backend.keys.broken_off", when, what, str(time)]
    environment = os.environ | house.backend.environment("roll_keys")
    environment["PYTHONPATH"] += f":{ROOT}"
    killed = subprocess.run(command, env=environment, cwd=ROOT, check=False, capture_output=True, timeout=60)
    assert killed.returncode == -9, killed.stderr
    assert house.reads(bob)
    assert house.reads(carol)
    assert house.finished(erasure) == (point == "the receipts are written")
    if house.has(1):
        assert yesterday.reads(alice)
    else:
        assert house.exported() == {one.user_id: {"messages", "memories"} for one in (bob, carol)}
    dora = house.register()
    house.roll()
    assert house.states() == {1: "destroyed", 2: "active"}
    assert house.finished(erasure)
    assert not yesterday.reads(alice)
    assert [house.reads(one) for one in (bob, carol, dora)] == [True] * 3


def test_what_was_broken_off_and_what_was_erased_since_are_finished_by_one_run(house: House) -> None:
    alice, bob, carol = (house.register() for _ in range(3))
    first = house.erase(alice)
    house.epochs.create(2)
    house.sql("UPDATE key_epochs SET state = 'retiring'; INSERT INTO key_epochs VALUES (2, 'active')")
    second = house.erase(bob)
    house.roll()
    assert house.states() == {1: "destroyed", 2: "destroyed", 3: "active"}
    assert house.finished(first)
    assert house.finished(second)
    assert house.reads(carol)


Harm = Callable[[bytes], bytes]
HARMS: dict[str, Harm] = {
    "empty": lambda _: b"",
    "cut off": lambda whole: whole[:-1],
    "longer": lambda whole: whole + b"!",
    "changed in a key": lambda whole: whole[:-60] + bytes([whole[-60] ^ 1]) + whole[-59:],
    "changed in its end": lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
    "another format": lambda whole: whole.replace(b"sanctum-keys/1", b"sanctum-keys/2"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_nothing_is_destroyed_while_the_export_is_not_what_was_written(
    house: House, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    """As when a disk or a store keeps something else than it was given, and says that all is well."""
    write = FolderOfExports.write

    def harmful(self: FolderOfExports, name: str, parts: Iterable[bytes]) -> None:
        write(self, name, [HARMS[harm](b"".join(parts))])

    monkeypatch.setattr(FolderOfExports, "write", harmful)
    assert_nothing_is_destroyed(house, monkeypatch)


def test_nothing_is_destroyed_while_the_export_is_lost(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(_: FolderOfExports, _name: str, parts: Iterable[bytes]) -> None:
        assert b"".join(parts)

    monkeypatch.setattr(FolderOfExports, "write", lose)
    assert_nothing_is_destroyed(house, monkeypatch)


def test_nothing_is_destroyed_while_another_export_is_read_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is whole, and of the same epoch, but of before somebody registered."""
    house.register()
    read = FolderOfExports.read

    def other(self: FolderOfExports, _name: str) -> BinaryIO:
        return read(self, self.names()[0])

    asyncio.run(roll_keys.run(house.settings, only_export=True))
    monkeypatch.setattr(FolderOfExports, "read", other)
    house.register()
    with pytest.raises(ExportFailed):
        asyncio.run(roll_keys.run(house.settings, only_export=True))
    assert_nothing_is_destroyed(house, monkeypatch)


def test_nothing_is_destroyed_while_the_export_is_not_in_every_recovery_region(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderOfExports, "settle", Mock(side_effect=ExportFailed("not copied")))
    assert_nothing_is_destroyed(house, monkeypatch)


def test_nothing_is_destroyed_while_the_new_key_is_not_in_every_recovery_region(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, erasure = house.register(), house.erase(house.register())
    monkeypatch.setattr(FolderOfEpochKeys, "create", Mock(side_effect=EpochKeysUnavailable("not replicated")))
    with pytest.raises(EpochKeysUnavailable):
        house.roll()
    assert house.states() == {1: "active"}
    assert house.reads(bob)
    monkeypatch.undo()
    house.roll()
    assert house.finished(erasure)


def assert_nothing_is_destroyed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The roll fails loudly and has destroyed nothing; when the fault is gone, the next one finishes it."""
    alice, bob = house.register(), house.register()
    yesterday = house.backup()
    erasure = house.erase(alice)
    with pytest.raises(ExportFailed):
        house.roll()
    assert house.states() == {1: "retiring", 2: "active"}
    assert yesterday.reads(alice)
    assert house.reads(bob)
    assert not house.finished(erasure)
    monkeypatch.undo()
    house.roll()
    assert house.finished(erasure)
    assert not yesterday.reads(alice)
    assert house.reads(bob)


def test_nothing_is_destroyed_while_a_key_was_changed_in_the_database(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    bob, carol = house.register(), house.register()
    house.erase(house.register())
    harm = "UPDATE user_keys SET wrapped = set_byte(wrapped, 50, 255 - get_byte(wrapped, 50)) WHERE user_id = :'it'"
    house.sql(harm, it=str(carol.user_id))
    with pytest.raises(CannotUnwrap):
        house.roll()
    assert house.states() == {1: "retiring", 2: "active"}
    assert house.reads(bob)
    assert {"user_id": carol.user_id} in [vars(record)["fields"] for record in caplog.records]
    house.sql(harm, it=str(carol.user_id))
    house.roll()
    assert house.reads(carol)


def test_a_key_of_another_person_is_not_wrapped_anew(house: House) -> None:
    """What somebody put into another's row does not become theirs by a roll."""
    alice, bob = house.register(), house.register()
    house.erase(house.register())
    steal = "UPDATE user_keys a SET wrapped = b.wrapped FROM user_keys b WHERE a.purpose = b.purpose"
    house.sql(f"{steal} AND a.user_id = :'a' AND b.user_id = :'b'", a=str(alice.user_id), b=str(bob.user_id))
    with pytest.raises(CannotUnwrap):
        house.roll()


def test_two_rolls_at_once_are_one(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "sanctum")
    bob, erasure = house.register(), house.erase(house.register())
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(house.roll) for _ in range(3)]:
            done.result()
    assert house.states() == {1: "destroyed", 2: "active"}
    assert house.finished(erasure)
    assert house.reads(bob)
    assert len(events(caplog, "keys.epoch_began")) == 1


def test_who_registers_while_a_roll_begins_is_waited_for_and_wrapped_anew(house: House) -> None:
    erasure = house.erase(house.register())

    async def register(connection: Transaction) -> Somebody:
        assert await hold_active(connection) == 1
        rolling = pool.submit(house.roll)
        await asyncio.to_thread(eventually, lambda: waits_for_a_lock(house))
        somebody = await asyncio.to_thread(house.register)
        assert house.states() == {1: "active"}
        assert not rolling.done()
        return somebody

    with ThreadPoolExecutor(1) as pool:
        newcomer = house.within(register)
    assert house.states() == {1: "destroyed", 2: "active"}
    assert house.finished(erasure)
    assert house.reads(newcomer)


def test_who_is_erased_while_a_roll_begins_is_waited_for_and_never_wrapped_in_the_next_epoch(house: House) -> None:
    """Else their receipt would name the epoch that ends, and backups of the next could still be read."""
    alice, bob = house.register(), house.register()
    house.erase(house.register())

    async def erase(connection: Transaction) -> UUID:
        receipt = await erasures.write_down(connection)
        rolling = pool.submit(house.roll)
        await asyncio.to_thread(eventually, lambda: waits_for_a_lock(house) or rolling.done())
        assert house.sql("SELECT DISTINCT epoch FROM user_keys") == "1"
        assert await users.remove(connection, alice.user_id)
        return receipt.erasure_id

    with ThreadPoolExecutor(1) as pool:
        erasure = house.within(erase)
    assert house.finished(erasure)
    assert house.exported().keys() == {bob.user_id}


def test_who_waited_for_a_roll_finds_the_epoch_that_it_began(house: House) -> None:
    async def begin(connection: Transaction) -> Future[int]:
        await connection.rows(Built(text("UPDATE key_epochs SET state = 'retiring'")))
        await connection.rows(Built(text("INSERT INTO key_epochs VALUES (2, 'active')")))
        waiting = pool.submit(house.within, hold_active)
        await asyncio.to_thread(eventually, lambda: waits_for_a_lock(house))
        return waiting

    with ThreadPoolExecutor(1) as pool:
        assert house.within(begin).result() == 2


def test_who_is_erased_during_a_roll_is_finished_by_the_next(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = house.register(), house.register()
    first = house.erase(house.register())
    second: list[UUID] = []
    between: list[House] = []
    original = roll.export_keys

    async def meanwhile(*arguments: Any) -> exports_made.Proven:
        between.append(house.backup())
        second.append(await asyncio.to_thread(house.erase, alice))
        return await original(*arguments)

    monkeypatch.setattr(roll, "export_keys", meanwhile)
    house.roll()
    monkeypatch.undo()
    assert house.finished(first)
    assert not house.finished(second[0])
    assert between[0].reads(alice)
    house.roll()
    assert house.finished(second[0])
    assert not between[0].reads(alice)
    assert house.reads(bob)


def test_a_key_that_somebody_has_locked_is_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_wraps, "PAUSE_SECONDS", 0.05)
    bob, carol = house.register(), house.register()
    house.erase(house.register())
    statement = Built(select(user_keys).where(user_keys.c.user_id == carol.user_id).with_for_update())

    async def lock(connection: Transaction) -> Future[None]:
        assert await connection.rows(statement)
        rolling = pool.submit(house.roll)
        here = "SELECT count(*) FROM user_keys WHERE epoch = 2"
        await asyncio.to_thread(eventually, lambda: house.sql(here) == "2")
        assert house.states() == {1: "retiring", 2: "active"}
        return rolling

    with ThreadPoolExecutor(1) as pool:
        house.within(lock).result()
    assert house.states() == {1: "destroyed", 2: "active"}
    assert house.reads(bob)
    assert house.reads(carol)


def test_a_key_that_is_locked_all_the_time_keeps_its_epoch(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_wraps, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(roll_wraps, "PASSES", 2)
    carol = house.register()
    house.erase(house.register())

    async def lock(connection: Transaction) -> None:
        assert await connection.rows(Built(select(user_keys).with_for_update()))
        with pytest.raises(KeysLeftBehind):
            await asyncio.to_thread(house.roll)

    house.within(lock)
    assert house.states() == {1: "retiring", 2: "active"}
    assert house.reads(carol)


def test_a_run_says_that_no_erasure_waits_only_where_none_does(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sanctum")
    house.roll()
    assert len(events(caplog, "keys.no_erasure_waits")) == 1
    house.erase(house.register())
    monkeypatch.setattr(FolderOfExports, "settle", Mock(side_effect=ExportFailed("not copied")))
    with pytest.raises(ExportFailed):
        house.roll()
    assert len(events(caplog, "keys.no_erasure_waits")) == 1
    monkeypatch.undo()
    house.roll()
    assert len(events(caplog, "keys.no_erasure_waits")) == 2


def test_only_the_newest_exports_are_kept(house: House) -> None:
    for _ in range(5):
        house.erase(house.register())
        house.roll()
    names = house.export_names()
    assert len(names) == 3
    assert names[-1].endswith("-00000006")


def events(caplog: pytest.LogCaptureFixture, name: str) -> list[logging.LogRecord]:
    """What was logged under a name."""
    return [record for record in caplog.records if record.msg == name]


def waits_for_a_lock(house: House) -> bool:
    """Whether a session of the backend's role waits for another."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return house.sql(waiting) != "0"
