"""Questions that make a prompt of a certain length, as the language model itself counts it."""

import itertools
import json
import random
import ssl
import tomllib
from urllib.request import Request, urlopen

from tests.support.inside import environment_of
from tests.support.running import ROOT, Sanctum

WORDS = "I would like to learn how people who teach nurses found their first students and what they wish they knew"


def prompt_tokens(question: str, sanctum: Sanctum) -> int:
    """How many tokens Gem's whole prompt for ``question`` has, with neither memories nor earlier turns."""
    ai_core = environment_of("ai_core", sanctum)
    gem = tomllib.loads((ROOT / "services/ai_core/ai_core/personas/gem.toml").read_text())["prompt"]
    messages = [{"role": "system", "content": gem}, {"role": "user", "content": question}]
    request = Request(  # noqa: S310 - https
        ai_core["MODEL_URL"] + "/chat/completions",
        json.dumps({"messages": messages, "max_tokens": 1}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {ai_core['MODEL_API_KEY']}"},
    )
    trusted = ssl.create_default_context(cafile=ai_core["MODEL_CA_FILE"])
    with urlopen(request, context=trusted) as answer:  # noqa: S310 - https
        return json.load(answer)["usage"]["prompt_tokens"]


def words_for(tokens: int, sanctum: Sanctum) -> int:
    """How many of ``WORDS`` make a prompt of ``tokens`` tokens."""
    return next(n for n in itertools.count(100, 5) if prompt_tokens(question(n), sanctum) >= tokens)


def question(words: int) -> str:
    """A question that was never asked before, so that the model finds nothing of it in its cache."""
    return " ".join(random.choice(WORDS.split()) for _ in range(words))  # noqa: S311 - no secret
