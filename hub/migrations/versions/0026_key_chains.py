"""Which entries of the log put a key of a seal in force."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0026"
down_revision: Final = "0025"


def upgrade() -> None:
    """One new table. Of keys that are in force it holds the entry that they have their state from;
    of those that were nobody kept it."""
    op.create_table(
        "seal_key_chains",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "entry"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO seal_key_chains (key, entry, retention_class) "
        "SELECT name, state_entry, 'seal' FROM seal_keys "
        "WHERE state = 'active' AND state_entry >= 0"
    )
