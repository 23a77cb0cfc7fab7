"""What is asked of the registry's tables for a face."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, bindparam, select

from hub.registry.store import CERTIFICATES, VERSIONS
from hub.storage.statements import question

FACE: Final = question(
    "what a face says of a version beside its values",
    select(
        VERSIONS.c.certificate_id,
        CERTIFICATES.c.type_code,
        VERSIONS.c.type_version,
        CERTIFICATES.c.number,
        VERSIONS.c.issue_date,
        VERSIONS.c.valid_from,
        VERSIONS.c.valid_until,
        VERSIONS.c.status_place,
    )
    .select_from(VERSIONS.join(CERTIFICATES, CERTIFICATES.c.id == VERSIONS.c.certificate_id))
    .where(VERSIONS.c.id == bindparam("version")),
    "version",
)
IDENTIFIER: Final = question(
    "the identifier of a version of a certificate",
    select(VERSIONS.c.identifier)
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
