"""Alembic's entry point: runs the migrations on the connection that ``chassis.migrations`` brings."""

from typing import cast

from alembic import context
from sqlalchemy import Connection

from backend.schema import metadata

context.configure(
    connection=cast("Connection", context.config.attributes["connection"]),
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
