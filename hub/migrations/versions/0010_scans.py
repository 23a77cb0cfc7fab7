"""What was made from scanned paper, and who attests to it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"


def upgrade() -> None:
    """One new table; what is there stays as it is."""
    op.create_table(
        "registry_scans",
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("version_id", "officer", "attestation", "retention_class")
        ],
        sa.PrimaryKeyConstraint("version_id"),
        sqlite_with_rowid=False,
    )
