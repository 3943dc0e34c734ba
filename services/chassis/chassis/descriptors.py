"""How many files and connections a process may have open."""

import resource

WANTED = 16_384
"""Each open stream takes two: to its reader and to the AI core."""


def raise_limit() -> None:
    """Raise this process's own (soft) limit, often 1,024, towards ``WANTED``, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
