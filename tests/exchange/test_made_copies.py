"""Annotated copies made at fetch: rendered with a real font, sealed again, registered, verified."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import closing, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from hub.cli.main import run as sealway
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.row import Op
from hub.exchange.v1 import copies_pb2, copies_pb2_grpc
from hub.proof.encoding import b64u
from hub.proof.exchange.request import CopyPurpose, RequestedCertificate, sign_request
from hub.proof.faces.code import read_face_code
from hub.proof.faces.facts import ofd_facts, pdf_facts
from hub.proof.key_statements import proven_statements, with_statements
from hub.proof.moment import iso_time
from hub.proof.ofd.document import open_package
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.recognise import recognise
from hub.proof.records.sd_jwt import open_record
from hub.proof.reports.report import FactName, FactValue, Kind, Remark, Report, StepName
from hub.proof.reports.summary import summarise
from hub.proof.run import Evidence
from hub.proof.sm2 import sm3
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.proof.worker import Verifiers
from hub.registry.v1 import documents_pb2
from hub.seal.documents.pdf_archive import add_evidence
from hub.seal.documents.pdf_seal import QuietWriter
from hub.seal.v1 import faces_pb2, faces_pb2_grpc, seal_pb2
from tests.chinese_font import needs_font
from tests.exchange.faced import SEAL, add_face, allow, make_seal
from tests.exchange.handed import RPC, Came, digest_of, fetch, send
from tests.registry.clerk import PDF, Clerk
from tests.seal.faces.samples import early_licence
from tests.seal.test_key_statements import listed
from tests.seal.test_verify_document import verified as asked_hub
from tests.simulator import (
    GRANTED,
    LICENCE_VCT,
    Refused,
    Simulator,
    by_identifier,
    company,
    copy_home,
    licence,
    new_id,
)
from tests.test_documents_total import undocumented

pytestmark = pytest.mark.asyncio(loop_scope="module")

PURPOSE = "办理食品经营许可"
OFD, PDF_TYPE = "application/ofd", "application/pdf"


@dataclass
class City:
    """A hub whose licences have a face, and their identifiers by company."""

    hub: Simulator
    identifiers: dict[int, str]
    names: dict[int, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made_city(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    needs_font()
    home = copy_home(city, tmp_path_factory.mktemp("made") / "home")
    async with Simulator(home) as hub:
        answer = await hub.connector().deliver([licence(one) for one in range(1, 5)])
        found = City(
            hub,
            {one: row.identifier for one, row in enumerate(answer.results, 1)},
            {one: row.certificate for one, row in enumerate(answer.results, 1)},
        )
        await Clerk(hub.system("hz-department")).upload(found.names[1], [PDF + b"original"])
        zhao = hub.officer()
        await make_seal(hub)
        await add_face(hub, early_licence())
        await allow(hub, "hz-documents", ["annotated-copy"])
        await zhao.grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))
        yield found
        assert (await hub.audit()).findings == []


def wanted(seconds: int = 86_400) -> CopyPurpose:
    return CopyPurpose(PURPOSE, int(time.time()) + seconds)


async def copy(city: City, number: int = 1, media_type: str = OFD, **claims: Any) -> Came:
    claims = {"copy": wanted(), **claims}
    return await fetch(
        city.hub.platform(), city.identifiers[number], media_type=media_type, **claims
    )


def verified(
    hub: Simulator, data: bytes, record: bytes | None = None, trust: Trust | None = None
) -> Report:
    """The report of a worker that pins what the hub hands out, or `trust`."""
    with closing(Verifiers()) as verifiers:
        evidence = Evidence(now=int(time.time()), record=record)
        report = verifiers.verify(data, trust or hub.trust, evidence)
    assert report is not None
    return report


@pytest.mark.parametrize("media_type", [OFD, PDF_TYPE])
async def test_the_hub_says_in_whose_custody_the_key_of_a_document_is(
    made_city: City, media_type: str
) -> None:
    """Its log made the key, so whoever asks it, or took that over, sees that it is a file here; a
    trust file without it knows a stranger's key."""
    came = await copy(made_city, media_type=media_type)
    platform = made_city.hub.platform()
    receipts = await listed(platform)
    said = [proven_statements(one.json, made_city.hub.trust.log)[0] for one in receipts]
    updated = with_statements(made_city.hub.trust, said, int(time.time()))

    asked = await asked_hub(platform, came.data)
    offline = [verified(made_city.hub, came.data, trust=trust) for trust in (updated, None)]

    assert [custody_of(report) for report in (asked, *offline)] == [
        ["hub-file"],
        ["hub-file"],
        ["unverified"],
    ]
    assert asked.verdict is not Verdict.INVALID
    assert Remark.SEALED_BY_HUB in asked.remarks


