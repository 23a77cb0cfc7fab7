"""The first schema.

Until the first release it is what the components declare; from then on it is frozen here and every
change is a revision of its own.
"""

from __future__ import annotations

from typing import Final

from alembic import op
from sqlalchemy.schema import CreateIndex, CreateTable

from hub.migrations.tables import METADATA

revision: Final = "0001"
down_revision: Final = None


def upgrade() -> None:
    """Create every table and index."""
    for table in METADATA.sorted_tables:
        op.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            op.execute(CreateIndex(index))
