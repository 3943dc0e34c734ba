"""A reply as ConverseStream has it (Amazon Bedrock API reference), of what an OpenAI-compatible model streams."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

Json = dict[str, Any]
Event = tuple[str, Json]
"""Type and payload."""
_STOPPED = {"stop": "end_turn", "length": "max_tokens"}


class BrokenOff(Exception):
    """The model ended before its reply did."""


def question(asked: Json) -> Json:
    """What the model is asked, in its words.

    Raises:
        ValueError: it holds something that would be dropped.
    """
    inference = asked.get("inferenceConfig", {})
    if unknown := (asked.keys() - {"messages", "system", "inferenceConfig"}) | (inference.keys() - {"maxTokens"}):
        raise ValueError(f"nobody passes on {', '.join(sorted(unknown))}")
    turns = [{"role": "system", "content": _text(asked["system"])}] if asked.get("system") else []
    turns += [{"role": turn["role"], "content": _text(turn["content"])} for turn in asked["messages"]]
    limit = {"max_tokens": inference["maxTokens"]} if inference else {}
    return {"messages": turns, "stream": True, "stream_options": {"include_usage": True}, **limit}


def last_words(asked: Json) -> str:
    """What the model is to reply to."""
    return _text(asked["messages"][-1]["content"])


def events(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events of a reply, each as soon as the line that it is made of is there.

    Args:
        lines: What the model sends: server-sent events.

    Raises:
        BrokenOff: it sends an error, or no end.
    """
    began = time.monotonic()
    yield "messageStart", {"role": "assistant"}
    reason, usage = None, None
    for chunk in _chunks(lines):
        for choice in chunk["choices"]:
            if text := choice["delta"].get("content"):
                yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}
            reason = choice["finish_reason"] or reason
        usage = chunk.get("usage") or usage
    if reason is None or usage is None:
        raise BrokenOff("the model says neither why it ended nor how much it wrote")
    yield "contentBlockStop", {"contentBlockIndex": 0}
    yield "messageStop", {"stopReason": _STOPPED[reason]}
    counted = {"inputTokens": "prompt_tokens", "outputTokens": "completion_tokens", "totalTokens": "total_tokens"}
    took = {"latencyMs": round((time.monotonic() - began) * 1000)}
    yield "metadata", {"usage": {name: usage[theirs] for name, theirs in counted.items()}, "metrics": took}


def _chunks(lines: Iterable[bytes]) -> Iterator[Json]:
    for line in lines:
        said = line.strip().removeprefix(b"data: ")
        if said == b"[DONE]":
            return
        if said:
            chunk = json.loads(said)
            if "error" in chunk:
                raise BrokenOff(str(chunk["error"]))
            yield chunk
    raise BrokenOff("the model's connection ended")


def _text(blocks: list[Json]) -> str:
    return "\n".join(block["text"] for block in blocks)
