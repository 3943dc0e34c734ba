"""What is left of people's words in what a store keeps: dumps, data files, write-ahead log, whole folders."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ai_core.memory.embedder import Embedding
from ai_core.memory.vectors import pack

from local.postgres import Postgres
from tests.support.backups import dump, dump_unpacked
from tests.support.canaries import encodings

ENCODINGS = ("raw", "hex", "base64")
"""What a control is stored in; the search knows more."""


def remains(places: Mapping[str, bytes], word: str) -> set[tuple[str, str]]:
    """In which place and encoding ``word`` is found."""
    return found(places, encodings(word.encode()))


def found(places: Mapping[str, bytes], forms: Mapping[str, set[bytes]]) -> set[tuple[str, str]]:
    """In which place anything of ``forms`` is found, and its name there."""
    names: dict[bytes, list[str]] = {}
    for place, content in places.items():  # what is there twice is searched once
        names.setdefault(content, []).append(place)
    return {
        (place, name)
        for content, same in names.items()
        for name, some in forms.items()
        if any(form in content for form in some - {b""})
        for place in same
    }


def files(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, by its path in it; one that a server removes meanwhile is left out."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    content: dict[str, bytes] = {}
    for path in paths:
        with suppress(FileNotFoundError):
            content[str(path.relative_to(folder))] = path.read_bytes()
    return content


def dumps(server: Postgres, database: str) -> dict[str, bytes]:
    """A database as its dumps show it; the usual one is compressed, so it is unpacked."""
    return {"dump in SQL": dump(server, database), "unpacked dump": dump_unpacked(server, database)}


def plant(server: Postgres, database: str, control: str) -> None:
    """Store ``control`` plainly in each of ``ENCODINGS``: a search that does not find it finds nothing."""
    script = (
        "CREATE TABLE a_control (name text, it text); CREATE INDEX ON a_control (it);"
        " INSERT INTO a_control VALUES ('raw', :'it'), ('hex', encode(:'it'::bytea, 'hex')),"
        " ('base64', encode(:'it'::bytea, 'base64')); CHECKPOINT"
    )
    server.query(script, variables={"it": control}, PGDATABASE=database)


def plant_vector(server: Postgres, database: str, embedding: Embedding) -> None:
    """Store a vector plainly, as floats and rounded."""
    script = (
        "CREATE TABLE a_vector (floats vector, rounded bytea, text text);"
        " INSERT INTO a_vector VALUES (:'it', decode(:'rounded', 'hex'), encode(decode(:'rounded', 'hex'), 'base64'));"
        " CHECKPOINT"
    )
    values = {"it": str(embedding.tolist()), "rounded": pack(embedding).hex()}
    server.query(script, variables=values, PGDATABASE=database)


def assert_found(finds: Iterable[tuple[str, str]], places: Iterable[str], names: Iterable[str] = ENCODINGS) -> None:
    """A control is found in each of ``places``, which are beginnings of names, under each of ``names``."""
    finds = set(finds)
    for place in places:
        for wanted in names:
            assert any(where.startswith(place) and name == wanted for where, name in finds), (place, wanted)
