"""After a restore those who live read what is theirs, and those who were erased stay erased."""

import asyncio
import json
import subprocess
import sys
from unittest.mock import Mock
from uuid import uuid4

import pytest
from backend import restore_keys, roll_keys
from backend.keys import roll
from backend.keys.exports import ExportFailed
from backend.keys.restored import Report
from backend.schema import users
from chassis.direct import Built, Transaction
from sqlalchemy import insert

from tests.backend.keys.house import House, Somebody


def restore(house: House, export: str | None = None, *, yes: bool = False) -> Report:
    return asyncio.run(restore_keys.run(house.settings, export, yes=yes))


def roll_once(house: House) -> None:
    """A roll for the sake of somebody who does not matter."""
    house.erase(house.register())
    house.roll()


def people(house: House) -> set[str]:
    return set(house.sql("SELECT user_id FROM users").split())


def ids(*people: Somebody) -> set[str]:
    return {str(somebody.user_id) for somebody in people}


def test_a_backup_of_before_the_roll_is_readable_for_the_living_and_the_erased_are_gone(house: House) -> None:
    alice, bob = house.register(), house.register()
    yesterday = house.backup()
    erasure = house.erase(alice)
    house.roll()
    assert not yesterday.reads(bob)  # its own keys are of an epoch that is gone
    assert restore(yesterday, yes=True) == Report(restored=1, erased=1)
    assert yesterday.reads(bob)
    assert people(yesterday) == ids(bob)
    assert yesterday.states() == house.states() == {1: "destroyed", 2: "active"}
    # Their memories are forgotten too, wherever those were restored from.
    assert yesterday.sql("SELECT user_id, conversation_id, reply_message_id FROM outbox") == f"{alice.user_id}||"
    yesterday.roll()
    assert yesterday.finished(erasure)
    assert yesterday.reads(bob)


def test_nobody_is_removed_before_it_was_told_how_many(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "sanctum")
    alice, bob = house.register(), house.register()
    yesterday = house.backup()
    house.erase(alice)
    house.roll()
    with pytest.raises(SystemExit, match="1 people would be removed"):
        restore(yesterday)
    assert people(yesterday) == ids(alice, bob)
    assert yesterday.sql("SELECT DISTINCT epoch FROM user_keys") == "1"
    told = next(record for record in caplog.records if record.msg == "keys.restore")
    assert vars(told)["fields"]["erased"] == 1


def test_where_nobody_was_erased_nothing_has_to_be_confirmed(house: House) -> None:
    bob = house.register()
    roll_once(house)
    yesterday = house.backup()
    roll_once(house)
    assert restore(yesterday) == Report(restored=1)
    assert yesterday.reads(bob)


def test_who_registered_after_the_export_keeps_the_keys_of_the_backup(house: House) -> None:
    bob = house.register()
    roll_once(house)
    carol = house.register()
    today = house.backup()
    assert restore(today) == Report(restored=1, newer=1)
    assert today.reads(bob)
    assert today.reads(carol)


def test_who_was_erased_before_the_export_stays_so_though_the_epoch_lives(house: House) -> None:
    """The backup is of the time between the beginning of the epoch and the export, and its keys still open."""
    alice, bob = house.register(), house.register()
    roll_once(house)
    morning = house.backup()
    assert morning.reads(alice)
    house.erase(alice)
    asyncio.run(roll_keys.run(house.settings, only_export=True))
    assert restore(morning, yes=True) == Report(restored=1, erased=1)
    assert people(morning) == ids(bob)


def test_who_was_erased_after_the_newest_export_comes_back_as_it_says(house: House) -> None:
    alice = house.register()
    roll_once(house)
    today = house.backup()
    house.erase(alice)
    assert restore(today) == Report(restored=1)
    assert today.reads(alice)


def test_who_registered_after_the_backup_is_told_as_lost(house: House) -> None:
    yesterday = house.backup()
    house.register()
    roll_once(house)
    assert restore(yesterday) == Report(without_content=1)
    assert people(yesterday) == set()


def test_whose_keys_were_put_into_a_backup_gets_those_of_the_export(house: House) -> None:
    bob, mallory = house.register(), house.register()
    roll_once(house)
    backup = house.backup()
    backup.sql("UPDATE user_keys SET wrapped = 'other' WHERE user_id = :'it'", it=str(bob.user_id))
    assert restore(backup) == Report(restored=2)
    assert backup.reads(bob)
    assert backup.reads(mallory)


def test_who_had_no_keys_yet_when_the_export_was_made_is_not_taken_for_erased(house: House) -> None:
    bob = house.register()
    house.sql("DELETE FROM user_keys")
    roll_once(house)
    house.put(bob, 2)
    today = house.backup()
    assert restore(today) == Report(restored=1)
    assert today.reads(bob)


