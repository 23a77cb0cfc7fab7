"""The table of documents, the questions asked of it, and rows as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    bindparam,
    func,
    literal_column,
    select,
)

from hub.registry.store import CERTIFICATES, VERSIONS
from hub.storage.schema import METADATA
from hub.storage.statements import Row, blob, insert_into, integer, question

# The digest of a document stands in `sealed` only, because whoever can guess a document could
# confirm it by its digest; `digest_mac` is a keyed hash of it.
DOCUMENTS: Final = Table(
    "registry_documents",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("certificate_id", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("version_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("digest_mac", Text, nullable=False),
    Column("digest_key_id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("data_key_id", Text, nullable=False),
    Column("blob", Text, nullable=False),
    Column("uploader", Text, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("registry_documents_of_version", "version_id", "digest_mac", unique=True),
    Index("registry_documents_of_certificate", "certificate_id", "id"),
    Index("registry_documents_by_blob", "blob", unique=True),
    Index("registry_documents_by_digest", "digest_mac"),
)

INSERT_DOCUMENT: Final = insert_into(DOCUMENTS)
COPIES_PREFIX: Final = "annotatedCopies/"
"""How `uploader` of the file of an annotated copy begins: no document that a department brought,
and listed by the register of copies instead."""

_COLUMNS: Final = tuple(DOCUMENTS.columns)
_ROWS: Final = bindparam("rows", type_=BigInteger)
_IS_NO_COPY: Final = func.substr(
    DOCUMENTS.c.uploader, literal_column("1"), literal_column(str(len(COPIES_PREFIX)))
) != literal_column(f"'{COPIES_PREFIX}'")

VERSION_TO_ATTACH: Final = question(
    "a version that a document is attached to",
    select(VERSIONS.c.id, VERSIONS.c.data_key_id, VERSIONS.c.retention_class)
    .select_from(VERSIONS.join(CERTIFICATES, CERTIFICATES.c.id == VERSIONS.c.certificate_id))
    .where(
        CERTIFICATES.c.id == bindparam("certificate"),
        CERTIFICATES.c.authority == bindparam("authority"),
        VERSIONS.c.version == bindparam("version", type_=BigInteger),
    ),
    "certificate",
    "authority",
    "version",
)
DOCUMENT: Final = question(
    "a document of a certificate",
    select(*_COLUMNS).where(
        DOCUMENTS.c.id == bindparam("id"),
        DOCUMENTS.c.certificate_id == bindparam("certificate"),
        DOCUMENTS.c.authority == bindparam("authority"),
    ),
    "id",
    "certificate",
    "authority",
)
DOCUMENTS_PAGE: Final = question(
    "a page of a certificate's documents",
    select(*_COLUMNS)
    .where(
        DOCUMENTS.c.certificate_id == bindparam("certificate"),
        DOCUMENTS.c.authority == bindparam("authority"),
        DOCUMENTS.c.id > bindparam("after"),
        _IS_NO_COPY,
    )
    .order_by(DOCUMENTS.c.id)
    .limit(_ROWS),
    "certificate",
    "authority",
    "after",
    "rows",
)
STORED_PAGE: Final = question(
    "a page of all documents, as far as a scrub needs them",
    select(DOCUMENTS.c.id, DOCUMENTS.c.authority, DOCUMENTS.c.certificate_id, DOCUMENTS.c.blob)
    .where(DOCUMENTS.c.id > bindparam("after"))
    .order_by(DOCUMENTS.c.id)
    .limit(_ROWS),
    "after",
    "rows",
)
DOCUMENT_OF_BLOB: Final = question(
    "the document whose bytes a blob holds",
    select(DOCUMENTS.c.id).where(DOCUMENTS.c.blob == bindparam("blob")),
    "blob",
)


DOCUMENTS_OF_VERSION: Final = question(
    "the newest documents of a version",
    select(*_COLUMNS)
    .where(DOCUMENTS.c.version_id == bindparam("version"), _IS_NO_COPY)
    .order_by(DOCUMENTS.c.entry.desc())
    .limit(literal_column("64")),
    "version",
)
FILE_OF_COPY: Final = question(
    "the newest file of an annotated copy",
    select(*_COLUMNS)
    .where(
        DOCUMENTS.c.version_id == bindparam("version"),
        DOCUMENTS.c.uploader == bindparam("copy"),
    )
    .order_by(DOCUMENTS.c.entry.desc())
    .limit(literal_column("1")),
    "version",
    "copy",
)
DOCUMENT_WITH_DIGEST: Final = question(
    "a document of a version by its keyed digest",
    select(DOCUMENTS.c.id).where(
        DOCUMENTS.c.version_id == bindparam("version"),
        DOCUMENTS.c.digest_mac == bindparam("digest"),
        # A copy is judged by its own time and seal, which whoever is shown it checks.
        _IS_NO_COPY,
    ),
    "version",
    "digest",
)
IDENTIFIERS_WITH_DIGEST: Final = question(
    "identifiers of versions by the keyed digest of a document",
    select(VERSIONS.c.identifier)
    .select_from(DOCUMENTS.join(VERSIONS, VERSIONS.c.id == DOCUMENTS.c.version_id))
    .where(DOCUMENTS.c.digest_mac == bindparam("digest"), _IS_NO_COPY)
    .order_by(DOCUMENTS.c.entry.desc())
    .limit(literal_column("20")),
    "digest",
)


class DocumentRow(NamedTuple):
    """One document, as the row that is stored."""

    id: str
    certificate_id: str
    authority: str
    version_id: str
    version: int
    media_type: str
    size: int
    digest_mac: str
    digest_key_id: str
    sealed: bytes
    data_key_id: str
    blob: str
    uploader: str
    entry: int
    create_time_us: int
    retention_class: str

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"{self.authority}/certificates/{self.certificate_id}/documents/{self.id}"

    def is_original(self, media_type: str) -> bool:
        """Whether the hub made it as an original in this format: a seal stands as its uploader."""
        return self.media_type == media_type and "/seals/" in self.uploader


@dataclass(frozen=True, slots=True)
class AttachedVersion:
    """The version that a document belongs to."""

    id: str
    data_key_id: str
    retention_class: str


def document_of(row: Row) -> DocumentRow:
    """A document's row as a value."""
    return DocumentRow(
        id=str(row[0]),
        certificate_id=str(row[1]),
        authority=str(row[2]),
        version_id=str(row[3]),
        version=integer(row[4]),
        media_type=str(row[5]),
        size=integer(row[6]),
        digest_mac=str(row[7]),
        digest_key_id=str(row[8]),
        sealed=blob(row[9]),
        data_key_id=str(row[10]),
        blob=str(row[11]),
        uploader=str(row[12]),
        entry=integer(row[13]),
        create_time_us=integer(row[14]),
        retention_class=str(row[15]),
    )
