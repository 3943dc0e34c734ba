"""How a message's words are stored."""

import pytest
from backend.seal import open_sealed, seal


@pytest.mark.parametrize("content", ["", "plain", "größer \N{GRINNING FACE}", "\x00"])
def test_what_was_sealed_is_opened(content: str) -> None:
    stored = seal(content)
    assert stored[0] == 0
    assert open_sealed(stored) == content


@pytest.mark.parametrize("stored", [b"", b"\x01sealed by a later version", b"no first byte"])
def test_what_cannot_be_read_is_not_guessed(stored: bytes) -> None:
    with pytest.raises(ValueError, match="unknown format"):
        open_sealed(stored)
