"""Whatever is wrong with Sanctum, the smoke test says so at the right step, and leaves nobody behind.

The system is the running one; a front before it does one thing wrong at a time.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.smoke.smoke import Options, smoke
from tests.support.canaries import Search
from tests.support.front import Change, Front, Passing, PassOn, Seen, nothing
from tests.support.inside import server_of
from tests.support.person import API
from tests.support.running import Sanctum

LINE = re.compile(r"^(ok|FAILED) +([a-z ]+?) +\d+\.\d\d s  (.*)$")
PROBLEM = {"Content-Type": "application/problem+json"}
STREAM = "text/event-stream"
ROOT = ("/healthz", "/openapi.json")


@pytest.fixture(scope="module")
def front(sanctum: Sanctum, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with Front(sanctum, tmp_path_factory.mktemp("front")) as started:
        yield started


@dataclass(frozen=True)
class Run:
    """What a run said."""

    passed: bool
    lines: list[str]

    @property
    def steps(self) -> dict[str, tuple[str, str]]:
        """How each step went, and what was said of it."""
        found = [match.groups() for line in self.lines if (match := LINE.match(line))]
        return {name: (how, text) for how, name, text in found}

    @property
    def failed(self) -> tuple[str, str]:
        """The step that failed, and why."""
        assert not self.passed
        ((name, text),) = [(name, text) for name, (how, text) in self.steps.items() if how == "FAILED"]
        return name, text

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def run(front: Front, sanctum: Sanctum, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Runs the smoke test against the front with a change; afterwards no account is left, and no words were said."""
    lines = list[str]()

    def against(change: Change, options: Options = Options(settle=0, remembered=20)) -> Run:  # noqa: B008 - frozen
        front.change = change
        mine = list[str]()
        passed = smoke(front.url, str(front.ca), replace(options, notes=tmp_path), mine.append)
        lines.extend(mine)
        return Run(passed, mine)

    yield against
    front.change = nothing
    assert server_of(sanctum.state).query(ACCOUNTS, PGDATABASE="users") == "0"
    assert list(tmp_path.iterdir()) == []
    assert front.said or not any("register" in line for line in lines)
    found = Search({word.encode() for word in front.said}).find("\n".join(lines).encode())
    assert list(found) == []


ACCOUNTS = "SELECT count(*) FROM users WHERE email LIKE 'smoke+%'"


def at(method: str, path: str, wrong: Callable[[Seen], Seen]) -> Change:
    """The answer to these requests is made wrong; ``*`` in ``path`` is any part of it."""
    wanted = re.compile(("" if path in ROOT else re.escape(API)) + re.escape(path).replace(r"\*", "[^/]+"))

    async def change(request: Passing, pass_on: PassOn) -> Seen:
        seen = await pass_on(request)
        return wrong(seen) if request.method == method and wanted.fullmatch(request.path) else seen

    return change


def once(change: Change) -> Change:
    """Only the first time that it changes something."""
    changed = list[Seen]()

    async def first(request: Passing, pass_on: PassOn) -> Seen:
        if changed:
            return await pass_on(request)
        passed = list[Seen]()

        async def noted(passing: Passing) -> Seen:
            passed.append(await pass_on(passing))
            return passed[-1]

        seen = await change(request, noted)
        if passed != [seen]:
            changed.append(seen)
        return seen

    return first


def problem(status: int, **members: str) -> Callable[[Seen], Seen]:
    """A problem document in the place of the answer."""
    document = {"type": "about:blank", "title": "A title", "request_id": "7f-7"} | members
    return lambda seen: Seen(status, PROBLEM, b"{}").saying(**document) if seen else seen


def saying(**members: object) -> Callable[[Seen], Seen]:
    return lambda seen: seen.saying(**members)


def streaming(change: Callable[[bytes], bytes]) -> Change:
    """Another stream than the one that came."""

    def wrong(seen: Seen) -> Seen:
        return replace(seen, body=change(seen.body)) if seen.headers["Content-Type"].startswith(STREAM) else seen

    return at("POST", "/conversations/*/messages", wrong)


def without_header(name: str) -> Callable[[Seen], Seen]:
    return lambda seen: replace(seen, headers={key: value for key, value in seen.headers.items() if key != name})


