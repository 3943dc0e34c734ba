"""A conversation with the real, small language model; nothing depends on its wording."""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.support.inside import environment_of
from tests.support.person import Person, assert_problem
from tests.support.running import ROOT, Sanctum, running


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sanctum]:
    """Sanctum as a newcomer starts it."""
    with running(tmp_path_factory.mktemp("real")) as started:
        yield started


def test_gem_answers_token_by_token(real: Sanctum) -> None:
    person = Person(real.url, real.ca).register()
    conversation = person.converse("Gem")
    events = list(person.stream(conversation, "I am a nurse and would like to teach. Where do I begin?"))
    assert sum(event["type"] == "delta" for event in events) > 5
    assert events[-1]["type"] == "message"
    assert person.history(conversation)[-1] == events[-1]["message"]
    person.http.close()


def test_a_whole_life_passes_the_smoke_test(real: Sanctum, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.smoke", real.url, "--ca", str(real.ca), "--notes", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=130)
    assert done.returncode == 0, done.stdout


def test_one_person_cannot_take_all_that_the_model_answers_at_a_time(real: Sanctum) -> None:
    greedy, other = (Person(real.url, real.ca).register() for _ in range(2))
    first, second = greedy.converse(), greedy.converse()
    events = greedy.stream(first, "Tell me all that you know of teaching.")
    next(events)
    assert_problem(greedy.say(second, "And of nursing."), 429)
    assert other.say(other.converse(), "Where do I begin?").status_code == 200
    assert list(events)[-1]["type"] == "message"
    for person in (greedy, other):
        person.http.close()


def test_the_model_answers_nobody_without_its_key(real: Sanctum) -> None:
    ai_core = environment_of("ai_core", real)
    request = Request(ai_core["MODEL_URL"] + "/chat/completions", b"{}", {"Content-Type": "application/json"})  # noqa: S310 - https
    with pytest.raises(HTTPError) as refused:
        urlopen(request, timeout=5, context=ssl.create_default_context(cafile=ai_core["MODEL_CA_FILE"]))  # noqa: S310 - https
    assert refused.value.code == 401
    refused.value.close()
