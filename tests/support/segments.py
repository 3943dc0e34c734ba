"""What is in the files of an OpenSearch, unpacked: else not even what was stored plainly may be found in them."""

import subprocess
from pathlib import Path

from local.opensearch_binaries import install, java

PROGRAM = Path(__file__).parent / "Segments.java"


def segments(data: Path) -> bytes:
    """All stored fields, columns and terms of the indices below ``data``, as they were last committed."""
    installation = install()
    jars = f"{installation}/lib/*:{installation}/plugins/opensearch-knn/*"
    command = [str(java()), "-cp", jars, str(PROGRAM), str(data)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120).stdout
