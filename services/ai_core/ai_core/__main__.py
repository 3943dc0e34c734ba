"""Starts the service: ``python -m ai_core``."""

import gc

gc.disable()  # until it serves: what is loaded stays, and to look for what does not takes a fifth of the start

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
