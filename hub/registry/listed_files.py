"""The sealed files of a version in its record: `docs`, one selectively disclosable value.

It has every original in force of the version, of either format: media type, and digests by SHA-256
and SM3. Annotated copies are made at each fetch and are not listed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from hub.domain.certificate_type import FILES_FIELD
from hub.domain.face import FaceContent, FaceFormat, Listing
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.exchange.batch import Purpose
from hub.proof.records.disclosure import SALT_BYTES, make_disclosure
from hub.proof.sealing.listing import file_entry
from hub.registry.document_store import DOCUMENTS_OF_VERSION, document_of
from hub.registry.documents import Documents
from hub.registry.ports import ListFiles, SealedFile
from hub.registry.read import CertificateReader, Everything
from hub.registry.store import BATCH, PUT_VERSION, VersionRow, on_file_of
from hub.registry.transition_store import HELD
from hub.storage.statements import Check, Write, integer


@dataclass(frozen=True, slots=True)
class ListedOriginals:
    """What came of it, and what must be recorded with the original."""

    which: Listing
    writes: Sequence[Write] = field(default=(), repr=False)
    checks: Sequence[Check] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ListOriginals:
    """Names the originals of a version in its record."""

    documents: Documents
    certificates: CertificateReader
    seals: ListFiles

    async def __call__(
        self, face: FaceContent, form: FaceFormat, sealed: SealedFile, name: str, *, seal: str
    ) -> ListedOriginals:
        """With `sealed`, in `form`, as the newest; `name` is its name. The record is sealed by the
        keys of `seal`.

        Raises HubError: KEY_UNAVAILABLE, DECISION_STALE, and what `ListFiles` and reading documents
        raise.
        """
        stored = await self.certificates.by_identifier(face.identifier)
        held = await self.documents.database.one(HELD, face.certificate_id, face.authority)
        assert stored is not None and held is not None, "its face was read"
        _, version = on_file_of(held)
        if version.id != face.version_id:
            raise HubError(Reason.DECISION_STALE)  # Replaced a moment ago.
        docs = [*await self._others(face.version_id, form), file_entry(form.value, sealed.data)]
        disclosures = list(await stored.disclosures(Everything()))
        (at,) = [place for place, one in enumerate(disclosures) if one.name == FILES_FIELD]
        was = disclosures[at]
        disclosures[at] = now = make_disclosure(os.urandom(SALT_BYTES), FILES_FIELD, docs)
        entry = await self._stored(version)
        listed = await self.seals(version.id, entry, sealed, name, (was.text, now.text), seal=seal)
        if listed.which is not Listing.LISTED:
            return ListedOriginals(listed.which)
        key = await self.documents.data_keys.get(version.data_key_id)
        texts = orjson.dumps([[one.name, one.text] for one in disclosures])
        row = version._replace(disclosures=key.seal(texts, version.id.encode()))
        return ListedOriginals(
            listed.which, [Write(PUT_VERSION, [row]), *listed.writes], listed.checks
        )

    async def _stored(self, version: VersionRow) -> int:
        """The entry that put the version on file."""
        iss, connector, seq = version.batch.split(" ")
        purpose = Purpose.ROW.value
        row = await self.documents.database.one(BATCH, iss, connector, purpose, int(seq))
        assert row is not None, "a version is of a batch"
        return integer(row[2])

    async def _others(self, version_id: str, form: FaceFormat) -> list[Json]:
        """The newest original in every other format."""
        found: dict[str, Json] = {}
        for row in map(
            document_of, await self.documents.database.all(DOCUMENTS_OF_VERSION, version_id)
        ):
            is_other = row.media_type != form.value and row.media_type not in found
            if is_other and row.is_original(row.media_type):
                chunks = await self.documents.chunks(await self.documents.opened(row))
                data = b"".join([chunk async for chunk in chunks])
                found[row.media_type] = file_entry(row.media_type, data)
        return list(found.values())
