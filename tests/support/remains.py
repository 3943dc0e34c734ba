"""What is left of people's words in what a store keeps: dumps, data files, write-ahead log, whole folders."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from local.postgres import Postgres
from tests.support.backups import dump, dump_unpacked
from tests.support.canaries import encodings

ENCODINGS = ("raw", "hex", "base64")
"""What a control is stored in; the search knows more."""


def remains(places: Mapping[str, bytes], word: str) -> set[tuple[str, str]]:
    """In which place and encoding ``word`` is found."""
    forms = {name: forms - {b""} for name, forms in encodings(word.encode()).items()}
    return {
        (place, name)
        for place, content in places.items()
        for name, some in forms.items()
        if any(form in content for form in some)
    }


def files(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, by its path in it."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def dumps(server: Postgres, database: str) -> dict[str, bytes]:
    """A database as its dumps show it; the usual one is compressed, so it is unpacked."""
    return {"dump in SQL": dump(server, database), "unpacked dump": dump_unpacked(server, database)}


def plant(server: Postgres, database: str, control: str) -> None:
    """Store ``control`` plainly in each of ``ENCODINGS``: a search that does not find it finds nothing."""
    script = (
        "CREATE TABLE IF NOT EXISTS a_control (name text, it text);"
        " INSERT INTO a_control VALUES ('raw', :'it'), ('hex', encode(:'it'::bytea, 'hex')),"
        " ('base64', encode(:'it'::bytea, 'base64')); CHECKPOINT"
    )
    server.query(script, variables={"it": control}, PGDATABASE=database)


def assert_found(found: Iterable[tuple[str, str]], places: Iterable[str]) -> None:
    """Every encoding of a control is found in each of ``places``, which are beginnings of names."""
    found = set(found)
    for place in places:
        for encoding in ENCODINGS:
            assert any(where.startswith(place) and name == encoding for where, name in found), (place, encoding)
