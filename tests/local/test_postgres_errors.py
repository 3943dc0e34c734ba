"""What is made of PostgreSQL's own words."""

from pathlib import Path

import pytest

from local.postgres_errors import explain

CORRUPT = "put back a good copy, or remove them to start with none."
DATA = Path("/home/me/sanctum/data")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "postgres: error while loading shared libraries: libgssapi_krb5.so.2: cannot open shared object file",
            "PostgreSQL needs the system library libgssapi_krb5.so.2: install libgssapi-krb5-2.",
        ),
        (
            "dyld[1]: Library not loaded: /opt/libx.dylib\n",
            "PostgreSQL needs the system library /opt/libx.dylib: install the package that holds it.",
        ),
        (
            'PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device',
            f"The disk that holds {DATA} is full: free some space and start again.",
        ),
        (
            "FATAL:  could not map anonymous shared memory: Cannot allocate memory",
            "PostgreSQL gets too little memory from this machine: end other programs and start again.",
        ),
        (
            "LOG:  starting\nPANIC:  no valid checkpoint record at 0/1\nLOG:  aborting",
            f"PostgreSQL cannot run on the data in {DATA} (no valid checkpoint record at 0/1): {CORRUPT}",
        ),
        (
            "sh: 1: odd\nlast words\n",
            f"PostgreSQL cannot be started on {DATA} (last words): mend that and start again.",
        ),
        ("", f"PostgreSQL cannot be started on {DATA} and says nothing: start again."),
    ],
)
def test_it_becomes_one_sentence_with_what_to_do(said: str, sentence: str):
    assert str(explain(said, DATA)) == sentence
