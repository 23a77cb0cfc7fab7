"""Annotated copies of what departments brought, where a type has no face: marked on every page,
sealed, registered; and never the document itself where a copy was asked for."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import pytest
import pytest_asyncio
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader

from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.face import FaceFormat
from hub.proof.exchange.request import CopyPurpose, RequestedCertificate, sign_request
from hub.proof.faces.facts import ofd_facts, pdf_facts
from hub.proof.ofd.document import open_package, read_document
from hub.proof.reasons import Verdict
from hub.proof.reports.report import FactName, StepName
from hub.proof.sealed_file import read_sealed
from hub.seal.v1 import seal_pb2
from tests import pdf_documents
from tests.chinese_font import needs_font
from tests.exchange.faced import SEAL, allow, make_seal
from tests.exchange.handed import RPC, Came, digest_of, fetch, send
from tests.exchange.test_made_copies import verified
from tests.ofd_sealing import Office
from tests.proof import ofd_samples
from tests.registry.clerk import Clerk
from tests.simulator import GRANTED, LICENCE_VCT, Refused, Simulator, copy_home, licence, new_id
from tests.test_documents_total import undocumented

pytestmark = pytest.mark.asyncio(loop_scope="module")

PURPOSE = "办理食品经营许可"
PDF_TYPE = "application/pdf"


def scan() -> bytes:
    """A scanned page as PNG."""
    out = io.BytesIO()
    Image.new("RGB", (827, 1169), "white").save(out, "PNG")
    return out.getvalue()


def scripted() -> bytes:
    """A PDF that runs a script when it is opened."""
    plain = pdf_documents.page()
    action = b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (1) >> >>"
    return pdf_documents.appended(plain, {1: action})


def scripted_ofd() -> bytes:
    """An OFD that does something when it is opened."""
    package, name = ofd_samples.package(), "Doc_0/Document.xml"
    acts = package.files[name].replace(b"</ofd:Document>", b"<ofd:Actions/></ofd:Document>")
    return ofd_samples.changed(package, name, acts).to_bytes()


@dataclass
class City:
    """A hub without faces, and the licences whose documents are named."""

    hub: Simulator
    identifiers: dict[str, str]
    names: dict[str, str]
    documents: dict[str, bytes]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filed_city(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    needs_font()
    key = pdf_documents.key_of(pdf_documents.Ca())
    documents = {
        "sealed": (PDF_TYPE, pdf_documents.sealed(key)),
        "scan": ("image/png", scan()),
        "scripted": (PDF_TYPE, scripted()),
        "damaged": (PDF_TYPE, b"%PDF-1.7\n" + bytes(2000)),
        "ofd": ("application/ofd", Office.open().sealed().to_bytes()),
        "scripted ofd": ("application/ofd", scripted_ofd()),
        "other": (PDF_TYPE, pdf_documents.page("Another licence")),
    }
    home = copy_home(city, tmp_path_factory.mktemp("marked") / "home")
    async with Simulator(home) as hub:
        rows = [licence(number) for number in range(1, len(documents) + 1)]
        answer = await hub.connector().deliver(rows)
        clerk = Clerk(hub.system("hz-department"))
        for (media_type, data), row in zip(documents.values(), answer.results, strict=True):
            await clerk.upload(row.certificate, [data], media_type=media_type)
        await make_seal(hub)
        await hub.officer().grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))
        yield City(
            hub,
            {name: row.identifier for name, row in zip(documents, answer.results, strict=True)},
            {name: row.certificate for name, row in zip(documents, answer.results, strict=True)},
            {name: data for name, (_, data) in documents.items()},
        )
        assert (await hub.audit()).findings == []


async def copy(city: City, name: str) -> Came:
    purpose = CopyPurpose(PURPOSE, int(time.time()) + 86_400)
    return await fetch(city.hub.platform(), city.identifiers[name], copy=purpose)


async def test_without_an_intent_that_names_copies_nothing_leaves(filed_city: City) -> None:
    """Not the document either: a copy was asked for."""
    with pytest.raises(Refused) as caught:
        await copy(filed_city, "sealed")
    assert caught.value.reason == "INTENT_NOT_APPROVED"
    await allow(filed_city.hub, "hz-marked", ["annotated-copy"])


async def test_a_copy_of_a_pdf_is_marked_sealed_and_says_what_it_was_made_of(
    filed_city: City,
) -> None:
    """What the department brought cannot be cut out of it, and its digest is named."""
    size, brought = filed_city.hub.size, filed_city.documents["sealed"]

    came = await copy(filed_city, "sealed")

    (entry,) = await filed_city.hub.entries(size)
    assert undocumented(entry) == []
    assert entry["data"]["face"] == f"document {digest_of(brought)}"
    assert (entry["data"]["seal"], entry["data"]["digest"]) == (SEAL, digest_of(came.data))
    assert came.header.annotated_copy and came.header.media_type == PDF_TYPE
    assert brought[:200] not in came.data
    (words,) = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(came.data)]
    assert "Business licence of Acme Ltd" in words
    assert PURPOSE in words and "浙江省政务服务中心" in words
    facts = pdf_facts(PdfFileReader(io.BytesIO(came.data)))
    assert facts is not None and facts.copy is not None
    assert facts.identifier == filed_city.identifiers["sealed"]
    assert facts.face == f"document {digest_of(brought)}"
    assert facts.copy.name == came.header.annotated_copy
    report = verified(filed_city.hub, came.data)
    assert not [step for step in report.steps if step.verdict is Verdict.INVALID]
    unknown = {step.name for step in report.steps if step.verdict is Verdict.CANNOT_CHECK}
    assert unknown <= {StepName.REVOCATION}
    assert FactName.PURPOSE in {fact.name for fact in report.facts}


async def test_a_scan_becomes_a_marked_page(filed_city: City) -> None:
    came = await copy(filed_city, "scan")

    (page,) = pypdfium2.PdfDocument(came.data)
    assert came.header.media_type == PDF_TYPE
    assert PURPOSE in page.get_textpage().get_text_range()
    assert [round(side) for side in page.get_size()] == [596, 842]


async def test_an_ofd_is_marked_as_ofd(filed_city: City) -> None:
    """The department's seal is gone, the authority's is on it, over page and mark."""
    came = await copy(filed_city, "ofd")

    document = read_document(open_package(came.data))
    facts = ofd_facts(document.package)
    assert came.header.media_type == "application/ofd" and facts is not None
    assert facts.face == f"document {digest_of(filed_city.documents['ofd'])}"
    assert list(document.texts()) == [ofd_samples.TEXT] and len(document.signatures) == 1
    assert PURPOSE.encode() in document.package.files["Doc_0/SealwayMark/Page_0.xml"]
    report = verified(filed_city.hub, came.data)
    assert not [step for step in report.steps if step.verdict is Verdict.INVALID]


async def test_the_same_request_gets_the_same_copy(filed_city: City) -> None:
    """Also where the department has brought another document since."""
    hub, request_id = filed_city.hub, new_id()
    platform, identifier = hub.platform(), filed_city.identifiers["other"]
    wanted = RequestedCertificate(LICENCE_VCT, (DOCUMENT_FIELD,), cert=identifier)
    purpose = CopyPurpose(PURPOSE, int(time.time()) + 86_400)
    claims = await platform.claims(rpc=RPC, certificates=(wanted,), jti=request_id, copy=purpose)
    request = sign_request(claims, platform.signer)

    first = await send(platform, request, request_id)
    clerk = Clerk(hub.system("hz-department"))
    await clerk.upload(filed_city.names["other"], [pdf_documents.page("A newer one")])
    again = await send(platform, request, request_id)
    other = await copy(filed_city, "other")

    assert first.data == again.data
    assert first.header.annotated_copy == again.header.annotated_copy
    assert b"Another licence" not in other.data and other.data != first.data


@pytest.mark.parametrize(
    ("name", "rule"),
    [("scripted", "active"), ("damaged", "damaged"), ("scripted ofd", "active")],
)
async def test_what_cannot_be_marked_is_refused_and_not_handed_out(
    filed_city: City, name: str, rule: str
) -> None:
    size = filed_city.hub.size

    with pytest.raises(Refused) as caught:
        await copy(filed_city, name)

    assert (caught.value.reason, caught.value.details["rule"]) == ("COPY_NOT_MADE", rule)
    assert [one["kind"] for one in await filed_city.hub.entries(size)] == ["refusal"]


async def test_without_a_purpose_the_document_comes_as_it_was_filed(filed_city: City) -> None:
    came = await fetch(filed_city.hub.platform(), filed_city.identifiers["scripted"])

    assert came.data == filed_city.documents["scripted"]
    assert came.header.annotated_copy == ""


async def test_after_a_theft_a_marked_copy_is_made_anew_of_the_same_document(
    filed_city: City,
) -> None:
    """For the same purpose and time, under another key, although a newer document is there."""
    hub, zhao = filed_city.hub, filed_city.hub.officer()
    platform, request_id = hub.platform(), new_id()
    wanted = RequestedCertificate(
        LICENCE_VCT, (DOCUMENT_FIELD,), cert=filed_city.identifiers["sealed"]
    )
    purpose = CopyPurpose(PURPOSE, int(time.time()) + 86_400)
    claims = await platform.claims(rpc=RPC, certificates=(wanted,), jti=request_id, copy=purpose)
    request = sign_request(claims, platform.signer)
    before = await send(platform, request, request_id)
    await Clerk(hub.system("hz-department")).upload(
        filed_city.names["sealed"], [pdf_documents.page("A newer one")]
    )
    listed = await zhao.call(zhao.seal.ListKeys, seal_pb2.ListKeysRequest(seal=SEAL))
    (stolen,) = [one.name for one in listed.keys if one.use == "pdf"]
    since = int(time.time()) - 3_600
    await zhao.carry_out("key.compromise", {"key": stolen, "since": since, "cause": "x"})
    fresh = await zhao.carry_out("key.generate", {"seal": SEAL, "use": "pdf", "algorithm": "ES256"})
    await zhao.carry_out("key.activate", {"key": fresh["key"], "x509_chain": hub.chain_for(fresh)})
    await zhao.propose_kind("anew", "key.reseal", {"key": stolen}, uses_max=20)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("anew")

    token = ""
    while True:
        answer = await zhao.call(
            zhao.seal.ResealRecords,
            seal_pb2.ResealRecordsRequest(
                request_id=new_id(), intent="intents/anew", page_token=token
            ),
        )
        token = answer.next_page_token
        if not token:
            break
    now = await send(platform, request, request_id)

    was, is_now = (read_sealed(one.data, FaceFormat.PDF) for one in (before, now))
    assert not was.keys & is_now.keys
    assert (is_now.facts.face, is_now.terms) == (was.facts.face, was.terms)
    assert is_now.facts.face == f"document {digest_of(filed_city.documents['sealed'])}"
