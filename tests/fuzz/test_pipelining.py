"""Several requests over one connection: each has its own answer, in order, and nobody another's."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.backend.process import Backend
from tests.fuzz.test_wire import CONVERSATIONS, HEAD, JSON
from tests.fuzz.wire import Wire
from tests.support.canaries import remember
from tests.support.person import Person

HEALTH = b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n"


@pytest.fixture
def newcomer(fuzzed: Backend) -> Iterator[Callable[[], Person]]:
    people: list[Person] = []

    def make() -> Person:
        people.append(Person(fuzzed.url, fuzzed.ca).register())
        return people[-1]

    yield make
    for person in people:
        person.http.close()


def signed(person: Person) -> bytes:
    return b"Authorization: Bearer " + person.tokens["access_token"].encode() + b"\r\n"


def say(person: Person, conversation: str, content: str, *, stream: bool = False) -> bytes:
    remember(content)
    body = json.dumps({"content": content}).encode()
    accept = b"Accept: text/event-stream\r\n" if stream else b""
    head = f"POST /api/v1/conversations/{conversation}/messages HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + HEAD + JSON + accept + signed(person) + b"\r\n" + body


def test_answers_come_in_the_order_of_the_requests(fuzzed: Backend, newcomer: Callable[[], Person]) -> None:
    alice = newcomer()
    conversation = alice.converse()
    said = [f"word {number}" for number in range(10)]
    with Wire(fuzzed.port, fuzzed.ca) as wire:
        wire.send(b"".join(say(alice, conversation, content) + HEALTH for content in said))
        answers = [wire.answer() for _ in range(20)]
    assert [json.loads(answer[2]).get("status") for answer in answers if answer] == ["complete", "ok"] * 10
    assert [message["content"] for message in alice.history(conversation) if message["sender"] == "user"] == said


def test_two_people_on_one_connection_get_their_own(fuzzed: Backend, newcomer: Callable[[], Person]) -> None:
    people = [newcomer(), newcomer()]
    mine = [{person.converse()} for person in people]
    with Wire(fuzzed.port, fuzzed.ca) as wire:
        wire.send(b"".join(CONVERSATIONS + signed(people[n % 2]) + b"\r\n" for n in range(20)))
        for n in range(20):
            answer = wire.answer()
            assert answer
            assert {item["conversation_id"] for item in json.loads(answer[2])["items"]} == mine[n % 2]
        # A request without a token has nobody's, not the one before it.
        answer = wire.send(CONVERSATIONS + b"\r\n").answer()
        assert answer
        assert answer[0] == 401


def test_a_token_in_a_trailer_or_a_body_is_none(fuzzed: Backend, newcomer: Callable[[], Person]) -> None:
    alice = newcomer()
    inside = CONVERSATIONS + signed(alice) + b"\r\n"
    chunks = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n" % (len(inside), inside)
    with Wire(fuzzed.port, fuzzed.ca) as wire:
        wire.send(CONVERSATIONS + chunks + signed(alice) + b"\r\n" + HEALTH)
        first, second = wire.answer(), wire.answer()
    assert first
    assert second
    assert (first[0], second[0], json.loads(second[2])) == (401, 200, {"status": "ok"})


def test_what_follows_a_stream_waits_for_its_end(fuzzed: Backend, newcomer: Callable[[], Person]) -> None:
    alice = newcomer()
    conversation = alice.converse()
    with Wire(fuzzed.port, fuzzed.ca) as wire:
        wire.send(say(alice, conversation, "Hello", stream=True) + HEALTH)
        stream, health = wire.answer(), wire.answer()
    assert stream
    assert health
    assert b'"type":"message"' in stream[2]
    assert json.loads(health[2]) == {"status": "ok"}


def test_garbage_behind_a_request_is_not_answered_in_its_place(fuzzed: Backend, newcomer: Callable[[], Person]) -> None:
    alice = newcomer()
    with Wire(fuzzed.port, fuzzed.ca) as wire:
        answers = wire.send(say(alice, alice.converse(), "Hello", stream=True) + b"\0garbage\r\n\r\n").answers()
    assert 400 not in [status for status, _, _ in answers[:1]]


def test_a_flood_of_pipelined_requests_ends_the_connection(fuzzed: Backend) -> None:
    with Wire(fuzzed.port, fuzzed.ca) as wire:
        assert len(wire.send(HEALTH * 20_000).answers()) < 20_000


def test_an_upgrade_is_not_made(fuzzed: Backend) -> None:
    offer = b"GET /healthz HTTP/1.1\r\n" + HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    with Wire(fuzzed.port, fuzzed.ca) as wire:
        answer = wire.send(offer + b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n").answer()
        assert answer
        assert (answer[0], json.loads(answer[2])) == (200, {"status": "ok"})
        # Whatever comes behind it is read as a request or not at all.
        following = wire.send(HEALTH).answer()
        assert following is None or following[0] in {200, 400}