def custody_of(report: Report) -> list[FactValue]:
    return [fact.value for fact in report.facts if fact.name is FactName.CUSTODY]


async def test_a_copy_is_made_sealed_registered_and_logged(made_city: City) -> None:
    """One entry with the digest of the file; the file says what for, to whom and until when."""
    size, purpose = made_city.hub.size, wanted()

    came = await copy(made_city, copy=purpose)

    assert came.header.media_type == OFD
    facts = ofd_facts(open_package(came.data))
    assert facts is not None and facts.copy is not None
    assert facts.identifier == made_city.identifiers[1]
    assert facts.copy.name == came.header.annotated_copy
    assert (facts.copy.purpose, facts.copy.expires) == (PURPOSE, purpose.until)
    assert facts.copy.recipient == "浙江省政务服务中心"
    (entry,) = await made_city.hub.entries(size)
    said = entry["data"]
    assert entry["kind"] == "document.fetched"
    assert undocumented(entry) == []
    assert said["digest"] == digest_of(came.data)
    assert (said["copy"], said["purpose"]) == (came.header.annotated_copy, PURPOSE)
    assert (said["seal"], said["intent"]) == (SEAL, "intents/hz-documents")
    platform = made_city.hub.platform()
    registered = await platform.call(
        copies_pb2_grpc.CopyServiceStub(platform.channel).GetAnnotatedCopy,
        copies_pb2.GetAnnotatedCopyRequest(name=came.header.annotated_copy),
    )
    row = registered.annotated_copy
    assert list(row.fields) == [DOCUMENT_FIELD]
    assert (row.sd_hash, row.purpose) == (digest_of(came.data), PURPOSE)
    assert row.state == copies_pb2.AnnotatedCopy.STATE_IN_FORCE
    assert row.fetch_entry == row.create_entry == came.header.receipt.entry


@pytest.mark.parametrize("media_type", [OFD, PDF_TYPE])
async def test_a_copy_verifies_offline_by_what_the_hub_hands_out(
    made_city: City, media_type: str
) -> None:
    """Every step but revocation, of which no list was given, and the code, whose issuer is not
    pinned."""
    came = await copy(made_city, media_type=media_type)

    report = verified(made_city.hub, came.data)

    assert came.header.media_type == media_type
    wrong = {step.name: step.reason for step in report.steps if step.verdict is Verdict.INVALID}
    assert wrong == {}
    unknown = {step.name for step in report.steps if step.verdict is Verdict.CANNOT_CHECK}
    lists = {StepName.MAKER_STATUS, StepName.SIGNER_STATUS, StepName.REVOCATION}
    assert unknown <= {*lists, StepName.FACE_CODE}


async def test_the_same_request_gets_the_same_bytes_under_the_first_entry(
    made_city: City,
) -> None:
    """Also where both come at once: one copy, one entry, one use of the seal."""
    request_id, purpose, size = new_id(), wanted(), made_city.hub.size
    platform = made_city.hub.platform()
    document = RequestedCertificate(LICENCE_VCT, (DOCUMENT_FIELD,), cert=made_city.identifiers[1])
    claims = await platform.claims(rpc=RPC, certificates=(document,), jti=request_id, copy=purpose)
    request = sign_request(claims, platform.signer)

    first, second = await asyncio.gather(
        send(platform, request, request_id, OFD), send(platform, request, request_id, OFD)
    )
    third = await send(platform, request, request_id, OFD)

    assert first.data == second.data == third.data
    assert first.header == second.header == third.header
    assert made_city.hub.size == size + 1
    with pytest.raises(Refused) as caught:
        await copy(made_city, jti=request_id, copy=wanted(2 * 86_400))
    assert caught.value.reason == "REQUEST_ID_REUSED"


