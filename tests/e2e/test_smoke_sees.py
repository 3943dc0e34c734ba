"""Whatever is wrong with Sanctum, the smoke test says so at the right step, and leaves nobody behind.

The system is the running one; a front before it does one thing wrong at a time.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.e2e.smoke_faults import FAULTS, PROBLEM, instead
from tests.smoke.life import SAID
from tests.smoke.smoke import Options, smoke
from tests.support.canaries import Search
from tests.support.front import Change, Front, Passing, PassOn, Seen, nothing
from tests.support.inside import server_of
from tests.support.person import API
from tests.support.running import Sanctum

LINE = re.compile(r"^(ok|FAILED) +([a-z ]+?) +\d+\.\d\d s  (.*)$")
ACCOUNTS = "SELECT count(*) FROM users WHERE email LIKE 'smoke+%'"


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


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_seen_at_its_step_and_nobody_is_left(run: Callable[..., Run], fault: str) -> None:
    step, change = FAULTS[fault]
    assert run(change, Options(settle=0, remembered=2 if step == "memory" else 20)).failed[0] == step


def test_nothing_wrong_is_seen_where_nothing_is(run: Callable[..., Run]) -> None:
    seen = run(nothing)
    assert seen.passed, seen.text
    assert len(seen.steps) > len({step for step, _ in FAULTS.values()})
    assert {how for how, _ in seen.steps.values()} == {"ok"}


def test_tls_1_1_is_seen(sanctum: Sanctum, tmp_path: Path) -> None:
    with Front(sanctum, tmp_path, old=True) as old:
        lines = list[str]()
        assert not smoke(old.url, str(old.ca), Options(settle=0, notes=tmp_path / "notes"), lines.append)
    assert Run(passed=False, lines=lines).failed == ("transport", "TLS 1.1 is spoken")


async def hanging(request: Passing, pass_on: PassOn) -> Seen:
    """A message gets no answer."""
    if request.path.endswith("/messages"):
        await asyncio.Event().wait()
    return await pass_on(request)


def test_what_hangs_is_bounded_and_there_is_time_to_erase(run: Callable[..., Run]) -> None:
    begun = time.monotonic()
    seen = run(hanging, Options(within=12, settle=0))
    assert seen.failed[1] == "the time is over"
    assert ("Look at: whether ai_core runs" in seen.text) == (seen.failed[0] == "reply")
    assert "erased: all " in seen.text
    assert time.monotonic() - begun < 14


def test_too_often_is_waited_for_as_told(run: Callable[..., Run]) -> None:
    seen = run(instead(f"{API}/auth/register", Seen(429, PROBLEM | {"Retry-After": "1"}, b"{}")))
    assert seen.passed, seen.text
    assert "too often: asked again in 1 s" in seen.text


def test_a_limit_that_outlasts_the_time_is_said_at_once(run: Callable[..., Run]) -> None:
    begun = time.monotonic()
    seen = run(instead(f"{API}/auth/register", Seen(429, PROBLEM | {"Retry-After": "3000"}, b"{}")))
    assert time.monotonic() - begun < 60
    assert seen.failed[0] == "register"
    assert "to be asked again in 3000 s" in seen.failed[1]
    assert "Look at: the limits" in seen.text


def test_the_first_health_check_may_come_late_and_that_is_said(run: Callable[..., Run]) -> None:
    starting = Seen(503, {"Content-Type": "text/html"}, b"<h1>Nobody is there yet</h1>")
    seen = run(instead("/healthz", starting, starting), Options(settle=10))
    assert seen.passed, seen.text
    assert "not yet: 503, without a problem document; asked again for up to 10 s" in seen.text


def test_a_health_check_that_never_passes_names_the_load_balancer(run: Callable[..., Run]) -> None:
    starting = Seen(503, {"Content-Type": "text/html"}, b"")
    seen = run(instead("/healthz", *[starting] * 9), Options(settle=1))
    assert seen.failed == ("health", "503, without a problem document")
    assert "Look at: the load balancer's target group" in seen.text


def test_a_problem_that_quotes_is_not_quoted(run: Callable[..., Run]) -> None:
    quoting = {"type": "about:blank", "title": f"What? {SAID}", "request_id": "8f-8", "detail": SAID}
    answer = Seen(500, PROBLEM, json.dumps(quoting).encode())

    async def change(request: Passing, pass_on: PassOn) -> Seen:
        return answer if request.path.endswith("/messages") else await pass_on(request)

    assert run(change).failed == ("reply", "500, problem about:blank (?), request 8f-8")


def test_who_could_not_be_erased_is_named_and_erased_by_the_next_run(run: Callable[..., Run]) -> None:
    async def away(request: Passing, pass_on: PassOn) -> Seen:
        gone = request.method == "DELETE" or request.path.endswith("/messages")
        return Seen(503, PROBLEM | {"Retry-After": "1"}, b"{}") if gone else await pass_on(request)

    seen = run(away, Options(within=12, settle=0))
    assert seen.failed[0] == "reply"
    (told,) = [line for line in seen.lines if line.startswith("NOT ERASED: ")]
    email, note = re.findall(r"NOT ERASED: (\S+@example\.com); its password is in (.*\.json)\.", told)[0]
    assert Path(note).stat().st_mode & 0o077 == 0
    assert json.loads(Path(note).read_text())["email"] == email
    again = run(nothing)
    assert again.passed, again.text
    assert again.steps["left behind"] == ("ok", "1 of earlier runs erased")
