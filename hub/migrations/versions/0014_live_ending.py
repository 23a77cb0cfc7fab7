"""The index of validities that end holds suspended versions too."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0014"
down_revision: Final = "0013"


def upgrade() -> None:
    """Another condition; no row changes."""
    op.drop_index("registry_versions_ending", "registry_versions")
    is_ending = sa.text("state IN ('active', 'suspended') AND valid_until <> ''")
    op.create_index(
        "registry_versions_ending",
        "registry_versions",
        ["valid_until", "id"],
        sqlite_where=is_ending,
        postgresql_where=is_ending,
    )
