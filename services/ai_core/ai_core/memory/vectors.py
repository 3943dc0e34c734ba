"""A person's vectors in this process's memory: small, quick to search through, and as bytes to be sealed.

Each is rounded to 8 bits with a scale of its own: a quarter of the size, and the order of what is near hardly changes
(``docs/decisions/0018-sealed-search.md``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ai_core.memory.embedder import DIMENSIONS, Embedding

EMBEDDING = 1
"""The number of this version's embedding model and rounding: vectors of another one cannot be compared with its own."""

_LAYOUT = np.dtype([("embedding", "u1"), ("scale", "<f4"), ("values", "i1", (DIMENSIONS,))])
_LARGEST = 127
_BLOCK = 512
"""Vectors that are compared at a time: as float32 they take 768 KiB, which stays in a core's cache."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors and the memories that they are of."""

    ids: list[UUID]
    packed: NDArray[np.void]

    @property
    def nbytes(self) -> int:
        """About what this takes; an id is an object of 100 bytes."""
        return self.packed.nbytes + 100 * len(self.ids)

    def with_others(self, others: "Vectors") -> "Vectors":
        """These, and those of ``others`` that are not among them."""
        known = set(self.ids)
        new = [number for number, memory_id in enumerate(others.ids) if memory_id not in known]
        ids = [*self.ids, *(others.ids[number] for number in new)]
        return Vectors(ids, np.concatenate([self.packed, others.packed[new]]))

    def nearest(self, question: Embedding, most: int) -> list[UUID]:
        """The ids of the ``most`` nearest to ``question`` by cosine, nearest first."""
        similarities = self._similarities(question)
        if len(similarities) > most:
            near = np.argpartition(similarities, -most)[-most:]
        else:
            near = np.arange(len(similarities))
        return [self.ids[number] for number in near[np.argsort(-similarities[near])]]

    def unpacked(self) -> Iterator[tuple[UUID, Embedding]]:
        """Each memory with its vector."""
        return zip(self.ids, self.packed["values"] * self.packed["scale"][:, np.newaxis], strict=True)

    def _similarities(self, question: Embedding) -> NDArray[np.float32]:
        values: NDArray[np.int8] = self.packed["values"]
        products = np.empty(len(values), np.float32)
        for start in range(0, len(values), _BLOCK):
            products[start : start + _BLOCK] = values[start : start + _BLOCK].astype(np.float32) @ question
        return products * self.packed["scale"]


def pack(embedding: Embedding) -> bytes:
    """The bytes of a vector."""
    packed = np.zeros(1, _LAYOUT)
    scale = np.abs(embedding).max() / _LARGEST
    packed["embedding"], packed["scale"], packed["values"] = EMBEDDING, scale, np.rint(embedding / scale)
    return packed.tobytes()


def is_current(packed: bytes) -> bool:
    """Whether these are the bytes of a vector of this version's embedding."""
    return len(packed) == _LAYOUT.itemsize and packed[0] == EMBEDDING


def unpack(packed: bytes) -> Embedding:
    """What ``pack`` made these bytes of, as near as they can tell."""
    (vector,) = np.frombuffer(packed, _LAYOUT)
    return vector["values"].astype(np.float32) * vector["scale"]


def collect(ids: list[UUID], packed: Iterable[bytes]) -> Vectors:
    """Vectors of this version's embedding, to be searched together."""
    return Vectors(ids, np.frombuffer(b"".join(packed), _LAYOUT))
