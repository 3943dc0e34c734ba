"""A backend of its own to be fuzzed: the real process and database, its AI core scripted, its limits out of the way."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local.postgres import Postgres
from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.process import Backend, Certificates
from tests.fuzz.fuzzing import Api

_SETTINGS = {
    "settings.access_token_seconds": "3600",
    "settings.sign_in_failures_per_account": "1000000",
    "settings.sign_in_failures_per_address": "1000000",
}


def api_of(backend: Backend) -> Api:
    """``backend`` as it is fuzzed."""
    return Api(backend.url, backend.ca, backend.log, "tests.fuzz.backend_hooks")


@contextmanager
def running(postgres: Postgres, folder: Path) -> Generator[Backend]:
    """The backend until the end of the block; what it writes goes into ``folder``."""
    certificates = Certificates.make(folder)
    with AiCoreStandIn(certificates.ai_core_tls()) as ai_core:
        backend = Backend(postgres, certificates, ai_core.port, "fuzzed", _SETTINGS)
        backend.prepare()
        with backend:
            yield backend
