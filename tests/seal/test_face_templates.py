"""Face templates by their messages: drafted, previewed, approved, and kept for ever."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from hub.clock import now_us
from hub.domain.caller import Caller, Role
from hub.errors import HubError, Reason
from hub.proof.encoding import digest, parse_object
from hub.proof.ofd.document import open_package
from hub.seal.face_service import FaceService
from hub.seal.face_templates import FaceTemplates, FontFiles
from hub.seal.faces.fonts import FaceFonts
from hub.seal.v1 import faces_pb2 as pb
from hub.storage.encryption import Keyring
from hub.storage.paging import PageTokens
from tests.registry.office import AUTHORITY, ORIGIN, USCC, Office, open_office
from tests.seal.faces.conftest import fonts as fonts
from tests.seal.faces.samples import CODE as CODE_TEXT
from tests.seal.faces.samples import ISSUANCE, SHIPPED, VALUES, certificate_type, members

CODE = "11100000MB0143028R001"
PARENT = f"certificateTypes/{CODE.lower()}"
FIRST = f"{PARENT}/faceTemplates/v001"


class Desk:
    """The service, and whoever is calling it."""

    def __init__(self, office: Office, fonts: FaceFonts) -> None:
        self.office = office
        self.caller = office.officer("officers/first")
        files = FontFiles("", "", (), fonts)
        self.templates = FaceTemplates(
            ORIGIN,
            now_us,
            office.database,
            office.recorder,
            office.identities,
            office.catalogue,
            files,
        )
        self.service: Any = FaceService(
            office.database,
            self.templates,
            PageTokens(Keyring(bytes(32), bytes(32)).page_digest(), now_us),
            lambda: self.caller,
        )

    def by(self, name: str, authority: str = AUTHORITY) -> Desk:
        """The same desk with another caller: an officer, or a system of an authority."""
        if name.startswith("officers/"):
            self.caller = self.office.officer(name)
        else:
            self.caller = Caller(name, Role.DEPARTMENT, authority, USCC, 0, "", 1)
        return self

    async def draft(self, **request: Any) -> pb.CreateFaceTemplateResponse:
        """A draft of the shipped business licence, with other members of the request."""
        given = {"request_id": str(uuid.uuid4()), "parent": PARENT, "template": face(), **request}
        answer: pb.CreateFaceTemplateResponse = await self.service.CreateFaceTemplate(
            pb.CreateFaceTemplateRequest(**given), None
        )
        return answer

    async def approve(self, name: str = FIRST, template: bytes = b"", **request: Any) -> Any:
        """Approval of a draft by the digest of its bytes."""
        given = {"digest": digest(template or face()), "request_id": str(uuid.uuid4()), **request}
        return await self.service.ApproveFaceTemplate(
            pb.ApproveFaceTemplateRequest(name=name, **given), None
        )

    async def preview(self, **request: Any) -> pb.PreviewFaceResponse:
        """A sample."""
        answer: pb.PreviewFaceResponse = await self.service.PreviewFace(
            pb.PreviewFaceRequest(**request), None
        )
        return answer

    async def entry(self, index: int) -> dict[str, Any]:
        """Kind and data of an entry of the log."""
        body = parse_object((await self.office.recorder.proofs.proven(index)).body)
        return {"kind": body["kind"], "data": body["data"]}


def face(**changes: Any) -> bytes:
    """The shipped template of the business licence, with other members."""
    return json.dumps({**members(), "type_version": 1, **changes}).encode()


def refused(reason: Reason) -> Any:
    """As pytest.raises, of one reason."""
    return pytest.raises(HubError, check=lambda error: error.reason is reason)


@asynccontextmanager
async def opened(url: str, folder: Path, fonts: FaceFonts) -> AsyncIterator[Desk]:
    async with open_office(url, folder) as office:
        await office.publish_type(dataclasses.replace(certificate_type(), version=1))
        yield Desk(office, fonts)


@pytest.fixture
async def desk(sqlite_url: str, tmp_path: Path, fonts: FaceFonts) -> AsyncIterator[Desk]:
    async with opened(sqlite_url, tmp_path, fonts) as found:
        yield found


@pytest.fixture
async def any_desk(database_url: str, tmp_path: Path, fonts: FaceFonts) -> AsyncIterator[Desk]:
    """A desk on each engine in turn."""
    async with opened(database_url, tmp_path, fonts) as found:
        yield found


async def test_a_template_is_drafted_approved_by_another_and_then_in_force(any_desk: Desk) -> None:
    """The whole life of one, with an entry for each step."""
    desk = any_desk
    drafted = await desk.draft()
    assert drafted.face_template.name == FIRST
    assert drafted.face_template.state == pb.FaceTemplate.STATE_DRAFTED
    assert drafted.face_template.digest == digest(face())
    assert {one.rule for one in drafted.warnings} == {"face.may_overflow"}
    assert await desk.templates.in_force(CODE, 1) is None

    approved = await desk.by("officers/second").approve()

    said = {"type": CODE, "type_version": 1, "number": 1, "digest": digest(face())}
    assert approved.face_template.state == pb.FaceTemplate.STATE_APPROVED
    assert approved.face_template.approver == "officers/second"
    assert await desk.entry(drafted.receipt.entry) == {"kind": "face.drafted", "data": said}
    assert await desk.entry(approved.receipt.entry) == {
        "kind": "face.approved",
        "data": {**said, "drafter": "officers/first"},
    }
    assert approved.face_template.state_entry == approved.receipt.entry
    found = await desk.templates.in_force(CODE, 1)
    assert found is not None and found.template == face()
    got = await desk.service.GetFaceTemplate(pb.GetFaceTemplateRequest(name=FIRST), None)
    assert got.face_template.template == face()


async def test_a_later_template_takes_over_and_the_earlier_stays_as_it_was(desk: Desk) -> None:
    """Old certificates keep theirs; another version of the type is not touched."""
    await desk.draft()
    await desk.by("officers/second").approve()
    other = face(title="营业执照（副本）")
    second = await desk.draft(template=other)

    assert second.face_template.name == f"{PARENT}/faceTemplates/v002"
    before = await desk.templates.in_force(CODE, 1)
    assert before is not None and before.number == 1
    await desk.by("officers/first").approve(second.face_template.name, other)

    now = await desk.templates.in_force(CODE, 1)
    assert now is not None and now.number == 2
    assert (await desk.templates.get(CODE, 1)).template == face()
    assert await desk.templates.in_force(CODE, 2) is None


async def test_nobody_approves_what_he_drafted(desk: Desk) -> None:
    """Two people, or two systems."""
    await desk.draft()

    with refused(Reason.APPROVER_REFUSED):
        await desk.approve()


async def test_an_approval_is_of_the_bytes_that_were_looked_at(desk: Desk) -> None:
    """Another digest approves nothing; the right one does, once."""
    await desk.draft()
    desk.by("officers/second")

    with refused(Reason.FIELD_INVALID):
        await desk.approve(digest=digest(face(title="别的")))
    with refused(Reason.FACE_TEMPLATE_NOT_FOUND):
        await desk.approve(f"{PARENT}/faceTemplates/v002")
    await desk.approve()
    with refused(Reason.TRANSITION_NOT_ALLOWED):
        await desk.approve()


async def test_the_defining_authority_decides_where_it_is_registered(desk: Desk) -> None:
    """Then its systems draft and approve, and neither officers nor other departments do."""
    desk.office.identities.definer = AUTHORITY
    await desk.by("systems/design").draft()

    with refused(Reason.AUTHORITY_NOT_ALLOWED):
        await desk.by("officers/second").approve()
    with refused(Reason.AUTHORITY_NOT_ALLOWED):
        await desk.by("systems/other", "authorities/other").approve()
    with refused(Reason.AUTHORITY_NOT_ALLOWED):
        await desk.by("officers/first").draft()
    with refused(Reason.APPROVER_REFUSED):
        await desk.by("systems/design").approve()
    approved = await desk.by("systems/head").approve()
    assert approved.face_template.approver == "systems/head"


async def test_where_nobody_answers_for_a_type_only_officers_do(desk: Desk) -> None:
    """A department cannot draw the face of a ministry's licence."""
    with refused(Reason.AUTHORITY_NOT_ALLOWED):
        await desk.by("systems/design").draft()


