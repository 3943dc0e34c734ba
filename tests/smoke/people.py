"""Synthetic people: made for one run, and erased after it, whatever becomes of the run.

Who is about to be registered is written down first, on this machine: a run that was killed leaves accounts that nobody
but the next run here can sign in to.
"""

import fcntl
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.smoke.address import API, Address, Answer, Call
from tests.smoke.failures import Failed, Refused

DOMAIN = "example.com"
"""Reserved, so that no account is anybody's (RFC 2606, section 3)."""
PAUSE_SECONDS = 2
UNKNOWN_ATTEMPTS = 3
"""How often a sign-in is tried before an account counts as never made: its registration may still be under way."""


@dataclass
class Person:
    """An account, and where it is written down."""

    email: str
    password: str = field(repr=False)
    note: TextIOWrapper = field(repr=False)
    """Locked while the run lives that made it."""
    tokens: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def token(self) -> str:
        """The newest access token; empty before there was one."""
        return self.tokens.get("access_token", "")

    def call(self, method: str, path: str, body: dict[str, str] | None = None, **headers: str) -> Call:
        """A call below the API's prefix, as this person; ``_`` in the name of a header is ``-``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return Call(method, API + path, body, token=self.token, headers=sent)

    def sign_in(self, address: Address) -> None:
        """Sign in; the tokens are used from then on.

        Raises:
            Failed: there are none.
        """
        form = {"grant_type": "password", "username": self.email, "password": self.password}
        self.take(address.ask(Call("POST", f"{API}/auth/token", form, form=True)).json())

    def take(self, answer: object) -> None:
        """Use the tokens of an answer from now on (RFC 6749, section 5.1).

        Raises:
            Failed: it has none that could be used.
        """
        match answer:
            case {
                "access_token": str(access),
                "refresh_token": str(refresh),
                "expires_in": int(life),
                "token_type": str(kind),
            }:
                if kind.lower() != "bearer" or life <= 0:
                    raise Failed("the tokens are of another kind, or over")
                self.tokens = {"access_token": access, "refresh_token": refresh}
            case _:
                raise Failed("is no answer with tokens")

    def forget(self) -> None:
        """The account is gone: so is the note of it."""
        Path(self.note.name).unlink(missing_ok=True)
        self.note.close()


class People:
    """All accounts of a run at an address; notes of them are in ``folder``."""

    def __init__(self, address: Address, folder: Path) -> None:
        self._address, self._folder = address, folder
        self.living: list[Person] = []
        """Those who may have an account."""

    def close(self) -> None:
        """Let the notes of those who are left be taken over by the next run."""
        for person in self.living:
            person.note.close()

    def make(self) -> Person:
        """Somebody new, written down, who has no account yet."""
        email, password = f"smoke+{uuid4().hex}@{DOMAIN}", secrets.token_urlsafe(24)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{email}.json"
        path.touch(mode=0o600)
        note = path.open("r+", encoding="utf-8")
        fcntl.flock(note, fcntl.LOCK_EX)
        json.dump({"url": self._address.url, "email": email, "password": password}, note)
        note.flush()
        person = Person(email, password, note)
        self.living.append(person)
        return person

    def take_over(self) -> list[Person]:
        """Who an earlier run left at this address, to be erased by this one."""
        left = [person for path in sorted(self._folder.glob("*.json")) for person in self._left(path)]
        self.living += left
        return left

    def erase(self, person: Person) -> tuple[str, dict[str, Any]] | None:
        """Erase an account; where the receipt is and what it says, or ``None`` when there never was an account.

        Raises:
            Failed: it is not known to be gone.
        """
        answer = self._delete(person) if person.token else None
        if answer is None and self._signed_in(person):
            answer = self._address.ask(person.call("DELETE", "/users/me"), 202)
        self.never_was(person)
        return answer and (answer.headers.get("Location", ""), answer.json())

    def never_was(self, person: Person) -> None:
        """There is no such account, or none any more."""
        person.forget()
        self.living.remove(person)

    def erase_all(self, failed: Callable[[Failed], None]) -> None:
        """Erase who is left, and try again until the time is over; ``failed`` is told why.

        Raises:
            Interrupted: it is.
        """
        while self.living:
            for person in list(self.living):
                try:
                    self.erase(person)
                except Failed as failure:
                    failed(failure)
            if self.living:
                time.sleep(PAUSE_SECONDS)

    def _left(self, path: Path) -> Iterator[Person]:
        """Who is noted in ``path``, unless that is another address, or a run that lives."""
        try:
            note = path.open("r+", encoding="utf-8")
        except FileNotFoundError:
            return  # another run has just erased them
        with suppress(BlockingIOError, ValueError, KeyError):
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
            noted = json.load(note)
            if noted["url"] == self._address.url and path.exists():
                yield Person(noted["email"], noted["password"], note)
                return
        note.close()

    def _delete(self, person: Person) -> Answer | None:
        """The answer; ``None`` where the token is not good any more."""
        try:
            return self._address.ask(person.call("DELETE", "/users/me"), 202)
        except Refused as refused:
            if refused.status != HTTPStatus.UNAUTHORIZED:
                raise
            return None

    def _signed_in(self, person: Person) -> bool:
        """Sign in, where there is an account."""
        for attempt in range(1, UNKNOWN_ATTEMPTS + 1):
            try:
                person.sign_in(self._address)
            except Refused as refused:
                if refused.status != HTTPStatus.UNAUTHORIZED:
                    raise
            else:
                return True
            if attempt < UNKNOWN_ATTEMPTS:
                time.sleep(PAUSE_SECONDS)
        return False
