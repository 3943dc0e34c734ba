"""ONNX Runtime, typed: the package has no types of its own."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ai_core.memory.int8 import compute_in_int8

Run = Callable[[dict[str, NDArray[np.int64]]], NDArray[np.float32]]
"""Runs a model: its inputs by name to its first output."""


def runtime() -> Any:
    """The package, which tells nobody of its use.

    By itself it tells Microsoft, and marks the machine with an id in the home folder; its ``Privacy.md`` names the
    variable that has to be there before it is imported.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    return import_module("onnxruntime")


def load(path: Path) -> Run:
    """The model in a file, run by the calling thread alone, and in int8 where its weights are."""
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # A thread that spins while it waits takes a core from everything else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        compute_in_int8(path.read_bytes()), options, providers=["CPUExecutionProvider"]
    )

    def run(inputs: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        return cast("NDArray[np.float32]", session.run(None, inputs)[0])

    return run
