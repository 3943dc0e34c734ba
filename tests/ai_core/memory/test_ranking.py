"""What is given to the model of what was found, and in what order: each rule by itself."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from ai_core.memory.corrections import Words
from ai_core.memory.embedder import DIMENSIONS
from ai_core.memory.ranking import LEAST_SIMILARITY, Candidate, rank
from ai_core.memory.store import NEAREST, Memory, Sender

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """Words of ``day``; ``alike`` is their cosine to whatever else is about the same ``topic`` with 1."""

    words: str
    day: int
    similarity: float = 0.5
    topic: int = 0
    alike: float = 1.0
    sender: Sender = "user"
    message: UUID | None = None


def found(*everything: Said) -> list[Candidate]:
    return [
        Candidate(
            Memory(
                memory_id=UUID(int=number),
                conversation_id=uuid4(),
                message_id=said.message or uuid4(),
                sender=said.sender,
                content=said.words,
                created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=said.day),
            ),
            _vector(said),
            said.similarity,
        )
        for number, said in enumerate(everything)
    ]


def given(*everything: Said) -> list[str]:
    return [memory.content for memory in rank(found(*everything), NOW)]


def _vector(said: Said) -> np.ndarray:
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[2 * said.topic : 2 * said.topic + 2] = said.alike, math.sqrt(1 - said.alike**2)
    return vector


def apart(*words: str, first: float = 0.9) -> list[Said]:
    """Things that have nothing to do with each other, each less relevant than the one before."""
    return [Said(text, 0, first - 0.05 * number, topic=number) for number, text in enumerate(words)]


def test_nothing_found_is_nothing_given() -> None:
    assert given() == []


def test_the_most_relevant_comes_first_and_no_more_than_a_prompt_takes() -> None:
    things = apart(*(f"thing {number}" for number in range(NEAREST + 3)))
    assert given(*things[::-1]) == [said.words for said in things[:NEAREST]]


def test_what_has_nothing_to_do_with_the_question_is_not_given() -> None:
    assert given(Said("far", 0, LEAST_SIMILARITY - 0.01), Said("near", 0, LEAST_SIMILARITY, topic=1)) == ["near"]


def test_of_what_is_as_relevant_the_newer_comes_first() -> None:
    assert given(Said("in January", 0, topic=1), Said("in May", 140, topic=2)) == ["in May", "in January"]


def test_relevance_counts_more_than_age() -> None:
    assert given(Said("near", 0, 0.55, topic=1), Said("new", 150, 0.5, topic=2)) == ["near", "new"]


def test_a_person_s_words_come_before_as_relevant_ones_of_the_ai() -> None:
    told, own = Said("You might try.", 3, topic=1, sender="ai"), Said("I tried.", 3, topic=2)
    assert given(told, own) == ["I tried.", "You might try."]


def test_a_retelling_comes_after_what_it_retells() -> None:
    own = Said("My interview is in Hull.", 0, 0.4)
    retold = Said("So it is in Hull that they want to see you!", 0, 0.8, alike=0.7, sender="ai")
    assert given(own, retold) == [own.words, retold.words]
    elsewhere = Said(retold.words, 0, 0.8, topic=1, sender="ai")
    assert given(own, elsewhere) == [retold.words, own.words]


def test_of_what_is_repeated_the_newest_stands_as_relevant_as_any_of_them() -> None:
    times = [
        Said("I can't bear the noise at school.", 0, 0.8),
        Said("The noise at school, I can't bear it.", 9, 0.6, alike=0.9),
        Said("I can't bear it, the noise at school!", 5, 0.7, alike=0.95),
    ]
    assert given(*times, Said("I teach.", 3, 0.75, topic=1)) == [times[1].words, "I teach."]


@pytest.mark.parametrize(("older", "newer"), [
    ("I was a nurse in Lyon.", "I was a nurse in Paris."),
    ("I earned 41,000 there.", "I earned 48,000 there."),
    ("The shop opens on Monday.", "The shop opens on Thursday."),
    ("My brother is ill again.", "My sister is ill again."),
    ("My cousin Anna paints houses beside the river.", "My cousin Lena paints houses beside the river."),
])  # fmt: skip
def test_what_only_sounds_alike_is_not_taken_for_a_repetition(older: str, newer: str) -> None:
    assert sorted(given(Said(older, 0), Said(newer, 1, alike=0.9))) == sorted([older, newer])


def test_what_sounds_alike_does_not_fill_what_is_given() -> None:
    firms = ["Alba", "Bern", "Cern", "Delo", "Esso", "Fiat", "Gore", "Hugo", "Ikea", "Jura"]
    alike = [Said(f"I applied to {firm}.", day, 0.8) for day, firm in enumerate(firms)]
    others = [Said("I am a baker.", 2, 0.3, topic=1), Said("I live in Hull.", 3, 0.25, topic=2)]
    assert {said.words for said in others} <= set(given(*alike, *others))


def test_of_what_sounds_alike_the_less_relevant_comes_last() -> None:
    asked_for, alike = Said("I was a nurse in Lyon.", 0, 0.9), Said("I was a nurse in Paris.", 1, 0.5, alike=0.9)
    assert given(asked_for, alike, Said("I bake.", 0, 0.3, topic=1)) == [asked_for.words, "I bake.", alike.words]


def test_the_ai_s_repetition_takes_no_words_of_a_person_away() -> None:
    own, again = Said("Noise is what tires you.", 0, 0.5), Said("Noise is what tires you.", 1, 0.9, sender="ai")
    assert [memory.sender for memory in rank(found(own, again), NOW)] == ["user", "ai"]


OLD = "My interview at the mill is on the 12th of April."
TAKEN_BACK = [
    "Actually my interview is on the 14th, not the 12th.",
    "The interview isn’t on the 12th of April, it is on the 14th.",
    "I said the 12th, the interview is on the 14th.",
    "Forget the 12th, the interview was moved to the 14th.",
    "It's the 14th rather than the 12th for the interview.",
    "The interview is no longer on the 12th but on the 14th.",
    "the interview’s on the 14th and not 12 April",
]


@pytest.mark.parametrize("correction", TAKEN_BACK)
def test_what_a_person_takes_back_is_not_given(correction: str) -> None:
    assert given(Said(OLD, 0, 0.9), Said(correction, 1, 0.3, alike=0.55)) == [correction]


@pytest.mark.parametrize("correction", TAKEN_BACK)
def test_a_longer_passage_that_has_more_in_it_comes_after_its_correction(correction: str) -> None:
    older = f"{OLD} They make paper, and I would need a car."
    assert given(Said(older, 0, 0.9), Said(correction, 1, 0.3, alike=0.3)) == [correction, older]


def test_so_do_the_words_of_the_ai_that_repeat_what_was_wrong() -> None:
    retold = Said("Good luck with the interview on the 12th!", 0, 0.9, sender="ai")
    assert given(retold, Said(TAKEN_BACK[0], 1, 0.4, alike=0.4)) == [TAKEN_BACK[0], retold.words]


@pytest.mark.parametrize("other", [
    "Not the 12th: the dentist is on the 13th.",  # not about the same
    "The interview is not on the 1st or so.",  # no value of it
    "They've postponed the dentist.",
    "My interview at the mill: I look forward to it.",
])  # fmt: skip
def test_another_matter_is_left_as_it_is(other: str) -> None:
    assert given(Said(OLD, 0, 0.9), Said(other, 1, 0.7, alike=0.3)) == [OLD, other]


def test_only_what_was_said_before_is_corrected() -> None:
    later = Said(OLD, 5, 0.9)
    assert given(Said(TAKEN_BACK[0], 1, 0.3, alike=0.55), later) == [OLD, TAKEN_BACK[0]]


@pytest.mark.parametrize("words", [TAKEN_BACK[0], "They have postponed it."])
def test_the_ai_corrects_nobody(words: str) -> None:
    told = Said(words, 1, 0.3, alike=0.55, sender="ai")
    assert given(Said(OLD, 0, 0.9), told, Said("I bake.", 0, 0.6, topic=1)) == [OLD, "I bake.", words]


@pytest.mark.parametrize("correction", [
    "I had that wrong: the interview, it's the 14th.",
    "I misread the letter about the interview, 14th.",
    "Correction: interview on the 14th.",
])  # fmt: skip
def test_a_mistake_about_a_value_takes_the_place_of_what_is_the_same_matter(correction: str) -> None:
    assert given(Said(OLD, 0, 0.9), Said(correction, 1, 0.3, alike=0.65)) == [correction]
    assert given(Said(OLD, 0, 0.9), Said(correction, 1, 0.3, alike=0.5)) == [correction, OLD]


def test_a_mistake_about_something_else_takes_nothing_away() -> None:
    older, correction = "Marek does it.", "I was wrong about Marek, Ola does."
    assert given(Said(older, 0, 0.9), Said(correction, 1, 0.3, alike=0.65)) == [correction, older]


@pytest.mark.parametrize("change", [
    "They've postponed it, we'll see when.",
    "I no longer work there.",
    "It turns out that Ola does it.",
])  # fmt: skip
def test_what_has_changed_comes_after_the_change(change: str) -> None:
    older = "Marek does it, I work there."
    assert given(Said(older, 0, 0.9), Said(change, 1, 0.3, alike=0.48)) == [change, older]


def test_of_states_of_the_same_the_newest_comes_first_if_it_is_about_as_relevant() -> None:
    then, now = "I am at a bank in Leeds.", "These days I bake in York."
    assert given(Said(then, 0, 0.55), Said(now, 90, 0.5, alike=0.55)) == [now, then]
    assert given(Said(then, 0, 0.75), Said(now, 90, 0.5, alike=0.55)) == [then, now]
    advice = Said("A bakery would suit you.", 0, 0.57, sender="ai")
    assert given(advice, Said(now, 90, 0.5, alike=0.55)) == [advice.words, now]


def test_passages_of_one_message_do_not_replace_each_other() -> None:
    message = uuid4()
    first, second = Said(OLD, 0, 0.9, message=message), Said(TAKEN_BACK[0], 0, 0.3, alike=0.55, message=message)
    assert given(first, second) == [OLD, TAKEN_BACK[0]]


def test_who_forgets_the_correction_has_the_corrected_back() -> None:
    old, correction = found(Said(OLD, 0, 0.9), Said(TAKEN_BACK[0], 1, 0.3, alike=0.55))
    assert rank([old, correction], NOW) == [correction.memory]
    assert rank([old], NOW) == [old.memory]


def test_the_order_in_which_they_were_found_does_not_matter() -> None:
    candidates = found(*apart(*"abcdef"), Said(OLD, 0, 0.8), Said(TAKEN_BACK[0], 1, 0.3), Said("x", 7, 0.6, topic=3))
    expected = rank(candidates, NOW)
    for first in range(len(candidates)):
        assert rank([*candidates[first:], *candidates[:first]][::-1], NOW) == expected


@pytest.mark.parametrize("year", [1, 9999])
def test_any_time_can_be_ranked(year: int) -> None:
    (candidate,) = found(Said("Long ago or far ahead.", 0))
    memory = candidate.memory.model_copy(update={"created_at": datetime(year, 6, 1, tzinfo=UTC)})
    assert rank([Candidate(memory, candidate.vector, 0.5)], NOW) == [memory]


@pytest.mark.parametrize(("words", "denied"), [
    ("not the 12th", [{"12"}]),
    ("It won't be June 1st.", [{"1", "june"}]),
    ("neither on Monday nor on Tuesday", [{"monday"}, {"tuesday"}]),
    ("It is not at 10:30, and not 3,000 either.", [{"10:30"}, {"3,000"}]),
    ("I can't lift more than ten kilos.", []),
    ("I do not know. The 12th, perhaps.", []),
    ("nothing on the 12th", []),
    ("", []),
])  # fmt: skip
def test_what_is_denied(words: str, denied: list[set[str]]) -> None:
    assert Words(words).denied() == denied
