"""One message: stored, answered by the AI core, the answer stored, the turn handed to the memory.

The reply is written by a task of its own, so it is finished and stored also when the client has gone away.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid4

from asyncpg import UniqueViolationError
from chassis.direct import Connection, Direct
from chassis.logs import log
from chassis.problems import Problem

from backend.ai_core import AiCore, Question, Unavailable
from backend.limits.allowances import Allowances, refuse_used_up
from backend.limits.at_once import AtOnce
from backend.messages import idempotency, repository
from backend.messages.replies import Writing
from backend.messages.schemas import Reply
from backend.messages.words import Sealing, Words
from backend.outbox import Outbox

HISTORY_TURNS = 40
HISTORY_BYTES = 24_576
"""Within the AI core's bound on a request, whatever characters they are; it trims to what its model takes."""
STORE_PAUSES = (0.5, 1, 2, 4, 8, 0)
"""Seconds after each attempt to store a reply while the database is away."""
CUT_SECONDS = 10
"""How long replies that were cut off have to be stored."""


def no_conversation() -> Problem:
    """The answer to an id that is unknown or another person's: the two cannot be told apart."""
    return Problem(404, "You have no conversation with this id.")


@dataclass(frozen=True)
class _Turn:
    words: Words
    memory_key: bytes = field(repr=False)
    conversation_id: UUID
    user_message_id: UUID
    question: Question
    lease: idempotency.Lease | None

    @property
    def user_id(self) -> UUID:
        return self.words.user_id


class Conversing:
    """Answers messages; one for each process."""

    def __init__(
        self,
        direct: Direct,
        sealing: Sealing,
        ai_core: AiCore,
        memory: Outbox,
        allowances: Allowances,
        *,
        replies_per_person: int,
    ) -> None:
        self._direct = direct
        self._sealing = sealing
        self._ai_core = ai_core
        self._memory = memory
        self._allowances = allowances
        self._writing = AtOnce(replies_per_person)
        self._running: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[Unavailable | None]] = set()

    async def say(self, user_id: UUID, conversation_id: UUID, content: str, key: str | None) -> Writing:
        """Store what a person says and begin to answer it, or find the answer that this key has had.

        Raises:
            Problem: 404 no such conversation; 409 and 422 as ``idempotency.claim``; 429 when that is too much.
        """
        self._writing.begin(user_id)
        try:
            turn = await self._store_message(user_id, conversation_id, content, key)
        except BaseException:
            self._writing.end(user_id)
            raise
        if isinstance(turn, Reply):
            self._writing.end(user_id)
            return Writing.done(turn)
        writing = Writing()
        task = asyncio.create_task(self._answer(turn, writing))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: self._writing.end(user_id))
        return writing

    async def drain(self) -> None:
        """Return when no reply is being written."""
        while self._running:
            await asyncio.wait(self._running)

    async def cut_off(self) -> None:
        """End the replies that are being written where they are; each is stored as interrupted."""
        for task in self._asking:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=CUT_SECONDS)

    async def _store_message(
        self, user_id: UUID, conversation_id: UUID, content: str, key: str | None
    ) -> _Turn | Reply:
        # Before the message is stored, and before anything is locked: either may have to wait for a key.
        words, memory_key = await self._sealing.of(user_id), await self._sealing.keys.memory_key(user_id)
        if key is None:  # only one statement writes: no transaction is needed around it
            question, message_id = await self._store_in(self._direct, words, conversation_id, content, None)
            return _Turn(words, memory_key, conversation_id, message_id, question, None)
        async with self._direct.begin() as connection:
            if await repository.lock_conversation(connection, user_id, conversation_id) is None:
                raise no_conversation()
            claimed = await idempotency.claim(connection, words, conversation_id, key, content)
            if isinstance(claimed, Reply):
                return claimed
            question, message_id = await self._store_in(connection, words, conversation_id, content, claimed)
            return _Turn(words, memory_key, conversation_id, message_id, question, claimed)

    async def _store_in(
        self,
        connection: Connection,
        words: Words,
        conversation_id: UUID,
        content: str,
        lease: idempotency.Lease | None,
    ) -> tuple[Question, UUID]:
        """What is to be asked, and the id of the message."""
        message_id = lease.user_message_id if lease else uuid4()
        if lease is not None and lease.stored:
            persona = await repository.lock_conversation(connection, words.user_id, conversation_id)
            history = await repository.history(
                connection, words, conversation_id, before=message_id, most=HISTORY_TURNS, most_bytes=HISTORY_BYTES
            )
        else:
            allowances = self._allowances.messages
            persona, history = await repository.add_message(
                connection,
                words,
                conversation_id,
                message_id=message_id,
                content=content,
                allowances=allowances,
                most=HISTORY_TURNS,
                most_bytes=HISTORY_BYTES,
            ) or (None, [])
            if persona is None:
                await refuse_used_up(connection, words.user_id, *allowances)
        if persona is None:
            raise no_conversation()
        return Question(user_id=words.user_id, persona=persona, history=history, content=content), message_id

    async def _answer(self, turn: _Turn, writing: Writing) -> None:
        try:
            async with idempotency.held(self._direct, turn.lease):
                outcome = await self._write(turn, writing)
        except Exception as error:  # noqa: BLE001 - followers must learn of an end, whatever it is
            log("reply.failed", "error", error, user_id=turn.user_id)
            outcome = Problem(500, "Something went wrong on our side; your message is kept.")
        # After the lease was given up: who is told to try again must not be told that the first try still runs.
        writing.end(outcome)

    async def _write(self, turn: _Turn, writing: Writing) -> Reply | Problem:
        asking = asyncio.create_task(self._ask(turn, writing))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        await asyncio.wait({asking})
        failure = Unavailable() if asking.cancelled() else asking.result()
        if failure:
            log("reply.broke_off", "warning", failure, user_id=turn.user_id, begun=bool(writing.text))
        if not writing.text:
            headers = {"Retry-After": str((failure or Unavailable()).retry_after)}
            return Problem(503, "No reply can be written now; your message is kept.", headers=headers)
        return await self._store_reply_patiently(turn, writing.text, "interrupted" if failure else "complete")

    async def _ask(self, turn: _Turn, writing: Writing) -> Unavailable | None:
        try:
            async for piece in self._ai_core.reply(turn.question, turn.memory_key):
                writing.add(piece)
        except Unavailable as error:
            return error
        return None

    async def _store_reply_patiently(
        self, turn: _Turn, text: str, status: Literal["complete", "interrupted"]
    ) -> Reply | Problem:
        for pause in STORE_PAUSES:
            try:
                return await self._store_reply(turn, text, status)
            except Exception as error:  # noqa: BLE001 - the database is away: the reply is not to be lost
                log("reply.not_stored", "warning", error, user_id=turn.user_id)
                await asyncio.sleep(pause)
        log("reply.lost", "error", user_id=turn.user_id)
        return Problem(503, "The reply could not be stored; your message is kept.", headers={"Retry-After": "5"})

    async def _store_reply(self, turn: _Turn, text: str, status: Literal["complete", "interrupted"]) -> Reply | Problem:
        try:
            reply = await repository.add_reply(
                self._direct,
                turn.words,
                turn.conversation_id,
                user_message_id=turn.user_message_id,
                content=text,
                status=status,
            )
        except UniqueViolationError:
            # Another process took over the lease of this one, which had fallen silent, and has finished first.
            return await repository.find_reply(self._direct, turn.words, turn.user_message_id) or no_conversation()
        if reply is None:
            return no_conversation()  # deleted meanwhile
        self._memory.wake()
        return reply
