"""An index replaced by the next version's while people search, remember and forget: on the real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from ai_core.memory import opensearch_copy, opensearch_index, opensearch_person, opensearch_switch
from ai_core.memory.embedder import DIMENSIONS, Embedding
from ai_core.memory.opensearch import OpenSearchStore
from ai_core.memory.opensearch_client import OpenSearchClient, Refused, StoreUnavailable
from ai_core.memory.opensearch_copy import Copy
from ai_core.memory.opensearch_index import MAPPINGS, SETTINGS, drop_old, prepare
from ai_core.memory.opensearch_names import block, blocked, filling, in_use, make, versions
from ai_core.memory.records import sealed
from ai_core.memory.store import Forgotten, Record
from chassis.signing import Signer

from tests.ai_core.conftest import REFRESH_INTERVAL
from tests.ai_core.memory.conftest import Somebody, somebody

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("OpenSearch by itself")]
MOST_SECONDS = 120


def vector(seed: int) -> Embedding:
    made = np.random.default_rng(seed).standard_normal(DIMENSIONS)
    return (made / np.linalg.norm(made)).astype(np.float32)


@dataclass
class Versions:
    """What the code takes for its version of an index of these tests' own."""

    alias: str
    patch: pytest.MonkeyPatch

    def use(self, version: int) -> None:
        """As code does that was written with that version."""
        fields: dict[str, Any] = {**MAPPINGS["properties"], "message_id": {"type": "keyword", "index": version > 1}}
        self.patch.setattr(opensearch_index, "INDEX", f"{self.alias}-v{version}")
        self.patch.setattr(opensearch_index, "MAPPINGS", {**MAPPINGS, "properties": fields})
        settings = {**SETTINGS, "refresh_interval": REFRESH_INTERVAL, "number_of_shards": 2 + version}
        self.patch.setattr(opensearch_index, "SETTINGS", settings)


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> Versions:
    """Parts, pages and waits are small, so that there are many of them."""
    alias = f"moving{uuid4().hex[:8]}"
    monkeypatch.setattr(opensearch_index, "ALIAS", alias)
    monkeypatch.setattr(opensearch_person, "ALIAS", alias)
    monkeypatch.setattr(opensearch_person, "SEARCH", f"/{alias}/_search?allow_partial_search_results=false")
    for module, name, value in (
        (opensearch_copy, "PART", 30),
        (opensearch_copy, "_PAGE", 4),
        (opensearch_copy, "BATCH", 5),
        (opensearch_switch, "FEW", 20),
        (opensearch_switch, "MOST_LOOKS", 3),
        (opensearch_switch, "SETTLE_SECONDS", 0.5),
        (opensearch_switch, "_LOOK_SECONDS", 0.1),
    ):
        monkeypatch.setattr(module, name, value)
    versions = Versions(alias, monkeypatch)
    versions.use(1)
    return versions


@pytest.fixture
async def client(opensearch_server: str, signer: Signer, code: Versions) -> AsyncIterator[OpenSearchClient]:
    client = OpenSearchClient(opensearch_server, signer)
    await prepare(client)
    yield client
    for name in await versions(client, code.alias):
        await client.call("DELETE", f"/{name}")
    await client.close()


@pytest.fixture
def store(client: OpenSearchClient) -> OpenSearchStore:
    return OpenSearchStore(client)


async def insisting(act: Callable[[], Awaitable[Any]]) -> Any:
    """As the outbox does: what cannot be done now is done later."""
    async with asyncio.timeout(MOST_SECONDS):
        while True:
            with suppress(StoreUnavailable):
                return await act()
            await asyncio.sleep(0.05)


