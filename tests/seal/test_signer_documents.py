"""Documents, electronic seals and their keys behind the signer process: a real hub seals through
it, and whoever else asks gets nothing that was not approved."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.seal_key import key_name
from hub.errors import Reason
from hub.proof.encoding import b64u, b64u_decode, emit_json, parse_object
from hub.proof.exchange.request import RequestedCertificate, sign_request
from hub.proof.reasons import Verdict
from hub.proof.ses.seal import parse_seal, tbs_sign
from hub.registry.v1 import documents_pb2
from hub.seal.signer_process.rules import SigningRequest
from hub.seal.signer_process.socket import connect, receive, send
from hub.seal.v1 import signer_pb2 as pb
from tests import pdf_documents, softhsm
from tests.chinese_font import needs_font
from tests.exchange import handed
from tests.exchange.faced import SEAL, add_face, allow
from tests.exchange.handed import RPC, Came, digest_of, fetch
from tests.exchange.test_made_copies import OFD, PDF_TYPE, verified, wanted
from tests.registry.clerk import Clerk
from tests.seal import life
from tests.seal.faces.samples import early_licence
from tests.seal.test_signer_process import Signing, kept_requests, with_process
from tests.simulator import (
    GRANTED,
    PERMIT,
    PERMIT_VCT,
    Refused,
    Simulator,
    copy_home,
    licence,
    new_id,
    permit,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Sealing(Signing):
    """A hub whose document keys only its signer process reads; a licence, and the way to copies."""

    identifier: str = ""
    certificate: str = ""
    maker: str = ""
    token: softhsm.SoftToken | None = None

    def last(self, kind: type[SigningRequest], use: str = "") -> Any:
        """The last request of this kind, for a key of this use, under a new id."""
        found = next(
            one
            for one in reversed(self.requests)
            if isinstance(one, kind) and use in ("", one.key.use)
        )
        request = kind()
        request.CopyFrom(found)  # type: ignore[arg-type]
        request.request_id = str(uuid.uuid4())
        return request

    async def copy(self, media_type: str) -> Came:
        return await fetch(
            self.hub.platform(), self.identifier, media_type=media_type, copy=wanted()
        )

    def counted(self) -> Any:
        return self.journal("SELECT sum(uses), (SELECT count(*) FROM requests) FROM uses")

    def refused(self, call: str, request: Any) -> tuple[str, str]:
        """Reason and rule by which a request by hand is refused; nothing of it is counted."""
        before = self.counted()
        answer = self.by_hand(**{call: request})
        assert answer.WhichOneof("answer") == "refused", "it was signed"
        assert self.counted() == before
        return answer.refused.reason, answer.refused.details.get("rule", "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sealing(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sealing]:
    needs_font()
    token = softhsm.SoftToken(tmp_path_factory.mktemp("token"))
    lines = ["[seal.pkcs11]", f'uri = "{token.uri}"']
    try:
        token.create()
    except softhsm.SoftHsmAbsent:
        token, lines = None, []
    home = with_process(copy_home(city, tmp_path_factory.mktemp("documents") / "home"), *lines)
    with kept_requests() as requests, pytest.MonkeyPatch.context() as patch:
        if token is not None:
            patch.setenv("SOFTHSM2_CONF", str(token.configuration))
        async with Simulator(home) as hub:
            answer = await hub.connector().deliver([licence(1)])
            zhao = hub.officer()
            maker = await life.maker_key(hub, zhao, "authorities/hz-market")
            await life.apply_and_make(
                hub,
                zhao,
                SEAL,
                ("record", "ES256"),
                ("ofd", "SM2"),
                ("pdf", "ES256"),
                ("face", "ES256"),
                maker=maker,
            )
            await add_face(hub, early_licence())
            await allow(hub, "hz-documents", ["annotated-copy"])
            await zhao.grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))
            (row,) = answer.results
            yield Sealing(hub, requests, row.identifier, row.certificate, maker, token)
            assert (await hub.audit()).findings == []


@pytest.mark.parametrize("media_type", [OFD, PDF_TYPE])
async def test_a_copy_is_sealed_by_the_process_and_verifies(
    sealing: Sealing, media_type: str
) -> None:
    """File and code are each counted; nothing but revocation is left open to whoever verifies."""
    uses = sealing.counted()[0][0]

    came = await sealing.copy(media_type)

    report = verified(sealing.hub, came.data)
    assert {one.reason for one in report.steps if one.verdict is Verdict.INVALID} == set()
    assert came.header.media_type == media_type
    assert sealing.counted()[0][0] == uses + 2
    keys = sealing.hub.home / "keys" / "seals"
    made = {one.name.partition("-")[0] for one in keys.iterdir()}
    assert made >= {"maker", "ofd", "pdf", "face", "seal"}
    signed = [type(one).DESCRIPTOR.name for one in sealing.requests]
    assert signed[-2:] == ["SignFaceCode", "SignDocument"]


async def test_an_original_is_made_though_its_record_cannot_name_it(sealing: Sealing) -> None:
    """Another seal's key made the record's seal, and the entry says so."""
    await allow(sealing.hub, "hz-originals", ["original"])
    clerk, size = Clerk(sealing.hub.system("hz-department")), sealing.hub.size
    request = documents_pb2.SealDocumentRequest(
        request_id=new_id(), parent=sealing.certificate, version=1, media_type=OFD
    )

    await clerk.member.call(clerk.stub.SealDocument, request)

    (entry,) = await sealing.hub.entries(size)
    assert entry["data"]["listing"] == "elsewhere"


def _order(member: str, value: Any) -> Callable[[Any], None]:
    return lambda request: setattr(request.order, member, value)


def _terms(member: str, value: Any) -> Callable[[Any], None]:
    return lambda request: setattr(request.order.copy, member, value)


def _intent(member: str, value: Any) -> Callable[[Any], None]:
    def change(request: Any) -> None:
        request.intent = emit_json(parse_object(request.intent) | {member: value})

    return change


def _other_time(request: Any) -> None:
    request.to_sign = tbs_sign(
        seal=request.ofd.seal,
        sign_time=life.datetime(2026, 1, 1, tzinfo=life.UTC),
        data_hash=bytes(32),
        protected="/Doc_0/Signs/Sign_0/Signature.xml",
    )


def _page(request: Any) -> None:
    name = next(name for name in request.ofd.files if name.endswith("Content.xml"))
    request.ofd.files[name] += b" "


async def test_called_by_hand_it_seals_only_the_file_that_was_approved(sealing: Sealing) -> None:
    """Other bytes, another file, order, intent, seal, key or format: each by its rule."""
    for media_type in (OFD, PDF_TYPE):
        await sealing.copy(media_type)
    asked = {use: sealing.last(pb.SignDocument, use) for use in ("ofd", "pdf")}
    outside = life.outside_seal("OUTSIDE-9", sealing.hub.pki)
    approved, usage = Reason.INTENT_NOT_APPROVED, Reason.KEY_USAGE_REFUSED

    def swapped(request: Any) -> None:
        request.pdf = asked["pdf"].pdf

    for use, change, reason, rule in (
        ("ofd", lambda r: setattr(r, "to_sign", bytes(32)), approved, "no seal over this file"),
        ("ofd", _other_time, approved, "another file"),
        ("ofd", _page, approved, "no seal over this file"),
        ("ofd", lambda r: setattr(r.ofd, "seal", outside), approved, "another seal"),
        ("ofd", swapped, approved, "no OFD"),
        ("ofd", lambda r: r.ofd.files.clear(), approved, "cannot be read"),
        ("ofd", _order("identifier", f"{sealing.identifier}9"), approved, "another certificate"),
        ("ofd", _order("identifier", "1.2.3"), approved, "of another type"),
        ("ofd", _order("vct", "https://other"), approved, "authority, type"),
        ("ofd", _order("authority", "91330100MADEM0011P"), approved, "authority, type"),
        ("ofd", lambda r: r.order.ClearField("copy"), approved, "no file of the kind original"),
        ("ofd", _terms("purpose", "其他"), approved, "what it is a copy for"),
        ("ofd", _terms("expire_time_us", 1), approved, "time is over"),
        ("ofd", _intent("documents", ["original"]), approved, "QUORUM_NOT_REACHED"),
        ("ofd", lambda r: r.approvals.pop(), approved, "QUORUM_NOT_REACHED (1 of 2)"),
        ("ofd", lambda r: r.key.CopyFrom(asked["pdf"].key), usage, ""),
        ("ofd", lambda r: setattr(r, "format", "cms-attributes"), usage, ""),
        ("ofd", lambda r: setattr(r.key, "use", "maker"), usage, ""),
        ("ofd", lambda r: setattr(r.key, "use", "pdf"), Reason.KEY_UNAVAILABLE, ""),
        ("ofd", lambda r: r.key.x509_chain.pop(), approved, "not certified"),
        ("pdf", lambda r: setattr(r, "to_sign", bytes(32)), approved, "no attributes"),
        ("pdf", lambda r: setattr(r, "to_sign", asked["ofd"].to_sign), approved, "no attributes"),
        ("pdf", lambda r: setattr(r, "pdf", r.pdf + b" "), approved, "cannot be read"),
        ("pdf", lambda r: setattr(r, "pdf", r.pdf[:-900]), approved, "cannot be read"),
        ("pdf", lambda r: setattr(r, "pdf", bytes(9 << 20)), Reason.DOCUMENT_TOO_LARGE, ""),
        ("pdf", lambda r: r.ClearField("pdf"), approved, "cannot be read"),
        ("pdf", _terms("recipient", "他人"), approved, "what it is a copy for"),
        ("pdf", lambda r: setattr(r, "format", "ses-signature"), usage, ""),
    ):
        request = pb.SignDocument()
        request.CopyFrom(asked[use])
        change(request)
        said = sealing.refused("sign_document", request)
        assert said[0] == reason, (said, reason, rule)
        assert rule in said[1], (said, rule)
    # Nor is a document signed as a record, or a record's key asked as one of documents.
    record = sealing.last(pb.SignRecords)
    record.key.CopyFrom(asked["pdf"].key)
    assert sealing.refused("sign", record)[0] == usage


async def test_a_code_by_hand_names_the_certificate_of_the_order_and_this_hub(
    sealing: Sealing,
) -> None:
    """Other bytes, another certificate, hub or key: nothing is signed."""
    await sealing.copy(OFD)
    asked, rule = sealing.last(pb.SignFaceCode), Reason.INTENT_NOT_APPROVED
    header, _, payload = asked.to_sign.partition(b".")

    def said(**changes: Any) -> Callable[[Any], None]:
        data = emit_json(parse_object(b64u_decode(payload.decode())) | changes)
        return lambda r: setattr(r, "to_sign", header + b"." + b64u(data).encode())

    for change, reason in (
        (lambda r: setattr(r, "to_sign", header + b".e30"), rule),
        (said(origin="hub.other.example"), rule),
        (said(more="x"), rule),
        (said(iat=1), rule),
        (_order("identifier", sealing.identifier.replace(".001.", ".002.")), rule),
        (_order("authority", "91330100MADEM0011P"), rule),
        (lambda r: r.approvals.pop(), rule),
        (lambda r: setattr(r.key, "use", "pdf"), Reason.KEY_USAGE_REFUSED),
        (lambda r: r.key.CopyFrom(sealing.last(pb.SignDocument).key), Reason.KEY_USAGE_REFUSED),
    ):
        request = pb.SignFaceCode()
        request.CopyFrom(asked)
        change(request)
        assert sealing.refused("sign_face_code", request)[0] == reason


async def test_a_seal_is_made_once_and_only_as_officers_approved_it(sealing: Sealing) -> None:
    """The intent is used up by the seal that the hub has; other bytes or intents never pass."""
    asked = sealing.last(pb.SignSeal)
    document = sealing.requests[-1]
    approved, renamed = Reason.INTENT_NOT_APPROVED, "省局"

    assert sealing.refused("sign_seal", asked)[0] == Reason.INTENT_EXHAUSTED
    for change, reason, rule in (
        (lambda r: setattr(r, "to_sign", bytes(9)), approved, "no electronic seal"),
        (
            lambda r: setattr(r, "to_sign", r.to_sign.replace(b"SEALWAY", b"ANOTHER")),
            approved,
            "was not approved",
        ),
        (_intent("title", renamed), approved, "QUORUM_NOT_REACHED"),
        (lambda r: r.approvals.pop(), approved, "QUORUM_NOT_REACHED (1 of 2)"),
        (lambda r: setattr(r, "intent", document.intent), approved, "QUORUM_NOT_REACHED"),
        (lambda r: setattr(r.key, "use", "ofd"), Reason.KEY_USAGE_REFUSED, ""),
    ):
        request = pb.SignSeal()
        request.CopyFrom(asked)
        change(request)
        said = sealing.refused("sign_seal", request)
        assert said[0] == reason, (said, reason, rule)
        assert rule in said[1], (said, rule)
    standing = pb.SignSeal()
    standing.CopyFrom(asked)
    standing.intent = document.intent
    standing.approvals[:] = document.approvals
    assert sealing.refused("sign_seal", standing) == (
        approved,
        "it is no intent to make a seal, or no longer in force",
    )
    assert parse_seal(sealing.last(pb.SignDocument, "ofd").ofd.seal).signed_bytes == asked.to_sign


async def test_a_used_up_intent_seals_nothing_however_often_it_is_asked(sealing: Sealing) -> None:
    """Thousands of requests by hand, each under an id of its own: nothing signed or counted."""
    await allow(sealing.hub, "hz-one", ["annotated-copy"], uses_max=1)
    await sealing.copy(PDF_TYPE)
    code, file = sealing.last(pb.SignFaceCode), sealing.last(pb.SignDocument, "pdf")
    assert code.intent_name == file.intent_name == "intents/hz-one"
    before = sealing.counted()

    def asked(times: int, **call: Any) -> set[str]:
        reasons = set()
        (request,) = call.values()
        with connect(sealing.folder, 10.0) as connection:
            for _ in range(times):
                request.request_id = str(uuid.uuid4())
                send(connection, pb.SignerCall(**call).SerializeToString())
                answer = pb.SignerAnswer.FromString(receive(connection) or b"")
                reasons.add(answer.refused.reason)
        return reasons

    assert asked(10_000, sign_face_code=code) == {Reason.INTENT_EXHAUSTED}
    assert asked(100, sign_document=file) == {Reason.INTENT_EXHAUSTED}
    assert sealing.counted() == before


async def test_killed_between_signature_and_answer_a_document_is_not_signed_twice(
    sealing: Sealing,
) -> None:
    """UNAVAILABLE; its use stays counted, the request is closed as lost, and the next copy is
    another request."""
    process, before = sealing.process, sealing.counted()[0][0]
    await asyncio.to_thread(process.close)
    usual = process.command
    process.command = (sys.executable, "-m", "tests.seal.dying_signer", "ofd")
    with pytest.raises(Refused) as caught:
        await sealing.copy(OFD)
    assert (caught.value.status, caught.value.reason) == ("UNAVAILABLE", "SIGNER_UNAVAILABLE")
    last = "SELECT state FROM requests ORDER BY number DESC LIMIT 4"
    assert sealing.journal(last)[:2] == [("signing",), ("signed",)]
    lost = sealing.requests[-1]

    process.command = usual
    await asyncio.sleep(max(0.0, process._not_before - process.monotonic()))
    came = await sealing.copy(OFD)

    assert came.data
    assert sealing.journal(last) == [("signed",), ("signed",), ("lost",), ("signed",)]
    assert sealing.counted()[0][0] == before + 4
    answer = sealing.by_hand(sign_document=lost)
    assert answer.refused.reason == Reason.SIGNING_INDETERMINATE
    assert process.unsettled == set()
    assert process.pid != os.getpid()


async def test_killed_while_it_makes_a_seal_the_intent_is_used_up(sealing: Sealing) -> None:
    """UNAVAILABLE; the request is closed as lost, and the same intent makes no second seal."""
    zhao, name, process = sealing.hub.officer(), f"{SEAL}-2", sealing.process
    wanted_keys = [{"use": "ofd", "algorithm": "SM2"}]
    applied = {"seal": name, "title": "印章", "seal_type": 1, "keys": wanted_keys}
    (key,) = (await zhao.carry_out("seal.apply", applied))["keys"]
    certificates = [{"key": key["key"], "x509_chain": sealing.hub.chain_for(key)}]
    form = await life.form(zhao, sealing.maker)
    await zhao.propose_kind(
        "lost", "seal.make", {"seal": name, "certificates": certificates} | form
    )
    for officer in ("qian", "sun"):
        await sealing.hub.officer(officer).approve("lost")
    await asyncio.to_thread(process.close)
    usual = process.command
    process.command = (sys.executable, "-m", "tests.seal.dying_signer", "maker")
    with pytest.raises(Refused) as caught:
        await zhao.execute("lost")
    assert (caught.value.status, caught.value.reason) == ("UNAVAILABLE", "SIGNER_UNAVAILABLE")

    process.command = usual
    await asyncio.sleep(max(0.0, process._not_before - process.monotonic()))
    with pytest.raises(Refused) as caught:
        await zhao.execute("lost")

    assert caught.value.reason == "INTENT_EXHAUSTED"
    last = "SELECT state, uses FROM requests ORDER BY number DESC LIMIT 1"
    assert sealing.journal(last) == [("lost", 1)]
    making = {"seal": name, "certificates": certificates} | await life.form(zhao, sealing.maker)
    assert (await zhao.carry_out("seal.make", making))["state"] == "active"


async def test_a_pdf_is_sealed_by_a_key_in_hardware(sealing: Sealing) -> None:
    """RSA in the token takes over from P-256 in files; a token that was pulled out is UNAVAILABLE,
    with nothing counted, and an SM2 key is none of its."""
    if sealing.token is None:
        pytest.skip("SoftHSM2 is not here")
    zhao, hub = sealing.hub.officer(), sealing.hub
    file = sealing.last(pb.SignDocument, "pdf").key.key_id
    wanted_key = {"seal": SEAL, "use": "pdf", "algorithm": "PS256", "home": "pkcs11"}
    made = await zhao.carry_out("key.generate", wanted_key)
    chain = hub.chain_for(made)
    await zhao.carry_out("key.activate", {"key": made["key"], "x509_chain": chain})
    await zhao.carry_out("key.retire", {"key": key_name(file), "cause": "moved"})

    came = await sealing.copy(PDF_TYPE)

    report = verified(hub, came.data)
    assert {one.reason for one in report.steps if one.verdict is Verdict.INVALID} == set()
    asked = sealing.last(pb.SignDocument, "pdf").key
    assert (asked.home, asked.algorithm) == ("pkcs11", "PS256")
    sealing.token.remove()
    files = "SELECT sum(uses) FROM uses WHERE intent NOT LIKE '% code'"
    before = sealing.journal(files)
    with pytest.raises(Refused) as caught:
        await sealing.copy(PDF_TYPE)
    assert (caught.value.status, caught.value.reason) == ("UNAVAILABLE", "KEY_UNAVAILABLE")
    assert sealing.journal(files) == before
    with pytest.raises(Refused) as caught:
        await zhao.carry_out("key.generate", wanted_key | {"use": "ofd", "algorithm": "SM2"})
    assert caught.value.reason == "ALGORITHM_NOT_HERE"
    sealing.token.put_back()


async def test_a_copy_of_what_a_department_brought_goes_the_same_way(sealing: Sealing) -> None:
    """The process reads from the file of which document it is a copy, and compares."""
    hub, platform = sealing.hub, sealing.hub.platform()
    answer = await hub.connector().deliver([permit(1)], vct=PERMIT_VCT)
    (row,) = answer.results
    brought = pdf_documents.page()
    await Clerk(hub.system("hz-department")).upload(row.certificate, [brought])
    await allow(hub, "hz-permits", ["annotated-copy"], type_code=PERMIT)
    await hub.officer().grant("permits", "window-1", (DOCUMENT_FIELD,), type_code=PERMIT)
    asked = RequestedCertificate(PERMIT_VCT, (DOCUMENT_FIELD,), cert=row.identifier)
    claims = await platform.claims(rpc=RPC, certificates=(asked,), copy=wanted())

    came = await handed.send(platform, sign_request(claims, platform.signer), claims.jti)

    report = verified(hub, came.data)
    assert {one.reason for one in report.steps if one.verdict is Verdict.INVALID} == set()
    request = sealing.last(pb.SignDocument, "pdf")
    assert request.order.face == f"document {digest_of(brought)}"
    request.order.face = f"document {digest_of(b'another')}"
    reason, rule = sealing.refused("sign_document", request)
    assert (reason, "template" in rule) == (Reason.INTENT_NOT_APPROVED.value, True)
