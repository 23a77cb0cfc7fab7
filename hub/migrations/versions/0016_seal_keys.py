"""The keys of a seal have rows of their own; what a seal is in electronic form; its pictures."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0016"
down_revision: Final = "0015"


def upgrade() -> None:
    """The one key of each seal becomes its first row of `seal_keys`.

    Rows that move are written by no entry of the log: `hub/seal/moved_keys.py` has them recorded at
    the next start, once the log proves them. -1 in `state_entry` says which ones wait for that.
    """
    _create_keys()
    _create_electronic()
    op.execute(
        "INSERT INTO seal_keys"
        " SELECT 'keys/k-' || lower(replace(key_id, '_', '-')), name, authority_uscc, 'record',"
        " algorithm, 'files', custody, key_id, state, -1, 0, x509_request, x509_chain, NULL,"
        " expire_time_us, create_time_us, NULL, NULL, NULL, 'seal' FROM seal_seals"
    )
    op.create_table(
        "seal_seals_new",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("authority_uscc", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("seal_type", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_entry", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time_us", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute(
        "INSERT INTO seal_seals_new SELECT name, authority, authority_uscc, title, 1,"
        " CASE state WHEN 'requested' THEN 'applied' ELSE state END, state_entry, 0,"
        " create_time_us, retention_class FROM seal_seals"
    )
    op.drop_table("seal_seals")
    op.rename_table("seal_seals_new", "seal_seals")


def _create_keys() -> None:
    op.create_table(
        "seal_keys",
        *[
            sa.Column(name, sa.Text(), nullable=False)
            for name in (
                "name",
                "seal",
                "authority_uscc",
                "use",
                "algorithm",
                "home",
                "custody",
                "kid",
                "state",
            )
        ],
        sa.Column("state_entry", sa.BigInteger(), nullable=False),
        sa.Column("uses_max", sa.BigInteger(), nullable=False),
        sa.Column("x509_request", sa.LargeBinary(), nullable=False),
        sa.Column("x509_chain", sa.LargeBinary(), nullable=False),
        sa.Column("not_before_us", sa.BigInteger(), nullable=True),
        sa.Column("not_after_us", sa.BigInteger(), nullable=True),
        sa.Column("create_time_us", sa.BigInteger(), nullable=False),
        sa.Column("activate_time_us", sa.BigInteger(), nullable=True),
        sa.Column("retire_time_us", sa.BigInteger(), nullable=True),
        sa.Column("destroy_time_us", sa.BigInteger(), nullable=True),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("kid"),
    )
    op.create_index("seal_keys_by_seal", "seal_keys", ["seal", "use", "state"])
    op.create_table(
        "seal_key_uses",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )


def _create_electronic() -> None:
    op.create_table(
        "seal_electronic_seals",
        sa.Column("seal", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("format_version", sa.BigInteger(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("picture", sa.Text(), nullable=False),
        sa.Column("maker_key", sa.Text(), nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=False),
        sa.Column("valid_until_us", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("create_time_us", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seal", "version"),
        sa.UniqueConstraint("number"),
    )
    op.create_table(
        "seal_materials",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("create_time_us", sa.BigInteger(), nullable=False),
        sa.Column("retention_class", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
