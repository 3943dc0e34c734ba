"""A known vector, as a search for it in what a store keeps has to look: whole or in parts, as numbers or as text."""

import json
from collections.abc import Iterator

import numpy as np
from ai_core.memory.embedder import Embedding
from ai_core.memory.vectors import pack

from tests.support.canaries import encodings

_STEP = 150
"""Components from one part that is searched for to the next; a file may keep a vector in pieces."""
_FLOATS, _BYTES, _NUMBERS = 8, 16, 3
"""Components of a part: as floats, as rounded to 8 bits, as text."""


def forms_of(embedding: Embedding) -> dict[str, set[bytes]]:
    """What parts of ``embedding`` look like, by the name of the form."""
    values = pack(embedding)[5:]
    starts = range(0, len(embedding), _STEP)
    kinds = {
        "float32": [embedding[at : at + _FLOATS].astype("<f4").tobytes() for at in starts],
        "float32, the other way round": [embedding[at : at + _FLOATS].astype(">f4").tobytes() for at in starts],
        "int8": [values[at : at + _BYTES] for at in starts],
    }
    forms = {
        f"{kind}, {name}": {form for part in parts for form in encodings(part)[name]}
        for kind, parts in kinds.items()
        for name in ("raw", "hex", "base64")
    }
    texts = [text.encode() for at in starts for text in _texts(embedding[at : at + _NUMBERS])]
    return forms | {"text": set(texts)}


def _texts(part: Embedding) -> Iterator[str]:
    """As PostgreSQL writes them, and as JSON does."""
    shortest = ",".join(np.format_float_positional(value, trim="-") for value in part)
    for separator in (",", ", "):
        yield json.dumps(part.tolist())[1:-1].replace(", ", separator)
    yield shortest