async def test_many_copies_at_once_are_each_made(made_city: City) -> None:
    """They take turns at the seal; none is lost to another's use of it."""
    names = await asyncio.gather(*[copy(made_city, 2) for _ in range(6)])

    assert len({one.header.annotated_copy for one in names}) == 6


async def test_a_copy_that_would_not_be_given_today_is_stale(made_city: City) -> None:
    """Its certificate is revoked meanwhile: the receipt, and no data."""
    request_id, purpose = new_id(), wanted()
    await copy(made_city, 4, jti=request_id, copy=purpose)

    await made_city.hub.connector().deliver([licence(4, Op.REVOKE)])

    with pytest.raises(Refused) as caught:
        await copy(made_city, 4, jti=request_id, copy=purpose)
    assert caught.value.reason == "ANSWER_STALE"
    ended = await copy(made_city, 4)
    assert (ended.data, ended.header.annotated_copy) == (b"", "")


async def test_an_expired_copy_is_not_given_again(made_city: City) -> None:
    """Within its time the bytes come again, after it the receipt alone."""
    request_id, purpose = new_id(), wanted(3)
    first = await copy(made_city, jti=request_id, copy=purpose)

    await asyncio.sleep(max(0.0, purpose.until - time.time()) + 0.1)

    with pytest.raises(Refused) as caught:
        await copy(made_city, jti=request_id, copy=purpose)
    assert caught.value.reason == "ANSWER_STALE"
    report = verified(made_city.hub, first.data)
    assert report.verdict is Verdict.INVALID
    assert ProofReason.COPY_EXPIRED in {step.reason for step in report.steps}


@pytest.mark.parametrize("seconds", [0, -1, 367 * 86_400])
async def test_an_expiry_in_the_past_or_too_far_is_refused(made_city: City, seconds: int) -> None:
    size = made_city.hub.size

    with pytest.raises(Refused) as caught:
        await copy(made_city, copy=wanted(seconds))

    assert (caught.value.reason, caught.value.details["field"]) == ("FIELD_INVALID", "copy.until")
    assert [one["kind"] for one in await made_city.hub.entries(size)] == ["refusal"]


async def test_the_original_is_not_given_to_whoever_may_have_documents(made_city: City) -> None:
    """A document was brought by the department: without a purpose nothing comes, with one a copy;
    in no other format anything comes."""
    with pytest.raises(Refused) as caught:
        await copy(made_city, copy=None, media_type="")
    assert (caught.value.reason, caught.value.details["field"]) == ("FIELD_INVALID", "copy")

    came = await copy(made_city, media_type="")
    image = await copy(made_city, media_type="image/png")

    assert came.header.annotated_copy and b"original" not in came.data
    assert (image.data, image.header.annotated_copy) == (b"", "")


async def test_a_copy_is_no_document_of_its_certificate(made_city: City) -> None:
    """The department lists what it brought; copies stand in their register."""
    await copy(made_city)

    listed = await Clerk(made_city.hub.system("hz-department")).listed(made_city.names[1])

    assert len(listed) == 1


async def test_only_an_intent_that_names_copies_seals_them(made_city: City) -> None:
    """Of the licences of another department none does; nothing is registered or handed out."""
    hub = made_city.hub
    answer = await hub.connector("nb-connector").deliver([licence(77)])
    (row,) = answer.results

    with pytest.raises(Refused) as caught:
        await fetch(hub.platform(), row.identifier, media_type=OFD, copy=wanted())

    assert caught.value.reason == "INTENT_NOT_APPROVED"


async def test_without_a_grant_there_is_no_copy(made_city: City) -> None:
    with pytest.raises(Refused) as caught:
        await fetch(
            made_city.hub.platform("window-2"),
            made_city.identifiers[1],
            media_type=OFD,
            copy=wanted(),
        )

    assert caught.value.reason in {"GRANT_MISSING", "FIELD_NOT_GRANTED"}


# ---- originals ----


