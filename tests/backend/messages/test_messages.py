"""One message and its reply."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.backend.ai_core_stand_in import AiCoreStandIn, End, Script
from tests.backend.process import Backend
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually


def test_the_question_has_the_persona_and_what_was_said_before(alice: Person, ai_core: AiCoreStandIn) -> None:
    conversation = alice.converse("Abby")
    alice.say(conversation, "first")
    alice.say(conversation, "second")
    assert ai_core.questions[-1] == {
        "user_id": ai_core.questions[0]["user_id"],
        "persona": "Abby",
        "history": [{"sender": "user", "content": "first"}, {"sender": "ai", "content": "Tell me more."}],
        "content": "second",
    }


def test_a_long_history_is_cut_at_its_old_end(alice: Person, ai_core: AiCoreStandIn) -> None:
    ai_core.script = Script(pieces=("\N{GRINNING FACE}" * 1500,))
    conversation = alice.converse()
    for number in range(6):
        alice.say(conversation, f"{number}")
    history = ai_core.questions[-1]["history"]
    assert [turn["content"] for turn in history if turn["sender"] == "user"] == ["1", "2", "3", "4"]
    assert sum(len(turn["content"].encode()) for turn in history) <= 24_576


def test_the_message_is_stored_before_the_model_is_asked(alice: Person, ai_core: AiCoreStandIn) -> None:
    hold = threading.Event()
    ai_core.script = Script(hold=hold)
    conversation = alice.converse()
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(alice.say, conversation, "hello")
        eventually(lambda: ai_core.questions)
        assert [m["content"] for m in alice.history(conversation)] == ["hello"]
        hold.set()
        assert reply.result().status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_model_that_fails_answers_503_and_the_message_is_kept(
    alice: Person, ai_core: AiCoreStandIn, accept: str
) -> None:
    conversation = alice.converse()
    for script in (Script(status=503), Script(status=500), Script(pieces=(), end="error"), Script(pieces=())):
        ai_core.script = script
        answer = alice.say(conversation, "are you there?", Accept=accept)
        assert_problem(answer, 503)
        assert answer.headers["retry-after"] == ("5" if script.status == 200 else "7")
    assert [(m["sender"], m["content"]) for m in alice.history(conversation)] == [("user", "are you there?")] * 4


@pytest.mark.parametrize("end", ["error", "break", "garbage"])
def test_a_reply_that_breaks_off_is_stored_with_what_had_come(alice: Person, ai_core: AiCoreStandIn, end: End) -> None:
    ai_core.script = Script(pieces=("Half a ", "reply"), end=end)
    conversation = alice.converse()
    reply = alice.say(conversation, "hello")
    assert reply.status_code == 200
    assert (reply.json()["status"], reply.json()["content"]) == ("interrupted", "Half a reply")
    assert alice.history(conversation)[-1] == reply.json()
    # What was half said is remembered as well.
    memory = ai_core.memory(ai_core.questions[-1]["user_id"])
    eventually(lambda: reply.json()["message_id"] in memory.messages)


def test_the_words_of_a_message_are_stored_sealed(alice: Person, backend: Backend) -> None:
    conversation = alice.converse()
    alice.say(conversation, "größer")
    mine = "conversation_id = :'it' AND sender = 'user'"
    stored = backend.sql(f"SELECT encode(content, 'hex') FROM messages WHERE {mine}", it=conversation)  # noqa: S608
    assert stored.startswith("01")
    assert "größer".encode().hex() not in stored
    assert backend.words(f"conversation_id = '{conversation}' AND sender = 'user'") == ["größer"]


def test_a_conversation_that_is_deleted_while_a_reply_is_written_stays_deleted(
    alice: Person, ai_core: AiCoreStandIn, backend: Backend
) -> None:
    hold = threading.Event()
    ai_core.script = Script(hold=hold)
    conversation = alice.converse()
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(alice.say, conversation, "hello")
        eventually(lambda: ai_core.questions)
        assert alice.call("DELETE", f"/conversations/{conversation}").status_code == 204
        hold.set()
        assert_problem(reply.result(), 404)
    assert backend.sql("SELECT count(*) FROM messages WHERE conversation_id = :'it'", it=conversation) == "0"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("a" * 4000, 200),
        ("\N{GRINNING FACE}" * 4000, 200),
        ("a" * 4001, 413),
        ("\u200b\ufeff \u2003", 422),
        ("a\0b", 422),
        ("", 422),
    ],
    ids=["longest", "longest-emoji", "too-long", "invisible", "nul", "empty"],
)
def test_a_message_has_1_to_4000_characters_that_are_not_all_blank(alice: Person, content: str, status: int) -> None:
    conversation = alice.converse()
    answer = alice.say(conversation, content)
    if status == 200:
        assert answer.status_code == 200
        assert alice.history(conversation)[0]["content"] == content
    else:
        assert_problem(answer, status)
        assert alice.history(conversation) == []


def test_messages_are_stored_as_they_were_sent(alice: Person) -> None:
    conversation = alice.converse()
    content = "  two\r\nlines\t\u202eand \N{WOMAN}\u200d\N{PERSONAL COMPUTER}  "
    assert alice.say(conversation, content).status_code == 200
    assert alice.history(conversation)[0]["content"] == content


def test_no_words_and_no_email_are_in_the_log(alice: Person, ai_core: AiCoreStandIn, backend: Backend) -> None:
    ai_core.script = Script(pieces=("a very private answer",), end="garbage")
    alice.say(alice.converse(), "my very private question", Idempotency_Key="my very private key")
    alice.sign_in("my very private password")
    alice.call("GET", "/users/me/my-very-private-path")
    log = backend.log.read_text()
    assert "reply.broke_off" in log
    assert "private" not in log
    assert alice.email not in log
    assert alice.tokens["access_token"] not in log