class Remembering:
    """Changes that take what was seen earlier."""

    def __init__(self) -> None:
        self.tokens: list[Seen] = []

    async def same_tokens(self, request: Passing, pass_on: PassOn) -> Seen:
        """Renewing gives the old tokens."""
        seen = await pass_on(request)
        if request.path.startswith(f"{API}/auth/") and seen.status == 200:
            self.tokens.append(seen)
        return self.tokens[0] if request.path == f"{API}/auth/refresh" else seen

    async def one_for_all(self, request: Passing, pass_on: PassOn) -> Seen:
        """Everybody with a token is the first who got one."""
        if request.path.startswith(f"{API}/users/me") and request.method == "DELETE":
            return await pass_on(request)
        if self.tokens and "Authorization" in request.headers:
            token = {"Authorization": f"Bearer {self.tokens[-1].json()['access_token']}"}
            request = replace(request, headers=request.headers | token)
        seen = await pass_on(request)
        renewed = request.path == f"{API}/auth/refresh"
        if seen.status == 200 and (renewed or (not self.tokens and request.path == f"{API}/auth/token")):
            self.tokens.append(seen)
        return seen


async def keyless(request: Passing, pass_on: PassOn) -> Seen:
    """Nobody looks at Idempotency-Key."""
    return await pass_on(
        replace(request, headers={name: value for name, value in request.headers.items() if name != "Idempotency-Key"})
    )


async def keyless_with_the_same_answer(request: Passing, pass_on: PassOn) -> Seen:
    """A retry gets its answer, and yet is stored."""
    seen = await pass_on(request)
    if request.path.endswith("/messages") and not seen.headers["Content-Type"].startswith(STREAM):
        await keyless(request, pass_on)
    return seen


async def logout_forgotten(request: Passing, pass_on: PassOn) -> Seen:
    """Signing out ends nothing."""
    return Seen(204, {}, b"") if request.path.endswith("/auth/logout") else await pass_on(request)


FAULTS: dict[str, tuple[str, Change]] = {
    "no HSTS": ("health", at("GET", "/healthz", without_header("Strict-Transport-Security"))),
    "a route is gone": ("description", at("GET", "/openapi.json", saying(paths={}))),
    "no account": ("register", at("POST", "/auth/register", problem(500))),
    "somebody else's account": ("register", at("POST", "/auth/register", saying(email="bob@example.com"))),
    "no tokens": ("sign in", once(at("POST", "/auth/token", saying(access_token=None)))),
    "a token nobody admits": ("sign in", at("GET", "/conversations", problem(401))),
    "tokens that are never renewed": ("refresh", Remembering().same_tokens),
    "another persona": ("conversation", at("POST", "/conversations", saying(persona="Abby"))),
    "no stream": ("reply", at("POST", "/conversations/*/messages", problem(503))),
    "a stream without an end": ("reply", streaming(lambda body: body[: body.rindex(b"data:")])),
    "a stream that is cut off": (
        "reply",
        at("POST", "/conversations/*/messages", lambda seen: replace(seen, cut=True)),
    ),
    "a history without the reply": ("history", at("GET", "/conversations/*", saying(messages=[]))),
    "a message stored twice": ("repeat", keyless),
    "a message stored twice behind the back": ("repeat", keyless_with_the_same_answer),
    "a memory that stays empty": ("memory", at("GET", "/users/me/memories", saying(items=[]))),
    "a memory that does not answer": ("memory", at("GET", "/users/me/memories", problem(503))),
    "one for all": ("stranger", Remembering().one_for_all),
    "an export without the conversation": ("export", at("GET", "/users/me/export", saying(conversations=[]))),
    "a token that outlives its sign-in": ("sign out", logout_forgotten),
    "no receipt": ("erase", at("GET", "/erasures/*", problem(404))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_seen_at_its_step_and_nobody_is_left(run: Callable[..., Run], fault: str) -> None:
    step, change = FAULTS[fault]
    assert run(change, Options(settle=0, remembered=2)).failed[0] == step


def test_nothing_wrong_is_seen_where_nothing_is(run: Callable[..., Run]) -> None:
    seen = run(nothing)
    assert seen.passed, seen.text
    assert len(seen.steps) > len({step for step, _ in FAULTS.values()})
    assert {how for how, _ in seen.steps.values()} == {"ok"}
