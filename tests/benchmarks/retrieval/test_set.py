"""The committed set is what it says, and answers are counted rightly."""

from collections import Counter
from itertools import chain

import pytest

from tests.benchmarks.retrieval.lives import Life, Question, everybody, lives
from tests.benchmarks.retrieval.quality import judge

PEOPLE = everybody()


def test_there_are_enough_of_everything() -> None:
    kinds = Counter(question.kind for life in PEOPLE.values() for question in life.questions)
    assert len(PEOPLE) >= 20
    assert kinds.total() - kinds["nothing"] >= 240
    assert min(kinds.values()) >= 15


def test_the_halves_share_nobody_and_are_about_as_large() -> None:
    tune, report = lives("tune"), lives("report")
    assert {life.who for life in tune}.isdisjoint(life.who for life in report)
    assert len(tune) == len(report) == len(PEOPLE) / 2


def test_nothing_is_written_twice() -> None:
    questions = Counter((life.who, question.ask) for life in PEOPLE.values() for question in life.questions)
    words = Counter(said.words for life in PEOPLE.values() for said, _, _ in life.messages())
    assert max(questions.values()) == 1
    assert max(words.values()) == 1
    assert len({life.user_id for life in PEOPLE.values()}) == len(PEOPLE)


@pytest.mark.parametrize("life", PEOPLE.values(), ids=PEOPLE)
def test_a_life_is_whole(life: Life) -> None:
    messages = life.messages()
    words = {said.id: said.words for said, _, _ in messages}
    assert 25 <= len(words) == len(messages) <= 60
    times = [at for _, _, at in messages]
    assert times == sorted(set(times))
    for question in life.questions:
        answers = [*chain.from_iterable(question.answers)]
        assert bool(answers) == (question.kind != "nothing")
        assert {*answers, *question.stale, *question.holds} <= words.keys()
        assert not {*answers} & {*question.stale}
        assert {*question.holds} <= {*answers}
        for name, part in question.holds.items():
            assert part in words[name]


@pytest.mark.parametrize(("given", "first", "stale_before", "found", "repeats"), [
    (["other", "a", "b", "old"], 2, False, 0.5, 1),
    (["old", "c"], 2, True, 0.5, 0),
    (["old"], None, True, 0.0, 0),
    (["other"], None, False, 0.0, 0),
    ([], None, False, 0.0, 0),
])  # fmt: skip
def test_an_answer_is_judged_by_what_stands_where(
    given: list[str], first: int | None, stale_before: bool, found: float, repeats: int
) -> None:
    question = Question(ask="?", kind="plain", answers=(("a", "b"), ("c",)), stale=("old",))
    answer = judge(question, [(name, "words") for name in given], tokens=7)
    assert (answer.first, answer.stale_before, answer.found, answer.repeats) == (first, stale_before, found, repeats)
    assert answer.stale_given == ("old" in given)
    assert (answer.given, answer.tokens) == (len(given), 7)


def test_only_the_passage_that_holds_the_answer_answers() -> None:
    question = Question(ask="?", kind="buried", answers=(("long",),), holds={"long": "the detail"})
    told = [("long", "its beginning"), ("long", "and the detail")]
    assert judge(question, told, tokens=0).first == 2
    assert judge(question, told[:1], tokens=0).first is None
