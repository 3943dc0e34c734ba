"""What may be wrong with a Sanctum, one thing at a time, and the step at which the smoke test has to see it."""

import re
from collections.abc import Callable
from dataclasses import replace

from tests.support.front import Change, Passing, PassOn, Seen
from tests.support.person import API

PROBLEM = {"Content-Type": "application/problem+json"}
STREAM = "text/event-stream"
ROOT = ("/healthz", "/openapi.json")


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


async def unlike_the_stream(request: Passing, pass_on: PassOn) -> Seen:
    """A reply that is asked for as JSON is another one."""
    seen = await pass_on(request)
    said = request.path.endswith("/messages") and not seen.headers["Content-Type"].startswith(STREAM)
    return seen.saying(content="Something else.") if said and seen.status == 200 else seen


async def logout_forgotten(request: Passing, pass_on: PassOn) -> Seen:
    """Signing out ends nothing."""
    return Seen(204, {}, b"") if request.path.endswith("/auth/logout") else await pass_on(request)


def instead(path: str, *answers: Seen) -> Change:
    """The first requests for ``path`` get these answers and go no further."""
    left = list(answers)

    async def change(request: Passing, pass_on: PassOn) -> Seen:
        return left.pop(0) if left and request.path == path else await pass_on(request)

    return change


FAULTS: dict[str, tuple[str, Change]] = {
    "no HSTS": ("health", at("GET", "/healthz", without_header("Strict-Transport-Security"))),
    "a route is gone": ("description", at("GET", "/openapi.json", saying(paths={}))),
    "no account": ("register", at("POST", "/auth/register", problem(500))),
    "somebody else's account": ("register", at("POST", "/auth/register", saying(email="bob@example.com"))),
    "no tokens": ("sign in", once(at("POST", "/auth/token", saying(access_token=None)))),
    "a token nobody admits": ("sign in", at("GET", "/conversations", problem(401))),
    "tokens that are never renewed": ("refresh", Remembering().same_tokens),
    "somebody new with a past": ("refresh", at("GET", "/conversations", saying(items=["a conversation"]))),
    "another persona": ("conversation", at("POST", "/conversations", saying(persona="Abby"))),
    "no stream": ("reply", at("POST", "/conversations/*/messages", problem(503))),
    "a stream without an end": ("reply", streaming(lambda body: body[: body.rindex(b"data:")])),
    "a stream that is cut off": (
        "reply",
        at("POST", "/conversations/*/messages", lambda seen: replace(seen, cut=True)),
    ),
    "a history without the reply": ("history", at("GET", "/conversations/*", saying(messages=[]))),
    "another reply to a repeat": ("repeat", unlike_the_stream),
    "a message stored twice": ("repeat", keyless),
    "a message stored twice behind the back": ("repeat", keyless_with_the_same_answer),
    "a memory that stays empty": ("memory", at("GET", "/users/me/memories", saying(items=[]))),
    "a memory of what was never said": (
        "memory",
        at("GET", "/users/me/memories", saying(items=[{"message_id": "1f-1"}])),
    ),
    "a memory that does not answer": ("memory", at("GET", "/users/me/memories", problem(503))),
    "one for all": ("stranger", Remembering().one_for_all),
    "an export without the conversation": ("export", at("GET", "/users/me/export", saying(conversations=[]))),
    "an export of somebody else": ("export", at("GET", "/users/me/export", saying(account={"email": "bob"}))),
    "a token that outlives its sign-in": ("sign out", logout_forgotten),
    "nowhere to read a receipt": ("erase", at("DELETE", "/users/me", without_header("Location"))),
    "no receipt": ("erase", at("GET", "/erasures/*", problem(404))),
}
