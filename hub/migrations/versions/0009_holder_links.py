"""Links between identifiers of holders, and what is seen under which because of them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "registry_holder_links",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("former_index", sa.Text(), nullable=False),
        sa.Column("present_index", sa.Text(), nullable=False),
        sa.Column("holder_key_id", sa.Text(), nullable=False),
        sa.Column("certificate_id", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("effective_date", sa.Text(), nullable=False),
        sa.Column("document_digest", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("unlink_document_digest", sa.Text(), nullable=False),
        sa.Column("unlink_legal_basis", sa.Text(), nullable=False),
        sa.Column("unlink_time_us", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    for name, columns in (
        ("former", ["former_index"]),
        ("present", ["present_index"]),
        ("authority", ["authority", "id"]),
    ):
        op.create_index(f"registry_holder_links_of_{name}", "registry_holder_links", columns)
    op.create_table(
        "registry_reach",
        sa.Column("holder_index", sa.Text(), nullable=False),
        sa.Column("reached_index", sa.Text(), nullable=False),
        sa.Column("holder_key_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("holder_index", "reached_index"),
        sqlite_with_rowid=False,
    )