def test_who_registered_while_the_export_was_made_is_not_taken_for_erased(house: House) -> None:
    """Their row has a time before the export's, and is not in it, because their transaction had not ended."""
    bob = Somebody(uuid4(), {})
    add = insert(users).values(user_id=bob.user_id, email="bob", hashed_password="", mac=b"")

    async def register_slowly(connection: Transaction) -> None:
        await connection.rows(Built(add))
        await asyncio.to_thread(lambda: asyncio.run(roll_keys.run(house.settings, only_export=True)))

    house.within(register_slowly)
    assert house.exported() == {}
    today = house.backup()
    assert restore(today) == Report(newer=1)
    assert people(today) == ids(bob)


def test_an_epoch_that_began_before_everything_was_lost_is_not_taken_for_a_new_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup of in the middle of a roll has keys in an epoch of which neither the restored one nor the export knows;
    they must end with an erasure in the restored world, too."""
    alice, bob = house.register(), house.register()
    roll_once(house)
    yesterday = house.backup()
    house.erase(house.register())
    monkeypatch.setattr(roll, "export_keys", Mock(side_effect=ExportFailed("the disaster")))
    with pytest.raises(ExportFailed):
        house.roll()
    monkeypatch.undo()
    today = house.backup()
    assert today.states() == {1: "destroyed", 2: "retiring", 3: "active"}
    assert restore(yesterday) == Report(restored=2)
    assert yesterday.states() == {1: "destroyed", 2: "retiring", 3: "active"}
    erasure = yesterday.erase(alice)
    assert today.reads(alice)
    yesterday.roll()
    assert yesterday.finished(erasure)
    assert not today.reads(alice)
    assert yesterday.reads(bob)
    assert yesterday.states() == {1: "destroyed", 2: "destroyed", 3: "destroyed", 4: "active"}


def test_an_export_of_an_epoch_that_is_gone_is_refused(house: House) -> None:
    bob = house.register()
    roll_once(house)
    roll_once(house)
    backup = house.backup()
    with pytest.raises(SystemExit, match="there is a newer one"):
        restore(backup, house.export_names()[0], yes=True)
    assert backup.reads(bob)


@pytest.mark.parametrize("at", [0, 40, -60, -1])
def test_a_changed_export_changes_nothing(house: House, at: int) -> None:
    bob = house.register()
    roll_once(house)
    backup = house.backup()
    export = house.exports / house.export_names()[-1]
    changed = bytearray(export.read_bytes())
    changed[at] ^= 1
    export.write_bytes(changed)
    with pytest.raises(SystemExit, match="Nothing was changed"):
        restore(backup, yes=True)
    assert backup.reads(bob)
    assert people(backup) == ids(bob)


def test_an_export_from_which_somebody_was_cut_changes_nothing(house: House) -> None:
    """Whoever may write exports and has no epoch key cannot have somebody taken for erased."""
    house.register()
    roll_once(house)
    backup = house.backup()
    export = house.exports / house.export_names()[-1]
    whole = export.read_bytes()
    person = 5 + 16 + 2 * (7 + 12 + 184 + 16)
    export.write_bytes(whole[: -37 - person] + whole[-37:])
    with pytest.raises(SystemExit, match="was changed"):
        restore(backup, yes=True)
    assert len(people(backup)) == 1


def test_without_an_export_nothing_is_changed(house: House) -> None:
    with pytest.raises(SystemExit, match="no export"):
        restore(house, yes=True)


def test_an_operator_is_told_what_would_happen_and_then_has_it_done(house: House) -> None:
    alice, bob = house.register(), house.register()
    yesterday = house.backup()
    house.erase(alice)
    house.roll()
    command = [sys.executable, "-W", "error", "-m", "backend.restore_keys"]

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        environment = yesterday.backend.environment("roll_keys")
        return subprocess.run(
            [*command, *options], env=environment, check=False, capture_output=True, text=True, timeout=60
        )

    assert "--yes" in run("--help").stdout
    first = run()
    assert (first.returncode, "Nothing was changed" in first.stderr) == (1, True)
    told = json.loads(first.stdout)
    assert {name: told[name] for name in ("event", "restored", "erased")} == {
        "event": "keys.restore", "restored": 1, "erased": 1,
    }  # fmt: skip
    assert people(yesterday) == ids(alice, bob)
    assert run(house.export_names()[-1], "--yes").returncode == 0
    assert people(yesterday) == ids(bob)
    assert yesterday.reads(bob)
