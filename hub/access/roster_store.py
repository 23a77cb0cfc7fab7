"""The table of rosters: every statement that ever held, with what carried it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    Table,
    Text,
    bindparam,
    func,
    literal_column,
    select,
)

from hub.proof.encoding import emit_json, parse_json
from hub.proof.officers.roster_changes import Link
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Write,
    blob,
    insert_into,
    integer,
    question,
)

ROSTERS: Final = Table(
    "access_rosters",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("statement", LargeBinary, nullable=False),
    Column("intent", LargeBinary, nullable=False),
    Column("approvals", LargeBinary, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

ROSTERS_AFTER: Final = question(
    "access.rosters after a number",
    select(ROSTERS.c.statement, ROSTERS.c.intent, ROSTERS.c.approvals, ROSTERS.c.entry)
    .where(ROSTERS.c.number > bindparam("number", type_=BigInteger))
    .order_by(ROSTERS.c.number),
    "number",
)
ROSTER_BY_NUMBER: Final = question(
    "access.roster",
    select(ROSTERS.c.statement, ROSTERS.c.intent, ROSTERS.c.approvals, ROSTERS.c.entry).where(
        ROSTERS.c.number == bindparam("number", type_=BigInteger)
    ),
    "number",
)
# Of no rows there still is one answer, which NULL would be.
NEWEST_ROSTER: Final = question(
    "access.number of the newest roster",
    select(func.coalesce(func.max(ROSTERS.c.number), literal_column("-1"))),
)

_INSERT_ROSTER: Final = insert_into(ROSTERS)


def insert_roster(number: int, link: Link) -> Write:
    """The next statement, under the entry that it is written with."""
    approvals = emit_json([*link.approvals])
    row = (number, link.statement, link.intent, approvals, ENTRY_INDEX, "evidence")
    return Write(_INSERT_ROSTER, [row])


def newest_roster_check(number: int) -> Check:
    """That the roster of this number still is the newest; -1 where there is none."""
    return Check(NEWEST_ROSTER, (), (number,))


def link_of(row: Row) -> tuple[Link, int]:
    """A statement with what carried it, and its entry."""
    approvals = parse_json(blob(row[2]))
    texts = approvals if isinstance(approvals, list) else []
    link = Link(blob(row[0]), blob(row[1]), tuple(str(one) for one in texts))
    return link, integer(row[3])
