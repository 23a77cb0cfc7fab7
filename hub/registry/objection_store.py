"""Objections to certificates: table, questions, rows as values."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    Table,
    Text,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from hub.registry.store import ANNOTATIONS, CERTIFICATES, OF_AUTHORITY, VERSIONS
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Statement,
    Write,
    blob,
    given_or_any,
    insert_into,
    put_into,
    question,
)


class ObjectionState(StrEnum):
    """Where an objection stands."""

    RAISED = "raised"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CORRECTED = "corrected"


class Party(StrEnum):
    """For whom an objection is raised."""

    HOLDER = "holder"
    AUTHORITY = "authority"


OBJECTIONS: Final = Table(
    "registry_objections",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("certificate_id", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("fields", LargeBinary, nullable=False),
    Column("party", Text, nullable=False),
    Column("raised_by", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_date", Text, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("data_key_id", Text, nullable=False),
    Column("correction", Text, nullable=False),
    Column("raise_time_us", BigInteger, nullable=False),
    Column("answer_time_us", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("registry_objections_of_certificate", "certificate_id", "id"),
    Index("registry_objections_of_authority", "authority", "id"),
    Index("registry_objections_of_system", "raised_by", "id"),
    Index("registry_objections_due", "due_date", "id"),
)

INSERT_OBJECTION: Final = insert_into(OBJECTIONS)
PUT_OBJECTION: Final = put_into(OBJECTIONS)
PUT_ANNOTATION: Final = put_into(ANNOTATIONS)

# One open objection per system and certificate: more than all systems of a city.
OPEN_MAX: Final = 1_000
# Bounds of due dates that leave out nothing, and those that leave out what is closed.
ANY_DUE: Final = ("", "~")
_ROWS: Final = bindparam("rows", type_=BigInteger)
_COLUMNS: Final = tuple(OBJECTIONS.columns)

OBJECTED: Final = question(
    "a certificate by the identifier of a version; of one authority unless that is empty",
    select(*CERTIFICATES.columns, *VERSIONS.columns)
    .select_from(VERSIONS.join(CERTIFICATES, CERTIFICATES.c.id == VERSIONS.c.certificate_id))
    .where(
        VERSIONS.c.identifier == bindparam("identifier"),
        OF_AUTHORITY,
    ),
    "identifier",
    "authority",
)
OBJECTION: Final = question(
    "one objection", select(*_COLUMNS).where(OBJECTIONS.c.id == bindparam("id")), "id"
)
OPEN_OBJECTIONS: Final = question(
    "the open objections to a certificate",
    select(*_COLUMNS)
    .where(
        OBJECTIONS.c.certificate_id == bindparam("certificate_id"),
        OBJECTIONS.c.due_date != literal_column("''"),
    )
    .order_by(OBJECTIONS.c.id)
    .limit(_ROWS),
    "certificate_id",
    "rows",
)
ANNOTATION: Final = question(
    "what is objected to now",
    select(ANNOTATIONS.c.entry).where(ANNOTATIONS.c.certificate_id == bindparam("certificate_id")),
    "certificate_id",
)
OVERDUE: Final = question(
    "how many objections to each authority's certificates of a type were not answered in time",
    select(OBJECTIONS.c.authority, OBJECTIONS.c.type_code, func.count())
    .where(
        OBJECTIONS.c.due_date > literal_column("''"),
        OBJECTIONS.c.due_date < bindparam("today"),
    )
    .group_by(OBJECTIONS.c.authority, OBJECTIONS.c.type_code),
    "today",
)


def _page(name: str, whose: ColumnElement[bool] | None, *parameters: str) -> Statement:
    asked = select(*_COLUMNS)
    if whose is not None:
        asked = asked.where(whose)
    return question(
        name,
        asked.where(
            given_or_any("state", OBJECTIONS.c.state),
            OBJECTIONS.c.due_date >= bindparam("due_from"),
            OBJECTIONS.c.due_date < bindparam("due_before"),
            OBJECTIONS.c.id > bindparam("after"),
        )
        .order_by(OBJECTIONS.c.id)
        .limit(_ROWS),
        *parameters,
        "state",
        "due_from",
        "due_before",
        "after",
        "rows",
    )


OBJECTIONS_OF: Final = _page(
    "a page of the objections that an authority answers or a system raised",
    or_(
        OBJECTIONS.c.authority == bindparam("authority"),
        OBJECTIONS.c.raised_by == bindparam("raised_by"),
    ),
    "authority",
    "raised_by",
)
ALL_OBJECTIONS: Final = _page("a page of all objections", None)


class ObjectionRow(NamedTuple):
    """One objection, as the row that is stored.

    `state` and `party` are values of their enums. `due_date` is empty once it is closed;
    `statement` and `answer` are encrypted under `data_key_id`; `correction` is the identifier of
    the version that corrects it.
    """

    id: str
    certificate_id: str
    authority: str
    type_code: str
    identifier: str
    fields: bytes
    party: str
    raised_by: str
    state: str
    due_date: str
    statement: bytes
    answer: bytes
    data_key_id: str
    correction: str
    raise_time_us: int
    answer_time_us: int
    entry: int
    retention_class: str

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"objections/{self.id}"

    @property
    def field_names(self) -> tuple[str, ...]:
        """What is said to be wrong."""
        return tuple(orjson.loads(self.fields))

    @property
    def is_open(self) -> bool:
        """Whether it is neither rejected nor corrected."""
        return bool(self.due_date)


def objection_of(row: Row) -> ObjectionRow:
    """A row of the questions about objections."""
    # The columns are what the schema says.
    return ObjectionRow._make(row)


def put_annotation(certificate_id: str, open_: Iterable[ObjectionRow], retention: str) -> Write:
    """What is objected to from this entry on: the fields of the objections in `open_`."""
    fields = sorted({name for one in open_ for name in one.field_names})
    return Write(PUT_ANNOTATION, [(certificate_id, orjson.dumps(fields), ENTRY_INDEX, retention)])


def unchanged_objections(certificate_id: str, annotation: Row | None) -> Check:
    """That no objection to the certificate was raised, answered or corrected since `annotation` was
    read: each of these writes it anew."""
    return Check(ANNOTATION, (certificate_id,), annotation)


def sealed_text(row: ObjectionRow, name: str) -> tuple[bytes, bytes]:
    """An encrypted text of an objection, `statement` or `answer`, and what it is bound to."""
    return blob(getattr(row, name)), text_context(row.id, name)


def text_context(objection_id: str, name: str) -> bytes:
    """What a text of an objection is bound to: it opens in no other's place."""
    return f"objections/{objection_id}/{name}".encode()
