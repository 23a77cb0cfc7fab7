"""The life of a face template: drafted, previewed, approved, and never changed again.

Who answers for a type decides how its certificates look: its defining authority or the successor,
where one is registered here; otherwise officers, as they publish its types. Nobody approves what he
drafted.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.clock import Clock, legal_day
from hub.domain.caller import Caller, Role
from hub.domain.certificate_type import CertificateType, FieldType, check_fields
from hub.domain.face import CopyTerms
from hub.domain.identifier import CertificateIdentifier
from hub.domain.qr_text import preview_text
from hub.domain.strict_json import Json, NotStrictJsonError, parse_object
from hub.errors import HubError, Reason, Violation
from hub.proof.encoding import digest
from hub.seal.face_store import (
    IN_FORCE,
    NEWEST_NUMBER,
    TEMPLATE,
    FaceState,
    StoredTemplate,
    insert_template,
    put_template,
    template_of,
    unchanged_state,
)
from hub.seal.faces.document import FaceDocument, set_face
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import SAMPLE, Face, Issuance
from hub.seal.faces.lint import lint
from hub.seal.faces.metadata import metadata
from hub.seal.faces.ofd import page_ofd
from hub.seal.faces.pdf import page_pdf
from hub.seal.faces.svg import page_png
from hub.seal.faces.template import FaceTemplate, parse_template
from hub.seal.ports import Access, AuthorityFacts, Catalogue, Database, Recorder
from hub.storage.changes import Answered, Call, Change, read_and_change_once
from hub.storage.statements import ENTRY_INDEX, Check, integer

TEMPLATES_MAX: Final = 999
VALUES_BYTES_MAX: Final = 65_536
PREVIEW_BYTES_MAX: Final = 3_900_000
PREVIEWS_AT_ONCE: Final = 2


class Format(StrEnum):
    """What a preview is given as, by its media type."""

    PDF = "application/pdf"
    OFD = "application/ofd"
    PNG = "image/png"


@dataclass(frozen=True, slots=True)
class Draft:
    """A template as stored, and what it risks."""

    stored: StoredTemplate
    warnings: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """A rendered sample, and what its template risks."""

    format: Format
    content: bytes = field(repr=False)
    warnings: tuple[Violation, ...]


@dataclass(slots=True)
class FontFiles:
    """The hub's fonts, opened when they are first needed: a hub without does everything else."""

    path: str
    face: str
    more: Sequence[str] = ()
    _opened: FaceFonts | None = None

    def open(self) -> FaceFonts:
        """Raises HubError: FONT_MISSING, FONT_NOT_EMBEDDABLE."""
        if self._opened is None:
            self._opened = FaceFonts.open(self.path, self.face, self.more)
        return self._opened


