"""What survives when the process ends in the middle of its work."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.backend.ai_core_stand_in import AiCoreStandIn, Script
from tests.backend.process import Backend
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually

LEASE_SECONDS = 15


def test_a_key_survives_a_crash_between_message_and_reply(
    carol: Person, own_backend: Backend, ai_core: AiCoreStandIn
) -> None:
    ai_core.script = Script(hold=threading.Event())
    conversation, key = carol.converse(), str(uuid4())
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(carol.say, conversation, "once", Idempotency_Key=key)
        eventually(lambda: ai_core.questions)
        own_backend.kill()
        with pytest.raises(httpx.TransportError):
            lost.result()
    assert ai_core.script.hold
    ai_core.script.hold.set()
    ai_core.script = Script()
    own_backend.start()
    first_try = carol.say(conversation, "once", Idempotency_Key=key)
    assert first_try.status_code in (200, 409)  # 409 while the lease of the dead process may still be good

    def answered_reply() -> dict[str, object] | None:
        answer = carol.say(conversation, "once", Idempotency_Key=key)
        return answer.json() if answer.status_code == 200 else None

    reply = eventually(answered_reply, LEASE_SECONDS + 10)
    told, answered = carol.history(conversation)
    assert told["content"] == "once"
    assert answered == reply


def test_a_finished_turn_reaches_the_memory_also_after_a_crash(
    carol: Person, own_backend: Backend, ai_core: AiCoreStandIn
) -> None:
    ai_core.memory_away = True
    reply = carol.say(carol.converse(), "remember this").json()
    eventually(lambda: ai_core.puts)
    own_backend.kill()
    ai_core.memory_away = False
    own_backend.start()
    memory = ai_core.memory(ai_core.questions[-1]["user_id"])
    eventually(lambda: {reply["message_id"], reply["user_message_id"]} <= memory.messages.keys(), LEASE_SECONDS + 10)
    assert memory.messages[reply["user_message_id"]]["content"] == "remember this"
    eventually(lambda: own_backend.sql("SELECT count(*) FROM outbox") == "0")


def test_an_erasure_is_completed_also_after_a_crash(
    carol: Person, own_backend: Backend, ai_core: AiCoreStandIn
) -> None:
    carol.say(carol.converse(), "remember this")
    memory = ai_core.memory(ai_core.questions[-1]["user_id"])
    eventually(lambda: memory.messages)
    ai_core.memory_away = True
    assert carol.call("DELETE", "/users/me").status_code == 202
    own_backend.kill()
    ai_core.memory_away = False
    own_backend.start()
    eventually(lambda: memory.forgotten, LEASE_SECONDS + 10)
    assert not memory.messages


def test_a_reply_is_finished_before_the_process_ends(
    carol: Person, own_backend: Backend, ai_core: AiCoreStandIn
) -> None:
    hold = threading.Event()
    ai_core.script = Script(pieces=("One ", "two."), hold=hold)
    conversation = carol.converse()
    stream = carol.stream(conversation, "count")
    next(stream)
    stream.close()  # nobody waits for it any more
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(own_backend.stop)
        hold.set()
        assert stopped.result() == 0
    assert own_backend.words("sender = 'ai'") == ["One two."]
    assert own_backend.sql("SELECT status FROM messages WHERE sender = 'ai'") == "complete"
    assert own_backend.sql("SELECT count(*) FROM messages") == "2"


@pytest.mark.parametrize("own_backend", [{"self.drain_seconds": "2"}], indirect=True)
def test_a_reply_that_takes_too_long_is_cut_off_and_kept(
    carol: Person, own_backend: Backend, ai_core: AiCoreStandIn
) -> None:
    ai_core.memory_away = True  # the turn is to be found in the outbox
    ai_core.script = Script(pieces=("One ", "two."), hold=threading.Event())
    conversation, silent = carol.converse(), carol.converse()
    stream = carol.stream(conversation, "count")
    next(stream)
    stream.close()
    ai_core.script = Script(pieces=(), end="hang")
    with ThreadPoolExecutor(1) as pool:
        unanswered = pool.submit(carol.say, silent, "anybody?")
        eventually(lambda: len(ai_core.questions) == 2)
        assert own_backend.stop() == 0
        assert_problem(unanswered.result(), 503)
    assert own_backend.words("sender = 'ai'") == ["One "]
    assert own_backend.sql("SELECT status FROM messages WHERE sender = 'ai'") == "interrupted"
    assert own_backend.sql("SELECT count(*) FROM messages WHERE sender = 'user'") == "2"
    assert own_backend.sql("SELECT count(*) FROM outbox WHERE reply_message_id IS NOT NULL") == "1"
