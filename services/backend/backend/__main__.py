"""``python -m backend``: serves the public API until it is told to stop."""

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
