"""Starts the service: ``python -m ai_core``."""

import gc
import os

gc.disable()  # until it serves: what is loaded stays, and to look for what does not takes a fifth of the start
# A vector search is over before a second thread would help, and threads that wait for work keep processors busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from chassis.server import serve
from chassis.settings import read_settings

from ai_core.app import build
from ai_core.heap import return_large_blocks
from ai_core.settings import Settings


def main() -> None:
    """Serve until SIGTERM.

    Raises:
        SystemExit: a setting is missing or wrong.
    """
    return_large_blocks()
    settings = read_settings(Settings)
    serve(build(settings), settings, client_ca_file=settings.client_ca_file)


if __name__ == "__main__":
    main()