async def test_an_original_is_sealed_once_at_the_wish_of_its_department(made_city: City) -> None:
    """No intent names originals at first; then one file is kept, listed, logged, and verifies."""
    hub, clerk = made_city.hub, Clerk(made_city.hub.system("hz-department"))
    request = documents_pb2.SealDocumentRequest(
        request_id=new_id(), parent=made_city.names[3], version=1, media_type=OFD
    )
    with pytest.raises(Refused) as caught:
        await clerk.member.call(clerk.stub.SealDocument, request)
    assert caught.value.reason == "INTENT_NOT_APPROVED"
    await allow(hub, "hz-originals", ["original"])
    size = hub.size

    request.request_id = new_id()
    first = await clerk.member.call(clerk.stub.SealDocument, request)
    again = await clerk.member.call(clerk.stub.SealDocument, request)

    assert first == again
    (entry,) = await hub.entries(size)
    _, data = await clerk.download(first.document.name)
    assert entry["kind"] == "document.sealed"
    assert undocumented(entry) == []
    assert entry["data"]["digest"] == first.document.digest == digest_of(data)
    assert entry["data"]["cert"] == made_city.identifiers[3]
    assert first.document.uploader == SEAL
    assert [one.name for one in await clerk.listed(made_city.names[3])] == [first.document.name]
    report = verified(hub, data)
    facts = {fact.name: fact.value for fact in report.facts}
    assert facts[FactName.IDENTIFIER] == made_city.identifiers[3]
    assert FactName.PURPOSE not in facts
    assert not [step for step in report.steps if step.verdict is Verdict.INVALID]
    request.request_id = new_id()
    with pytest.raises(Refused) as caught:
        await clerk.member.call(clerk.stub.SealDocument, request)
    assert caught.value.reason == "ALREADY_EXISTS"
    came = await copy(made_city, 3)
    assert came.header.annotated_copy and came.data != data


async def test_a_record_names_the_originals_of_its_version(made_city: City) -> None:
    """Sealed anew with each, on the same version, in the same entry. Each file is held against the
    record that shows `docs`; another file of the same certificate is not of it."""
    hub, clerk = made_city.hub, Clerk(made_city.hub.system("hz-department"))
    (row,) = (await hub.connector().deliver([licence(9)])).results
    await allow(hub, "hz-listed", ["annotated-copy", "original"])
    await hub.officer().grant("files", "window-1", ("name", "docs"))
    wanted = RequestedCertificate(LICENCE_VCT, ("name", "docs"), cert=row.identifier)
    platform = hub.platform()
    records = [(await platform.fetch(wanted)).response.certificates[0].presentation]
    files = []
    for media_type in (OFD, PDF_TYPE):
        request = documents_pb2.SealDocumentRequest(
            request_id=new_id(), parent=row.certificate, version=1, media_type=media_type
        )
        size = hub.size
        made = await clerk.member.call(clerk.stub.SealDocument, request)
        (entry,) = await hub.entries(size)
        assert (entry["data"]["listing"], undocumented(entry)) == ("listed", [])
        files.append((await clerk.download(made.document.name))[1])
        records.append((await platform.fetch(wanted)).response.certificates[0].presentation)
    copied = await fetch(
        platform,
        row.identifier,
        media_type=OFD,
        copy=CopyPurpose(PURPOSE, int(time.time()) + 86_400),
    )

    def held(file: bytes, record: str) -> tuple[Verdict, ProofReason | None]:
        report = verified(hub, file, record=record.encode())
        (step,) = [one for one in report.steps if one.name is StepName.FACE_RECORD]
        return step.verdict, step.reason

    shown = [open_shown(hub, record) for record in records]
    assert [None if one is None else [each["mt"] for each in one] for one in shown] == [
        None,
        [OFD],
        [OFD, PDF_TYPE],
    ]
    assert [one["sha256"] for one in shown[2]] == [digest_of(file) for file in files]
    assert shown[2][1]["sm3"] == b64u(sm3(files[1]))
    assert [held(file, records[2]) for file in files] == [(Verdict.VALID, None)] * 2
    assert held(files[1], records[1]) == (Verdict.INVALID, ProofReason.FILE_NOT_LISTED)
    # What keeps it verifiable for years lies behind the seal.
    assert held(add_evidence(files[1], [], []), records[2]) == (Verdict.VALID, None)
    # One that shows no files says nothing of them, and copies are made after it.
    assert held(files[1], records[0]) == (Verdict.VALID, None)
    assert held(copied.data, records[2]) == (Verdict.VALID, None)


