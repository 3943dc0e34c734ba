"""What the emulated Bedrock hands on is what the small model streams, piece by piece."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.llama import Llama
from rehearsal.plugin.converse import BrokenOff, events, last_words, question

ASKED: dict[str, Any] = {
    "system": [{"text": "You are a sailor."}],
    "messages": [{"role": "user", "content": [{"text": "Tell me about"}, {"text": "the sea"}]}],
    "inferenceConfig": {"maxTokens": 8},
}


def _line(chunk: Any) -> bytes:
    return f"data: {json.dumps(chunk)}\n".encode()


def _piece(text: str | None, reason: str | None = None) -> bytes:
    return _line({"choices": [{"delta": {"content": text}, "finish_reason": reason}]})


USAGE = _line({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
DONE = b"data: [DONE]\n"


def test_a_reply_of_the_real_model_has_all_its_pieces_and_counts_its_tokens() -> None:
    lines: list[bytes] = []

    def on_chunk(chunk: Any) -> bool:
        lines.extend((_line(chunk), b"\n"))
        return False

    Llama().stream(question(ASKED), on_chunk)
    kinds, payloads = zip(*events([*lines, DONE]), strict=True)
    pieces = [payload["delta"]["text"] for payload in payloads if "delta" in payload]
    assert kinds == (
        "messageStart",
        *["contentBlockDelta"] * len(pieces),
        "contentBlockStop",
        "messageStop",
        "metadata",
    )
    assert "".join(pieces).strip()
    assert payloads[-2] == {"stopReason": "max_tokens"}
    assert payloads[-1]["usage"]["outputTokens"] == ASKED["inferenceConfig"]["maxTokens"]


def test_a_piece_waits_for_none_that_comes_after_it() -> None:
    given: list[str] = []

    def lines() -> Iterator[bytes]:
        for text in ("a", "b"):
            given.append(text)
            yield _piece(text)

    handed_on = events(lines())
    assert next(handed_on)[0] == "messageStart"
    assert given == []
    assert next(handed_on)[1]["delta"] == {"text": "a"}
    assert given == ["a"]


@pytest.mark.parametrize(
    "lines",
    [
        [_piece("a")],
        [_piece("a"), _piece(None, "stop"), USAGE],
        [_piece("a"), USAGE, DONE],
        [_piece("a"), _line({"error": {"code": 500}}), _piece(None, "stop"), USAGE, DONE],
    ],
    ids=["cut off", "without its last line", "without a reason", "with an error"],
)
def test_a_reply_that_breaks_off_is_never_said_to_have_stopped(lines: list[bytes]) -> None:
    handed_on: list[str] = []
    with pytest.raises(BrokenOff):
        handed_on.extend(kind for kind, _ in events(lines))
    assert handed_on[:2] == ["messageStart", "contentBlockDelta"]
    assert "messageStop" not in handed_on


def test_the_model_is_asked_all_that_bedrock_is_asked_or_nothing() -> None:
    asked = question(ASKED)
    assert asked["messages"] == [
        {"role": "system", "content": "You are a sailor."},
        {"role": "user", "content": "Tell me about\nthe sea"},
    ]
    assert (asked["max_tokens"], asked["stream"]) == (8, True)
    assert last_words(ASKED) == "Tell me about\nthe sea"
    with pytest.raises(ValueError, match="guardrailConfig, temperature"):
        question(ASKED | {"guardrailConfig": {}, "inferenceConfig": {"maxTokens": 8, "temperature": 1}})
