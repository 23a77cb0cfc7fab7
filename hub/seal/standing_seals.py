"""What a standing intent says: "seal what this authority submits for this type"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.domain import names
from hub.domain.document import Reader
from hub.domain.face import FileKind
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.officers.intent import DIGEST, Texts
from hub.seal.ports import Database, Types
from hub.seal.seal_store import SEAL_BY_NAME, seal_of
from hub.storage.changes import Call

_DOCUMENTS: Final = Texts(len(FileKind), 16)


@dataclass(frozen=True, slots=True)
class StandingSeals:
    """Proposals to seal records of a type. Sealing itself asks the signer (`record_seals`)."""

    origin: str
    database: Database
    types: Types

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """Authority, address and version of the type, from `seal`, `certificate_type` and
        optionally `manifest` and `documents`.

        Raises HubError: FIELD_INVALID, NAME_MALFORMED, SEAL_NOT_FOUND, CERTIFICATE_TYPE_NOT_FOUND.
        """
        reader = Reader(members, "", [])
        name, type_name = reader.text("seal", 400), reader.text("certificate_type", 400)
        DIGEST.read(reader, "manifest", optional=True)
        _DOCUMENTS.read(reader, "documents", optional=True)
        reader.end()
        reader.check()
        names.parse(name, "authorities/{authority}/seals/{seal}")
        (type_id,) = names.parse(type_name, "certificateTypes/{certificate_type}")
        row = await self.database.one(SEAL_BY_NAME, name)
        if row is None:
            raise HubError(Reason.SEAL_NOT_FOUND, name=name)
        type_version = self.types.newest_version(type_id.upper())
        if type_version is None:
            raise HubError(Reason.CERTIFICATE_TYPE_NOT_FOUND, name=type_name)
        prepared: dict[str, Json] = {
            "seal": name,
            "authority": seal_of(row).authority_uscc,
            "vct": f"https://{self.origin}/vct/{type_id.upper()}",
            "type_version": type_version,
        }
        if "manifest" in members:
            prepared["manifest"] = members["manifest"]
        if "documents" in members:
            prepared["documents"] = _kinds(members["documents"])
        return prepared


def _kinds(value: Json) -> list[Json]:
    """The kinds of files in a fixed order. Raises HubError(FIELD_INVALID)."""
    assert isinstance(value, list), "it was read as one"
    if not set(map(str, value)) <= set(FileKind):
        rule = f"each one of: {', '.join(FileKind)}"
        raise HubError(Reason.FIELD_INVALID, field="documents", rule=rule)
    return [kind.value for kind in FileKind if kind.value in value]