@dataclass
class Life:
    """What somebody does, and what must be there of them afterwards."""

    store: OpenSearchStore
    number: int
    person: Somebody = field(default_factory=somebody)
    kept: dict[UUID, Record] = field(default_factory=dict[UUID, Record])
    forgotten: dict[UUID, Record] = field(default_factory=dict[UUID, Record])
    gone: bool = False
    searches: int = 0

    async def remember(self) -> None:
        """One memory in a conversation of its own."""
        said = self.person.said(conversation=uuid4())
        record = sealed(self.person.key, said, vector(self.number), in_the_clear=True)
        self.kept[record.memory_id] = record
        await insisting(lambda: self.store.remember(self.person.user_id, record.conversation_id, [record]))

    async def forget_one(self) -> None:
        """The oldest, by itself."""
        record = self._first()
        await insisting(lambda: self.store.forget(self.person.user_id, record.memory_id))

    async def forget_conversation(self) -> None:
        """That of the oldest."""
        record = self._first()
        await insisting(lambda: self.store.forget_conversation(self.person.user_id, record.conversation_id))

    async def trim(self) -> None:
        """All but one, which may be remembered again."""
        left = max(self.kept.values(), key=_place)
        await insisting(lambda: self.store.trim(self.person.user_id, 1))
        self.kept = {left.memory_id: left}

    async def renew(self) -> None:
        """All in another form."""
        for old in list(self.kept.values()):
            new = sealed(self.person.key, self.person.said(), vector(1000 + self.number), in_the_clear=True)
            new = replace(old, content=new.content, vector=new.vector, embedding=new.embedding)
            await insisting(lambda new=new: self.store.replace(self.person.user_id, [new]))
            self.kept[old.memory_id] = new

    async def vanish(self) -> None:
        """Be forgotten altogether."""
        await insisting(lambda: self.store.forget_user(self.person.user_id))
        self.forgotten |= self.kept
        self.kept, self.gone = {}, True

    async def look(self) -> None:
        """Searches and reads, which never fail and show what there is between two of the person's own doings."""
        expected = sorted(self.kept)
        found = await self.store.page(self.person.user_id, 1000, None)
        assert sorted(record.memory_id for record in found) == expected
        assert sorted(each for each, _ in await self.store.vectors(self.person.user_id)) == expected
        assert sorted(await self.store.nearest(self.person.user_id, vector(0), 1000)) == expected
        self.searches += 1

    async def check(self) -> None:
        """All is there once and as it was written, its vector in the clear included; what was forgotten never again."""
        await self.look()
        user = self.person.user_id
        found = await self.store.read(user, list(self.kept))
        assert sorted(found, key=_place) == sorted(self.kept.values(), key=_place)
        for record in self.kept.values():
            assert record.embedding is not None
            assert record.memory_id in await self.store.nearest(user, record.embedding, len(self.kept))
        for record in self.forgotten.values():
            with suppress(Forgotten):
                await self.store.remember(user, record.conversation_id, [record])
        if self.gone:
            with pytest.raises(Forgotten):
                await self.store.remember(user, uuid4(), [])
        await self.look()

    def _first(self) -> Record:
        record = self.kept.pop(min(self.kept))
        self.forgotten[record.memory_id] = record
        return record


def _place(record: Record) -> tuple[Any, UUID]:
    return record.created_at, record.memory_id


async def live(life: Life, stop: asyncio.Event) -> None:
    """Until told to stop: remember two, forget one in one way or another, look."""
    doings = [life.forget_one, life.forget_conversation, life.renew, life.trim]
    turn = life.number
    while not stop.is_set():
        for _ in range(2):
            await life.remember()
            await life.look()
        await doings[turn % len(doings)]()
        await life.look()
        turn += 1
    if life.number % 3 == 0:
        await life.vanish()


async def people(store: OpenSearchStore, number: int, memories: int) -> list[Life]:
    lives = [Life(store, each) for each in range(number)]
    for life in lives:
        await asyncio.gather(*(life.remember() for _ in range(memories)))
    return lives


async def text_of(client: OpenSearchClient, index: str) -> list[Any]:
    """All documents of an index."""
    await client.call("POST", f"/{index}/_refresh")
    _, answer = await client.call(
        "GET", f"/{index}/_search", {"size": 10_000, "docvalue_fields": ["content", "vector"]}
    )
    hits = json.loads(answer)["hits"]["hits"]
    return sorted((hit["_id"], hit["_routing"], hit["_source"], hit.get("fields")) for hit in hits)


async def test_people_go_on_while_the_index_is_replaced(
    client: OpenSearchClient, store: OpenSearchStore, code: Versions
) -> None:
    lives, stop = await people(store, 4, 5), asyncio.Event()
    early = lives[0]
    await early.vanish()
    code.use(2)
    async with asyncio.TaskGroup() as group:
        for life in lives[1:]:
            group.create_task(live(life, stop))
        await asyncio.sleep(0.5)
        before = sum(life.searches for life in lives)
        await prepare(client)
        assert sum(life.searches for life in lives) > before + len(lives)
        await asyncio.sleep(0.5)
        stop.set()
    assert await in_use(client, code.alias) == f"{code.alias}-v2"
    for life in lives:
        await life.check()
    # What was there is still there to look at, and nothing can be written to it.
    assert await blocked(client, f"{code.alias}-v1")
    assert await filling(client, f"{code.alias}-v2") is None


class Killed(BaseException):
    """The process is no more."""


class Mortal(OpenSearchClient):
    """Of a process that lives for ``calls`` requests."""

    calls = 0

    async def _call(
        self, method: str, path: str, body: bytes | None, also: Collection[int], attempts: int
    ) -> tuple[int, bytes]:
        self.calls -= 1
        if self.calls < 0:
            raise Killed
        return await super()._call(method, path, body, also, attempts)


@pytest.fixture
def mortal(opensearch_server: str, signer: Signer) -> Callable[[int], Mortal]:
    """A connection that dies after so many requests."""

    def make(calls: int) -> Mortal:
        made = Mortal(opensearch_server, signer)
        made.calls = calls
        return made

    return make


