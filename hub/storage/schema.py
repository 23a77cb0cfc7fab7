"""The one collection of tables, and the types that columns may have.

Each component declares its tables at the top of its `store.py` with its own prefix; no foreign key
crosses a prefix. Times are int64 microseconds since 1970 UTC in columns that end in `_us`, JSON is
bytes, states are text.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Integer, MetaData

METADATA: Final = MetaData()

# SQLite keeps a row under its number without a second index only where the type reads INTEGER.
ROW_NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")
