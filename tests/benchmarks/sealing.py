"""What sealing adds to a message: processor time of this process, so that it depends on no neighbour.

The services' own code does what it does for a message, once with cells and once with the same bytes unsealed.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import numpy as np
from ai_core.memory.ranking import CANDIDATES
from ai_core.memory.records import opened, opened_vectors, sealed
from ai_core.memory.store import Memory, Record
from backend.messages.service import HISTORY_TURNS
from backend.messages.words import Words
from chassis.sealing.cells import Field, PersonKey
from typing_extensions import override

from tests.benchmarks.figures import report

CHARACTERS = 400
"""Of a message, whoever wrote it; some 100 tokens."""
ROUNDS = 200
MEMORIES = 1000
"""Of a person whose vectors are not known still."""


class Unsealed(PersonKey):
    """A key that leaves everything as it is: what remains is not sealing."""

    @override
    def seal(self, field: Field, row_id: UUID, plain: bytes) -> bytes:
        """``plain``."""
        return plain

    @override
    def open(self, field: Field, row_id: UUID, cell: bytes) -> bytes:
        """``cell``."""
        return cell


def report_sealing() -> None:
    """What it costs one message in both services."""
    in_backend, in_ai_core = milliseconds_a_message(), _added(_remembering_and_recalling)
    report("sealing a message, in both services", in_backend + in_ai_core, "ms", at_most=1)
    report("  of it in backend, all cells of the longest history", in_backend, "ms")
    report(f"  of it in ai_core, {CANDIDATES} memories opened and two sealed", in_ai_core, "ms")
    report(f"  and once a minute, {MEMORIES} memories' vectors opened", _added(_opening_vectors), "ms")


def _added(work: Callable[[PersonKey], Callable[[], object]]) -> float:
    """Milliseconds that a key makes ``work`` take longer."""
    user_id, data_key = uuid4(), os.urandom(32)
    with_key, without = (_milliseconds(work(kind(user_id, data_key))) for kind in (PersonKey, Unsealed))
    return with_key - without


def _milliseconds(work: Callable[[], object]) -> float:
    work()
    begun = time.process_time()
    for _ in range(ROUNDS):
        work()
    return (time.process_time() - begun) / ROUNDS * 1000


def _memory() -> Memory:
    return Memory(
        memory_id=uuid4(), conversation_id=uuid4(), message_id=uuid4(), sender="user", content="x" * CHARACTERS,
        created_at=datetime.now(UTC),
    )  # fmt: skip


def _records(key: PersonKey, number: int) -> list[Record]:
    vectors = np.random.default_rng(0).standard_normal((number, 384), np.float32)
    return [sealed(key, _memory(), vector, in_the_clear=False) for vector in vectors]


def _remembering_and_recalling(key: PersonKey) -> Callable[[], object]:
    """What ai_core does for a message whose vectors are known still."""
    user_id, found, turn = uuid4(), _records(key, CANDIDATES), (_memory(), _memory())
    vector = np.ones(384, np.float32)

    def work() -> None:
        opened(key, user_id, found)
        opened_vectors(key, user_id, [(one.memory_id, one.vector) for one in found if one.vector])
        for memory in turn:
            sealed(key, memory, vector, in_the_clear=False)

    return work


def _opening_vectors(key: PersonKey) -> Callable[[], object]:
    cells = [(one.memory_id, one.vector) for one in _records(key, MEMORIES) if one.vector]
    return lambda: opened_vectors(key, uuid4(), cells)


def milliseconds_a_message() -> float:
    """Processor time of all cells of one message in a long conversation: what was said and its reply are sealed, the
    longest history is opened, and the turn is opened once more for the memory."""
    user_id = uuid4()
    words = Words(user_id, PersonKey(user_id, os.urandom(32)), plain_too=False)
    history = [(uuid4(), "x" * CHARACTERS) for _ in range(HISTORY_TURNS)]
    stored = [(message_id, words.seal(message_id, content)) for message_id, content in history]
    begun = time.process_time()
    for _ in range(ROUNDS):
        _message(words, stored)
    return (time.process_time() - begun) / ROUNDS * 1000


def _message(words: Words, stored: list[tuple[UUID, bytes]]) -> None:
    turn = [(message_id, words.seal(message_id, "y" * CHARACTERS)) for message_id in (uuid4(), uuid4())]
    for message_id, cell in (*stored, *turn):
        words.open(message_id, cell)
