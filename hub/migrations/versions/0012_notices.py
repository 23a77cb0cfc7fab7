"""What each entry disclosed, and notices of corrections to whoever was given what was wrong."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"


def upgrade() -> None:
    """Three new tables, and an index of corrections; what is there stays as it is."""
    op.create_table(
        "ledger_disclosures",
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("certificate", "entry"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registry_notices",
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in (
                "id",
                "system",
                "authority",
                "type_code",
                "certificate_id",
                "correction",
                "objection",
            )
        ],
        sa.Column("received", sa.LargeBinary(), nullable=False),
        sa.Column("create_time_us", sa.BigInteger(), nullable=False),
        sa.Column("acknowledge_time_us", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("registry_notices_to_system", "registry_notices", ["system", "id"])
    op.create_index("registry_notices_of_authority", "registry_notices", ["authority", "id"])
    op.create_table(
        "registry_telling",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("told_entry", sa.BigInteger(), nullable=False),
        sa.Column("told_position", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    is_correction = sa.text("kind = 'corrected'")
    op.create_index(
        "registry_changes_corrected",
        "registry_changes",
        ["entry", "position"],
        sqlite_where=is_correction,
        postgresql_where=is_correction,
    )
