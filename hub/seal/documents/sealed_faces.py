"""Sealed faces: a certificate set into its template, and sealed as a document under an intent.

Steps, in their order:
1. An intent in force allows files of this kind for the type, and its seal has a key for the format.
2. Its code is signed (`face_codes`), where the seal has a key for that; the face is set and
   written, in a thread of its own; few at a time, and few that wait.
3. The seal's turn: intent, keys and their uses are read again, since each signature counts them.
4. What is to be signed is composed, checked (`hub.proof.sealing.documents`) and signed.
5. The caller records it, still in the seal's turn: two files at once would both be the next use.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from hub.clock import Clock
from hub.domain.certificate_type import CertificateType
from hub.domain.face import CodeKind, CopyTerms, FaceContent, FaceFormat, SourceDocument
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.faces.facts import ofd_facts
from hub.proof.ofd.document import open_package, read_document, read_signature
from hub.proof.reasons import ProofError
from hub.proof.sealing.documents import (
    DocumentOrder,
    SignedDocument,
    check_document_order,
    check_source,
)
from hub.proof.sealing.records import ApprovedIntent, Mandate
from hub.seal.documents.document_seals import Drawing, SealedDocument, seal_ofd, seal_pdf
from hub.seal.documents.face_codes import CodeOnFace, FaceCodes
from hub.seal.documents.marked_ofd import mark_ofd
from hub.seal.documents.marked_pdf import POINTS_PER_MM
from hub.seal.documents.marking import mark, read_ofd
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.documents.ofd_seal import SealTrust
from hub.seal.face_store import FaceState, StoredTemplate
from hub.seal.face_templates import FaceTemplates
from hub.seal.faces.document import FaceDocument, mark_lines, set_mark
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import Issuance
from hub.seal.faces.page import Box
from hub.seal.faces.template import parse_template
from hub.seal.ports import AuthorityFacts, Database, TimeStamps
from hub.seal.seal_keys import SealKeys, UsableKey
from hub.seal.seal_store import ELECTRONIC_SEAL, ElectronicSeal, electronic_seal_of
from hub.seal.signer import Signer, more_telling
from hub.seal.store import (
    APPROVALS_OF_INTENT,
    INTENTS_OF_TYPE,
    USES_OF_INTENT,
    StoredIntent,
    approval_of,
    intent_of,
    unchanged_intent,
    unchanged_uses,
    uses_write,
)
from hub.storage.statements import Check, Write

AT_ONCE: Final = 2
WAITING_MAX: Final = 32
_SEAL_MM: Final = 42.0
_MARGIN_MM: Final = 10.0
_BETWEEN_MM: Final = 3.0
# Which keys may sign a PDF, the first in force whose algorithm still may.
_INTERNATIONAL: Final = (
    KeyAlgorithm.ES256,
    KeyAlgorithm.ES384,
    KeyAlgorithm.ED25519,
    KeyAlgorithm.PS256,
)
_SM2: Final = (KeyAlgorithm.SM2,)


class Registers(Protocol):
    """Authorities by name, and who keeps what another issued."""

    def facts(self, name: str) -> AuthorityFacts | None: ...
    def keeper(self, authority: str, type_code: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class SealedFace:
    """A sealed file, what of it was `signed`, and what must be recorded with it: `face` is what the
    order says it shows, `code` which code it carries, None for a marked copy."""

    media_type: str
    data: bytes = field(repr=False)
    signed: SignedDocument = field(repr=False)
    seal: str
    face: str
    code: CodeKind | None
    writes: Sequence[Write] = field(repr=False)
    checks: Sequence[Check] = field(repr=False)

    @property
    def intent(self) -> str:
        """The name of the intent that allowed it."""
        return self.signed.mandate.name


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What allows one signature now."""

    intent: StoredIntent
    mandate: Mandate
    approved: ApprovedIntent
    usable: UsableKey
    uses: int | None
    format: FaceFormat
    electronic: ElectronicSeal | None

    @property
    def writes(self) -> tuple[Write, ...]:
        return (uses_write(self.intent.name, (self.uses or 0) + 1), *self.usable.writes(1))

    @property
    def checks(self) -> tuple[Check, ...]:
        return (
            unchanged_intent(self.intent),
            unchanged_uses(self.intent.name, self.uses),
            *self.usable.checks(),
        )


@dataclass(frozen=True, slots=True)
class _Unsealed:
    """A file before its seal, whose place is in millimetres on page 1."""

    order: DocumentOrder
    place: Box
    fonts: FaceFonts
    file: bytes | OfdPackage = field(repr=False)
    code: CodeOnFace | None = None
    closing: bool = True


