"""What PostgreSQL says when it does not start, as one sentence with what to do."""

import re
from pathlib import Path

from local.failure import Failure

_PACKAGES = {
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "liblz4.so.1": "liblz4-1",
    "liblzma.so.5": "liblzma5",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "libzstd.so.1": "libzstd1",
}
"""Packages on Debian and Ubuntu for the libraries that are not unpacked with PostgreSQL."""

_REASONS = (
    (
        r"(?:loading shared libraries|Library not loaded): ([^\s:]+)",
        "PostgreSQL needs the system library {0}: install {package}.",
    ),
    (
        r"No space left on device|Disk quota exceeded",
        "The disk that holds {data} is full: free some space and start again.",
    ),
    (
        r"Address already in use",
        "The port on which PostgreSQL was to listen is in use: start again to take another.",
    ),
    (
        r'lock file "postmaster.pid" already exists|pre-existing shared memory block',
        "Another PostgreSQL runs on {data}: end it (its process id is the first line of postmaster.pid there).",
    ),
    (
        r"could not (?:map anonymous|create) shared memory",
        "PostgreSQL gets too little memory from this machine: end other programs and start again.",
    ),
    (
        r"(?:FATAL|PANIC|postgres): +(.+)",
        "PostgreSQL cannot run on the data in {data} ({0}): put back a good copy, or remove them to start with none.",
    ),
    (r"([^\n]+)\s*$", "PostgreSQL cannot be started on {data} ({0}): mend that and start again."),
)


def explain(output: str, data: Path) -> Failure:
    """The reason why a program of PostgreSQL that works on ``data`` ended, from what it wrote."""
    for pattern, sentence in _REASONS:
        if found := re.search(pattern, output):
            package = _PACKAGES.get(found[1] if found.groups() else "", "the package that holds it")
            return Failure(sentence.format(*found.groups(), data=data, package=package))
    return Failure(f"PostgreSQL cannot be started on {data} and says nothing: start again.")
