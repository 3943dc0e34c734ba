"""What is handed to the memory."""

import asyncio
from uuid import UUID, uuid4

import pytest
from backend import outbox
from backend.ai_core import AiCore
from backend.outbox import Outbox
from chassis.direct import Direct
from chassis.resting import Resting

from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.process import Backend
from tests.support.person import Person
from tests.support.waiting import eventually


def test_a_finished_turn_is_handed_over_and_its_row_removed(
    alice: Person, ai_core: AiCoreStandIn, backend: Backend
) -> None:
    conversation = alice.converse()
    reply = alice.say(conversation, "remember this").json()
    user_id = ai_core.questions[-1]["user_id"]
    remembered = eventually(lambda: list(ai_core.memory(user_id).messages.values()))
    assert remembered == [
        {key: message[key] for key in ("message_id", "sender", "content", "created_at", "conversation_id")}
        for message in alice.history(conversation)
    ]
    assert remembered[1]["message_id"] == reply["message_id"]
    eventually(lambda: backend.sql("SELECT count(*) FROM outbox WHERE user_id = :'it'", it=user_id) == "0")


def test_what_fails_is_put_off_longer_and_longer(alice: Person, ai_core: AiCoreStandIn, backend: Backend) -> None:
    ai_core.memory_away = True
    alice.say(alice.converse(), "remember this")
    user_id = ai_core.questions[-1]["user_id"]
    later = "SELECT attempts > 1 AND next_at > clock_timestamp() FROM outbox WHERE user_id = :'it'"
    eventually(lambda: backend.sql(later, it=user_id) == "t")
    ai_core.memory_away = False
    eventually(lambda: backend.sql("SELECT count(*) FROM outbox WHERE user_id = :'it'", it=user_id) == "0")
    assert len(ai_core.memory(user_id).messages) == 2


def test_a_turn_of_somebody_forgotten_is_let_go(alice: Person, ai_core: AiCoreStandIn, backend: Backend) -> None:
    alice.say(alice.converse(), "hello")
    user_id = ai_core.questions[-1]["user_id"]
    eventually(lambda: ai_core.memory(user_id).messages)
    ai_core.memory(user_id).forgotten = True
    ai_core.memory(user_id).messages.clear()
    alice.say(alice.converse(), "hello again")
    eventually(lambda: backend.sql("SELECT count(*) FROM outbox WHERE user_id = :'it'", it=user_id) == "0")
    assert not ai_core.memory(user_id).messages


def test_two_workers_do_not_take_the_same_row(own_backend: Backend, ai_core: AiCoreStandIn) -> None:
    async def run() -> None:
        settings = own_backend.read_settings()
        direct, client = Direct(settings), AiCore(settings)
        await direct.open()
        workers = [Outbox(direct, own_backend.sealing(direct), client, Resting(300)) for _ in range(3)]
        user_id = uuid4()
        own_backend.stop()
        async with direct.begin() as connection:
            for _ in range(20):
                row = await outbox.add_forgetting(connection, user_id, uuid4())
                assert row.attempts == 1
        own_backend.sql("UPDATE outbox SET next_at = now()")
        taken = await asyncio.gather(*(worker.claim() for worker in workers))
        ids = [row.outbox_id for rows in taken for row in rows]
        assert len(ids) == len(set(ids)) == 20
        # The memory takes the first; what it takes is removed, and nothing else.
        await workers[0].deliver(taken[0][0])
        assert own_backend.sql("SELECT count(*) FROM outbox") == "19"
        assert len(ai_core.memory(str(user_id)).forgotten_conversations) == 1
        await client.close()
        await direct.close()

    asyncio.run(run())


def test_the_worker_goes_on_after_a_fault(
    own_backend: Backend, ai_core: AiCoreStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        monkeypatch.setattr(outbox, "POLL_SECONDS", 0.05)
        own_backend.stop()
        settings = own_backend.read_settings()
        direct, client = Direct(settings), AiCore(settings)
        await direct.open()
        own_backend.sql("ALTER TABLE outbox RENAME TO away")
        worker = asyncio.create_task(Outbox(direct, own_backend.sealing(direct), client, Resting(300)).run())
        await asyncio.sleep(0.2)
        assert not worker.done()
        own_backend.sql("ALTER TABLE away RENAME TO outbox")
        user_id = UUID(int=7)
        own_backend.sql("INSERT INTO outbox (user_id) VALUES (:'it')", it=str(user_id))
        await asyncio.to_thread(eventually, lambda: ai_core.memory(str(user_id)).forgotten)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await client.close()
        await direct.close()

    asyncio.run(run())
