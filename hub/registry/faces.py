"""A certificate as its face shows it: everything that is on file of one version, decrypted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.domain.certificate import State
from hub.domain.face import FaceContent
from hub.domain.strict_json import Json
from hub.proof.encoding import b64u_decode, parse_json
from hub.registry.face_store import FACE, IDENTIFIER
from hub.registry.ports import Database
from hub.registry.read import CertificateReader, Everything
from hub.storage.statements import Check, integer, text

_BESIDE_FIELDS: Final = frozenset({"holders", "holder_type", "holder_number", "docs"})


@dataclass(frozen=True, slots=True)
class FaceReader:
    """Reads whole faces; whether somebody may have one is not asked here."""

    database: Database
    certificates: CertificateReader

    async def read(self, identifier: str) -> FaceContent | None:
        """The version with this identifier. Raises HubError: KEY_UNAVAILABLE where its values were
        erased, DIGEST_MISMATCH."""
        stored = await self.certificates.by_identifier(identifier)
        if stored is None:
            return None
        row = await self.database.one(FACE, stored.version_id)
        assert row is not None, "it was found a moment ago, and no version is removed"
        values: dict[str, Json] = {}
        for one in await stored.disclosures(Everything()):
            parts = parse_json(b64u_decode(one.text))
            assert isinstance(parts, list), "made by the hub"
            values[one.name] = parts[2]
        return FaceContent(
            version_id=stored.version_id,
            certificate_id=text(row[0]),
            authority=stored.authority,
            type_code=text(row[1]),
            type_version=integer(row[2]),
            identifier=stored.identifier,
            version=stored.version,
            number=text(row[3]),
            holders=_holders(values),
            fields={name: one for name, one in values.items() if name not in _BESIDE_FIELDS},
            issue_date=text(row[4]),
            valid_from=text(row[5]),
            valid_until=text(row[6]),
            status_place=text(row[7]),
        )

    async def in_force(self, identifier: str) -> tuple[FaceContent, Check] | None:
        """The version with this identifier, where it is in force, and that it stays so. Raises as
        `read`."""
        stored = await self.certificates.by_identifier(identifier)
        if stored is None or stored.state is not State.ACTIVE:
            return None
        face = await self.read(identifier)
        return None if face is None else (face, stored.check)

    async def identifier(self, authority: str, certificate_id: str, version: int) -> str | None:
        """The identifier of a version of a certificate of this authority, if it is on file."""
        row = await self.database.one(IDENTIFIER, certificate_id, authority, version)
        return None if row is None else text(row[0])

    async def type_version(self, version_id: str) -> int:
        """In which version of its type a certificate version was issued."""
        row = await self.database.one(FACE, version_id)
        assert row is not None, "asked of what was found"
        return integer(row[2])


def _holders(values: dict[str, Json]) -> tuple[tuple[str, str], ...]:
    several = values.get("holders")
    if isinstance(several, list):
        found = [one for one in several if isinstance(one, dict)]
        return tuple([(str(one["type"]), str(one["number"])) for one in found])
    kind, number = values.get("holder_type"), values.get("holder_number")
    return ((str(kind), str(number)),) if kind and number else ()
