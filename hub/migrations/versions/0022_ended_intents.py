"""Where the log sums up which intents have ended."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0022"
down_revision: Final = "0021"


def upgrade() -> None:
    """One new table; a hub that has no summary yet reads its log from the beginning."""
    op.create_table(
        "seal_ended_intents",
        sa.Column("id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
