"""A person's life, step by step; each step says in a few words what it saw, and never what was said."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.smoke.address import API, Address, Call
from tests.smoke.events import Streamed, read_reply
from tests.smoke.failures import Failed
from tests.smoke.people import People, Person

SAID = "I repair bicycles and would like to teach it one day. What could be a first step?"
TOKEN_ENDS_SECONDS = 1
"""A token that was ended answers 401 that soon, whichever task is asked."""
REMEMBERED_PAUSE_SECONDS = 0.5


class Life:
    """One synthetic person from registration to erasure, and a stranger who would like to read along."""

    def __init__(self, address: Address, people: People, remembered_seconds: float) -> None:
        """``remembered_seconds``: how long a memory may take to be listed; 0 means that there need not be any."""
        self._address, self._people = address, people
        self._remembered_seconds = remembered_seconds
        self._person: Person
        self._conversation = ""
        self._key = str(uuid4())
        self._reply: dict[str, Any] = {}

    def steps(self) -> dict[str, Callable[[], str]]:
        """All of them, in order."""
        return {
            "register": self.register,
            "sign in": self.sign_in,
            "refresh": self.refresh,
            "conversation": self.begin,
            "reply": self.talk,
            "history": self.look_back,
            "repeat": self.repeat,
            "memory": self.remembered,
            "stranger": self.stranger,
            "export": self.export,
            "sign out": self.sign_out,
            "erase": self.erase,
        }

    def register(self) -> str:
        self._person = self._registered()
        return self._person.email

    def sign_in(self) -> str:
        self._person.sign_in(self._address)
        self._ask("GET", "/conversations")
        return "the token is admitted"

    def refresh(self) -> str:
        old = self._person.tokens
        self._person.take(self._ask("POST", "/auth/refresh", {"refresh_token": old["refresh_token"]}))
        _hold(not {*old.values()} & {*self._person.tokens.values()}, "the tokens are the same as before")
        _hold(self._ask("GET", "/conversations")["items"] == [], "somebody new has conversations")
        return "a new pair of tokens"

    def begin(self) -> str:
        begun = self._ask("POST", "/conversations", {"persona": "Gem"}, 201)
        _hold(begun["persona"] == "Gem", "the persona is another one")
        self._conversation = begun["conversation_id"]
        return self._conversation

    def talk(self) -> str:
        call = self._person.call(
            "POST", self._messages, {"content": SAID}, Accept="text/event-stream", Idempotency_Key=self._key
        )
        begun = time.monotonic()
        with self._address.opened(call) as response:
            streamed: Streamed = read_reply(response)
        self._reply = streamed.message
        _hold(
            (self._reply["sender"], self._reply["conversation_id"]) == ("ai", self._conversation),
            "the reply is not the persona's in this conversation",
        )
        return f"{streamed.pieces} pieces, the first after {streamed.first_at - begun:.2f} s"

    def look_back(self) -> str:
        _hold(_exchange(self._messages_stored()) == self._exchange, "the history is not what was said and answered")
        return "both messages, in order"

    def repeat(self) -> str:
        call = self._person.call("POST", self._messages, {"content": SAID}, Idempotency_Key=self._key)
        _hold(self._address.ask(call).json() == self._reply, "the same Idempotency-Key got another reply")
        _hold(len(self._messages_stored()) == len(self._exchange), "the message was stored again")
        return "the same reply, nothing stored twice"

    def remembered(self) -> str:
        """Remembering happens behind the reply, so it may take a while."""
        begun = time.monotonic()
        ids = {message for message, _, _ in self._exchange}
        while not (items := self._ask("GET", "/users/me/memories")["items"]):
            if time.monotonic() - begun >= self._remembered_seconds:
                _hold(not self._remembered_seconds, f"nothing is remembered after {self._remembered_seconds:.0f} s")
                return "nothing yet"
            time.sleep(REMEMBERED_PAUSE_SECONDS)
        _hold(all(item["message_id"] in ids for item in items), "something is remembered that was never said")
        return f"{len(items)} passages after {time.monotonic() - begun:.1f} s"

    def stranger(self) -> str:
        other = self._registered()
        other.sign_in(self._address)
        self._address.ask(other.call("GET", f"/conversations/{self._conversation}"), 404)
        self._address.ask(other.call("POST", self._messages, {"content": SAID}), 404)
        self._address.ask(other.call("DELETE", f"/conversations/{self._conversation}"), 404)
        for path in ("/conversations", "/users/me/memories"):
            _hold(self._address.ask(other.call("GET", path)).json()["items"] == [], "a stranger is shown something")
        return "finds nothing"

    def export(self) -> str:
        everything = self._ask("GET", "/users/me/export")
        _hold(everything["account"]["email"] == self._person.email, "the account is another one")
        talks = {talk["conversation_id"]: _exchange(talk["messages"]) for talk in everything["conversations"]}
        _hold(talks == {self._conversation: self._exchange}, "it is not this one conversation as it was")
        return f"2 messages and {len(everything['memories'])} memories"

    def sign_out(self) -> str:
        """Of a second sign-in, so that the first goes on."""
        first = self._person.tokens
        self._person.sign_in(self._address)
        ended, self._person.tokens = self._person.tokens, first
        call = Call("POST", f"{API}/auth/logout", {"refresh_token": ended["refresh_token"]})
        self._address.ask(call, 204)
        self._has_ended(ended)
        self._ask("GET", "/conversations")
        return "its token ended, the other did not"

    def erase(self) -> str:
        """Everybody; the receipt is read by nobody in particular."""
        tokens = self._person.tokens
        erased = [self._people.erase(person) for person in list(self._people.living)]
        location, receipt = erased[0] or ("", {})
        _hold(location.startswith(f"{API}/erasures/"), "there is no receipt")
        _hold(bool(receipt["erased_at"]), "the receipt says nothing")
        _hold(self._address.ask(Call("GET", location)).json()["erased_at"] == receipt["erased_at"], "receipts differ")
        self._has_ended(tokens)
        return f"{len(erased)} people, with a receipt"

    @property
    def _messages(self) -> str:
        return f"/conversations/{self._conversation}/messages"

    @property
    def _exchange(self) -> list[tuple[str, str, str]]:
        """What has to be stored, as ``_exchange`` gives it."""
        return [
            (self._reply["user_message_id"], "user", SAID),
            (self._reply["message_id"], "ai", self._reply["content"]),
        ]

    def _messages_stored(self) -> list[dict[str, Any]]:
        return self._ask("GET", f"/conversations/{self._conversation}")["messages"]

    def _registered(self) -> Person:
        person = self._people.make()
        call = Call("POST", f"{API}/auth/register", {"email": person.email, "password": person.password})
        try:
            account = self._address.ask(call, 201).json()
        except Failed as failure:
            if failure.refused:
                self._people.never_was(person)
            raise
        _hold(account["email"] == person.email, "the account has another e-mail")
        return person

    def _has_ended(self, tokens: dict[str, str]) -> None:
        time.sleep(TOKEN_ENDS_SECONDS)
        self._address.ask(Call("GET", f"{API}/conversations", token=tokens["access_token"]), 401)
        self._address.ask(Call("POST", f"{API}/auth/refresh", {"refresh_token": tokens["refresh_token"]}), 401)

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None, expected: int = 200) -> Any:
        return self._address.ask(self._person.call(method, path, body), expected).json()


def _hold(promised: bool, otherwise: str) -> None:
    if not promised:
        raise Failed(otherwise)


def _exchange(messages: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Id, sender and words of messages."""
    return [(message["message_id"], message["sender"], message["content"]) for message in messages]
