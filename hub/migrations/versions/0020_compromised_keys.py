"""Keys that officers declared compromised, and since when."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0020"
down_revision: Final = "0019"


def upgrade() -> None:
    """One new table; no key was ever declared before."""
    op.create_table(
        "seal_compromises",
        *[
            sa.Column(name, kind(), nullable=False)
            for name, kind in (
                ("key", sa.Text),
                ("kid", sa.Text),
                ("digest", sa.Text),
                ("since", sa.BigInteger),
                ("entry", sa.BigInteger),
                ("retention_class", sa.Text),
            )
        ],
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