@dataclass(frozen=True, slots=True)
class SealedFaces:
    """Makes sealed files of faces. Whether somebody may have one is not asked here."""

    origin: str
    clock: Clock
    database: Database
    templates: FaceTemplates
    registers: Registers
    signer: Signer
    keys: SealKeys
    codes: FaceCodes
    trust: SealTrust
    prove: Callable[[], Awaitable[None]]
    stamps: TimeStamps | None = None
    _rooms: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _turns: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )
    _waiting: list[None] = field(default_factory=list)

    async def has_face(self, type_code: str, type_version: int) -> bool:
        """Whether certificates of this version of a type are set in an approved template."""
        return await self.templates.in_force(type_code, type_version) is not None

    @asynccontextmanager
    async def sealed(
        self,
        content: FaceContent,
        wanted: FaceFormat | None,
        terms: CopyTerms | None,
        *,
        demands_key: bool = False,
        closing: bool = True,
    ) -> AsyncIterator[SealedFace]:
        """The face of `content` as a sealed file: an annotated copy with `terms`, else an original.

        In any format for None; an OFD takes further seals unless it is `closing`. Record its
        `writes` under its `checks` before the context ends. Raises HubError: KEY_NOT_ACTIVE where
        the seal has no key for codes and the code `demands_key`, FACE_TEMPLATE_NOT_FOUND,
        FACE_OVERFLOW, FONT_MISSING, FONT_GLYPH_MISSING, INTENT_NOT_APPROVED, INTENT_EXHAUSTED,
        SEAL_NOT_USABLE, TIME_STAMP_UNAVAILABLE, RATE_LIMITED where too many wait, and what
        `SealKeys.usable` and the key's home raise.
        """
        with self._place():
            certificate_type, template = await self._template(content)
            order = self._order(content, f"{template.name} {template.digest}", terms)
            allowed = await self._allowed(content, order, wanted)
            async with self._rooms:
                parsed = await asyncio.to_thread(parse_template, template.template)
                code = await self.codes.make(
                    allowed.approved,
                    order,
                    content,
                    certificate_type,
                    parsed.code,
                    mandate=allowed.mandate,
                )
                if demands_key and code.which is CodeKind.NO_KEY:
                    raise HubError(
                        Reason.KEY_NOT_ACTIVE,
                        seal=allowed.approved.intent.seal,
                        use=KeyUse.FACE,
                        algorithm=KeyAlgorithm.ES256,
                    )
                document = await self._document(certificate_type, content, template, terms, code)
                unsealed = await asyncio.to_thread(
                    _written, order, document, allowed.format, code, closing=closing
                )
            async with self._in_turn(content, allowed, unsealed) as face:
                yield face

    @asynccontextmanager
    async def marked(
        self, content: FaceContent, source: SourceDocument, terms: CopyTerms
    ) -> AsyncIterator[SealedFace]:
        """An annotated copy of a document that a department brought, where its type has no face:
        every page under the words of the copy, as sealed PDF; of OFD as OFD.

        Record and raises as `sealed`; and COPY_NOT_MADE where the document cannot be marked.
        """
        with self._place():
            order = self._order(content, source.face, terms)
            allowed = await self._allowed(content, order, source.marked_as)
            check_source(allowed.approved, order, source)
            async with self._rooms:
                unsealed = await asyncio.to_thread(self._marked, order, content, source, terms)
            async with self._in_turn(content, allowed, unsealed) as face:
                yield face

    @asynccontextmanager
    async def further(
        self, content: FaceContent, original: bytes, *, closing: bool
    ) -> AsyncIterator[SealedFace]:
        """`original`, an OFD of the face of `content` that was left open, with another seal of the
        authority; with `closing` it is the last.

        Record and raises as `sealed`; and OFD_REFUSED where its last seal closed it.
        """
        with self._place():
            async with self._rooms:
                package, face, place = await asyncio.to_thread(_opened, content, original)
            order = replace(self._order(content, face, None), is_further=True)
            allowed = await self._allowed(content, order, FaceFormat.OFD)
            fonts = self.templates.fonts.open()
            unsealed = _Unsealed(order, place, fonts, package, closing=closing)
            async with self._in_turn(content, allowed, unsealed) as sealed:
                yield sealed

    # -- Steps -------------------------------------------------------------------------------------

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of few who wait."""
        if len(self._waiting) >= WAITING_MAX:
            raise HubError(Reason.RATE_LIMITED, retry_after_s=1)
        self._waiting.append(None)
        try:
            yield
        finally:
            self._waiting.pop()

    @asynccontextmanager
    async def _in_turn(
        self, content: FaceContent, allowed: _Allowed, unsealed: _Unsealed
    ) -> AsyncIterator[SealedFace]:
        """Steps 3 to 5."""
        seal, code = allowed.approved.intent.seal, unsealed.code
        async with self._turns[seal]:
            allowed = await self._allowed(content, unsealed.order, allowed.format)
            coded = None
            if code is not None:
                coded = await self.codes.signed_by(code, allowed.approved.intent.seal)
            made = await asyncio.to_thread(self._seal, allowed, unsealed)
            yield SealedFace(
                media_type=allowed.format.value,
                data=made.data,
                signed=made.signed,
                seal=allowed.approved.intent.seal,
                face=unsealed.order.face,
                code=None if code is None else code.which,
                writes=(*allowed.writes, *(() if coded is None else coded.writes(1))),
                checks=(*allowed.checks, *(() if coded is None else coded.checks())),
            )

    async def _template(self, content: FaceContent) -> tuple[CertificateType, StoredTemplate]:
        published = self.templates.catalogue.find(content.type_code, content.type_version)
        found = await self.templates.in_force(content.type_code, content.type_version)
        if published is None or found is None or found.state is not FaceState.APPROVED:
            name = f"certificateTypes/{content.type_code.lower()}/faceTemplates/-"
            raise HubError(Reason.FACE_TEMPLATE_NOT_FOUND, name=name)
        return published.type, found

    def _order(self, content: FaceContent, face: str, terms: CopyTerms | None) -> DocumentOrder:
        return DocumentOrder(
            authority_uscc=self._facts(self._keeper(content)).uscc,
            vct=f"https://{self.origin}/vct/{content.type_code}",
            type_version=content.type_version,
            identifier=content.identifier,
            face=face,
            terms=terms,
        )

    def _keeper(self, content: FaceContent) -> str:
        """Who seals now: whoever issued it, or has succeeded him."""
        return self.registers.keeper(content.authority, content.type_code) or content.authority

    def _facts(self, authority: str) -> AuthorityFacts:
        facts = self.registers.facts(authority)
        assert facts is not None, "whoever issued a certificate is registered"
        return facts

    async def _allowed(
        self, content: FaceContent, order: DocumentOrder, wanted: FaceFormat | None
    ) -> _Allowed:
        """Steps 1 and 3. Of several intents the newest that holds counts, by the roster that the
        log proves now."""
        await self.prove()
        refusal = HubError(
            Reason.INTENT_NOT_APPROVED,
            intent="-",
            rule=f"no approved intent allows files of the kind {order.kind.value} for this type",
        )
        rows = await self.database.all(INTENTS_OF_TYPE, self._keeper(content), content.type_code)
        for intent in map(intent_of, rows):
            if intent.type_version != content.type_version:
                continue
            for form in (wanted,) if wanted is not None else tuple(FaceFormat):
                try:
                    return await self._open(intent, order, form)
                except HubError as error:
                    refusal = more_telling(refusal, error)
        raise refusal

    async def _open(self, intent: StoredIntent, order: DocumentOrder, form: FaceFormat) -> _Allowed:
        rows = await self.database.all(APPROVALS_OF_INTENT, intent.name)
        approvals = tuple(approval_of(row).approval for row in rows)
        mandate = Mandate(intent.name, intent.bytes, approvals)
        approved = self.signer.approve(intent.name, intent.bytes, approvals)
        check_document_order(approved, order, now=self.clock() // 1_000_000)
        row = await self.database.one(USES_OF_INTENT, intent.name)
        uses = None if row is None else int(row[0] or 0)
        if (uses or 0) + 1 > approved.intent.uses_max:
            raise HubError(Reason.INTENT_EXHAUSTED, intent=approved.name, left=0)
        usable = await self._key(approved.intent.seal, form)
        if usable.key.authority_uscc != order.authority_uscc:
            raise HubError(Reason.KEY_UNAVAILABLE, key=approved.intent.seal)
        assert usable.seal is not None, "asked for by the name of its seal"
        found = await self.database.one(ELECTRONIC_SEAL, usable.seal.name, usable.seal.version)
        electronic = None if found is None else electronic_seal_of(found)
        if form is FaceFormat.OFD and electronic is None:
            name = f"{usable.seal.name} (electronic form)"
            raise HubError(Reason.SEAL_NOT_FOUND, name=name)
        return _Allowed(intent, mandate, approved, usable, uses, form, electronic)

    async def _key(self, seal: str, form: FaceFormat) -> UsableKey:
        use = KeyUse.OFD if form is FaceFormat.OFD else KeyUse.PDF
        by_sm2 = use is KeyUse.OFD or self.keys.demands_sm2
        algorithms = _SM2 if by_sm2 else _INTERNATIONAL
        for algorithm in algorithms:
            # One that has had its last day gives way to the next without anybody's doing.
            if not self.keys.algorithms.allows(algorithm, self.keys.clock()):
                continue
            if await self.keys.in_force(seal, use, algorithm):
                return await self.keys.usable(seal, use, algorithm, 1)
        return await self.keys.usable(seal, use, algorithms[0], 1)

    async def _document(
        self,
        certificate_type: CertificateType,
        content: FaceContent,
        template: StoredTemplate,
        terms: CopyTerms | None,
        code: CodeOnFace,
    ) -> FaceDocument:
        """Step 2, as far as the format does not matter."""
        return await self.templates.document(
            certificate_type,
            content.fields,
            self._issuance(certificate_type, content),
            code.text,
            number=template.number,
            annotated=terms,
        )

    def _marked(
        self, order: DocumentOrder, content: FaceContent, source: SourceDocument, terms: CopyTerms
    ) -> _Unsealed:
        """Step 2 of a marked copy; runs in a thread."""
        published = self.templates.catalogue.find(content.type_code, content.type_version)
        assert published is not None, "certificates are of a type"
        fonts = self.templates.fonts.open()
        over = set_mark(
            published.type,
            content.fields,
            self._issuance(published.type, content),
            terms,
            fonts,
            face=order.face,
            created=self.clock() // 1_000_000,
        )
        if source.media_type == FaceFormat.OFD:
            ofd = mark_ofd(
                read_ofd(source.data),
                lambda box: mark_lines(terms, box, fonts),
                fonts,
                over.metadata,
            )
            return _Unsealed(order, _corner(ofd.width, ofd.height), fonts, ofd.package)
        made = mark(source.data, source.media_type, over.pdf())
        place = _corner(made.width / POINTS_PER_MM, made.height / POINTS_PER_MM)
        return _Unsealed(order, place, fonts, made.data)

    def _issuance(self, certificate_type: CertificateType, content: FaceContent) -> Issuance:
        issuer = self._facts(content.authority)
        return Issuance(
            identifier=content.identifier,
            number=content.printed_number(certificate_type),
            authority_title=issuer.title,
            authority_uscc=issuer.uscc,
            holders=content.holders,
            issue_date=content.issue_date,
            valid_from=content.valid_from,
            valid_until=content.valid_until,
        )

    def _seal(self, allowed: _Allowed, unsealed: _Unsealed) -> SealedDocument:
        """Step 4; runs in a thread."""
        drawing = Drawing(
            approved=allowed.approved,
            mandate=allowed.mandate,
            order=unsealed.order,
            key=allowed.usable.signing,
            electronic=allowed.electronic,
            place=unsealed.place,
            now_us=self.clock(),
            stamps=self.stamps,
        )
        if isinstance(unsealed.file, OfdPackage):
            return seal_ofd(drawing, unsealed.file, self.trust, closing=unsealed.closing)
        assert allowed.usable.seal is not None, "asked for by the name of its seal"
        return seal_pdf(drawing, unsealed.file, allowed.usable.seal.title, unsealed.fonts)


def _written(
    order: DocumentOrder,
    document: FaceDocument,
    form: FaceFormat,
    code: CodeOnFace,
    *,
    closing: bool,
) -> _Unsealed:
    file = document.pdf() if form is FaceFormat.PDF else document.ofd()
    return _Unsealed(order, document.page.seal, document.fonts, file, code, closing)


def _opened(content: FaceContent, original: bytes) -> tuple[OfdPackage, str, Box]:
    """A sealed OFD, what it says its face is, and where its next seal stands: beside the last, on
    the side where there is paper. Raises HubError(DIGEST_MISMATCH) for what is no face of
    `content`."""
    try:
        document = read_document(open_package(original))
        facts = ofd_facts(document.package)
        stamps = [
            one for each in document.signatures for one in read_signature(document, each).stamps
        ]
        left, top, width, height = map(float, stamps[-1].box.split())
    except (ProofError, ValueError, IndexError) as error:
        raise HubError(Reason.DIGEST_MISMATCH, what=f"file of {content.identifier}") from error
    if facts is None or facts.identifier != content.identifier:
        raise HubError(Reason.DIGEST_MISMATCH, what=f"file of {content.identifier}")
    beside = left - width - _BETWEEN_MM
    if beside < _MARGIN_MM:
        # A new row above, in the column of the first.
        first = float(stamps[0].box.split()[0])
        left, top = first, max(_MARGIN_MM, top - height - _BETWEEN_MM)
    else:
        left = beside
    return OfdPackage(document.package.files), facts.face, Box(left, top, width, height)


def _corner(width: float, height: float) -> Box:
    """Where the seal of a marked copy stands: right below, as large as a seal where there is room.
    All in millimetres."""
    side = min(_SEAL_MM, 0.4 * min(width, height))
    margin = min(_MARGIN_MM, 0.05 * min(width, height))
    return Box(width - margin - side, height - margin - side, side, side)
