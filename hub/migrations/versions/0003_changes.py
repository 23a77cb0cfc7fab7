"""What changed, for the change feed; whose validity ends when."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Create the tables of the feed, and the index of validities."""
    op.create_table(
        "registry_changes",
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("certificate_id", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=False),
        sa.Column("holder_indexes", sa.LargeBinary(), nullable=False),
        sa.Column("replaces", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "position"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registry_expiry",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    is_ending = sa.text("state = 'active' AND valid_until <> ''")
    op.create_index(
        "registry_versions_ending",
        "registry_versions",
        ["valid_until", "id"],
        sqlite_where=is_ending,
        postgresql_where=is_ending,
    )
