"""What sealing adds to a message in the backend: processor time of this process, so that it depends on no neighbour."""

import os
import time
from uuid import UUID, uuid4

from backend.messages.service import HISTORY_TURNS
from backend.messages.words import Words
from chassis.sealing.cells import PersonKey

CHARACTERS = 400
"""Of a message, whoever wrote it; some 100 tokens."""
ROUNDS = 200


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