async def test_the_same_request_gives_one_draft_and_the_first_answer(desk: Desk) -> None:
    """Repeated after a lost answer; another content under its id is refused."""
    request_id = str(uuid.uuid4())
    first = await desk.draft(request_id=request_id)

    again = await desk.draft(request_id=request_id)

    assert again == first
    with refused(Reason.REQUEST_ID_REUSED):
        await desk.draft(request_id=request_id, template=face(title="别的"))


async def test_two_drafts_at_once_get_two_numbers(desk: Desk) -> None:
    """The second is decided again."""
    made = await asyncio.gather(desk.draft(), desk.draft(template=face(title="乙")))

    assert sorted(one.face_template.number for one in made) == [1, 2]


async def test_a_template_that_breaks_rules_is_refused_with_all_of_them(desk: Desk) -> None:
    """Nothing is stored, and the next good one is the first."""
    with pytest.raises(HubError) as found:
        await desk.draft(template=face(fields=[]))
    assert {one.rule for one in found.value.violations} == {"face.field_missing"}
    with refused(Reason.FIELD_INVALID):
        await desk.draft(parent="certificateTypes/11100000mb0143028r002")
    with refused(Reason.CERTIFICATE_TYPE_NOT_FOUND):
        await desk.draft(template=face(type_version=2))
    checked = await desk.draft(validate_only=True)
    assert not checked.HasField("receipt")

    assert (await desk.draft()).face_template.number == 1


