"""Objections to certificates, and what is objected to now."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"


def upgrade() -> None:
    """Two new tables; what is there stays as it is."""
    op.create_table(
        "registry_annotations",
        sa.Column("certificate_id", sa.Text(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registry_objections",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("certificate_id", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_date", sa.Text(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("data_key_id", sa.Text(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=False),
        sa.Column("raise_time_us", sa.BigInteger(), nullable=False),
        sa.Column("answer_time_us", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns in (
        ("certificate", ["certificate_id", "id"]),
        ("authority", ["authority", "id"]),
        ("system", ["raised_by", "id"]),
    ):
        op.create_index(f"registry_objections_of_{name}", "registry_objections", columns)
    op.create_index("registry_objections_due", "registry_objections", ["due_date", "id"])
