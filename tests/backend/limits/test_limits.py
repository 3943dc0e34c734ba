"""Each limit: exactly so many, then 429 with ``Retry-After``, and nobody else notices.

Two processes with small limits over one database serve all these tests; each test has people and addresses of its own.
"""

import asyncio
import itertools
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from local.ports import free_port
from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.process import Backend
from tests.support.person import API, Person, assert_problem

pytestmark = pytest.mark.xdist_group("limits")

LIMITS = {
    "registrations_per_address_and_hour": 3,
    "sign_ins_per_hour": 3,
    "refreshes_per_hour": 2,
    "messages_per_minute": 3,
    "messages_per_day": 5,
    "conversations_per_day": 2,
    "exports_per_day": 1,
}
OF_THE_OTHER = {"replies_per_person": 2, "requests_per_second_per_person": 1}
ADDRESSES = (f"192.0.2.{n}" for n in itertools.count(1))


@pytest.fixture(scope="module")
def processes(deployed: Backend, ai_core_server: AiCoreStandIn) -> Iterator[tuple[Backend, Backend]]:
    """Two of one database."""
    assert ai_core_server.port == deployed.ai_core_port
    settings = {f"settings.{name}": str(value) for name, value in LIMITS.items()}
    settings["settings.trusted_proxies"] = "127.0.0.0/8"  # so that people can have addresses of their own
    one = replace(deployed, database="limits", settings=settings, port=free_port())
    one.copy(deployed)
    own = {f"settings.{name}": str(value) for name, value in OF_THE_OTHER.items()}
    with one, replace(one, settings=settings | own, port=free_port(), process=None) as other:
        yield one, other


@pytest.fixture
def somebody(processes: tuple[Backend, Backend], ai_core: AiCoreStandIn) -> Iterator[Callable[..., Person]]:
    """Makes people who are registered and signed in."""
    assert ai_core.port == processes[0].ai_core_port
    people: list[Person] = []

    def make(address: str | None = None) -> Person:
        person = Person(processes[0].url, processes[0].ca)
        person.http.headers["X-Forwarded-For"] = address or next(ADDRESSES)
        people.append(person)
        return person.register()

    yield make
    for person in people:
        person.http.close()


@pytest.fixture
def alice(somebody: Callable[..., Person]) -> Person:
    return somebody()


@pytest.fixture
def bob(somebody: Callable[..., Person]) -> Person:
    return somebody()


@pytest.fixture
def at_the_other(processes: tuple[Backend, Backend], alice: Person) -> Iterator[Person]:
    """Alice, served by the other process."""
    same = Person(processes[1].url, processes[1].ca)
    same.tokens = alice.tokens
    yield same
    same.http.close()


def later(processes: tuple[Backend, Backend], what: str) -> None:
    """Let the windows of ``what`` end."""
    ended = "UPDATE person_usage SET since = since - interval '1 day' WHERE what = :'what'"
    processes[0].sql(ended, what=what)


def test_messages_of_a_minute_are_counted_over_all_processes_and_never_given_back(
    processes: tuple[Backend, Backend], alice: Person, at_the_other: Person, bob: Person
) -> None:
    conversation = alice.converse()
    said = [person.say(conversation, "hello").status_code for person in (alice, at_the_other, alice)]
    assert said == [200, 200, 200]
    for person in (alice, at_the_other):
        assert_problem(person.say(conversation, "one too many"), 429)
    assert len(alice.history(conversation)) == 6
    assert bob.say(bob.converse(), "hello").status_code == 200
    alice.call("DELETE", f"/conversations/{conversation}")
    assert_problem(alice.say(alice.converse(), "one too many"), 429)
    later(processes, "messages_minute")
    # Of somebody else's conversation nothing is told, and nothing counted.
    assert_problem(alice.say(bob.converse(), "hello"), 404)


def test_messages_of_a_day_are_counted_too(processes: tuple[Backend, Backend], alice: Person) -> None:
    conversation = alice.converse()
    for number in range(LIMITS["messages_per_day"]):
        later(processes, "messages_minute")
        assert alice.say(conversation, f"message {number}").status_code == 200
    later(processes, "messages_minute")
    refused = alice.say(conversation, "one too many")
    assert_problem(refused, 429)
    assert 3600 < int(refused.headers["Retry-After"]) <= 86_400
    later(processes, "messages_day")
    assert alice.say(conversation, "the next day").status_code == 200


def test_messages_sent_at_once_are_not_answered_more_often(alice: Person) -> None:
    conversation = alice.converse()
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(alice.say, conversation, f"message {number}") for number in range(12)]
    answers = [future.result() for future in asked]
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 9
    assert len(alice.history(conversation)) == 6


