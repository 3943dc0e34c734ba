"""Which name servers the internet knows for a domain."""

import shutil
import subprocess

SECONDS = 10


def public_name_servers(domain: str) -> set[str] | None:
    """Their names without the last dot; ``None`` where this machine has no ``dig``, or it gets no answer."""
    dig = shutil.which("dig")
    if dig is None:
        return None
    command = [dig, "+short", "+time=3", "+tries=2", "NS", domain]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603  # a domain from validated settings
    except subprocess.TimeoutExpired:
        return None
    if answer.returncode != 0:
        return None
    return {line.strip().rstrip(".").lower() for line in answer.stdout.splitlines() if not line.startswith(";")}
