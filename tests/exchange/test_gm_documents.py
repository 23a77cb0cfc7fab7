"""Documents of a hub of the profile `gm`: a PDF is sealed with SM2, through the signer process, and
with nothing else."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from certs.pki import SM2_SEAL_CA
from hub.cli.main import run as sealway
from hub.domain.face import FaceFormat
from hub.proof.exchange.request import CopyPurpose
from hub.proof.key_statements import proven_statements, with_statements
from hub.proof.pdf.cms_sm2 import parse_sm2_cms
from hub.proof.pdf.file import cms_of, open_pdf
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.reports.report import FactName, Remark, Report, StepName
from hub.proof.sealed_file import read_sealed
from hub.proof.trust import Trust, trust_file
from hub.registry.v1 import documents_pb2
from tests.chinese_font import needs_font
from tests.exchange.faced import SEAL
from tests.exchange.handed import Came, fetch
from tests.exchange.test_made_copies import PDF_TYPE, PURPOSE, verified
from tests.exchange.test_resealed_documents import Stolen, furnished, replace_key
from tests.registry.clerk import Clerk
from tests.seal.test_key_statements import listed
from tests.seal.test_signer_process import with_process
from tests.seal.test_verify_document import verified as asked_hub
from tests.simulator import Refused, Simulator, copy_home, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEYS: Final = (
    ("record", "ES256"),
    ("record", "SM2"),
    ("ofd", "SM2"),
    ("pdf", "ES256"),
    ("pdf", "SM2"),
    ("face", "ES256"),
)


@dataclass(frozen=True)
class National:
    """The hub, and a copy and an original that it has sealed; `sealed.keys` are those of SM2."""

    sealed: Stolen
    copy: Came
    original: bytes

    @property
    def hub(self) -> Simulator:
        return self.sealed.hub

    async def updated(self) -> Trust:
        """The trust file that the hub handed out, after `sealway trust update`."""
        receipts = await listed(self.hub.platform())
        said = [proven_statements(one.json, self.hub.trust.log)[0] for one in receipts]
        return with_statements(self.hub.trust, said, int(time.time()))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def national(
    gm_city: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[National]:
    needs_font()
    home = copy_home(gm_city, tmp_path_factory.mktemp("national") / "home")
    async with Simulator(with_process(home)) as hub:
        sealed = await furnished(hub, KEYS)
        purpose = CopyPurpose(PURPOSE, int(time.time()) + 86_400)
        copy = await fetch(hub.platform(), sealed.identifier, media_type=PDF_TYPE, copy=purpose)
        clerk = Clerk(hub.system("hz-department"))
        request = documents_pb2.SealDocumentRequest(
            request_id=new_id(), parent=sealed.name, version=1, media_type=PDF_TYPE
        )
        await clerk.member.call(clerk.stub.SealDocument, request)
        yield National(sealed, copy, (await sealed.original(PDF_TYPE))[1])
        assert (await hub.audit()).findings == []


def facts_of(report: Report, name: FactName) -> list[object]:
    return [fact.value for fact in report.facts if fact.name is name]


async def test_a_pdf_is_sealed_with_sm2_and_verifies_by_what_init_pinned(
    national: National,
) -> None:
    """Copy and original, though the seal has a key of ES256 too; offline, every step but the lists
    that nobody gave, and the code, whose issuer is not pinned."""
    for data in (national.copy.data, national.original):
        (signature,) = open_pdf(data)
        assert parse_sm2_cms(cms_of(signature)).signer.organization_identifier

        report = verified(national.hub, data)

        assert facts_of(report, FactName.ALGORITHM) == ["SM2"]
        assert [one.reason for one in report.steps if one.verdict is Verdict.INVALID] == []
        unknown = {one.name for one in report.steps if one.verdict is Verdict.CANNOT_CHECK}
        assert unknown <= {StepName.REVOCATION, StepName.FACE_CODE}


async def test_the_command_line_calls_it_valid(national: National, tmp_path: Path) -> None:
    """With the trust file of the hub and the list of its CA."""
    folder = national.hub.pki.folder
    (tmp_path / "original.pdf").write_bytes(national.original)
    (tmp_path / "trust.json").write_bytes(trust_file(await national.updated()))
    words = ["verify", str(tmp_path / "original.pdf"), "--trust", str(tmp_path / "trust.json")]
    words += ["--crl", str(folder / "crl" / f"{SM2_SEAL_CA}.crl"), "--json"]
    out = io.StringIO()

    def run() -> int:
        with redirect_stdout(out):
            return sealway(words)

    code = await asyncio.to_thread(run)

    assert (code, json.loads(out.getvalue())["verdict"]) == (0, "valid"), out.getvalue()


async def test_without_the_anchor_of_sm2_the_chain_is_refused(national: National) -> None:
    """Both roots are pinned by `init`, each for its algorithm."""
    pinned = national.hub.trust
    without = replace(
        pinned, pdf_anchors=tuple(set(pinned.pdf_anchors) - set(pinned.signer_anchors))
    )
    assert len(without.pdf_anchors) == 1

    report = verified(national.hub, national.copy.data, trust=without)

    (chain,) = [one for one in report.steps if one.name is StepName.SIGNER_CHAIN]
    assert (chain.verdict, chain.reason) == (Verdict.INVALID, ProofReason.X509_UNTRUSTED)


async def test_its_custody_is_proven_by_the_log(national: National) -> None:
    """To whoever asks the hub, and offline after an update of the trust file."""
    asked = await asked_hub(national.hub.platform(), national.copy.data)
    offline = verified(national.hub, national.copy.data, trust=await national.updated())

    assert Remark.SEALED_BY_HUB in asked.remarks
    for report in (asked, offline):
        assert facts_of(report, FactName.CUSTODY) == ["hub-file"]


async def test_a_stolen_sm2_key_is_believed_no_more_and_its_files_are_sealed_anew(
    national: National,
) -> None:
    """No other algorithm takes its place meanwhile: a key of ES256 is in force all the time."""
    hub, sealed, zhao = national.hub, national.sealed, national.hub.officer()
    key, since = sealed.keys["pdf"], int(time.time()) - 3_600
    await zhao.carry_out("key.compromise", {"key": key, "since": since, "cause": "x"})
    await zhao.propose_kind("anew", "key.reseal", {"key": key}, uses_max=10)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("anew")

    with pytest.raises(Refused) as caught:
        await sealed.reseal("anew")

    assert caught.value.reason == "KEY_NOT_ACTIVE"
    assert (caught.value.details["seal"], caught.value.details["algorithm"]) == (SEAL, "SM2")
    await replace_key(sealed, "pdf", "SM2")
    assert (await sealed.reseal("anew"))[0] == 2
    _, original = await sealed.original(PDF_TYPE)
    trust = await national.updated()
    was = read_sealed(national.original, FaceFormat.PDF)
    assert not was.keys & read_sealed(original, FaceFormat.PDF).keys
    report = verified(hub, original, trust=trust)
    assert facts_of(report, FactName.ALGORITHM) == ["SM2"]
    assert [one.reason for one in report.steps if one.verdict is Verdict.INVALID] == []
    for report in (
        verified(hub, national.original, trust=trust),
        await asked_hub(hub.platform(), national.copy.data),
    ):
        assert report.verdict is Verdict.INVALID
        assert ProofReason.KEY_COMPROMISED in {one.reason for one in report.steps}
