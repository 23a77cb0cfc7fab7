"""Face templates."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0018"
down_revision: Final = "0017"


def upgrade() -> None:
    """One new table; what is there stays as it is."""
    op.create_table(
        "seal_face_templates",
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type_version", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("template", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_entry", sa.BigInteger(), nullable=False),
        sa.Column("drafter", sa.Text(), nullable=False),
        sa.Column("create_time_us", sa.BigInteger(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("approve_time_us", sa.BigInteger()),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("type_code", "number"),
    )
