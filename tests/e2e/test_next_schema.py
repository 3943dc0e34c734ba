"""Expand/contract: this release serves on the schema of the next one, while that starts and when it is taken back.

The next schema is this one, grown in every way that a migration may let it grow (``tests/test_schemas_grow.py``).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.sanctum import DATABASES
from tests.smoke.smoke import Options, smoke
from tests.support.inside import server_of
from tests.support.openai_server import stand_in
from tests.support.running import Sanctum, running

GROW = """
DO $$
DECLARE it record;
BEGIN
  FOR it IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('ALTER TABLE %I ADD next_empty text, ADD next_given text NOT NULL DEFAULT ''next'', '
      'ADD next_number bigint GENERATED ALWAYS AS IDENTITY', it.tablename);
    EXECUTE format('CREATE INDEX ON %I (next_empty)', it.tablename);
  END LOOP;
  FOR it IN SELECT table_name, column_name FROM information_schema.columns JOIN pg_tables ON tablename = table_name
      WHERE schemaname = 'public' AND is_nullable = 'NO' AND tablename <> 'alembic_version' AND NOT EXISTS (
        SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
        WHERE indisprimary AND indrelid = table_name::text::regclass AND attname = column_name)
      AND is_identity = 'NO' LOOP
    EXECUTE format('ALTER TABLE %I ALTER %I DROP NOT NULL', it.table_name, it.column_name);
  END LOOP;
END $$;
CREATE TABLE next_table (next_id integer PRIMARY KEY, next_text text NOT NULL);
UPDATE alembic_version SET version_num = 'next';
"""
COUNT = "SELECT count(*) FROM information_schema.columns WHERE column_name LIKE 'next%'"


@pytest.fixture
def lives(tmp_path: Path) -> Callable[[Sanctum], tuple[bool, str]]:
    """Runs a person's whole life against a Sanctum: whether it went well, and what was said of it."""

    def live(sanctum: Sanctum) -> tuple[bool, str]:
        lines = list[str]()
        options = Options(within=180, settle=0, remembered=60, notes=tmp_path / "notes")
        return smoke(sanctum.url, str(sanctum.ca), options, lines.append), "\n".join(lines)

    return live


@pytest.fixture
def model() -> Iterator[list[str]]:
    with stand_in() as options:
        yield options


def test_this_release_serves_on_the_next_schema_and_starts_on_it_again(
    tmp_path: Path, model: list[str], lives: Callable[[Sanctum], tuple[bool, str]]
) -> None:
    state = tmp_path / "state"
    with running(state, *model) as sanctum:
        server = server_of(state)
        for database in DATABASES:
            server.query(GROW, PGDATABASE=database)
        grown = [server.query(COUNT, PGDATABASE=database) for database in DATABASES]
        assert all(int(count) > 10 for count in grown)
        passed, said = lives(sanctum)
        assert passed, said
    with running(state, *model) as sanctum:
        passed, said = lives(sanctum)
        assert passed, said
        server = server_of(state)
        for database, count in zip(DATABASES, grown, strict=True):
            assert server.query("SELECT version_num FROM alembic_version", PGDATABASE=database) == "next"
            assert server.query(COUNT, PGDATABASE=database) == count
        # The control: a schema that shrank while this release serves is no schema for it.
        server.query("ALTER TABLE conversations RENAME COLUMN persona TO next_persona", PGDATABASE="users")
        passed, said = lives(sanctum)
        assert not passed
        assert "500, problem" in said
