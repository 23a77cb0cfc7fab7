"""A record that names its files, behind the signer process: the very key that sealed it before
seals it anew, for a file that the process sealed itself, and for nothing else."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.errors import Reason
from hub.proof.encoding import b64u_decode, digest, emit_json, parse_json, parse_object
from hub.proof.exchange.request import RequestedCertificate
from hub.proof.reasons import Verdict
from hub.proof.records.disclosure import make_disclosure
from hub.proof.reports.report import StepName
from hub.registry.v1 import documents_pb2
from hub.seal.v1 import seal_pb2
from hub.seal.v1 import signer_pb2 as pb
from tests.chinese_font import needs_font
from tests.exchange.faced import KEYS, SEAL, add_face, allow
from tests.exchange.test_made_copies import OFD, PDF_TYPE, open_shown, verified
from tests.registry.clerk import Clerk
from tests.seal import life
from tests.seal.faces.samples import early_licence
from tests.seal.test_signer_documents import Sealing
from tests.seal.test_signer_process import kept_requests, with_process
from tests.simulator import LICENCE_VCT, Refused, Simulator, copy_home, licence, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Listing(Sealing):
    """A hub whose records have two seals, were folded into one, and are by keys of a signer; its
    originals by their type."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def original(self, media_type: str) -> bytes:
        """An original of the certificate; its record names it."""
        clerk, size = Clerk(self.hub.system("hz-department")), self.hub.size
        request = documents_pb2.SealDocumentRequest(
            request_id=new_id(), parent=self.certificate, version=1, media_type=media_type
        )
        made = await clerk.member.call(clerk.stub.SealDocument, request)
        (entry,) = await self.hub.entries(size)
        assert entry["data"]["listing"] == "listed"
        return (await clerk.download(made.document.name))[1]

    async def record(self) -> str:
        """The record with the disclosure `docs`."""
        wanted = RequestedCertificate(LICENCE_VCT, ("name", "docs"), cert=self.identifier)
        fetched = await self.hub.platform().fetch(wanted)
        return fetched.response.certificates[0].presentation

    def asked(self, place: int, *, renewed: bool = True) -> pb.SignRecordListing:
        """One of the requests to name a file; under a new id, unless it shall be known again."""
        found = [one for one in self.requests if isinstance(one, pb.SignRecordListing)][place]
        request = pb.SignRecordListing()
        request.CopyFrom(found)
        if renewed:
            request.request_id = str(uuid.uuid4())
        return request


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listing(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Listing]:
    needs_font()
    folder = tmp_path_factory.mktemp("listing") / "home"
    home = with_process(copy_home(city, folder), 'slow_homes = ["files"]')
    with kept_requests() as requests:
        async with Simulator(home) as hub:
            zhao = hub.officer()
            maker = await life.maker_key(hub, zhao, "authorities/hz-market")
            await life.apply_and_make(hub, zhao, SEAL, *KEYS, ("record", "SM2"), maker=maker)
            await add_face(hub, early_licence())
            await allow(hub, "hz-originals", ["original"], uses_max=12)
            await zhao.grant("files", "window-1", ("name", "docs"))
            (row, _) = (await hub.connector().deliver([licence(1), licence(2)])).results
            made = Listing(hub, requests, row.identifier, row.certificate, maker)
            made.files = {one: await made.original(one) for one in (OFD, PDF_TYPE)}
            yield made
            assert (await hub.audit()).findings == []


