"""What the memory promises on every store, searched in either way (``ai_core.memory.memories.Memories``)."""

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from ai_core.memory import memories as module
from ai_core.memory.embedder import Embedder
from ai_core.memory.memories import Memories
from ai_core.memory.ranking import CANDIDATES, Candidate
from ai_core.memory.store import NEAREST, Forgotten, Memory, MemoryStore

from tests.ai_core.memory.conftest import MOST, NOON, Raw, Somebody, Way, everything, somebody

pytestmark = pytest.mark.anyio
LATER = NOON + timedelta(days=1)


async def remember(memories: Memories, person: Somebody, *said: Memory) -> None:
    """Memories of one conversation."""
    conversation = said[0].conversation_id if said else person.conversation_id
    await memories.remember(person.key, person.user_id, conversation, said)


async def recall(memories: Memories, person: Somebody, question: str) -> list[Memory]:
    return await memories.recall(person.key, person.user_id, question, LATER)


async def test_what_is_remembered_is_found_as_it_was(memories: Memories) -> None:
    person = somebody()
    kept = person.said("Grüße 👋🏽 \u202e\n and 'quotes' \\ %s")
    await remember(memories, person, kept)
    assert await recall(memories, person, kept.content) == [kept]
    assert await everything(memories, person) == [kept]


async def test_meaning_finds_other_words(memories: Memories) -> None:
    person = somebody()
    said = ["I was laid off from my nursing job in March.", "I love hiking.", "I want to become a data engineer."]
    await remember(memories, person, *map(person.said, said))
    found = await recall(memories, person, "How do I tell them that I lost my work at the hospital?")
    assert [memory.content for memory in found] == said[:1]


async def test_nobody_finds_what_another_said(memories: Memories) -> None:
    alice, mallory = somebody(), somebody()
    kept = alice.said("I was laid off from my nursing job.")
    await remember(memories, alice, kept)
    for key in (mallory.key, alice.key):
        assert await memories.recall(key, mallory.user_id, kept.content, LATER) == []
        assert (await memories.page(key, mallory.user_id, 10, None)).memories == []
    await memories.forget_conversation(mallory.user_id, kept.conversation_id)
    assert not await memories.forget(mallory.user_id, kept.memory_id)
    assert await memories.renew(mallory.key, mallory.user_id) == 0
    await memories.forget_user(mallory.user_id)
    assert await everything(memories, alice) == [kept]
    assert await recall(memories, alice, kept.content) == [kept]


async def test_another_s_key_opens_nothing(memories: Memories) -> None:
    alice, mallory = somebody(), somebody()
    kept = alice.said("I was laid off from my nursing job.")
    await remember(memories, alice, kept)
    for _ in range(2):
        assert await memories.recall(mallory.key, alice.user_id, kept.content, LATER) == []
        assert (await memories.page(mallory.key, alice.user_id, 10, None)).memories == []
        assert await recall(memories, alice, kept.content) == [kept]