@dataclass(frozen=True, slots=True)
class FaceTemplates:
    """All templates of one hub."""

    origin: str
    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    catalogue: Catalogue
    fonts: FontFiles
    _previews: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(PREVIEWS_AT_ONCE)
    )

    async def create(
        self,
        call: Call,
        type_code: str,
        template: bytes,
        encode: Callable[[Draft], bytes],
        *,
        validate_only: bool,
    ) -> Answered:
        """Store a draft of the next number; durable when it returns.

        Raises HubError: FIELD_INVALID with every violation, CERTIFICATE_TYPE_NOT_FOUND,
        AUTHORITY_NOT_ALLOWED, FONT_MISSING, FONT_GLYPH_MISSING, REQUEST_ID_REUSED, DECISION_STALE.
        """
        parsed, warnings = await self._linted(type_code, template)

        async def decide() -> Change:
            self._check_right(call.caller, type_code)
            row = await self.database.one(NEWEST_NUMBER, type_code)
            number = 1 + (integer(row[0]) if row and row[0] is not None else 0)
            if number > TEMPLATES_MAX:
                rule = f"a type has at most {TEMPLATES_MAX} templates"
                raise HubError(Reason.FIELD_INVALID, field="parent", rule=rule)
            stored = StoredTemplate(
                type_code=type_code,
                number=number,
                type_version=parsed.type_version,
                title=parsed.title,
                template=template,
                digest=digest(template),
                state=FaceState.DRAFTED,
                state_entry=ENTRY_INDEX,
                drafter=call.caller.name,
                create_time_us=self.clock(),
                approver="",
                approve_time_us=None,
            )
            return Change(
                kind="face.drafted",
                data=_said(stored),
                writes=(insert_template(stored),),
                checks=(
                    Check(TEMPLATE, (type_code, number), None),
                    self.catalogue.check(),
                    self.access.check(call.caller),
                ),
                answer=encode(Draft(stored, warnings)),
            )

        if validate_only:
            return Answered((await decide()).answer, None, "")
        return await read_and_change_once(self.recorder, call, decide, self.catalogue.refresh)

    async def approve(
        self,
        call: Call,
        type_code: str,
        number: int,
        approved_digest: str,
        encode: Callable[[StoredTemplate], bytes],
    ) -> Answered:
        """Let certificates be set in a draft; durable when it returns.

        `approved_digest` is that of the bytes that the approver looked at. Raises HubError:
        FACE_TEMPLATE_NOT_FOUND, FIELD_INVALID where the digest is another, AUTHORITY_NOT_ALLOWED,
        APPROVER_REFUSED for who drafted it, TRANSITION_NOT_ALLOWED, REQUEST_ID_REUSED,
        DECISION_STALE.
        """

        async def decide() -> Change:
            stored = await self.get(type_code, number)
            self._check_right(call.caller, type_code)
            if stored.drafter == call.caller.name:
                raise HubError(
                    Reason.APPROVER_REFUSED,
                    intent=stored.name,
                    en="who drafted a template does not approve it",
                    zh="起草者不得自行审批",
                )
            if stored.state is not FaceState.DRAFTED:
                raise HubError(
                    Reason.TRANSITION_NOT_ALLOWED, name=stored.name, state=stored.state.value
                )
            if stored.digest != approved_digest:
                rule = "the digest of the template's bytes, which were looked at"
                raise HubError(Reason.FIELD_INVALID, field="digest", rule=rule)
            approved = dataclasses.replace(
                stored,
                state=FaceState.APPROVED,
                state_entry=ENTRY_INDEX,
                approver=call.caller.name,
                approve_time_us=self.clock(),
            )
            return Change(
                kind="face.approved",
                data={**_said(approved), "drafter": stored.drafter},
                writes=(put_template(approved),),
                checks=(unchanged_state(stored), self.access.check(call.caller)),
                answer=encode(approved),
            )

        return await read_and_change_once(self.recorder, call, decide, self.catalogue.refresh)

    async def get(self, type_code: str, number: int) -> StoredTemplate:
        """One template. Raises HubError(FACE_TEMPLATE_NOT_FOUND)."""
        row = await self.database.one(TEMPLATE, type_code, number)
        if row is None:
            name = f"certificateTypes/{type_code.lower()}/faceTemplates/v{number:03d}"
            raise HubError(Reason.FACE_TEMPLATE_NOT_FOUND, name=name)
        return template_of(row)

    async def in_force(self, type_code: str, type_version: int) -> StoredTemplate | None:
        """The template in which certificates of a version of a type are set now, if any."""
        row = await self.database.one(IN_FORCE, type_code, type_version, 1)
        return None if row is None else template_of(row)

    async def document(
        self,
        certificate_type: CertificateType,
        fields: Mapping[str, Json],
        issuance: Issuance,
        code: str,
        *,
        number: int = 0,
        annotated: CopyTerms | None = None,
    ) -> FaceDocument:
        """A certificate in the template of this number, or in the one in force for 0; or an
        annotated copy of it. Nothing is recorded.

        Raises HubError: FACE_TEMPLATE_NOT_FOUND where none is approved, FACE_OVERFLOW,
        FONT_MISSING, FONT_GLYPH_MISSING.
        """
        found = (
            await self.get(certificate_type.code, number)
            if number
            else await self.in_force(certificate_type.code, certificate_type.version)
        )
        if found is None or found.state is not FaceState.APPROVED:
            name = f"certificateTypes/{certificate_type.code.lower()}/faceTemplates/-"
            raise HubError(Reason.FACE_TEMPLATE_NOT_FOUND, name=found.name if found else name)

        def render() -> FaceDocument:
            face = Face(parse_template(found.template), certificate_type, self.fonts.open())
            return set_face(
                face,
                fields,
                issuance,
                code,
                template=f"{found.name} {found.digest}",
                created=self.clock() // 1_000_000,
                annotated=annotated,
            )

        return await asyncio.to_thread(render)

    async def preview(
        self, caller: Caller, template: bytes, values: bytes, wanted: Format
    ) -> Preview:
        """A sample of one certificate, with 样张 across it, and nothing recorded.

        `values` is a JSON object of fields; what it does not name is made up, and empty is b"".
        Raises HubError: FIELD_INVALID, CERTIFICATE_TYPE_NOT_FOUND, FACE_OVERFLOW, FONT_MISSING,
        FONT_GLYPH_MISSING, MESSAGE_TOO_LARGE.
        """
        async with self._previews:
            parsed = await asyncio.to_thread(parse_template, template)
        certificate_type = self._type(parsed.type_code, parsed.type_version)
        fields = {**sample_fields(certificate_type), **_given(values, certificate_type)}
        facts = self.access.facts(caller.authority) or AuthorityFacts(
            certificate_type.defining_authority, "示例颁发机构"
        )
        issuance = self._sample_issuance(certificate_type, facts)

        def render() -> Preview:
            fonts = self.fonts.open()
            found = lint(parsed, certificate_type, fonts)
            found.check()
            face = Face(parsed, certificate_type, fonts)
            code = preview_text(self.origin, issuance.identifier)
            page = face.page(fields, issuance, code, overlay=SAMPLE, shows_seal_place=True)
            described = metadata(
                certificate_type,
                fields,
                issuance,
                code=code,
                face=f"sample {digest(template)}",
                created=self.clock() // 1_000_000,
            )
            if wanted is Format.OFD:
                content = page_ofd(page, fonts, described).to_bytes()
            elif wanted is Format.PDF:
                content = page_pdf(page, fonts, described)
            else:
                content = page_png(page, fonts)
            return Preview(wanted, content, found.warnings)

        # Setting and cutting fonts takes most of a second, and memory.
        async with self._previews:
            preview = await asyncio.to_thread(render)
        if len(preview.content) > PREVIEW_BYTES_MAX:
            raise HubError(
                Reason.MESSAGE_TOO_LARGE, bytes=len(preview.content), bytes_max=PREVIEW_BYTES_MAX
            )
        return preview

    async def _linted(
        self, type_code: str, template: bytes
    ) -> tuple[FaceTemplate, tuple[Violation, ...]]:
        async with self._previews:
            parsed = await asyncio.to_thread(parse_template, template)
        if parsed.type_code != type_code:
            raise HubError(Reason.FIELD_INVALID, field="parent", rule="the type of the template")
        certificate_type = self._type(type_code, parsed.type_version)

        def compare() -> tuple[Violation, ...]:
            found = lint(parsed, certificate_type, self.fonts.open())
            found.check()
            return found.warnings

        async with self._previews:
            return parsed, await asyncio.to_thread(compare)

    def _type(self, code: str, version: int) -> CertificateType:
        published = self.catalogue.find(code, version)
        if published is None:
            raise HubError(
                Reason.CERTIFICATE_TYPE_NOT_FOUND,
                name=f"certificateTypes/{code.lower()}, version {version}",
            )
        return published.type

    def _check_right(self, caller: Caller, type_code: str) -> None:
        published = self.catalogue.find(type_code)
        if published is None:
            name = f"certificateTypes/{type_code.lower()}"
            raise HubError(Reason.CERTIFICATE_TYPE_NOT_FOUND, name=name)
        responsible = self.access.responsible(type_code, published.type.defining_authority)
        is_officer = caller.role is Role.OFFICER
        if not (is_officer if responsible is None else caller.authority == responsible):
            raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=responsible or caller.authority)

    def _sample_issuance(
        self, certificate_type: CertificateType, facts: AuthorityFacts
    ) -> Issuance:
        day = legal_day(self.clock()).isoformat()
        identifier = CertificateIdentifier.make(certificate_type.code, facts.uscc, "0" * 32, 1)
        return Issuance(
            identifier=str(identifier),
            number="00000000",
            authority_title=facts.title,
            authority_uscc=facts.uscc,
            holders=(("999", "00000000"),),
            issue_date=day,
            valid_from=day,
            valid_until="",
        )