async def test_records_name_files_by_each_key_that_sealed_them(listing: Listing) -> None:
    """Folded before, with a twin; both originals, and each is held against the record."""
    asked = [listing.asked(place, renewed=False) for place in range(4)]

    record = await listing.record()

    assert [one.key.algorithm for one in asked] == ["ES256", "SM2"] * 2
    assert (asked[0].record.path != "", asked[2].record.path) == (True, "")
    assert [one["mt"] for one in open_shown(listing.hub, record)] == [OFD, PDF_TYPE]
    for file in listing.files.values():
        report = verified(listing.hub, file, record=record.encode())
        (step,) = [one for one in report.steps if one.name is StepName.FACE_RECORD]
        assert step.verdict is Verdict.VALID
    counted = listing.journal("SELECT intent, uses FROM uses WHERE intent LIKE '% docs'")
    assert {(row[0].partition(" ")[2], row[1]) for row in counted} == {("docs", 2), ("SM2 docs", 2)}


def _record(**values: Any) -> Callable[[Any], None]:
    def change(request: Any) -> None:
        for name, value in values.items():
            setattr(request.record, name, value)

    return change


def _payload(old: bytes, new: bytes) -> Callable[[Any], None]:
    def change(request: Any) -> None:
        assert old in request.record.payload
        request.record.payload = request.record.payload.replace(old, new)

    return change


def _docs(*files: Any, name: str = "docs") -> Callable[[Any], None]:
    """Another `docs` that the payload names rightly."""

    def change(request: Any) -> None:
        made = make_disclosure(bytes(16), name, list(files))
        payload = parse_object(request.record.payload)
        payload["_sd"] = [
            digest(made.text) if one == digest(request.docs) else one for one in payload["_sd"]
        ]
        request.record.payload, request.docs = emit_json(payload), made.text

    return change


def _listed(request: Any) -> list[Any]:
    """What the request's `docs` names now."""
    return parse_json(b64u_decode(request.docs))[2]


def _forge(**values: str) -> Callable[[Any], None]:
    """The new file under other digests."""

    def change(request: Any) -> None:
        *others, file = _listed(request)
        _docs(*others, file | values)(request)

    return change


def _without_others(request: Any) -> None:
    _docs(_listed(request)[-1])(request)


def _of_another_request(request: Any) -> None:
    request.document.request_id = str(uuid.uuid4())


def _other_entry(request: Any) -> None:
    request.entry.writes = request.entry.writes.replace(b"seal_", b"seal-", 1)


APPROVED, USAGE = Reason.INTENT_NOT_APPROVED, Reason.KEY_USAGE_REFUSED


@pytest.mark.parametrize(
    ("change", "reason", "rule"),
    [
        # The file: one that was sealed here, of this certificate, and no other list.
        (_forge(sha256="A" * 43), APPROVED, "other files than before and this one"),
        (_forge(sm3="A" * 43), APPROVED, "other files than before and this one"),
        (_forge(mt="application/x"), APPROVED, "other files than before and this one"),
        (_without_others, APPROVED, "other files than before and this one"),
        (_docs({"mt": PDF_TYPE}, name="name"), APPROVED, "DISCLOSURE_SHAPE"),
        (_docs("a"), APPROVED, "DISCLOSURE_SHAPE"),
        (_of_another_request, APPROVED, "none that was sealed here"),
        (
            lambda r: setattr(r.document, "pdf", r.document.pdf + b" "),
            Reason.REQUEST_ID_REUSED,
            "",
        ),
        (
            lambda r: setattr(r, "time_stamp", b"0"),
            APPROVED,
            "other files than before and this one",
        ),
        # The record: what the log recorded, by this very key, and nothing else said.
        (_payload(b'"version":1', b'"version":2'), APPROVED, "says other than the one before"),
        (lambda r: setattr(r, "docs_before", r.docs), APPROVED, "DISCLOSURE_UNREFERENCED"),
        (_record(version_id="v-other"), APPROVED, "the log recorded another seal"),
        (_record(status_place=9), APPROVED, "the log recorded another seal"),
        (_record(before=b"{}"), APPROVED, "SIGNATURE_INVALID"),
        (_other_entry, APPROVED, "BODY_MALFORMED"),
        (lambda r: setattr(r.entry, "receipt", "x"), APPROVED, "does not verify"),
        (lambda r: r.headers.pop(), APPROVED, "no such header"),
        (lambda r: r.record.seals.pop(0), APPROVED, "the seal before is not this key's"),
        # The intent, and the key.
        (lambda r: r.approvals.pop(), APPROVED, "QUORUM_NOT_REACHED (1 of 2)"),
        (lambda r: setattr(r.document, "intent", b"{}"), Reason.REQUEST_ID_REUSED, ""),
        (lambda r: r.key.x509_chain.pop(), APPROVED, "not certified"),
        (lambda r: setattr(r.key, "use", "pdf"), USAGE, ""),
    ],
)
async def test_called_by_hand_it_names_only_the_file_that_it_sealed(
    listing: Listing, change: Callable[[Any], None], reason: Reason, rule: str
) -> None:
    request = listing.asked(2)
    change(request)

    said = listing.refused("sign_listing", request)

    assert said[0] == reason, said
    assert rule in said[1]


