"""Face templates: the table, the questions asked of it, rows as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
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

from hub.storage.schema import METADATA
from hub.storage.statements import (
    Check,
    Row,
    Write,
    blob,
    given_or_any,
    insert_into,
    integer,
    put_into,
    question,
    text,
)

# `number` counts the templates of a type; `template` are the bytes as received.
TEMPLATES: Final = Table(
    "seal_face_templates",
    METADATA,
    Column("type_code", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("type_version", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("template", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_entry", BigInteger, nullable=False),
    Column("drafter", Text, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    # Empty and null until it is approved.
    Column("approver", Text, nullable=False),
    Column("approve_time_us", BigInteger),
    Column("retention_class", Text, nullable=False),
)

_INSERT: Final = insert_into(TEMPLATES)
_PUT: Final = put_into(TEMPLATES)

TEMPLATE: Final = question(
    "a face template",
    select(*TEMPLATES.columns).where(
        TEMPLATES.c.type_code == bindparam("type_code"),
        TEMPLATES.c.number == bindparam("number", type_=BigInteger),
    ),
    "type_code",
    "number",
)
NEWEST_NUMBER: Final = question(
    "the newest face template of a type",
    select(func.max(TEMPLATES.c.number)).where(TEMPLATES.c.type_code == bindparam("type_code")),
    "type_code",
)
IN_FORCE: Final = question(
    "the newest approved face template of a version of a type",
    select(*TEMPLATES.columns)
    .where(
        TEMPLATES.c.type_code == bindparam("type_code"),
        TEMPLATES.c.type_version == bindparam("type_version", type_=BigInteger),
        TEMPLATES.c.state == literal_column("'approved'"),
    )
    .order_by(TEMPLATES.c.number.desc())
    .limit(bindparam("rows", type_=BigInteger)),
    "type_code",
    "type_version",
    "rows",
)
# Without their bytes, which may be a megabyte each.
TEMPLATES_PAGE: Final = question(
    "a page of face templates, of one type where it is not empty",
    select(
        *(
            literal_column("NULL", type_=LargeBinary).label("template")
            if column is TEMPLATES.c.template
            else column
            for column in TEMPLATES.columns
        )
    )
    .where(
        given_or_any("type_code", TEMPLATES.c.type_code),
        (TEMPLATES.c.type_code > bindparam("after_code"))
        | (
            (TEMPLATES.c.type_code == bindparam("same_code"))
            & (TEMPLATES.c.number > bindparam("after", type_=BigInteger))
        ),
    )
    .order_by(TEMPLATES.c.type_code, TEMPLATES.c.number)
    .limit(bindparam("rows", type_=BigInteger)),
    "type_code",
    "after_code",
    "same_code",
    "after",
    "rows",
)
TEMPLATE_STATE: Final = question(
    "state of a face template",
    select(TEMPLATES.c.state).where(
        TEMPLATES.c.type_code == bindparam("type_code"),
        TEMPLATES.c.number == bindparam("number", type_=BigInteger),
    ),
    "type_code",
    "number",
)


class FaceState(StrEnum):
    """Whether certificates may be set in a template."""

    DRAFTED = "drafted"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """One template. `template` is empty in a list; `approve_time_us` is None until approved."""

    type_code: str
    number: int
    type_version: int
    title: str
    template: bytes
    digest: str
    state: FaceState
    state_entry: int
    drafter: str
    create_time_us: int
    approver: str
    approve_time_us: int | None

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"certificateTypes/{self.type_code.lower()}/faceTemplates/{id_of(self.number)}"


def id_of(number: int) -> str:
    """The id of a template in its resource name: `v001`."""
    return f"v{number:03d}"


def number_of(template_id: str) -> int:
    """The number in an id, 0 for what is none."""
    digits = template_id[1:]
    known = template_id[:1] == "v" and digits.isascii() and digits.isdigit() and len(digits) < 7
    number = int(digits) if known else 0
    return number if id_of(number) == template_id else 0


def insert_template(stored: StoredTemplate) -> Write:
    """A new draft; fails where its number is taken."""
    return Write(_INSERT, [_row(stored)])


def put_template(stored: StoredTemplate) -> Write:
    """The template as it is now."""
    return Write(_PUT, [_row(stored)])


def unchanged_state(stored: StoredTemplate) -> Check:
    """That it stands as it was read."""
    return Check(TEMPLATE_STATE, (stored.type_code, stored.number), (stored.state.value,))


def template_of(row: Row) -> StoredTemplate:
    """The template in a row."""
    return StoredTemplate(
        type_code=text(row[0]),
        number=integer(row[1]),
        type_version=integer(row[2]),
        title=text(row[3]),
        template=b"" if row[4] is None else blob(row[4]),
        digest=text(row[5]),
        state=FaceState(text(row[6])),
        state_entry=integer(row[7]),
        drafter=text(row[8]),
        create_time_us=integer(row[9]),
        approver=text(row[10]),
        approve_time_us=None if row[11] is None else integer(row[11]),
    )


def _row(stored: StoredTemplate) -> Row:
    return (
        stored.type_code,
        stored.number,
        stored.type_version,
        stored.title,
        stored.template,
        stored.digest,
        stored.state.value,
        stored.state_entry,
        stored.drafter,
        stored.create_time_us,
        stored.approver,
        stored.approve_time_us,
        "seal",
    )
