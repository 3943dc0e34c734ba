"""Keeps the process as small as what it holds."""

import ctypes

_M_MMAP_THRESHOLD = -3
_BYTES = 128 * 1024


def return_large_blocks() -> None:
    """Make the C library give large blocks back to the system as soon as they are freed.

    glibc stops doing so once a large block was freed (mallopt(3), M_MMAP_THRESHOLD): after loading the embedding model
    it would keep 100 MB for nothing. Does nothing with a C library that has no such knob.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _BYTES)
