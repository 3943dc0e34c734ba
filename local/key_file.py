"""The key file: what AWS KMS is in the cloud. Everybody's data keys are wrapped with it, so it is made once and kept.

No backup of the database holds it; without it nothing that people said can be read again.
"""

import os
from pathlib import Path

from local import files

BYTES = 32


def keep(path: Path) -> None:
    """Make it where there is none; only its owner may read it."""
    if not path.exists():
        files.write(path, os.urandom(BYTES))
