"""Records of a batch that stands under one signature have a path to them in it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0019"
down_revision: Final = "0018"


def upgrade() -> None:
    """One new table; what is sealed stands alone."""
    op.create_table(
        "seal_paths",
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("version_id", "algorithm", "path", "retention_class")
        ],
        sa.PrimaryKeyConstraint("version_id", "algorithm"),
        sqlite_with_rowid=False,
    )
