"""What OpenSearch says when it does not start, as one sentence with what to do."""

import re
from pathlib import Path

from local.failure import Failure

_REASONS = (
    (
        r"No space left on device|Disk quota exceeded",
        "The disk that holds {folder} is full: free some space and start again.",
    ),
    (
        r"Address already in use",
        "A port on which OpenSearch was to listen is in use: start again to take another.",
    ),
    (
        r"failed to obtain node locks",
        "Another OpenSearch runs on {folder}, or its account may not write there: end it, or give the folder to it.",
    ),
    (
        r"Could not reserve enough space|insufficient memory for the Java Runtime|OutOfMemoryError",
        "OpenSearch gets too little memory from this machine, for it takes 1 GB: end other programs and start again.",
    ),
    (
        r"\nLikely root cause: ([^\n]+)",
        "OpenSearch cannot run on the data in {folder} ({0}): put back a good copy, or remove them to start with none.",
    ),
    (r"([^\n]+)\s*$", "OpenSearch cannot be started on {folder} ({0}): mend that and start again."),
)


def explain(output: str, folder: Path) -> Failure:
    """The reason why OpenSearch, which works in ``folder``, ended, from what it wrote."""
    for pattern, sentence in _REASONS:
        if found := re.search(pattern, output):
            return Failure(sentence.format(*found.groups(), folder=folder))
    return Failure(f"OpenSearch cannot be started on {folder} and says nothing: start again.")
