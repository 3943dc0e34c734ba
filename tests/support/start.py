"""What a service has once it is loaded, in a process of its own."""

import os
import subprocess
import sys


def once_loaded(service: str, expression: str) -> list[str]:
    """The words of ``expression`` (it may name ``os`` and ``sys``) after the start of ``python -m SERVICE``."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import os, sys, {service}.__main__; print(*{expression})"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return ran.stdout.split()
