"""Documents by their keyed digest: whoever has the bytes asks whether they are on file."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"


def upgrade() -> None:
    """One new index."""
    op.create_index("registry_documents_by_digest", "registry_documents", ["digest_mac"])
