"""The sealed files of a version in its record: `docs`, one selectively disclosable value.

It has every original in force of the version, of either format: media type, and digests by SHA-256
and SM3. Annotated copies are made at each fetch and are not listed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from hub.domain.certificate_type import FILES_FIELD
from hub.domain.face import FaceContent, FaceFormat, Listing
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.disclosure import SALT_BYTES, make_disclosure
from hub.proof.encoding import b64u, digest
from hub.proof.sm2 import sm3
from hub.registry.document_store import DOCUMENTS_OF_VERSION, document_of
from hub.registry.documents import Documents
from hub.registry.ports import ListFiles
from hub.registry.read import CertificateReader, Everything
from hub.registry.store import PUT_VERSION, on_file_of
from hub.registry.transition_store import HELD
from hub.storage.statements import Check, Write


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
        self, face: FaceContent, form: FaceFormat, data: bytes, *, seal: str, intent: str, name: str
    ) -> ListedOriginals:
        """With `data`, in `form`, as the newest; `seal` and `intent` seal it, `name` is its name.

        Raises HubError: KEY_UNAVAILABLE, DECISION_STALE, and what `ListFiles` and reading documents
        raise.
        """
        stored = await self.certificates.by_identifier(face.identifier)
        held = await self.documents.database.one(HELD, face.certificate_id, face.authority)
        assert stored is not None and held is not None, "its face was read"
        _, version = on_file_of(held)
        if version.id != face.version_id:
            raise HubError(Reason.DECISION_STALE)  # Replaced a moment ago.
        docs = [*await self._others(face.version_id, form), _entry(form.value, data)]
        disclosures = list(await stored.disclosures(Everything()))
        (at,) = [place for place, one in enumerate(disclosures) if one.name == FILES_FIELD]
        was = disclosures[at]
        disclosures[at] = now = make_disclosure(os.urandom(SALT_BYTES), FILES_FIELD, docs)
        digests = (digest(was.text), digest(now.text))
        listed = await self.seals(version.id, seal, intent, name, digests)
        if listed.which is not Listing.LISTED:
            return ListedOriginals(listed.which)
        key = await self.documents.data_keys.get(version.data_key_id)
        texts = orjson.dumps([[one.name, one.text] for one in disclosures])
        row = version._replace(disclosures=key.seal(texts, version.id.encode()))
        return ListedOriginals(
            listed.which, [Write(PUT_VERSION, [row]), *listed.writes], listed.checks
        )

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
                found[row.media_type] = _entry(row.media_type, data)
        return list(found.values())


def _entry(media_type: str, data: bytes) -> Json:
    return {
        "mt": media_type,
        "sha256": b64u(hashlib.sha256(data).digest()),
        "sm3": b64u(sm3(data)),
    }
