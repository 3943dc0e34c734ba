"""A backend by itself, one worker pinned to a core, with PostgreSQL and everything else on the other."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from local.certificates import Authority
from local.postgres import Postgres
from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.process import Backend, Certificates

MEASURED, OTHERS = 1, 0
"""The core of what is measured, and that of all else."""


@contextmanager
def on_core(core: int) -> Generator[None]:
    """What is started inside runs on this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def backend_alone(settings: Mapping[str, str] | None = None) -> Generator[tuple[Backend, AiCoreStandIn]]:
    """The production entry point with a real PostgreSQL; its AI core answers at once. ``settings`` as ``Backend``'s."""
    with (
        TemporaryDirectory() as folder,
        on_core(OTHERS),
        Postgres(Path(folder, "postgres"), Authority("Benchmark"), durable=False) as postgres,
    ):
        certificates = Certificates.make(Path(folder))
        with AiCoreStandIn(certificates.ai_core_tls()) as ai_core:
            backend = Backend(postgres, certificates, ai_core.port, "benchmark", settings or {})
            backend.prepare()
            with on_core(MEASURED):
                backend.start()
            try:
                yield backend, ai_core
            finally:
                backend.stop()
