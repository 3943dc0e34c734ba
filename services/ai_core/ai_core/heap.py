"""Keeps the process as small as what it holds."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BYTES = 1024 * 1024
"""More than the 256 KiB that each read from a TLS connection asks for: from the system they come cleared each time."""


def return_large_blocks() -> None:
    """Make the C library give large blocks back to the system as soon as they are freed.

    glibc stops doing so once a large block was freed (mallopt(3), M_MMAP_THRESHOLD): after loading the embedding model
    it would keep 100 MB for nothing. Does nothing with a C library that has no such knob.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, _BYTES)
        mallopt(_M_TRIM_THRESHOLD, 2 * _BYTES)  # what glibc itself keeps at the top of the heap for such a threshold
