"""Identifiers that certificates are given and go back to: one row per version and identifier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnClause,
    Index,
    Table,
    Text,
    bindparam,
    literal_column,
    select,
)

from hub.domain.association import NamedIdentifier, Relation
from hub.registry.store import (
    CERTIFICATES,
    LOOK_UP,
    OF_AUTHORITY,
    SHOWN,
    VERSIONS,
    VIEW_COLUMNS,
)
from hub.storage.schema import METADATA
from hub.storage.statements import Row, insert_into, question, text

ASSOCIATIONS: Final = Table(
    "registry_associations",
    METADATA,
    Column("version_id", Text, primary_key=True),
    Column("relation", Text, primary_key=True),
    Column("identifier", Text, primary_key=True),
    # By which every version of the named certificate is found.
    Column("first_identifier", Text, nullable=False),
    # The rule of GB/T 36904 that it breaks; "" where it checks.
    Column("fault", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("registry_associations_by_first", "first_identifier", "version_id"),
    sqlite_with_rowid=False,
)

INSERT_ASSOCIATION: Final = insert_into(ASSOCIATIONS)

_KNOWN_AS: Final[ColumnClause[str]] = literal_column(f"'{Relation.KNOWN_AS.value}'")
_CURRENT: Final = ASSOCIATIONS.c.version_id == CERTIFICATES.c.current_version_id

ASSOCIATIONS_OF: Final = question(
    "identifiers that versions name",
    select(
        ASSOCIATIONS.c.version_id,
        ASSOCIATIONS.c.relation,
        ASSOCIATIONS.c.identifier,
        ASSOCIATIONS.c.first_identifier,
        ASSOCIATIONS.c.fault,
    )
    .where(ASSOCIATIONS.c.version_id.in_([bindparam(name) for name in LOOK_UP]))
    .order_by(ASSOCIATIONS.c.version_id, ASSOCIATIONS.c.relation, ASSOCIATIONS.c.identifier),
    *LOOK_UP,
)
GOES_BACK_TO: Final = question(
    "what certificates go back to in their newest versions, both by first identifiers",
    select(VERSIONS.c.identifier, ASSOCIATIONS.c.first_identifier)
    .select_from(
        VERSIONS.join(CERTIFICATES, CERTIFICATES.c.id == VERSIONS.c.certificate_id).join(
            ASSOCIATIONS, _CURRENT
        )
    )
    .where(
        VERSIONS.c.identifier.in_([bindparam(name) for name in LOOK_UP]),
        ASSOCIATIONS.c.relation != _KNOWN_AS,
    ),
    *LOOK_UP,
)
SEARCH_BY_ASSOCIATED: Final = question(
    "a page of certificates that name another; of one authority unless that is empty",
    select(*VIEW_COLUMNS)
    .select_from(SHOWN)
    .where(
        CERTIFICATES.c.current_version_id.in_(
            select(ASSOCIATIONS.c.version_id).where(
                ASSOCIATIONS.c.first_identifier == bindparam("first_identifier"),
                ASSOCIATIONS.c.relation != _KNOWN_AS,
            )
        ),
        OF_AUTHORITY,
        CERTIFICATES.c.id > bindparam("after"),
    )
    .order_by(CERTIFICATES.c.id)
    .limit(bindparam("rows", type_=BigInteger)),
    "first_identifier",
    "authority",
    "after",
    "rows",
)
SEARCH_BY_KNOWN_AS: Final = question(
    "a page of certificates by the identifier of their department; of one authority unless empty",
    select(*VIEW_COLUMNS)
    .select_from(SHOWN)
    .where(
        CERTIFICATES.c.current_version_id.in_(
            select(ASSOCIATIONS.c.version_id).where(
                ASSOCIATIONS.c.first_identifier == bindparam("first_identifier"),
                ASSOCIATIONS.c.identifier == bindparam("identifier"),
                ASSOCIATIONS.c.relation == _KNOWN_AS,
            )
        ),
        OF_AUTHORITY,
        CERTIFICATES.c.id > bindparam("after"),
    )
    .order_by(CERTIFICATES.c.id)
    .limit(bindparam("rows", type_=BigInteger)),
    "first_identifier",
    "identifier",
    "authority",
    "after",
    "rows",
)


class AssociationRow(NamedTuple):
    """One identifier that a version names, as the row that is stored."""

    version_id: str
    relation: str
    identifier: str
    first_identifier: str
    fault: str
    retention_class: str


def association_rows(
    version_id: str, named: Sequence[NamedIdentifier], retention_class: str
) -> list[Row]:
    """The rows of a version."""
    return [
        AssociationRow(
            version_id, one.relation.value, one.identifier, one.first, one.fault, retention_class
        )
        for one in named
    ]


def named_of(rows: Sequence[Row]) -> Mapping[str, list[NamedIdentifier]]:
    """What versions name, by version id, from rows of `ASSOCIATIONS_OF`."""
    found: dict[str, list[NamedIdentifier]] = defaultdict(list)
    for version_id, relation, identifier, first, fault in rows:
        found[text(version_id)].append(
            NamedIdentifier(Relation(text(relation)), text(identifier), text(first), text(fault))
        )
    return found
