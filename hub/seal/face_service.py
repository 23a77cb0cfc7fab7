"""gRPC ↔ domain for face templates, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller
from hub.errors import HubError, Reason, Violation
from hub.seal.face_store import (
    TEMPLATES_PAGE,
    FaceState,
    StoredTemplate,
    number_of,
    template_of,
)
from hub.seal.face_templates import Draft, FaceTemplates, Format
from hub.seal.ports import Database
from hub.seal.v1 import faces_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size

_PATH: Final = "/hub.seal.v1.FaceService/"
_TYPE: Final = "certificateTypes/{certificate_type}"
_TEMPLATE: Final = _TYPE + "/faceTemplates/{face_template}"
_ANY_TYPE: Final = "certificateTypes/-"

_STATES: Final = {
    FaceState.DRAFTED: pb.FaceTemplate.STATE_DRAFTED,
    FaceState.APPROVED: pb.FaceTemplate.STATE_APPROVED,
}
_FORMATS: Final = {
    pb.PreviewFaceRequest.FORMAT_UNSPECIFIED: Format.PDF,
    pb.PreviewFaceRequest.FORMAT_PDF: Format.PDF,
    pb.PreviewFaceRequest.FORMAT_OFD: Format.OFD,
    pb.PreviewFaceRequest.FORMAT_PNG: Format.PNG,
}


@dataclass(frozen=True, slots=True)
class FaceService:
    """`hub.seal.v1.FaceService`."""

    database: Database
    templates: FaceTemplates
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def CreateFaceTemplate(
        self, request: pb.CreateFaceTemplateRequest, _context: grpc.aio.ServicerContext
    ) -> pb.CreateFaceTemplateResponse:
        """Store a draft."""
        (type_id,) = names.parse(request.parent, _TYPE)
        answered = await self.templates.create(
            self._call("CreateFaceTemplate", request),
            type_id.upper(),
            request.template,
            lambda draft: encode_draft(draft).SerializeToString(),
            validate_only=request.validate_only,
        )
        response = pb.CreateFaceTemplateResponse.FromString(answered.answer)
        response.face_template.state_entry = answered.entry or 0
        if answered.entry is not None:
            response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def PreviewFace(
        self, request: pb.PreviewFaceRequest, _context: grpc.aio.ServicerContext
    ) -> pb.PreviewFaceResponse:
        """A sample."""
        wanted = _FORMATS.get(request.format)
        if wanted is None:
            raise HubError(Reason.FIELD_INVALID, field="format", rule="a format of this list")
        template = request.template
        if request.WhichOneof("source") == "face_template":
            stored = await self.templates.get(*decode_name(request.face_template))
            template = stored.template
        preview = await self.templates.preview(
            self.current_caller(), template, request.values, wanted
        )
        return pb.PreviewFaceResponse(
            media_type=preview.format.value,
            content=preview.content,
            warnings=_encode_warnings(preview.warnings),
        )

    async def ApproveFaceTemplate(
        self, request: pb.ApproveFaceTemplateRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ApproveFaceTemplateResponse:
        """Put a draft in force."""
        answered = await self.templates.approve(
            self._call("ApproveFaceTemplate", request),
            *decode_name(request.name),
            request.digest,
            lambda stored: encode_template(stored).SerializeToString(),
        )
        template = pb.FaceTemplate.FromString(answered.answer)
        template.state_entry = answered.entry or 0
        return pb.ApproveFaceTemplateResponse(
            face_template=template, receipt=wire.receipt(answered)
        )

    async def GetFaceTemplate(
        self, request: pb.GetFaceTemplateRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetFaceTemplateResponse:
        """One template."""
        stored = await self.templates.get(*decode_name(request.name))
        message = encode_template(stored)
        message.template = stored.template
        return pb.GetFaceTemplateResponse(face_template=message)

    async def ListFaceTemplates(
        self, request: pb.ListFaceTemplatesRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListFaceTemplatesResponse:
        """A page of templates by type and number."""
        code = ""
        if request.parent != _ANY_TYPE:
            (type_id,) = names.parse(request.parent, _TYPE)
            code = type_id.upper()
        size = page_size(request.page_size)
        scope = f"ListFaceTemplates {code}"
        after, _, number = self.pages.read(request.page_token, scope).partition(" ")
        rows = await self.database.all(
            TEMPLATES_PAGE, code, after, after, int(number or 0), size + 1
        )
        page = [template_of(row) for row in rows[:size]]
        last = f"{page[-1].type_code} {page[-1].number}" if len(rows) > size else ""
        return pb.ListFaceTemplatesResponse(
            face_templates=[encode_template(one) for one in page],
            next_page_token=self.pages.make(last, scope) if last else "",
        )

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)


def decode_name(name: str) -> tuple[str, int]:
    """Type code and number. Raises HubError(NAME_MALFORMED)."""
    type_id, template_id = names.parse(name, _TEMPLATE)
    number = number_of(template_id)
    if not number:
        raise HubError(Reason.NAME_MALFORMED, name=name[:100], form=_TEMPLATE)
    return type_id.upper(), number


def encode_draft(draft: Draft) -> pb.CreateFaceTemplateResponse:
    """The answer about a draft, without its receipt."""
    return pb.CreateFaceTemplateResponse(
        face_template=encode_template(draft.stored), warnings=_encode_warnings(draft.warnings)
    )


def encode_template(stored: StoredTemplate) -> pb.FaceTemplate:
    """The message of a template, without its bytes."""
    message = pb.FaceTemplate(
        name=stored.name,
        number=stored.number,
        type_version=stored.type_version,
        title=stored.title,
        state=_STATES[stored.state],
        state_entry=max(stored.state_entry, 0),
        digest=stored.digest,
        drafter=stored.drafter,
        approver=stored.approver,
        create_time=wire.timestamp(stored.create_time_us),
    )
    if stored.approve_time_us is not None:
        message.approve_time.CopyFrom(wire.timestamp(stored.approve_time_us))
    return message


def _encode_warnings(warnings: Sequence[Violation]) -> list[pb.FaceWarning]:
    return [
        pb.FaceWarning(field=one.field, rule=one.rule, en=one.en, zh=one.zh) for one in warnings
    ]
