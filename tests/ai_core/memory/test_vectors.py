"""Vectors in 8 bits find what exact ones find."""

from uuid import UUID, uuid4

import numpy as np
import pytest
from ai_core.memory.embedder import DIMENSIONS, Embedding
from ai_core.memory.vectors import EMBEDDING, collect, is_current, pack, unpack
from numpy.typing import NDArray


def some(count: int, seed: int = 7) -> NDArray[np.float32]:
    """Vectors of length 1 in clusters, as those of one person's topics are."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((12, DIMENSIONS), dtype=np.float32)
    made = centres[random.integers(0, 12, count)] + 0.7 * random.standard_normal((count, DIMENSIONS), dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def ids(count: int) -> list[UUID]:
    return [UUID(int=number) for number in range(count)]


def test_a_vector_is_nearly_the_same_after_packing_and_exactly_after_packing_it_again() -> None:
    for vector in some(50):
        again = unpack(pack(vector))
        assert float(again @ vector) / float(np.linalg.norm(again)) > 0.9995
        assert pack(again) == pack(vector)
        assert is_current(pack(vector))


@pytest.mark.parametrize("other", [b"", b"\x00" * 389, bytes([EMBEDDING]), bytes([EMBEDDING + 1]) + b"\x00" * 388])
def test_other_bytes_are_no_vector_of_this_version(other: bytes) -> None:
    assert not is_current(other)


@pytest.mark.parametrize("count", [1, 8, 511, 512, 513, 3000])
def test_what_is_nearest_is_found_in_order(count: int) -> None:
    made = some(count)
    vectors = collect(ids(count), map(pack, made))
    hits = 0
    for question in some(20, seed=8):
        found = [number.int for number in vectors.nearest(question, 8)]
        exact = np.argsort(-(made @ question))[:8]
        hits += len({*found} & {*exact.tolist()})
        similarities = [float(made[number] @ question) for number in found]
        assert len(found) == min(8, count)
        assert similarities == pytest.approx(sorted(similarities, reverse=True), abs=0.004)
    assert hits / (20 * min(8, count)) > 0.98


def test_of_no_vectors_none_is_nearest() -> None:
    assert collect([], []).nearest(some(1)[0], 8) == []
    assert list(collect([], []).unpacked()) == []


def test_others_are_added_once() -> None:
    made = some(4)
    vectors = collect(ids(3), map(pack, made[:3]))
    both = vectors.with_others(collect(ids(4)[2:], map(pack, made[2:])))
    assert both.ids == ids(4)
    unpacked: list[Embedding] = [vector for _, vector in both.unpacked()]
    assert np.stack(unpacked) == pytest.approx(made, abs=0.002)


def test_the_size_is_told() -> None:
    vectors = collect([uuid4() for _ in range(100)], map(pack, some(100)))
    assert 100 * 389 < vectors.nbytes < 100 * 600
