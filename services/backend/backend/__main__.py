"""``python -m backend``: serves the public API until it is told to stop."""

import gc

gc.disable()  # until it serves: what is loaded stays, and to look for what does not takes a fifth of the start

from chassis.server import serve
from chassis.settings import read_settings

from backend.app import build
from backend.settings import Settings


def main() -> None:
    """Run the service to its end."""
    settings = read_settings(Settings)
    serve(build(settings), settings, trusted_proxies=settings.trusted_proxies)


if __name__ == "__main__":
    main()