async def test_templates_are_listed_in_pages_without_their_bytes(any_desk: Desk) -> None:
    """By type and number; a page ends where the next begins."""
    desk = any_desk
    for title in ("甲", "乙", "丙"):
        await desk.draft(template=face(title=title))
    found: list[pb.FaceTemplate] = []
    token = ""
    while True:
        request = pb.ListFaceTemplatesRequest(
            parent="certificateTypes/-", page_size=2, page_token=token
        )
        page = await desk.service.ListFaceTemplates(request, None)
        found += page.face_templates
        token = page.next_page_token
        if not token:
            break

    assert [one.title for one in found] == ["甲", "乙", "丙"]
    assert not any(one.template for one in found)
    only = pb.ListFaceTemplatesRequest(parent="certificateTypes/11100000mb0143028r002")
    assert not (await desk.service.ListFaceTemplates(only, None)).face_templates


@pytest.mark.parametrize("name", ["v1", "v0001", "v000", "x001", "v-01"])
async def test_a_name_that_no_template_can_have_is_refused(name: str, desk: Desk) -> None:
    """One name for one template."""
    with refused(Reason.NAME_MALFORMED):
        await desk.service.GetFaceTemplate(
            pb.GetFaceTemplateRequest(name=f"{PARENT}/faceTemplates/{name}"), None
        )


async def test_a_preview_is_marked_as_a_sample_and_recorded_nowhere(desk: Desk) -> None:
    """PDF of a template that is not stored, with given values and made-up ones."""
    before = desk.office.recorder.head().size
    values = json.dumps({"name": "杭州预览有限公司"}).encode()

    preview = await desk.by("systems/design").preview(template=face(), values=values)

    assert preview.media_type == "application/pdf"
    text = pypdfium2.PdfDocument(preview.content)[0].get_textpage().get_text_range()
    for shown in ("样张", "无效", "杭州预览有限公司", "经营范围示例", "杭州市市场监督管理局"):
        assert shown in text
    assert desk.office.recorder.head().size == before


