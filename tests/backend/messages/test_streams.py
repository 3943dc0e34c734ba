"""Replies that stream."""

import json
import threading

import pytest

from tests.backend.ai_core_stand_in import AiCoreStandIn, End, Script
from tests.backend.process import Backend
from tests.support.person import API, Person
from tests.support.waiting import eventually


def test_a_reply_streams_as_it_is_written(alice: Person, ai_core: AiCoreStandIn) -> None:
    hold = threading.Event()
    ai_core.script = Script(pieces=("One ", "two."), hold=hold)
    conversation = alice.converse()
    stream = alice.stream(conversation, "count")
    # The rest is not written before this has arrived.
    assert next(stream) == {"type": "delta", "content": "One "}
    hold.set()
    assert next(stream) == {"type": "delta", "content": "two."}
    (last,) = stream
    assert last == {"type": "message", "message": alice.history(conversation)[-1]}
    assert (last["message"]["content"], last["message"]["status"]) == ("One two.", "complete")


@pytest.mark.parametrize("end", ["error", "break", "garbage"])
def test_a_stream_that_breaks_off_says_so_and_keeps_what_came(alice: Person, ai_core: AiCoreStandIn, end: End) -> None:
    ai_core.script = Script(pieces=("Half a reply",), end=end)
    conversation = alice.converse()
    *deltas, last = alice.stream(conversation, "hello")
    assert deltas == [{"type": "delta", "content": "Half a reply"}]
    assert last["type"] == "error"
    assert last["problem"].keys() == {"type", "title", "status", "detail", "instance", "request_id"}
    assert last["problem"]["status"] == 503
    kept = alice.history(conversation)[-1]
    assert (kept["content"], kept["status"]) == ("Half a reply", "interrupted")


def test_a_client_that_goes_away_loses_nothing(alice: Person, ai_core: AiCoreStandIn) -> None:
    hold = threading.Event()
    ai_core.script = Script(pieces=("One ", "two."), hold=hold)
    conversation = alice.converse()
    stream = alice.stream(conversation, "count")
    next(stream)
    stream.close()
    hold.set()
    reply = eventually(lambda: alice.history(conversation)[1:])[0]
    assert (reply["content"], reply["status"]) == ("One two.", "complete")


def test_an_event_is_one_line_whatever_is_in_it(alice: Person, ai_core: AiCoreStandIn) -> None:
    written = "a line\n\ndata: {}\r\n\u2028and more"
    ai_core.script = Script(pieces=(written,))
    path = f"{API}/conversations/{alice.converse()}/messages"
    headers = {"Authorization": f"Bearer {alice.tokens['access_token']}", "Accept": "text/event-stream;q=0.9, */*"}
    answer = alice.http.post(path, json={"content": "hello"}, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    events = [json.loads(event.removeprefix("data: ")) for event in answer.text.split("\n\n") if event]
    assert [event["type"] for event in events] == ["delta", "message"]
    assert events[0]["content"] == events[1]["message"]["content"] == written


def test_a_slow_client_does_not_hold_the_reply_up(alice: Person, ai_core: AiCoreStandIn, backend: Backend) -> None:
    ai_core.script = Script(pieces=("x" * 65_000,) * 200)
    conversation = alice.converse()
    stream = alice.stream(conversation, "talk a lot")
    events = [next(stream)]  # and then nothing is read: 13 MB are more than the sockets hold
    count = "SELECT count(*) FROM messages WHERE conversation_id = :'it'"
    eventually(lambda: backend.sql(count, it=conversation) == "2")
    events += stream
    assert sum(len(event["content"]) for event in events if event["type"] == "delta") == 65_000 * 200
