"""Further seals (加盖) on originals in OFD: each beside the others, none of which it breaks; the
last closes the file. The seals' keys are behind the signer process."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.errors import Reason
from hub.proof.exchange.request import RequestedCertificate
from hub.proof.faces.facts import ofd_facts
from hub.proof.ofd.checks import protects_list
from hub.proof.ofd.document import open_package, read_document, read_signature
from hub.proof.reasons import Verdict
from hub.proof.reports.report import StepName
from hub.registry.v1 import documents_pb2
from hub.seal.v1 import seal_pb2
from hub.seal.v1 import signer_pb2 as pb
from tests.chinese_font import needs_font
from tests.exchange.faced import KEYS, SEAL, add_face, allow
from tests.exchange.test_made_copies import OFD, PDF_TYPE, open_shown, verified
from tests.ofdrw import needs_ofdrw, validate
from tests.registry.clerk import Clerk
from tests.seal import life
from tests.seal.faces.samples import early_licence
from tests.seal.test_signer_process import Signing, kept_requests, with_process
from tests.simulator import LICENCE, LICENCE_VCT, Refused, Simulator, copy_home, licence, new_id
from tests.test_documents_total import undocumented

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANNUAL = "authorities/hz-market/seals/annual"


@dataclass
class Sealing(Signing):
    """Three licences without originals, and two seals: one makes them, one is put on beside it."""

    certificates: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    maker: str = ""
    annual: str = ""

    async def seal(self, number: int, media_type: str = OFD, **wanted: bool) -> dict[str, Any]:
        """What the log says of it, and its bytes."""
        clerk, size = Clerk(self.hub.system("hz-department")), self.hub.size
        request = documents_pb2.SealDocumentRequest(
            request_id=new_id(),
            parent=self.certificates[number],
            version=1,
            media_type=media_type,
            **wanted,
        )
        made = await clerk.member.call(clerk.stub.SealDocument, request)
        (entry,) = await self.hub.entries(size)
        assert undocumented(entry) == []
        return entry["data"] | {"file": (await clerk.download(made.document.name))[1]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sealing(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sealing]:
    needs_font()
    home = with_process(copy_home(city, tmp_path_factory.mktemp("further") / "home"))
    with kept_requests() as requests:
        async with Simulator(home) as hub:
            zhao = hub.officer()
            maker = await life.maker_key(hub, zhao, "authorities/hz-market")
            await life.apply_and_make(hub, zhao, SEAL, *KEYS, maker=maker)
            (annual,) = await life.apply_and_make(hub, zhao, ANNUAL, ("ofd", "SM2"), maker=maker)
            await add_face(hub, early_licence())
            await allow(hub, "hz-originals", ["original"])
            await zhao.grant("files", "window-1", ("name", "docs"))
            rows = (await hub.connector().deliver([licence(one) for one in (1, 2, 3)])).results
            made = Sealing(
                hub,
                requests,
                tuple(row.certificate for row in rows),
                tuple(row.identifier for row in rows),
                maker,
                annual["key"],
            )
            await refused(made, Reason.DOCUMENT_NOT_FOUND, 0, further=True)
            yield made
            assert (await hub.audit()).findings == []


async def allow_annual(hub: Simulator) -> None:
    members = {
        "seal": ANNUAL,
        "certificate_type": f"certificateTypes/{LICENCE.lower()}",
        "documents": ["further-seal"],
    }
    await hub.officer().propose_kind("hz-annual", "standing-seal", members, uses_max=20)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("hz-annual")


async def refused(sealing: Sealing, reason: Reason, number: int, *words: str, **wanted: Any) -> str:
    with pytest.raises(Refused) as caught:
        await sealing.seal(number, *words, **wanted)
    assert caught.value.reason == reason
    return str(caught.value.details)


async def test_each_seal_stands_beside_the_others_and_the_last_closes(
    sealing: Sealing, tmp_path: Path
) -> None:
    """Every signature verifies, for us and for ofdrw; the record names the newest file."""
    hub = sealing.hub
    first = await sealing.seal(0, open=True)
    assert "further-seal" in await refused(sealing, Reason.INTENT_NOT_APPROVED, 0, further=True)
    await allow_annual(hub)

    second = await sealing.seal(0, further=True, open=True)
    last = await sealing.seal(0, further=True)

    assert [one["seal"] for one in (first, second, last)] == [SEAL, ANNUAL, ANNUAL]
    assert (second["further_to"], last["further_to"]) == (first["document"], second["document"])
    assert {one["listing"] for one in (first, second, last)} == {"listed"}
    for count, one in enumerate((first, second, last), 1):
        document = read_document(open_package(one["file"]))
        signatures = [read_signature(document, each) for each in document.signatures]
        assert len(signatures) == count
        assert [protects_list(document, each) for each in signatures] == [
            *[False] * (count - 1),
            count == 3,
        ]
        boxes = [stamp.box for each in signatures for stamp in each.stamps]
        assert len(set(boxes)) == count
        report = verified(hub, one["file"])
        assert [step.reason for step in report.steps if step.verdict is Verdict.INVALID] == []
    facts = [ofd_facts(open_package(one["file"])) for one in (first, last)]
    assert facts[0] == facts[1]
    wanted = RequestedCertificate(LICENCE_VCT, ("name", "docs"), cert=sealing.identifiers[0])
    record = (await hub.platform().fetch(wanted)).response.certificates[0].presentation
    (listed,) = open_shown(hub, record)
    assert listed["sha256"] == last["digest"]
    report = verified(hub, last["file"], record=record.encode())
    (step,) = [one for one in report.steps if one.name is StepName.FACE_RECORD]
    assert step.verdict is Verdict.VALID
    needs_ofdrw()
    paths = [tmp_path / f"{number}.ofd" for number in range(3)]
    for path, one in zip(paths, (first, second, last), strict=True):
        path.write_bytes(one["file"])
    assert [one.verdict for one in validate(paths)] == ["valid"] * 3


async def test_what_was_closed_or_is_no_ofd_takes_no_other(sealing: Sealing) -> None:
    """Nor is a second original made of what has one."""
    await refused(sealing, Reason.OFD_REFUSED, 0, further=True)
    await refused(sealing, Reason.ALREADY_EXISTS, 0, open=True)
    await sealing.seal(1)
    await refused(sealing, Reason.OFD_REFUSED, 1, further=True)
    for word in ("open", "further"):
        said = await refused(sealing, Reason.FIELD_INVALID, 2, PDF_TYPE, **{word: True})
        assert "takes one seal" in said


async def test_the_process_puts_a_further_seal_on_what_was_approved_and_nothing_else(
    sealing: Sealing,
) -> None:
    """Called by hand: as an original, for a copy's intent, on a file with a page changed, or with a
    seal before taken off."""
    asked = [one for one in sealing.requests if isinstance(one, pb.SignDocument)]
    further = next(one for one in asked if one.order.further)

    def hand(change: Any) -> str:
        request = pb.SignDocument()
        request.CopyFrom(further)
        request.request_id = str(uuid.uuid4())
        change(request)
        answer = sealing.by_hand(sign_document=request)
        assert answer.WhichOneof("answer") == "refused", "it was signed"
        return answer.refused.details.get("rule", "")

    def page(request: Any) -> None:
        name = next(name for name in request.ofd.files if name.endswith("Content.xml"))
        request.ofd.files[name] += b" "

    def seal_before(request: Any) -> None:
        del request.ofd.files[next(n for n in request.ofd.files if n.endswith("SignedValue.dat"))]

    assert "no file of the kind original" in hand(lambda r: setattr(r.order, "further", False))
    assert "no seal over this file" in hand(page)
    assert "no seal over this file" in hand(seal_before)
    assert "another certificate" in hand(
        lambda r: setattr(r.order, "identifier", f"{r.order.identifier}9")
    )


async def test_after_the_theft_of_a_further_seal_the_original_is_made_anew_and_left_open(
    sealing: Sealing,
) -> None:
    """The other seals are put on it again: each needs the word of whoever put it there."""
    hub, zhao = sealing.hub, sealing.hub.officer()
    await sealing.seal(2, open=True)
    await sealing.seal(2, further=True)
    members = {"key": sealing.annual, "since": int(time.time()) - 3_600, "cause": "x"}
    await zhao.carry_out("key.compromise", members)
    wanted = {"seal": ANNUAL, "use": "ofd", "algorithm": "SM2"}
    made = await zhao.carry_out("key.generate", wanted)
    installed = {"key": made["key"], "x509_chain": hub.chain_for(made)}
    form = await life.form(zhao, sealing.maker)
    await zhao.carry_out("seal.renew", {"seal": ANNUAL, "certificates": [installed], **form})
    await zhao.propose_kind("anew", "key.reseal", {"key": sealing.annual}, uses_max=10)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("anew")
    token, count = "", 0
    while True:
        request = seal_pb2.ResealRecordsRequest(
            request_id=new_id(), intent="intents/anew", page_token=token
        )
        answer = await zhao.call(zhao.seal.ResealRecords, request)
        token, count = answer.next_page_token, count + answer.documents
        if not token:
            break

    assert count == 2
    for number in (0, 2):
        again = await sealing.seal(number, further=True)
        assert again["listing"] == "listed"
        document = read_document(open_package(again["file"]))
        assert len(document.signatures) == 2
        report = verified(hub, again["file"])
        assert [step.reason for step in report.steps if step.verdict is Verdict.INVALID] == []
