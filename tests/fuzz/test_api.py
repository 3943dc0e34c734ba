"""Whatever is sent to the API, it answers as its OpenAPI document says."""

from tests.backend.process import Backend
from tests.fuzz.fuzzing import calls, fuzz


def test_two_thousand_calls_are_answered_as_documented(fuzzed: Backend) -> None:
    before = calls(fuzzed)
    done = fuzz(fuzzed, examples=250)
    assert done.returncode == 0, done.stdout
    assert calls(fuzzed) - before >= 2_000
