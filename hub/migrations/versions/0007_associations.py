"""Identifiers that certificates are given and go back to."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    """One new table; what is there stays as it is."""
    op.create_table(
        "registry_associations",
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in (
                "version_id",
                "relation",
                "identifier",
                "first_identifier",
                "fault",
                "retention_class",
            )
        ],
        sa.PrimaryKeyConstraint("version_id", "relation", "identifier"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "registry_associations_by_first",
        "registry_associations",
        ["first_identifier", "version_id"],
    )