def open_shown(hub: Simulator, record: str) -> Any:
    """What a record shows of `docs`."""
    trust = hub.trust
    return open_record(
        record,
        origin=trust.origin,
        region=trust.region,
        keys=None,
        anchors=trust.seal_anchors,
        now=int(time.time()),
    ).disclosed["docs"]


async def test_another_department_makes_no_original(made_city: City) -> None:
    clerk = Clerk(made_city.hub.system("nb-department"))
    request = documents_pb2.SealDocumentRequest(
        request_id=new_id(), parent=made_city.names[3], version=1, media_type=OFD
    )

    with pytest.raises(Refused) as caught:
        await clerk.member.call(clerk.stub.SealDocument, request)

    assert caught.value.reason == "AUTHORITY_NOT_ALLOWED"


# ---- held against the record ----


async def test_a_face_is_held_against_the_record_of_its_certificate(made_city: City) -> None:
    """The record of this certificate agrees, that of another does not."""
    platform = made_city.hub.platform()
    came = await copy(made_city)
    records = {
        number: (await platform.fetch(by_identifier(made_city.identifiers[number])))
        .response.certificates[0]
        .presentation.encode()
        for number in (1, 2)
    }

    right = verified(made_city.hub, came.data, record=records[1])
    wrong = verified(made_city.hub, came.data, record=records[2])
    garbage = verified(made_city.hub, came.data, record=b"\xff\xfe")

    steps = {step.name: step for step in right.steps}
    assert steps[StepName.FACE_RECORD].verdict is Verdict.VALID
    for report in (wrong, garbage):
        steps = {step.name: step for step in report.steps}
        assert steps[StepName.FACE_RECORD].reason is ProofReason.FACE_DIFFERS
        assert report.verdict is Verdict.INVALID


async def test_what_is_added_to_a_copy_does_not_lengthen_its_life(made_city: City) -> None:
    """Document information of a later revision: what the seal covers counts, and nothing else."""
    purpose = wanted()
    came = await copy(made_city, media_type=PDF_TYPE, copy=purpose)
    writer = QuietWriter(io.BytesIO(came.data))
    info = generic.DictionaryObject(writer.prev.trailer_view["/Info"])
    info[generic.pdf_name("/JZJYXQJZSJ")] = generic.TextStringObject("20991231235959")
    writer.set_info(writer.add_object(info))
    output = io.BytesIO()
    writer.write(output)
    changed = output.getvalue()
    assert changed.startswith(came.data) and b"20991231235959" in changed

    report = verified(made_city.hub, changed)

    facts = {fact.name: fact.value for fact in report.facts}
    is_refused = any(step.verdict is Verdict.INVALID for step in report.steps)
    assert is_refused or facts[FactName.EXPIRES] == iso_time(purpose.until)


async def test_an_original_is_sealed_from_the_command_line(made_city: City) -> None:
    await allow(made_city.hub, "hz-both", ["annotated-copy", "original"])
    profile = str(made_city.hub.profile("systems/hz-department"))
    words = ["document", "seal", made_city.names[2], "--version", "1", "--profile", profile]
    words += ["--media-type", PDF_TYPE, "--json"]
    out = io.StringIO()

    def run() -> int:
        with redirect_stdout(out):
            return sealway(words)

    code = await asyncio.to_thread(run)

    assert code == 0, out.getvalue()
    said = json.loads(out.getvalue())
    assert (said["media_type"], said["uploader"]) == (PDF_TYPE, SEAL)


# ---- the code on the face ----


async def pinned(hub: Simulator) -> Trust:
    """What the hub hands out, and the certificate of the key that signs codes."""
    officer = hub.officer()
    listed = await officer.call(officer.seal.ListKeys, seal_pb2.ListKeysRequest(seal=SEAL))
    (key,) = [one for one in listed.keys if one.use == "face"]
    leaf = x509.load_der_x509_certificate(key.x509_chain[0])
    return replace(hub.trust, face_certificates=(leaf,))


async def status_token(hub: Simulator, number: int) -> str:
    officer = hub.officer()
    request = seal_pb2.GetStatusListRequest(name=f"statusLists/{number}")
    return str((await officer.call(officer.seal.GetStatusList, request)).token)


def judged(text: str, trust: Trust, *tokens: str) -> Report:
    data = text.encode()
    kind = recognise(data)
    assert kind is Kind.FACE_CODE
    return verify(data, kind, trust, Evidence(now=int(time.time()), status_tokens=tokens))


