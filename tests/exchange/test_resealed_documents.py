"""Documents that a stolen key sealed, sealed anew: copies and originals, OFD and PDF."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from connectors.documents import document_of
from hub.cli.main import run
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.face import FaceFormat
from hub.domain.row import Op
from hub.proof.exchange.answer_receipt import AnsweredDocument, handed_out_first
from hub.proof.exchange.request import CopyPurpose, sign_request
from hub.proof.faces.code import face_code_key
from hub.proof.key_statements import proven_statements, with_statements
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import Remark, StepName
from hub.proof.sealed_file import read_sealed
from hub.registry.v1 import documents_pb2
from hub.seal.v1 import seal_pb2
from tests.chinese_font import needs_font
from tests.exchange.faced import KEYS, SEAL, add_face, allow
from tests.exchange.handed import RPC, Came, digest_of, fetch, send
from tests.exchange.test_made_copies import OFD, PDF_TYPE, PURPOSE, verified
from tests.ofdrw import needs_ofdrw, validate
from tests.pdfsig import needs_pdfsig, outcomes
from tests.registry.clerk import Clerk
from tests.seal import life
from tests.seal.faces.samples import early_licence
from tests.seal.test_key_statements import listed
from tests.seal.test_verify_document import verified as asked_hub
from tests.simulator import (
    GRANTED,
    LICENCE_VCT,
    Refused,
    Simulator,
    copy_home,
    licence,
    new_id,
)
from tests.test_documents_total import undocumented

pytestmark = pytest.mark.asyncio(loop_scope="module")

USES = {OFD: "ofd", PDF_TYPE: "pdf"}


@dataclass
class Stolen:
    """A hub whose document keys were stolen after they had sealed, of either format, a copy of two
    certificates, of which the second was revoked since, a copy whose time is over, and an original.
    """

    hub: Simulator
    name: str
    identifier: str
    maker: str
    keys: dict[str, str]
    codes: str
    requests: dict[str, tuple[str, str]] = field(default_factory=dict)
    before: dict[str, Came] = field(default_factory=dict)
    originals: dict[str, bytes] = field(default_factory=dict)

    async def copy(self, media_type: str) -> Came:
        """The same request once more."""
        request_id, compact = self.requests[media_type]
        return await send(self.hub.platform(), compact, request_id, media_type)

    async def original(self, media_type: str) -> tuple[str, bytes]:
        """The newest original: its name and bytes."""
        clerk = Clerk(self.hub.system("hz-department"))
        listed = [one for one in await clerk.listed(self.name) if one.media_type == media_type]
        newest = max(listed, key=lambda one: one.create_time.ToMicroseconds())
        return newest.name, (await clerk.download(newest.name))[1]

    async def reseal(self, intent: str) -> tuple[int, list[dict[str, Any]]]:
        """Run it to its end; how many documents, and the entries."""
        zhao, size, token, count = self.hub.officer(), self.hub.size, "", 0
        while True:
            request = seal_pb2.ResealRecordsRequest(
                request_id=new_id(), intent=f"intents/{intent}", page_token=token
            )
            answer = await zhao.call(zhao.seal.ResealRecords, request)
            assert await zhao.call(zhao.seal.ResealRecords, request) == answer
            count, token = count + answer.documents, answer.next_page_token
            if not token:
                return count, list(await self.hub.entries(size))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stolen(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stolen]:
    needs_font()
    async with Simulator(copy_home(city, tmp_path_factory.mktemp("resealed") / "home")) as hub:
        found = await furnished(hub)
        clerk = Clerk(hub.system("hz-department"))
        answer = await hub.connector().deliver([licence(2)])
        for media_type in (OFD, PDF_TYPE):
            until = int(time.time()) + 86_400
            purpose, platform = CopyPurpose(PURPOSE, until), hub.platform()
            document = document_of(LICENCE_VCT, found.identifier)
            claims = await platform.claims(rpc=RPC, certificates=(document,), copy=purpose)
            found.requests[media_type] = (claims.jti, sign_request(claims, platform.signer))
            found.before[media_type] = await found.copy(media_type)
            over = CopyPurpose(PURPOSE, int(time.time()) + 2)
            await fetch(platform, found.identifier, media_type=media_type, copy=over)
            other = answer.results[0].identifier
            await fetch(platform, other, media_type=media_type, copy=purpose)
            request = documents_pb2.SealDocumentRequest(
                request_id=new_id(), parent=found.name, version=1, media_type=media_type
            )
            await clerk.member.call(clerk.stub.SealDocument, request)
            found.originals[media_type] = (await found.original(media_type))[1]
        await hub.connector().deliver([licence(2, Op.REVOKE)])
        await asyncio.sleep(max(0.0, over.until - time.time()))
        zhao = hub.officer()
        for use, key in found.keys.items():
            since = int(time.time()) - 3_600
            await zhao.carry_out("key.compromise", {"key": key, "since": since, "cause": "x"})
            await zhao.propose_kind(f"anew-{use}", "key.reseal", {"key": key}, uses_max=10)
            for officer in ("qian", "sun"):
                await hub.officer(officer).approve(f"anew-{use}")
        yield found
        assert (await hub.audit()).findings == []


async def furnished(hub: Simulator, keys_of_seal: Sequence[tuple[str, str]] = KEYS) -> Stolen:
    """A licence with its face under a seal with these keys; nothing is stolen yet."""
    (row,) = (await hub.connector().deliver([licence(1)])).results
    zhao = hub.officer()
    maker = await life.maker_key(hub, zhao, "authorities/hz-market")
    made = await life.apply_and_make(hub, zhao, SEAL, *keys_of_seal, maker=maker)
    keys = {use: str(one["key"]) for (use, _), one in zip(keys_of_seal, made, strict=True)}
    await add_face(hub, early_licence())
    await allow(hub, "hz-documents", ["annotated-copy", "original"])
    await zhao.grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))
    wanted = {use: keys[use] for use in USES.values()}
    return Stolen(hub, row.certificate, row.identifier, maker, wanted, keys["face"])


async def replace_key(stolen: Stolen, use: str, algorithm: str = "") -> None:
    """Another key in force, with a new electronic seal where it seals OFD."""
    hub, zhao = stolen.hub, stolen.hub.officer()
    wanted = {"seal": SEAL, "use": use, "algorithm": algorithm or dict(KEYS)[use]}
    made = await zhao.carry_out("key.generate", wanted)
    installed = {"key": made["key"], "x509_chain": hub.chain_for(made)}
    if use == "ofd":
        form = await life.form(zhao, stolen.maker)
        await zhao.carry_out("seal.renew", {"seal": SEAL, "certificates": [installed], **form})
    else:
        await zhao.carry_out("key.activate", installed)


@pytest.mark.parametrize("media_type", [OFD, PDF_TYPE])
async def test_copies_and_originals_are_sealed_anew(stolen: Stolen, media_type: str) -> None:
    """One entry for each; whoever asks again gets the new file with the same purpose, recipient and
    time, and it verifies; the file before is kept and reads *compromised*."""
    use = USES[media_type]
    with pytest.raises(Refused) as caught:
        await stolen.reseal(f"anew-{use}")
    assert caught.value.reason == "KEY_NOT_ACTIVE"
    await replace_key(stolen, use)

    count, entries = await stolen.reseal(f"anew-{use}")
    again, _ = await stolen.reseal(f"anew-{use}")

    assert (count, again) == (2, 0)
    resealed = [one for one in entries if one["kind"] == "document.resealed"]
    assert [undocumented(one) for one in resealed] == [[], []]
    assert {one["data"].get("listing") for one in resealed} == {None, "listed"}
    before, now = stolen.before[media_type], await stolen.copy(media_type)
    _, original = await stolen.original(media_type)
    assert now.header.receipt == before.header.receipt
    assert now.header.annotated_copy == before.header.annotated_copy
    form = FaceFormat(media_type)
    was, is_now = read_sealed(before.data, form), read_sealed(now.data, form)
    assert is_now.terms == was.terms
    assert not is_now.keys & was.keys
    assert {one["data"]["digest"] for one in resealed} == {digest_of(now.data), digest_of(original)}
    for data in (now.data, original):
        report = verified(stolen.hub, data)
        assert [one.reason for one in report.steps if one.verdict is Verdict.INVALID] == []
    for data in (before.data, stolen.originals[media_type]):
        report = await asked_hub(stolen.hub.platform(), data)
        assert report.verdict is Verdict.INVALID
        assert ProofReason.KEY_COMPROMISED in {one.reason for one in report.steps}
    clerk = Clerk(stolen.hub.system("hz-department"))
    kept = [one for one in await clerk.listed(stolen.name) if one.media_type == media_type]
    assert len(kept) == 2


async def test_what_was_made_anew_is_valid_for_others(stolen: Stolen, tmp_path: Path) -> None:
    """pyHanko and `pdfsig` for PDF, ofdrw for OFD; the file before was so as well: that its key was
    stolen only the log says."""
    pdfsig, root = needs_pdfsig(), stolen.hub.pki.seal_anchor_pem
    needs_ofdrw()
    files = {
        media_type: [
            stolen.before[media_type].data,
            (await stolen.copy(media_type)).data,
            (await stolen.original(media_type))[1],
        ]
        for media_type in (PDF_TYPE, OFD)
    }
    anchor = asn1_x509.Certificate.load(ssl.PEM_cert_to_DER_cert(root.decode()))
    context = ValidationContext(trust_roots=[anchor], allow_fetching=False)

    for number, data in enumerate(files[PDF_TYPE]):
        (signature,) = PdfFileReader(io.BytesIO(data)).embedded_signatures
        status = await async_validate_pdf_signature(signature, context)
        assert status.bottom_line
        (tmp_path / str(number)).mkdir()
        said = outcomes(pdfsig, tmp_path / str(number), data, root)
        assert said == [("Signature is Valid.", "Certificate is Trusted.")]
    paths = [tmp_path / f"{number}.ofd" for number in range(3)]
    for path, data in zip(paths, files[OFD], strict=True):
        path.write_bytes(data)
    assert [one.verdict for one in validate(paths)] == ["valid"] * 3


async def test_a_file_in_place_of_what_was_receipted_must_be_proven(stolen: Stolen) -> None:
    """Without the entry that says so, what came is not what the receipt names."""
    now = await stolen.copy(PDF_TYPE)
    receipt = now.header.resealed.json.encode()
    said = AnsweredDocument("active", PDF_TYPE, len(now.data), digest_of(now.data))
    other = AnsweredDocument("active", PDF_TYPE, len(now.data), digest_of(b"other"))

    first = handed_out_first(receipt, said, stolen.hub.trust.log)

    assert first.digest == digest_of(stolen.before[PDF_TYPE].data)
    for wrong, reason in (
        ((receipt, other), ProofReason.STATE_DIFFERS),
        ((now.header.receipt.json.encode(), said), ProofReason.BODY_KIND),
    ):
        with pytest.raises(ProofError) as caught:
            handed_out_first(*wrong, stolen.hub.trust.log)
        assert caught.value.reason is reason


LONG_NAME = f"杭州{'示例' * 14}有限公司"


def _tight_face() -> bytes:
    """The face with room for some dozen characters of the name."""
    template = json.loads(early_licence())
    (name,) = [one for one in template["fields"] if one["field"] == "name"]
    left, top, _, _ = name["box"].split()
    name["box"] = f"{left} {top} 60 8"
    name.pop("size_min", None)
    name.pop("lines", None)
    return json.dumps(template).encode()


async def test_faces_with_a_code_by_a_stolen_key_are_made_anew_and_what_cannot_be_set_is_named(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Originals and copies of either format; the code is another key's then, in a file by the same
    key. A name that the template in force has no room for stops no other file, and is sealed once
    the template is mended. The hub, and whoever takes over what its log says, read the codes before
    as *compromised*, and those now as signed."""
    needs_font()
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        found, clerk = await furnished(hub), Clerk(hub.system("hz-department"))
        long = licence(2, fields={"name": LONG_NAME})
        (second,) = (await hub.connector().deliver([long])).results
        for name, media_type in (
            (second.certificate, PDF_TYPE),
            (found.name, PDF_TYPE),
            (found.name, OFD),
        ):
            request = documents_pb2.SealDocumentRequest(
                request_id=new_id(), parent=name, version=1, media_type=media_type
            )
            await clerk.member.call(clerk.stub.SealDocument, request)
        platform = hub.platform()
        purpose = CopyPurpose(PURPOSE, int(time.time()) + 86_400)
        for media_type in (PDF_TYPE, OFD):
            document = document_of(LICENCE_VCT, found.identifier)
            claims = await platform.claims(rpc=RPC, certificates=(document,), copy=purpose)
            found.requests[media_type] = (claims.jti, sign_request(claims, platform.signer))

        async def files() -> list[tuple[str, bytes]]:
            return [
                made
                for media_type in (PDF_TYPE, OFD)
                for made in (
                    (media_type, (await found.original(media_type))[1]),
                    (media_type, (await found.copy(media_type)).data),
                )
            ]

        before = await files()
        assert await codes(hub, before) == {(Verdict.VALID, None)}
        zhao, since = hub.officer(), int(time.time()) - 3_600
        await zhao.carry_out("key.compromise", {"key": found.codes, "since": since, "cause": "x"})
        await zhao.propose_kind("anew-face", "key.reseal", {"key": found.codes}, uses_max=10)
        for officer in ("qian", "sun"):
            await hub.officer(officer).approve("anew-face")
        assert await codes(hub, before) == {(Verdict.INVALID, ProofReason.KEY_COMPROMISED)}
        with pytest.raises(Refused) as caught:
            await found.reseal("anew-face")
        assert caught.value.reason == "KEY_NOT_ACTIVE"
        await replace_key(found, "face")
        await add_face(hub, _tight_face())

        size = hub.size
        code, shown = await command(hub, capsys, "anew-face")

        # What was left is a failure that scripts see, and the next step is there.
        assert (code, "4 documents sealed anew" in shown) == (1, True)
        assert (second.identifier in shown, "FACE_OVERFLOW" in shown) == (True, True)
        assert "sealway seal reseal anew-face" in shown
        entries = list(await hub.entries(size))
        (left,) = [one for one in entries if "reason" in one["data"]]
        assert (left["data"]["cert"], left["data"]["reason"]) == (
            second.identifier,
            "FACE_OVERFLOW",
        )
        assert undocumented(left) == []
        now = await files()
        for (media_type, old), (_, new) in zip(before, now, strict=True):
            was, is_now = (read_sealed(one, FaceFormat(media_type)) for one in (old, new))
            assert is_now.keys == was.keys
            assert face_code_key(is_now.facts.code) != face_code_key(was.facts.code)
        assert await codes(hub, before) == {(Verdict.INVALID, ProofReason.KEY_COMPROMISED)}
        assert await codes(hub, now) == {(Verdict.VALID, None)}
        code, shown = await command(hub, capsys, "anew-face", "--json")
        said = json.loads(shown)
        (again,) = said["left"]
        assert (code, said["documents"], again["reason"]) == (1, 0, "FACE_OVERFLOW")
        assert (again["certificate"], again["copy"]) == (second.identifier, "")
        await add_face(hub, early_licence())
        code, shown = await command(hub, capsys, "anew-face")
        assert (code, "1 documents sealed anew" in shown) == (0, True)
        assert "sealway trust update" in shown
        code, shown = await command(hub, capsys, "anew-face")
        assert (code, "Nothing in force" in shown) == (0, True)
        assert (await hub.audit()).findings == []


