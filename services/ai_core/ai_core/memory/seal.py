"""How a person's words are written into a store: the first byte says how the rest is to be read."""

_PLAIN = b"\x00"


def seal(content: str) -> bytes:
    """The bytes that are stored for ``content``."""
    return _PLAIN + content.encode()


def open_sealed(stored: bytes) -> str:
    """The content of what ``seal`` made.

    Raises:
        ValueError: the first byte is not known.
    """
    if stored[:1] != _PLAIN:
        raise ValueError("stored content of an unknown kind")
    return stored[1:].decode()
