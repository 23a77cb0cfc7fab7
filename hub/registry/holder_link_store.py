"""Links between identifiers of holders: their table, the questions asked of it, rows as values.

What follows from all of them together is kept beside them, as `REACH` in `store`.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Table,
    Text,
    bindparam,
    literal_column,
    or_,
    select,
)

from hub.domain.holder_link import LINKED_MAX, Link, LinkKind
from hub.registry.store import BOUND, PUT_REACH, RELEASED
from hub.storage.schema import METADATA
from hub.storage.statements import ENTRY_INDEX, Check, Row, Write, insert_into, put_into, question

HOLDER_LINKS: Final = Table(
    "registry_holder_links",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("former_index", Text, nullable=False),
    Column("present_index", Text, nullable=False),
    Column("holder_key_id", Text, nullable=False),
    Column("certificate_id", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("effective_date", Text, nullable=False),
    Column("document_digest", Text, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("unlink_document_digest", Text, nullable=False),
    Column("unlink_legal_basis", Text, nullable=False),
    Column("unlink_time_us", BigInteger, nullable=False),
    # That of the newest change.
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("registry_holder_links_of_former", "former_index"),
    Index("registry_holder_links_of_present", "present_index"),
    Index("registry_holder_links_of_authority", "authority", "id"),
    sqlite_with_rowid=False,
)

INSERT_LINK: Final = insert_into(HOLDER_LINKS)
PUT_LINK: Final = put_into(HOLDER_LINKS)

LINKED: Final = "linked"
UNLINKED: Final = "unlinked"

_ROWS: Final = bindparam("rows", type_=BigInteger)
# The same identifier twice: each side has an index of its own.
_OF_IDENTIFIER: Final = or_(
    HOLDER_LINKS.c.former_index == bindparam("former"),
    HOLDER_LINKS.c.present_index == bindparam("present"),
)
LINKS_OF: Final = question(
    "links that stand of one identifier",
    select(*HOLDER_LINKS.columns)
    .where(_OF_IDENTIFIER, HOLDER_LINKS.c.state == literal_column(f"'{LINKED}'"))
    .order_by(HOLDER_LINKS.c.id)
    .limit(literal_column(str(LINKED_MAX + 1))),
    "former",
    "present",
)
LINKS_TURN: Final = question(
    "the newest change of one identifier's links",
    select(HOLDER_LINKS.c.id, HOLDER_LINKS.c.entry)
    .where(_OF_IDENTIFIER)
    .order_by(HOLDER_LINKS.c.entry.desc(), HOLDER_LINKS.c.id)
    .limit(literal_column("1")),
    "former",
    "present",
)
ONE_LINK: Final = question(
    "one link",
    select(*HOLDER_LINKS.columns).where(HOLDER_LINKS.c.id == bindparam("id")),
    "id",
)
LINKS_OF_AUTHORITY: Final = question(
    "a page of an authority's links",
    select(*HOLDER_LINKS.columns)
    .where(
        HOLDER_LINKS.c.authority == bindparam("authority"),
        HOLDER_LINKS.c.id > bindparam("after"),
    )
    .order_by(HOLDER_LINKS.c.id)
    .limit(_ROWS),
    "authority",
    "after",
    "rows",
)
ALL_LINKS: Final = question(
    "a page of all links",
    select(*HOLDER_LINKS.columns)
    .where(HOLDER_LINKS.c.id > bindparam("after"))
    .order_by(HOLDER_LINKS.c.id)
    .limit(_ROWS),
    "after",
    "rows",
)


class LinkRow(NamedTuple):
    """A link, as the row that is stored; `what` is a value of `LinkKind`."""

    id: str
    what: str
    state: str
    authority: str
    former_index: str
    present_index: str
    holder_key_id: str
    certificate_id: str
    identifier: str
    effective_date: str
    document_digest: str
    legal_basis: str
    time_us: int
    unlink_document_digest: str
    unlink_legal_basis: str
    unlink_time_us: int
    entry: int
    retention_class: str

    @property
    def link(self) -> Link:
        """What it says between the two identifiers."""
        return Link(self.former_index, self.present_index, LinkKind(self.what).is_mutual)


def link_of(row: Row) -> LinkRow:
    """A row of the questions about links."""
    return LinkRow._make(row)


def unchanged_links(index: str, turn: Row | None) -> Check:
    """That no link of the identifier was made or taken back since `turn` was read."""
    return Check(LINKS_TURN, (index, index), turn)


def put_reach(
    before: Mapping[str, Set[str]],
    after: Mapping[str, Set[str]],
    holder_key_id: str,
    retention_class: str,
) -> list[Write]:
    """What is seen under which identifier now, as far as it differs; none where nothing does."""
    rows: list[Row] = []
    for index in sorted(after):
        seen, was = after[index], before[index]
        for reached in sorted(seen ^ was):
            state = BOUND if reached in seen else RELEASED
            rows.append((index, reached, holder_key_id, state, ENTRY_INDEX, retention_class))
    return [Write(PUT_REACH, rows)] if rows else []
