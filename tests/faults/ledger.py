"""What each client was told about each message, compared with what is stored: a lost message cannot hide."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.support.person import Person


class Told(StrEnum):
    """What one attempt to send a message came to."""

    ANSWERED = "a reply"
    BROKEN = "a stream that ended with a problem"
    CUT = "a connection that closed"
    UNAVAILABLE = "503 with Retry-After"
    BUSY = "409: the first attempt still runs"
    REFUSED = "429 with Retry-After"
    WRONG = "something that no client may be told"


@dataclass
class Entry:
    """One message: its words are nobody else's, so it can be found again."""

    person: Person
    conversation: str
    words: str
    key: str | None = None
    told: list[tuple[Told, float]] = field(default_factory=list[tuple[Told, float]])
    """Of each attempt, with the time (``time.monotonic``) at which that attempt began."""
    reply: dict[str, Any] | None = None
    """The reply that the client was given as final."""
    wrong: str = ""
    """What was told instead of anything allowed."""

    def history(self) -> str:
        """What all attempts came to, counted."""
        counts = Counter(str(told) for told, _ in list(self.told))
        return ", ".join(f"{times} × {what}" for what, times in counts.items()) or "not told anything"


class Ledger:
    """The entries of several clients that run side by side."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> Entry:
        """Write down a message before it is sent."""
        with self._lock:
            self.entries.append(entry)
        return entry

    def counts(self) -> Counter[str]:
        """How often clients were told what."""
        return Counter(str(told) for entry in self.entries for told, _ in entry.told)


@dataclass(frozen=True)
class Stored:
    """What Sanctum holds of the people of a ledger."""

    messages: list[dict[str, Any]]
    """As their exports show them, in order."""
    memories: list[dict[str, Any]]
    rows: Counter[str]
    """Ids in the database's table of messages."""
    unremembered: int
    """Turns that wait to be handed to the memory."""


def waiting(entries: Iterable[Entry], sql: Callable[[str], str]) -> int:
    """Turns of the conversations of ``entries`` that wait to be handed to the memory."""
    return int(sql(f"SELECT count(*) FROM outbox WHERE {_of_conversations(entries)}"))  # noqa: S608 - ids


def read_stored(entries: Iterable[Entry], sql: Callable[[str], str]) -> Stored:
    """Read all conversations of ``entries`` through the API, and their rows past it.

    Args:
        entries: Whose conversations to read.
        sql: Asks the user database as its administrator.
    """
    entries = list(entries)
    people = {id(entry.person): entry.person for entry in entries}.values()
    conversations = {entry.conversation for entry in entries}
    # First of all: what is handed over while the rest is read would be neither waiting nor remembered.
    unremembered = waiting(entries, sql)
    messages: list[dict[str, Any]] = []
    memories: list[dict[str, Any]] = []
    for person in people:
        export: dict[str, Any] = person.call("GET", "/users/me/export").json()
        mine = [one for one in export["conversations"] if one["conversation_id"] in conversations]
        messages += (message for conversation in mine for message in conversation["messages"])
        memories += (memory for memory in export["memories"] if memory["conversation_id"] in conversations)
    named = _of_conversations(entries)
    rows = json.loads(sql(f"SELECT coalesce(json_agg(message_id), '[]') FROM messages WHERE {named}"))  # noqa: S608 - ids
    return Stored(messages, memories, Counter(rows), unremembered)


def _of_conversations(entries: Iterable[Entry]) -> str:
    return f"conversation_id = ANY ('{{{','.join({entry.conversation for entry in entries})}}}')"


def discrepancies(entries: Iterable[Entry], stored: Stored) -> list[str]:
    """Where what is stored is not what was told; empty when every promise was kept.

    A message without a reply may be stored: "the message is kept". It is remembered once it has one.
    """
    entries = list(entries)
    found = [f"{entry.words}: told {entry.wrong}" for entry in entries if entry.wrong]
    found += [f"{stored.unremembered} turns still wait for the memory"] if stored.unremembered else []
    shown = Counter(message["message_id"] for message in stored.messages)
    found += [f"{one}: shown {shown[one]} times, stored {stored.rows[one]}" for one in shown | stored.rows
              if not shown[one] == stored.rows[one] == 1]  # fmt: skip
    said: dict[str, list[dict[str, Any]]] = {}
    replies: dict[str, list[dict[str, Any]]] = {}
    for message in stored.messages:
        mine = message["sender"] == "user"
        (said if mine else replies).setdefault(message["content" if mine else "user_message_id"], []).append(message)
    for entry in entries:
        found += _of_message(entry, said.pop(entry.words, []), replies)
    found += [f"{words}: stored and never sent" for words in said]
    found += _of_memory(stored, replies)
    return found


def _of_message(entry: Entry, said: list[dict[str, Any]], replies: dict[str, list[dict[str, Any]]]) -> list[str]:
    outcomes = [told for told, _ in entry.told]
    answers = [reply for message in said for reply in replies.get(message["message_id"], [])]
    if len(said) > 1 or len(answers) > 1:
        return [f"{entry.words}: stored {len(said)} times, with {len(answers)} replies"]
    if not entry.reply:
        only_refused = said and outcomes and set(outcomes) == {Told.REFUSED}
        return [f"{entry.words}: refused and yet stored"] if only_refused else []
    if not said:
        return [f"{entry.words}: answered and lost"]
    if answers != [entry.reply]:
        return [f"{entry.words}: answered {entry.reply}, stored {answers}"]
    return []


def _of_memory(stored: Stored, replies: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The words of these tests are short: a message is one passage, without blanks around it."""
    due = {message["message_id"]: message["content"] for message in stored.messages
           if message["sender"] == "ai" or message["message_id"] in replies}  # fmt: skip
    kept: dict[str, list[str]] = {}
    for memory in stored.memories:
        kept.setdefault(memory["message_id"], []).append(memory["content"])
    found = [f"{words}: remembered {len(kept.get(one, []))} times" for one, words in due.items()
             if kept.get(one) != [words.strip()]]  # fmt: skip
    return found + [f"{one}: remembered without a turn" for one in kept if one not in due]
