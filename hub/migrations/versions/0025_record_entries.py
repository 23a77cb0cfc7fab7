"""Which entry of the log recorded a record's seal that was made anew."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0025"
down_revision: Final = "0024"


def upgrade() -> None:
    """One new table. Of seals made anew before it holds nothing: their records name no files until
    they are sealed anew again, where the key is in a signer."""
    op.create_table(
        "seal_record_entries",
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version_id"),
        sqlite_with_rowid=False,
    )
