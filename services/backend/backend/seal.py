"""How a message's words are stored: bytes whose first one tells how the rest is to be read.

Only the repositories call this pair, so that sealing changes no other line.
"""

_PLAIN = b"\x00"


def seal(content: str) -> bytes:
    """The bytes to store."""
    return _PLAIN + content.encode()


def open_sealed(stored: bytes) -> str:
    """The words that were stored.

    Raises:
        ValueError: they were stored in a way this version does not know.
    """
    if stored[:1] != _PLAIN:
        raise ValueError("stored content has an unknown format")
    return stored[1:].decode()
