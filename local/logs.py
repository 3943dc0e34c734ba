"""Log files that stay small."""

import shutil
from pathlib import Path

LIMIT_BYTES = 10_000_000


def rotate(path: Path, limit: int = LIMIT_BYTES) -> None:
    """Move what ``path`` holds to ``path``.1 when it is longer than ``limit`` bytes.

    Whoever has it open to append goes on writing to it, so the content is copied and not renamed.
    """
    if path.exists() and path.stat().st_size > limit:
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        with path.open("r+b") as file:
            file.truncate()
