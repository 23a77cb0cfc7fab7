"""Seals that a re-sealing replaced are kept."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0021"
down_revision: Final = "0020"


def upgrade() -> None:
    """One new table; nothing was ever sealed anew before."""
    op.create_table(
        "seal_past_signatures",
        *[
            sa.Column(name, kind(), nullable=False)
            for name, kind in (
                ("version_id", sa.Text),
                ("key_id", sa.Text),
                ("header_id", sa.Text),
                ("payload", sa.LargeBinary),
                ("signature", sa.LargeBinary),
                ("path", sa.Text),
                ("retention_class", sa.Text),
            )
        ],
        sa.PrimaryKeyConstraint("version_id", "key_id"),
    )