@pytest.mark.parametrize("media_type", [OFD, PDF_TYPE])
async def test_the_code_of_a_copy_is_signed_and_agrees_with_the_face(
    made_city: City, media_type: str
) -> None:
    """The file says which code it has; the code alone says what must stand on the paper."""
    hub, size = made_city.hub, made_city.hub.size
    trust = await pinned(hub)
    uses = await key_uses(hub)
    came = await copy(made_city, media_type=media_type)

    (entry,) = await hub.entries(size)
    assert entry["data"]["code"] == "signed"
    assert await key_uses(hub) == uses + 1
    with closing(Verifiers()) as verifiers:
        report = verifiers.verify(came.data, trust, Evidence(now=int(time.time())))
    assert report is not None
    steps = {step.name: step for step in report.steps}
    assert steps[StepName.FACE_CODE].verdict is Verdict.VALID
    text = code_in(came.data, media_type)
    code = read_face_code(text)
    token = await status_token(hub, code.status_list)
    by_paper = judged(text, trust, token)
    facts = {fact.name: fact.value for fact in by_paper.facts}
    assert by_paper.verdict is Verdict.VALID, by_paper
    assert facts[FactName.IDENTIFIER] == made_city.identifiers[1]
    assert (facts[FactName.NAME], facts[FactName.NUMBER]) == ("杭州示例1有限公司", company(1))
    assert (facts[FactName.VALID_FROM], facts[FactName.VALID_UNTIL]) == ("2001-01-01", "长期")
    assert Remark.COMPARE_WITH_PAPER in by_paper.remarks
    said = summarise(by_paper)
    assert "COMPARE THESE WITH THE PAPER" in said.en and "请与纸质证照逐项核对" in said.zh
    assert "VALID" not in said.en and "验证通过" not in said.zh


async def test_a_code_is_not_believed_without_its_pin_or_its_status(made_city: City) -> None:
    came = await copy(made_city, media_type=OFD)
    text, trust = code_in(came.data, OFD), await pinned(made_city.hub)

    assert judged(text, made_city.hub.trust).reason is ProofReason.NO_FACE_PIN
    assert judged(text, trust).reason is ProofReason.NO_STATUS
    assert judged(text, trust).verdict is Verdict.CANNOT_CHECK


async def test_the_code_of_an_ended_certificate_is_authentic_and_not_in_force(
    made_city: City,
) -> None:
    """The paper is as it was; the status list says what became of it."""
    hub = made_city.hub
    answer = await hub.connector().deliver([licence(9)])
    (row,) = answer.results
    came = await fetch(hub.platform(), row.identifier, media_type=OFD, copy=wanted())
    text, trust = code_in(came.data, OFD), await pinned(hub)
    await hub.connector().deliver([licence(9, Op.REVOKE)])

    report = judged(text, trust, await status_token(hub, read_face_code(text).status_list))

    assert report.reason is ProofReason.STATUS_REVOKED


async def test_a_preview_says_so_in_its_code(made_city: City) -> None:
    """And verifies nowhere."""
    officer = made_city.hub.officer()
    preview = await officer.call(
        faces_pb2_grpc.FaceServiceStub(officer.channel).PreviewFace,
        faces_pb2.PreviewFaceRequest(
            template=early_licence(), format=faces_pb2.PreviewFaceRequest.FORMAT_OFD
        ),
    )

    text = code_in(preview.content, OFD)

    assert text.startswith("SEALWAY:PREVIEW:")
    report = judged(text, await pinned(made_city.hub))
    assert (report.verdict, report.reason) == (Verdict.INVALID, ProofReason.CODE_PREVIEW)


def code_in(data: bytes, media_type: str) -> str:
    """The text of the code in a file's metadata."""
    if media_type == OFD:
        facts = ofd_facts(open_package(data))
    else:
        facts = pdf_facts(PdfFileReader(io.BytesIO(data)))
    assert facts is not None
    return facts.code


async def key_uses(hub: Simulator) -> int:
    """How often the key for codes has signed."""
    officer = hub.officer()
    listed = await officer.call(officer.seal.ListKeys, seal_pb2.ListKeysRequest(seal=SEAL))
    return next(int(one.uses) for one in listed.keys if one.use == "face")