async def test_a_search_is_exact_among_other_people(
    memories: Memories, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearer memories of others never push out one's own: the trap of an approximate index with a filter."""
    question = "What should I ask for when they offer me the job?"
    for _ in range(3):
        other = somebody()
        await remember(memories, other, *(other.said(question, minute=minute) for minute in range(MOST)))
    person = somebody()
    said = [person.said(f"{what} {number}.") for number in range(5) for what in TOPICS]
    assert CANDIDATES < len(said) <= MOST
    await remember(memories, person, *said)
    given: list[Candidate] = []

    def rank(candidates: list[Candidate], _: datetime) -> list[Memory]:
        given.extend(candidates)
        return []

    monkeypatch.setattr(module, "rank", rank)
    await recall(memories, person, question)
    (asked,) = await embedder.embed([question])
    vectors = await embedder.embed([memory.content for memory in said])
    order = sorted(range(len(said)), key=lambda number: -float(vectors[number] @ asked))
    assert {candidate.memory.memory_id for candidate in given} == {said[n].memory_id for n in order[:CANDIDATES]}
    for candidate in given:
        number = said.index(candidate.memory)
        assert candidate.similarity == pytest.approx(float(vectors[number] @ asked), abs=0.01)
        assert float(candidate.vector @ vectors[number]) == pytest.approx(1, abs=0.001)


TOPICS = (
    "I would ask for a higher salary",
    "My sister lives in Lyon",
    "The offer came by e-mail on day",
    "I have worked night shifts for years",
    "They want me to relocate to office",
    "I failed the driving test",
    "A colleague got a bonus of",
)


async def test_what_has_nothing_to_do_with_the_question_is_not_found(memories: Memories) -> None:
    person = somebody()
    await remember(memories, person, person.said("I love hiking in the mountains."))
    assert await recall(memories, person, "How do I negotiate a salary?") == []


async def test_no_more_are_found_than_a_prompt_takes(memories: Memories) -> None:
    person = somebody()
    said = [f"I want a better salary because of reason {number}." for number in range(NEAREST + 4)]
    await remember(memories, person, *map(person.said, said))
    assert len(await recall(memories, person, "Why do I want a better salary?")) <= NEAREST


async def test_remembering_twice_remembers_once(memories: Memories) -> None:
    person = somebody()
    first, second = person.said(minute=1), person.said(minute=2)
    await remember(memories, person, first)
    await asyncio.gather(*(remember(memories, person, first, second) for _ in range(4)))
    assert await everything(memories, person) == [first, second]


async def test_nothing_to_remember_is_fine(memories: Memories) -> None:
    person = somebody()
    await remember(memories, person)
    assert await everything(memories, person) == []
    assert await recall(memories, person, "words") == []


async def test_what_was_just_said_is_found_at_once(memories: Memories) -> None:
    """A question before had the person's vectors opened and kept."""
    person = somebody()
    first, second = person.said("I work as a nurse."), person.said("I was a nurse in Lyon.")
    assert await recall(memories, person, "Where was I a nurse?") == []
    for kept in ([first], [first, second]):
        await remember(memories, person, kept[-1])
        found = await recall(memories, person, "Where was I a nurse?")
        assert {memory.memory_id for memory in found} == {memory.memory_id for memory in kept}


async def test_what_another_process_remembers_is_found_within_a_minute_and_what_it_forgets_at_once_not(
    store: MemoryStore, memories: Memories, embedder: Embedder, way: Way
) -> None:
    now = 0.0
    here = Memories(store, embedder, search=way.search, most=MOST, clock=lambda: now)
    person = somebody()
    first, second = person.said("I work as a nurse."), person.said("I was a nurse in Lyon.")
    await remember(here, person, first)
    assert await recall(here, person, "nurse") == [first]
    await remember(memories, person, second)
    await memories.forget(person.user_id, first.memory_id)
    assert first not in await recall(here, person, "nurse")
    now = 60.0
    assert await recall(here, person, "nurse") == [second]


async def test_pages_hold_everything_once_in_order(memories: Memories) -> None:
    person = somebody()
    kept = [person.said(minute=minute) for minute in (5, 1, 2, 3, 3, 3, 3, 3)]
    await remember(memories, person, *kept)
    for limit in (1, 2, 4, 8, 9):
        read: list[Memory] = []
        after = None
        while True:
            page = await memories.page(person.key, person.user_id, limit, after)
            assert 0 < len(page.memories) <= limit
            read += page.memories
            after = page.next
            if after is None:
                break
        assert read == sorted(kept, key=lambda memory: (memory.created_at, memory.memory_id))


async def test_above_the_cap_the_ai_s_oldest_go_first_and_then_the_person_s(memories: Memories) -> None:
    person = somebody()
    said = [person.said(f"I say {n}.", minute=n) for n in range(MOST - 2)]
    told = [person.said(f"I hear you {n}.", minute=100 + n, sender="ai") for n in range(3)]
    await remember(memories, person, *said, *told)
    assert await everything(memories, person) == [*said, *told[1:]]
    more = [person.said(f"And {n}.", minute=200 + n) for n in range(5)]
    await remember(memories, person, more[0])
    assert await everything(memories, person) == [*said, told[2], more[0]]
    await remember(memories, person, *more[1:4])
    assert await everything(memories, person) == [*said[2:], *more[:4]]
    assert said[0] not in await recall(memories, person, said[0].content)
    await remember(memories, person, more[4])
    assert await everything(memories, person) == [*said[3:], *more]


async def test_a_forgotten_memory_is_gone_for_good_and_only_that(memories: Memories) -> None:
    person = somebody()
    lost, kept = person.said("I was a nurse in Lyon."), person.said("I was a nurse in Paris.")
    await remember(memories, person, lost, kept)
    assert len(await recall(memories, person, "nurse")) == 2
    assert await memories.forget(person.user_id, lost.memory_id)
    for _ in range(2):
        assert await recall(memories, person, "nurse") == [kept]
        assert await everything(memories, person) == [kept]
        assert not await memories.forget(person.user_id, lost.memory_id)
        await remember(memories, person, lost, kept)
    assert not await memories.forget(person.user_id, uuid4())


async def test_a_forgotten_conversation_is_gone_for_good_and_only_that(memories: Memories) -> None:
    person, other = somebody(), uuid4()
    lost, kept = person.said("I was a nurse in Lyon."), person.said("I was a nurse in Paris.", conversation=other)
    await remember(memories, person, lost)
    await remember(memories, person, kept)
    for _ in range(2):
        await memories.forget_conversation(person.user_id, person.conversation_id)
        assert await recall(memories, person, "nurse") == [kept]
        assert await everything(memories, person) == [kept]
    with pytest.raises(Forgotten):
        await remember(memories, person, lost)
    assert await everything(memories, person) == [kept]


async def test_a_forgotten_person_is_gone_for_good(memories: Memories, raw: Raw) -> None:
    person = somebody()
    single = person.said("I was a nurse in Rome.")
    await remember(memories, person, single, person.said("I was a nurse in Lyon."))
    await memories.forget(person.user_id, single.memory_id)
    for _ in range(2):
        await memories.forget_user(person.user_id)
        assert await everything(memories, person) == []
        assert await recall(memories, person, "nurse") == []
        assert await raw.dump(person.user_id) == b""
    for late in (person.conversation_id, uuid4()):
        with pytest.raises(Forgotten):
            await remember(memories, person, person.said(conversation=late))
    assert await everything(memories, person) == []


async def test_who_was_never_known_can_be_forgotten_beforehand(memories: Memories) -> None:
    person = somebody()
    await memories.forget_conversation(person.user_id, person.conversation_id)
    with pytest.raises(Forgotten):
        await remember(memories, person, person.said())


@pytest.mark.parametrize("what", ["person", "conversation", "memory"])
async def test_remembering_never_outruns_forgetting(memories: Memories, what: str) -> None:
    for _ in range(5):
        person = somebody()
        lost = person.said("I was a nurse in Lyon.")
        if what == "memory":
            await remember(memories, person, lost)
            forget = memories.forget(person.user_id, lost.memory_id)
        elif what == "person":
            forget = memories.forget_user(person.user_id)
        else:
            forget = memories.forget_conversation(person.user_id, person.conversation_id)
        writes = (remember(memories, person, lost) for _ in range(6))
        reads = (recall(memories, person, "nurse") for _ in range(2))
        outcomes = await asyncio.gather(*writes, *reads, forget, return_exceptions=True)
        wrong = [o for o in outcomes if isinstance(o, BaseException) and not isinstance(o, Forgotten)]
        assert wrong == []
        assert await everything(memories, person) == []
        assert await recall(memories, person, "nurse") == []


async def test_a_store_that_answers_passes_its_check(memories: Memories) -> None:
    await memories.check()
