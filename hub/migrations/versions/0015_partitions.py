"""PostgreSQL keeps certificates in partitions by their id (docs/adr/0046).

A unique index of a partitioned table holds the partition's key, so the number of a certificate is
no longer unique by its index on either engine: the turn of its authority and type is what decides
between two batches (`registry_turns`), and `sealway db fsck` looks for a number that stands twice.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0015"
down_revision: Final = "0014"

_TABLE: Final = "registry_certificates"
_WHOLE: Final = "registry_certificates_whole"
_PARTITIONS: Final = 8
_COLUMNS: Final = (
    "id",
    "authority",
    "type_code",
    "number",
    "number_index",
    "number_key_id",
    "serial",
    "current_version_id",
    "holder_indexes",
    "holder_key_id",
    "retention_class",
)
_INDEXES: Final = {
    "registry_certificates_by_number": ["number_index", "authority", "type_code"],
    "registry_certificates_of_authority": ["authority", "id"],
    "registry_certificates_of_type": ["type_code", "id"],
}


def upgrade() -> None:
    """PostgreSQL copies every certificate once; SQLite makes one index anew."""
    if op.get_context().dialect.name == "sqlite":
        name = "registry_certificates_by_number"
        op.drop_index(name, _TABLE)
        op.create_index(name, _TABLE, _INDEXES[name])
        return
    for name in _INDEXES:
        op.drop_index(name, _TABLE)
    op.rename_table(_TABLE, _WHOLE)
    # The name of a primary key is taken as well.
    op.execute(f"ALTER INDEX {_TABLE}_pkey RENAME TO {_WHOLE}_pkey")
    op.create_table(
        _TABLE,
        *[
            sa.Column(
                name,
                sa.LargeBinary() if name == "holder_indexes" else sa.Text(),
                nullable=name == "number_key_id",
            )
            for name in _COLUMNS
        ],
        sa.PrimaryKeyConstraint("id"),
        postgresql_partition_by="HASH (id)",
    )
    for part in range(_PARTITIONS):
        op.execute(
            f"CREATE TABLE {_TABLE}_{part} PARTITION OF {_TABLE}"
            f" FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {part})"
        )
    listed = ", ".join(_COLUMNS)
    op.execute(f"INSERT INTO {_TABLE} ({listed}) SELECT {listed} FROM {_WHOLE}")  # noqa: S608
    op.drop_table(_WHOLE)
    for name, of in _INDEXES.items():
        op.create_index(name, _TABLE, of)