async def test_a_stored_template_is_previewed_in_each_format(desk: Desk) -> None:
    """OFD that our reader opens, PNG that Pillow opens."""
    await desk.draft()

    ofd = await desk.preview(face_template=FIRST, format=pb.PreviewFaceRequest.FORMAT_OFD)
    png = await desk.preview(face_template=FIRST, format=pb.PreviewFaceRequest.FORMAT_PNG)

    content = open_package(ofd.content).files["Doc_0/Pages/Page_0/Content.xml"].decode()
    assert "样张" in content and "名称示例" in content
    with Image.open(io.BytesIO(png.content)) as image:
        assert (png.media_type, image.size) == ("image/png", (1753, 1240))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (b"[]", Reason.FIELD_INVALID),
        (b'{"nmae":"x"}', Reason.FIELD_INVALID),
        (b'{"establish_date":"31.1.2026"}', Reason.FIELD_INVALID),
        (b'{"credit_code":"91330100000000001X0"}', Reason.FIELD_INVALID),
        (b'{"a":"' + b"x" * 70_000 + b'"}', Reason.MESSAGE_TOO_LARGE),
        (json.dumps({"scope": "字" * 4000}).encode(), Reason.FACE_OVERFLOW),
        (json.dumps({"scope": "\ue123"}).encode(), Reason.FONT_GLYPH_MISSING),
    ],
)
async def test_a_preview_of_wrong_values_is_refused(
    values: bytes, reason: Reason, desk: Desk
) -> None:
    """By the type's own rules, and by what the face can hold."""
    with refused(reason):
        await desk.preview(template=face(), values=values)


async def test_without_a_font_everything_but_faces_goes_on(desk: Desk, tmp_path: Path) -> None:
    """The reason says what to install; lists are answered."""
    await desk.draft()
    desk.templates.fonts._opened = None
    desk.templates.fonts.path = str(tmp_path / "absent.otf")

    with refused(Reason.FONT_MISSING):
        await desk.preview(face_template=FIRST)

    request = pb.ListFaceTemplatesRequest(parent=PARENT)
    assert len((await desk.service.ListFaceTemplates(request, None)).face_templates) == 1


async def test_a_certificate_is_set_in_the_template_in_force_or_in_its_own(desk: Desk) -> None:
    """Nothing before the approval; an old one keeps its template, and says which it is."""
    kind = dataclasses.replace(certificate_type(), version=1)
    with refused(Reason.FACE_TEMPLATE_NOT_FOUND):
        await desk.templates.document(kind, VALUES, ISSUANCE, CODE_TEXT)
    await desk.draft()
    with refused(Reason.FACE_TEMPLATE_NOT_FOUND):
        await desk.templates.document(kind, VALUES, ISSUANCE, CODE_TEXT, number=1)
    await desk.by("officers/second").approve()
    other = face(title="营业执照（副本）")
    await desk.draft(template=other)
    await desk.by("officers/first").approve(f"{PARENT}/faceTemplates/v002", other)

    now = await desk.templates.document(kind, VALUES, ISSUANCE, CODE_TEXT)
    own = await desk.templates.document(kind, VALUES, ISSUANCE, CODE_TEXT, number=1)

    assert now.metadata.items["SEALWAY_FACE"] == f"{PARENT}/faceTemplates/v002 {digest(other)}"
    assert own.metadata.items["SEALWAY_FACE"] == f"{FIRST} {digest(face())}"
    assert open_package(own.ofd().to_bytes()).files
    assert own.pdf().startswith(b"%PDF-1.7")


def test_the_shipped_templates_name_types_that_are_shipped() -> None:
    """Each fits the type of the seed catalogue in its newest version."""
    for name in SHIPPED:
        assert members(name)["type"] == certificate_type(name).code
        assert members(name)["type_version"] == certificate_type(name).version
