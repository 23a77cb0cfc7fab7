"""How states of certificates were changed, and what their sources say of them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    """Two new tables; what is there stays as it is."""
    op.create_table(
        "registry_confirmations",
        sa.Column("certificate_id", sa.Text(), nullable=False),
        sa.Column("is_gone", sa.BigInteger(), nullable=False),
        sa.Column("confirm_time_us", sa.BigInteger(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registry_transitions",
        sa.Column("certificate_id", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in (
                "identifier",
                "verb",
                "from_state",
                "to_state",
                "legal_basis",
                "document",
                "decision_date",
                "deciding_body",
                "cause",
                "authority",
                "system",
            )
        ],
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", "entry"),
        sqlite_with_rowid=False,
    )