async def command(
    hub: Simulator, capsys: pytest.CaptureFixture[str], intent: str, *words: str
) -> tuple[int, str]:
    """Exit code and words of `sealway seal reseal`."""
    profile = str(hub.profile("officers/zhao"))
    wanted = ["seal", "reseal", intent, "--profile", profile, *words]
    capsys.readouterr()
    code = await asyncio.to_thread(run, wanted)
    said = capsys.readouterr()
    return code, said.out + ("" if "--json" in words else said.err)


async def codes(
    hub: Simulator, files: Sequence[tuple[str, bytes]]
) -> set[tuple[Verdict, ProofReason | None]]:
    """What is said of the codes on files, by the hub and by whoever took over what its log says."""
    receipts = await listed(hub.platform())
    said = [proven_statements(one.json, hub.trust.log)[0] for one in receipts]
    trust = with_statements(hub.trust, said, int(time.time()))
    reports = [await asked_hub(hub.platform(), data) for _, data in files]
    reports += [verified(hub, data, trust=trust) for _, data in files]
    for report in reports:
        assert Remark.CODE_NOT_PINNED not in report.remarks
    steps = [step for one in reports for step in one.steps if step.name is StepName.FACE_CODE]
    assert len(steps) == len(reports)
    return {(step.verdict, step.reason) for step in steps}