async def test_a_key_in_the_place_of_a_stolen_one_lists_nothing(listing: Listing) -> None:
    """It did not make the seal before, and could not tell a thief's: the original is made, and the
    entry says why its record does not name it."""
    hub, zhao = listing.hub, listing.hub.officer()
    (row,) = (await hub.connector().deliver([licence(3)])).results
    wanted = {"seal": SEAL, "use": "record", "algorithm": "ES256"}
    made = await zhao.carry_out("key.generate", wanted)
    await zhao.carry_out("key.rotate", {"key": made["key"], "x509_chain": hub.chain_for(made)})
    clerk, size = Clerk(hub.system("hz-department")), hub.size
    request = documents_pb2.SealDocumentRequest(
        request_id=new_id(), parent=row.certificate, version=1, media_type=OFD
    )

    await clerk.member.call(clerk.stub.SealDocument, request)

    (entry,) = await hub.entries(size)
    assert entry["data"]["listing"] == "elsewhere"
    await hub.connector().deliver([licence(4)])
    by_hand = listing.asked(2)
    keys = [one.key for one in listing.requests if isinstance(one, pb.SignRecords)]
    by_hand.key.CopyFrom([one for one in keys if one.algorithm == "ES256"][-1])
    assert "not this key's" in listing.refused("sign_listing", by_hand)[1]


async def test_a_file_whose_code_has_no_key_is_not_asked_for(listing: Listing) -> None:
    """After the theft of a key of codes, and without another: nothing is signed or counted."""
    hub, zhao = listing.hub, listing.hub.officer()
    keys = await zhao.call(zhao.seal.ListKeys, seal_pb2.ListKeysRequest(seal=SEAL))
    (stolen,) = [one.name for one in keys.keys if one.use == "face"]
    members = {"key": stolen, "since": int(time.time()) - 3_600, "cause": "x"}
    await zhao.carry_out("key.compromise", members)
    await zhao.propose_kind("codes", "key.reseal", {"key": stolen}, uses_max=10)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("codes")
    before = listing.counted()

    with pytest.raises(Refused) as caught:
        await zhao.call(
            zhao.seal.ResealRecords,
            seal_pb2.ResealRecordsRequest(request_id=new_id(), intent="intents/codes"),
        )

    assert caught.value.reason == "KEY_NOT_ACTIVE"
    assert listing.counted() == before


async def test_an_intent_names_as_many_files_as_it_has_uses(listing: Listing) -> None:
    """Counted apart from what it seals; then nothing more is named."""
    request = listing.asked(2)
    ((used,),) = listing.journal(
        "SELECT uses FROM uses WHERE intent LIKE '% docs' AND intent NOT LIKE '% SM2 docs'"
    )

    for _ in range(12 - used):
        request.request_id = str(uuid.uuid4())
        assert listing.by_hand(sign_listing=request).WhichOneof("answer") == "signatures"
    request.request_id = str(uuid.uuid4())

    assert listing.refused("sign_listing", request)[0] == Reason.INTENT_EXHAUSTED