def sample_fields(certificate_type: CertificateType) -> dict[str, Json]:
    """A value for every field, which names nobody: texts are the field's own label."""
    made: dict[str, Json] = {}
    for one in certificate_type.fields:
        sample: Json = _SAMPLES.get(one.type, f"{one.label}示例"[: one.length_max])
        made[one.name] = sample
    return made


_SAMPLES: Final[Mapping[FieldType, Json]] = {
    FieldType.CODE: "00000000",
    FieldType.DATE: "2026-01-31",
    FieldType.INTEGER: 1,
    FieldType.AMOUNT: "1250000.00 CNY",
    FieldType.BOOLEAN: True,
}


def _given(values: bytes, certificate_type: CertificateType) -> dict[str, Json]:
    """The values of a preview, each as its type demands; none is missed."""
    if not values:
        return {}
    if len(values) > VALUES_BYTES_MAX:
        raise HubError(Reason.MESSAGE_TOO_LARGE, bytes=len(values), bytes_max=VALUES_BYTES_MAX)
    try:
        given = parse_object(values)
    except NotStrictJsonError as error:
        rule = f"a strict JSON object of fields: {error}"
        raise HubError(Reason.FIELD_INVALID, field="values", rule=rule) from error
    broken = tuple(
        one for one in check_fields(certificate_type, given) if one.rule != "value.required"
    )
    if broken:
        raise HubError(
            Reason.FIELD_INVALID, violations=broken, field=broken[0].field, rule=broken[0].rule
        )
    return given


def _said(stored: StoredTemplate) -> dict[str, Json]:
    return {
        "type": stored.type_code,
        "type_version": stored.type_version,
        "number": stored.number,
        "digest": stored.digest,
    }
