"""Whatever the backend, or who passes for it, sends to the AI core, it answers as its OpenAPI document says."""

from pathlib import Path

from tests.ai_core.conftest import Files, Process
from tests.fuzz.fuzzing import Api, fuzz
from tests.support.openai_server import OpenAIServer


def test_hundreds_of_calls_are_answered_as_documented(
    core: Process, files: Files, words_key: Path, model: OpenAIServer, tmp_path: Path
) -> None:
    client = files.client, files.client_key
    api = Api(core.url, files.ca, core.log, "tests.fuzz.ai_core_hooks", client=client, key_file=words_key)
    outcome = fuzz(api, tmp_path, examples=20)
    assert outcome.passed, outcome.output
    assert outcome.calls >= 300
    assert len(model.requests) >= 3, "replies were refused"
