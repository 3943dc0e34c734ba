"""The embedding model computes in int8 and gives the vectors it was made for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_core.memory.embedder import load_tokenizer, model_path
from ai_core.memory.int8 import compute_in_int8
from ai_core.memory.onnx import runtime
from numpy.typing import NDArray

TEXTS = ("?", "ok", "What should I say in interview number 7?", "日本語で働きたい", "I was laid off. " * 40)


def plain_session(model: bytes) -> Any:
    """A session of ONNX Runtime, as it is without any option."""
    return runtime().InferenceSession(model, providers=["CPUExecutionProvider"])


def loaded_bytes(model: bytes, folder: Path) -> int:
    """How much ONNX Runtime keeps of a model that it has loaded."""
    options = runtime().SessionOptions()
    options.optimized_model_filepath = str(folder / "loaded.onnx")
    options.log_severity_level = 3  # it warns that what it writes is for this machine
    runtime().InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return (folder / "loaded.onnx").stat().st_size


def vector(session: Any, tokens: list[int]) -> NDArray[np.float64]:
    """What the model makes of a text, with length 1."""
    ids = np.array([tokens], dtype=np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    total = session.run(None, inputs)[0][0].sum(axis=0, dtype=np.float64)
    return total / np.linalg.norm(total)


@pytest.fixture(scope="module")
def stored() -> bytes:
    """The model as it is in its package."""
    return model_path().read_bytes()


def test_vectors_are_close_to_those_of_the_exact_model(stored: bytes) -> None:
    exact, quick, tokenizer = plain_session(stored), plain_session(compute_in_int8(stored)), load_tokenizer()
    for text in TEXTS:
        tokens = tokenizer.encode(text).ids
        assert vector(exact, tokens) @ vector(quick, tokens) >= 0.99


def test_every_product_with_stored_weights_is_computed_from_them(stored: bytes) -> None:
    layers, products_a_layer = 6, 6
    assert compute_in_int8(stored).count(b"MatMulNBits") == layers * products_a_layer


def test_no_table_is_kept_in_a_larger_form_than_it_is_stored_in(stored: bytes, tmp_path: Path) -> None:
    assert loaded_bytes(compute_in_int8(stored), tmp_path) < 1.1 * len(stored)
