"""Whatever is sent to the backend's API, it answers as its OpenAPI document says."""

import pytest

from tests.backend.process import Backend
from tests.fuzz.fuzzing import fuzz
from tests.fuzz.running import api_of
from tests.support import canaries

# Most of what this folder takes; it need not wait for the rest, as a backend of its own starts in seconds.
pytestmark = pytest.mark.xdist_group("fuzz_api")


def test_two_thousand_calls_are_answered_as_documented(fuzzed: Backend) -> None:
    outcome = fuzz(api_of(fuzzed), fuzzed.certificates.folder, examples=250)
    assert outcome.passed, outcome.output
    assert outcome.calls >= 2_000
    # What was said is searched for in the logs of this run.
    assert len([word for word in canaries.words if word.endswith(b" unlike others")]) > 20


def test_the_links_of_the_document_lead_on(fuzzed: Backend) -> None:
    outcome = fuzz(api_of(fuzzed), fuzzed.certificates.folder, examples=700, seed=3, sequences_alone=True)
    assert outcome.passed, outcome.output
    renewed = [link for link, times in outcome.links.items() if link.endswith("/auth/refresh") and times]
    assert len(renewed) == 2, outcome.links
    assert len([link for link, times in outcome.links.items() if times]) >= 12, outcome.links