async def test_a_run_that_is_killed_at_any_step_loses_nothing_and_the_next_goes_on(
    client: OpenSearchClient,
    store: OpenSearchStore,
    code: Versions,
    mortal: Callable[[int], Mortal],
) -> None:
    code.patch.setattr(opensearch_switch, "SETTLE_SECONDS", 0)
    for name in ("PART", "_PAGE", "BATCH"):
        code.patch.setattr(opensearch_copy, name, 1000)
    lives = await people(store, 2, 4)
    steps, done = 0, False
    while not done:
        code.use(2)
        steps += 1
        run = mortal(steps)
        with suppress(Killed):
            await prepare(run)
            done = True
        await run.close()
        for life in lives:
            await life.look()
        if steps % 2 and await in_use(client, code.alias) == f"{code.alias}-v1":
            code.use(1)  # back to the version before, every other time: writes go on
            await prepare(client)
            await lives[0].remember()
            await lives[0].forget_one()
    assert steps > 10
    for life in lives:
        await life.check()


async def test_two_runs_at_once_do_it_once(client: OpenSearchClient, store: OpenSearchStore, code: Versions) -> None:
    lives = await people(store, 3, 10)
    code.use(2)
    await asyncio.gather(*(prepare(client) for _ in range(3)))
    assert await in_use(client, code.alias) == f"{code.alias}-v2"
    await lives[0].remember()
    await prepare(client)
    for life in lives:
        await life.check()


async def test_whose_right_was_taken_writes_nothing_and_moves_nothing(
    client: OpenSearchClient, store: OpenSearchStore, code: Versions
) -> None:
    await people(store, 1, 3)
    old, new = f"{code.alias}-v1", f"{code.alias}-v2"
    await make(client, new, {"mappings": MAPPINGS})
    nobodys = await filling(client, new)
    assert nobodys
    first = await nobodys.taken()
    assert first
    assert await nobodys.taken() is None
    second = await first.taken()
    assert second
    with pytest.raises(Refused):
        await Copy(client, old=old, new=new, writable=first.alias).run(gently=False)
    assert await text_of(client, new) == []
    assert not await first.change({"add": {"index": new, "alias": code.alias}})
    assert await in_use(client, code.alias) == old
    assert await Copy(client, old=old, new=new, writable=second.alias).run(gently=False) == 3
    assert await text_of(client, new) == await text_of(client, old)


async def test_a_block_that_was_left_is_removed_by_the_version_before_and_the_run_that_left_it_can_move_nothing(
    client: OpenSearchClient, store: OpenSearchStore, code: Versions
) -> None:
    (life,) = await people(store, 1, 3)
    old, new = f"{code.alias}-v1", f"{code.alias}-v2"
    await make(client, new, {"mappings": MAPPINGS})
    nobodys = await filling(client, new)
    left = await nobodys.taken() if nobodys else None
    assert left
    await block(client, old)
    record = sealed(life.person.key, life.person.said(), vector(1), in_the_clear=True)
    with pytest.raises(StoreUnavailable):
        await store.remember(life.person.user_id, record.conversation_id, [record])
    await prepare(client)
    await life.remember()
    assert not await left.change({"add": {"index": new, "alias": code.alias}})
    await life.check()


async def test_while_nothing_can_be_written_every_change_is_to_be_tried_again(
    client: OpenSearchClient, store: OpenSearchStore, code: Versions
) -> None:
    (life,) = await people(store, 1, 3)
    user, record = life.person.user_id, next(iter(life.kept.values()))
    await block(client, f"{code.alias}-v1")
    for change in (
        lambda: store.remember(user, uuid4(), [replace(record, memory_id=uuid4())]),
        lambda: store.replace(user, [record]),
        lambda: store.trim(user, 1),
        lambda: store.forget(user, record.memory_id),
        lambda: store.forget_conversation(user, record.conversation_id),
        lambda: store.forget_user(user),
        lambda: opensearch_person.Person(client, user).delete(),
    ):
        with pytest.raises(StoreUnavailable):
            await change()
    await life.check()


async def test_the_index_of_a_later_version_is_left_alone(
    client: OpenSearchClient, store: OpenSearchStore, code: Versions
) -> None:
    (life,) = await people(store, 1, 3)
    code.use(2)
    await prepare(client)
    _, before = await client.call("GET", f"/{code.alias}-v*")
    code.use(1)
    await prepare(client)
    _, after = await client.call("GET", f"/{code.alias}-v*")
    assert before == after
    await life.remember()
    await life.check()


async def test_only_indices_of_versions_before_the_one_in_use_can_be_dropped(
    client: OpenSearchClient, store: OpenSearchStore, code: Versions
) -> None:
    (life,) = await people(store, 1, 3)
    assert await drop_old(client) == 0
    code.use(2)
    await prepare(client)
    await make(client, f"{code.alias}-v3", {})
    assert await drop_old(client) == 1
    assert (await versions(client, code.alias)).keys() == {f"{code.alias}-v2", f"{code.alias}-v3"}
    await life.check()
    await client.call("DELETE", f"/{code.alias}-v2/_alias/{code.alias}")
    with pytest.raises(Refused):
        await drop_old(client)
    assert len(await versions(client, code.alias)) == 2
