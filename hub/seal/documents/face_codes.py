"""The code on a face: signed by the seal's key for codes where it has one in force, else a lookup
code (docs/adr/0057)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain.certificate_type import CertificateType
from hub.domain.face import CodeKind, FaceContent
from hub.domain.identifier import CertificateIdentifier
from hub.domain.qr_text import QrText
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.faces.code import FaceCode, sign_face_code, unsigned_text
from hub.proof.jose import Signer
from hub.proof.reasons import ProofError
from hub.proof.sealing.codes import check_code, code_of
from hub.proof.sealing.documents import DocumentOrder
from hub.proof.sealing.records import ApprovedIntent, Mandate
from hub.seal.faces.layout import module_side
from hub.seal.faces.page import Box
from hub.seal.keys import CodeWork
from hub.seal.seal_keys import SealKeys, UsableKey

MODULE_MM_MIN: Final = 0.25
"""Narrower modules are not read from scans of 200 dots per inch (docs/formats/qr-code.md)."""


@dataclass(frozen=True, slots=True)
class CodeOnFace:
    """The text of a code, and which one it is; `key` is the name of the key that signed it."""

    which: CodeKind
    text: str = field(repr=False)
    key: str = ""


@dataclass(frozen=True, slots=True)
class FaceCodes:
    """Makes the codes of faces. Whether the face may be made is not asked here."""

    origin: str
    region: str
    clock: Clock
    keys: SealKeys

    async def make(
        self,
        approved: ApprovedIntent,
        order: DocumentOrder,
        content: FaceContent,
        certificate_type: CertificateType,
        box: Box,
        *,
        mandate: Mandate,
    ) -> CodeOnFace:
        """The code of `content` for a `box` of its template, under the intent of `mandate`.

        A key in force that cannot sign now is an error and no reason for a lesser code. Raises
        HubError: INTENT_NOT_APPROVED, and what `SealKeys.usable` and the key's home raise.
        """
        seal = approved.intent.seal
        if CertificateIdentifier.parse(content.identifier).issuer != order.authority_uscc:
            return self._lookup(CodeKind.OTHER_ISSUER, content)
        if not await self.keys.in_force(seal, KeyUse.FACE, KeyAlgorithm.ES256):
            return self._lookup(CodeKind.NO_KEY, content)
        now = self.clock() // 1_000_000
        stated = code_of(content, certificate_type, origin=self.origin, region=self.region, now=now)
        if stated is None:
            return self._lookup(CodeKind.NO_NAME, content)
        usable = await self.keys.usable(seal, KeyUse.FACE, KeyAlgorithm.ES256, 1)
        key = usable.signing
        if not _fits(stated, box):
            return self._lookup(CodeKind.NO_ROOM, content)

        def sign(to_sign: bytes) -> bytes:
            check_code(approved, order, to_sign, stated=stated, kid=key.kid, now=now)
            return key.sign_face_code(CodeWork(mandate, order, to_sign))

        text = await asyncio.to_thread(sign_face_code, stated, Signer(key.kid, sign))
        return CodeOnFace(CodeKind.SIGNED, text, usable.key.name)

    async def signed_by(self, code: CodeOnFace, seal: str) -> UsableKey | None:
        """The key that signed `code`, as it is now; None for a lookup code.

        Raises HubError: DECISION_STALE where another key took its place, and as `SealKeys.usable`.
        """
        if code.which is not CodeKind.SIGNED:
            return None
        usable = await self.keys.usable(seal, KeyUse.FACE, KeyAlgorithm.ES256, 1)
        if usable.key.name != code.key:
            raise HubError(Reason.DECISION_STALE)
        return usable

    def _lookup(self, which: CodeKind, content: FaceContent) -> CodeOnFace:
        listed, place = content.status_place.split("/")
        text = QrText(self.origin, content.identifier, int(listed), int(place))
        return CodeOnFace(which, str(text))


def _fits(stated: FaceCode, box: Box) -> bool:
    """Whether the signed code would still be read from paper."""
    try:
        return module_side(unsigned_text(stated), box) >= MODULE_MM_MIN
    except ProofError:
        return False
