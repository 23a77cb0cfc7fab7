"""Alembic's entry: writes the text of the revisions; `migrate` runs it."""

from __future__ import annotations

from alembic import context

from hub.migrations.tables import METADATA

context.configure(
    dialect_name=context.config.attributes["dialect"],
    target_metadata=METADATA,
    literal_binds=True,
    output_buffer=context.config.attributes["output"],
    # `Database.define` makes the transaction.
    transactional_ddl=False,
)
context.run_migrations()