def test_retries_with_the_same_key_are_one_message(
    processes: tuple[Backend, Backend], alice: Person, ai_core: AiCoreStandIn
) -> None:
    conversation = alice.converse()
    ai_core.script.status = 503
    assert_problem(alice.say(conversation, "hello", Idempotency_Key="first"), 503)
    ai_core.script.status = 200
    for _ in range(3):
        assert alice.say(conversation, "hello", Idempotency_Key="first").status_code == 200
    assert [alice.say(conversation, "hello").status_code for _ in range(3)] == [200, 200, 429]
    assert alice.say(conversation, "hello", Idempotency_Key="first").status_code == 200
    assert_problem(alice.say(conversation, "again", Idempotency_Key="second"), 429)
    later(processes, "messages_minute")
    assert alice.say(conversation, "again", Idempotency_Key="second").status_code == 200
    assert [m["content"] for m in alice.history(conversation) if m["sender"] == "user"] == [*["hello"] * 3, "again"]


def test_replies_written_at_the_same_time_are_bounded(
    alice: Person, at_the_other: Person, ai_core: AiCoreStandIn
) -> None:
    conversation = alice.converse()
    ai_core.script.hold = threading.Event()
    streams = [at_the_other.stream(conversation, "hello") for _ in range(OF_THE_OTHER["replies_per_person"])]
    for stream in streams:
        next(stream)
    assert_problem(at_the_other.say(conversation, "one too many"), 429)
    ai_core.script.hold.set()
    assert [list(stream)[-1]["type"] for stream in streams] == ["message", "message"]
    assert at_the_other.say(conversation, "now").status_code == 200


async def first_refused(requests: list[asyncio.Task[httpx.Response]]) -> httpx.Response:
    """The first answer that is not 200."""
    for answered in asyncio.as_completed(requests):
        if (answer := await answered).status_code != 200:
            return answer
    raise AssertionError("all were served")


CALLS: dict[str, tuple[str, str, Callable[[Person], dict[str, Any]], int]] = {
    "conversations": ("POST", "/conversations", lambda _: {"json": {"persona": "Gem"}}, 2),
    "exports": ("GET", "/users/me/export", lambda _: {}, 1),
    "refreshes": ("POST", "/auth/refresh", lambda p: {"json": {"refresh_token": p.tokens["refresh_token"]}}, 2),
    # One of the three was used when she registered.
    "sign_ins": ("POST", "/auth/token", lambda p: {"data": {"username": p.email, "password": p.password}}, 2),
}


@pytest.mark.parametrize("what", CALLS)
def test_what_costs_is_counted_a_person(
    what: str, processes: tuple[Backend, Backend], alice: Person, bob: Person
) -> None:
    method, path, body, most = CALLS[what]

    def call(person: Person) -> httpx.Response:
        answer = person.call(method, path, headers={"Authorization": ""} if "auth" in path else None, **body(person))
        if answer.is_success and "auth" in path:
            person.tokens = answer.json()
        return answer

    assert all(call(alice).is_success for _ in range(most))
    for _ in range(2):
        assert_problem(call(alice), 429)
    assert call(bob).is_success
    later(processes, what)
    assert call(alice).is_success  # also the refresh token that was refused: it has not been used up


def test_a_password_is_changed_as_often_as_one_may_sign_in(alice: Person) -> None:
    body = {"old_password": alice.password, "new_password": alice.password}
    answers = [alice.call("POST", "/auth/password", json=body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 429]


def test_registrations_are_counted_an_address_and_lock_nobody_out_who_has_an_account(
    somebody: Callable[..., Person], bob: Person
) -> None:
    address = next(ADDRESSES)
    alice = somebody(address)

    def register(email: str, address: str) -> httpx.Response:
        body, headers = {"email": email, "password": alice.password}, {"X-Forwarded-For": address}
        return bob.call("POST", "/auth/register", json=body, headers=headers)

    assert_problem(register(alice.email, address), 409)
    assert register(f"second-{alice.email}", address).status_code == 201
    assert_problem(register(f"third-{alice.email}", address), 429)
    assert_problem(register(alice.email, address), 429)  # nor does it tell any more who has an account
    assert register(f"third-{alice.email}", next(ADDRESSES)).status_code == 201
    assert alice.sign_in().status_code == 200


def test_who_floods_is_refused_and_others_are_served(
    processes: tuple[Backend, Backend], alice: Person, bob: Person
) -> None:
    async def run() -> None:
        tls = ssl.create_default_context(cafile=processes[1].ca)
        limits = httpx.Limits(max_connections=60)
        async with httpx.AsyncClient(base_url=processes[1].url, verify=tls, timeout=30, limits=limits) as client:

            def get(person: Person) -> asyncio.Task[httpx.Response]:
                headers = {"Authorization": f"Bearer {person.tokens['access_token']}"}
                return asyncio.ensure_future(client.get(f"{API}/conversations", headers=headers))

            # 10 are served at once, 5 within the longest wait.
            flood = [get(alice) for _ in range(60)]
            assert_problem(await first_refused(flood), 429)
            assert (await get(bob)).status_code == 200
            for request in flood:
                request.cancel()
            await asyncio.gather(*flood, return_exceptions=True)

    asyncio.run(run())
