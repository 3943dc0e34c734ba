"""What is remembered of people, in words: sealed before it is stored, found again, opened, forgotten.

Two ways to search, with the same results:

* ``sealed``: all of a person's vectors are fetched as cells, opened and compared here. The store can read nothing but
  times, senders, ids and lengths.
* ``knn``: vectors are stored in the clear as well, and the store compares them. Words are sealed all the same, but a
  vector can be turned back into most of them (Morris et al., "Text Embeddings Reveal (Almost) As Much As Text", 2023:
  92 % of texts of 32 tokens word for word): whoever reads the store then reads, in effect, what was said.

Times and senders are not sealed: whoever can change the store can change those unseen, but no word.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.sealing.cells import PersonKey

from ai_core.memory.embedder import Embedder, Embedding
from ai_core.memory.opened import OpenedVectors
from ai_core.memory.ranking import CANDIDATES, Candidate, rank
from ai_core.memory.records import opened, opened_vectors, sealed
from ai_core.memory.renewal import renew
from ai_core.memory.store import Memory, MemoryStore, Position
from ai_core.memory.vectors import Vectors, collect, pack

Search = Literal["sealed", "knn"]

_FORM = 1
"""Goes up with each change of how words or vectors are kept, a new embedding model among them."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some memories, oldest first, and where the page after them begins."""

    memories: list[Memory]
    next: Position | None


class Memories:
    """The memories of all people; a person's words only for who brings that person's key.

    Whatever asks the store raises what its ``unavailable`` handler answers with 503 while it cannot be reached.

    Args:
        store: Where they are; closed with this.
        embedder: Makes the vectors.
        search: How they are compared.
        most: Memories a person: above that, the AI's oldest go first, and then the person's oldest.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        store: MemoryStore,
        embedder: Embedder,
        *,
        search: Search,
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._in_the_clear = search == "knn"
        self._most = most
        self._opened = OpenedVectors(clock)
        # Only one of each at a time waits for the embedder, which then takes turns: however much is to be remembered a
        # question waits for one turn only, and however much is asked, as much is remembered.
        self._remembering, self._asking = asyncio.Lock(), asyncio.Lock()

    @property
    def format(self) -> int:
        """The number of the form that ``remember`` and ``renew`` keep memories in.

        Another number, larger or smaller, is another form: a person's memories are then to be renewed.
        """
        return 2 * _FORM + self._in_the_clear

    async def remember(self, key: PersonKey, user_id: UUID, conversation_id: UUID, memories: Sequence[Memory]) -> None:
        """Keep memories of one conversation; those kept before stay as they are.

        Raises:
            Forgotten: the person or the conversation was forgotten. Then nothing is kept, however late the call.
        """
        async with self._remembering:
            embeddings = await self._embedder.embed([memory.content for memory in memories])
        records = [
            sealed(key, memory, embedding, in_the_clear=self._in_the_clear)
            for memory, embedding in zip(memories, embeddings, strict=True)
        ]
        removed = True  # or who knows what
        try:
            await self._store.remember(user_id, conversation_id, records)
            removed = bool(records and await self._store.trim(user_id, self._most))
        finally:
            if removed:
                self._opened.forget(user_id)
        if not removed:
            self._opened.add(user_id, collect([record.memory_id for record in records], map(pack, embeddings)))

    async def recall(self, key: PersonKey, user_id: UUID, question: str, now: datetime) -> list[Memory]:
        """What is remembered that has to do with ``question``, as ``ranking`` has it, most useful first."""
        async with self._asking:
            (embedding,) = await self._embedder.embed([question])
        if self._in_the_clear:
            nearest = await self._store.nearest(user_id, embedding, CANDIDATES)
        else:
            vectors = await self._vectors(key, user_id)
            nearest = await asyncio.to_thread(vectors.nearest, embedding, CANDIDATES)
        return rank(await self._candidates(key, user_id, embedding, nearest), now) if nearest else []

    async def page(self, key: PersonKey, user_id: UUID, limit: int, after: Position | None) -> Page:
        """The person's memories in the order of their positions, ``limit`` at most."""
        records = await self._store.page(user_id, limit + 1, after)
        last = records[limit - 1] if len(records) > limit else None
        memories = await asyncio.to_thread(opened, key, user_id, records[:limit])
        return Page(memories, (last.created_at, last.memory_id) if last else None)

    async def renew(self, key: PersonKey, user_id: UUID) -> int:
        """Bring what an earlier version stored to this version's form, in place; how many that were.

        May be broken off and run again, and while others remember and forget.
        """
        try:
            return await renew(self._store, self._embedder, key, user_id, in_the_clear=self._in_the_clear)
        finally:
            self._opened.forget(user_id)

    async def forget(self, user_id: UUID, memory_id: UUID) -> bool:
        """Forget one memory, for good; whether the person had it."""
        try:
            return await self._store.forget(user_id, memory_id)
        finally:
            self._opened.forget(user_id)

    async def forget_user(self, user_id: UUID) -> None:
        """Forget a person, for good."""
        try:
            await self._store.forget_user(user_id)
        finally:
            self._opened.forget(user_id)

    async def forget_conversation(self, user_id: UUID, conversation_id: UUID) -> None:
        """Forget a conversation, for good."""
        try:
            await self._store.forget_conversation(user_id, conversation_id)
        finally:
            self._opened.forget(user_id)

    async def check(self) -> None:
        """Return when the store answers, raise when it does not."""
        await self._store.check()

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()

    async def _vectors(self, key: PersonKey, user_id: UUID) -> Vectors:
        vectors = self._opened.get(key, user_id)
        if vectors is None:
            with self._opened.fetching(key, user_id) as keep:
                cells = await self._store.vectors(user_id)
                vectors = await asyncio.to_thread(opened_vectors, key, user_id, cells)
                keep(vectors)
        return vectors

    async def _candidates(
        self, key: PersonKey, user_id: UUID, question: Embedding, nearest: Sequence[UUID]
    ) -> list[Candidate]:
        """Their words are read from the store each time: what was forgotten meanwhile, anywhere, is not there."""
        records = await self._store.read(user_id, nearest)
        vectors = opened_vectors(key, user_id, [(r.memory_id, r.vector) for r in records if r.vector])
        found = {memory.memory_id: memory for memory in opened(key, user_id, records)}
        return [
            Candidate(found[memory_id], vector, float(vector @ question))
            for memory_id, vector in vectors.unpacked()
            if memory_id in found
        ]
