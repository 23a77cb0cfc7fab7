"""Time stamps and evidence behind a seal: B-T, B-LT and B-LTA, by our verifier and by pyHanko's."""

from __future__ import annotations

import asyncio
import datetime
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

from hub.domain.seal_key import KeyAlgorithm
from hub.errors import HubError, Reason
from hub.proof.moment import Basis
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.reports.report import Kind, Report, StepName
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.proof.x509.make_sm2 import make_crl
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_archive import add_document_stamp, add_evidence
from hub.seal.documents.pdf_seal import prepare_pdf
from hub.seal.documents.time_stamps import TimeStampService
from tests.pdf_documents import DAY, NOW, PLACE, Ca, MemoryKey, key_of, page, picture, sm2_root
from tests.time_stamp_server import TimeStampServer, absent, now_us, serving

LOCAL = RevocationInfoGatheringSpec(
    online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
    certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
)
pytestmark = pytest.mark.skipif(absent(), reason="openssl is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStampServer]:
    with serving(tmp_path_factory.mktemp("tsa")) as started:
        yield started


@pytest.fixture(scope="module")
def stamps(server: TimeStampServer) -> TimeStampService:
    return TimeStampService(server.url, (server.ca.root,), now_us)


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


@pytest.fixture(scope="module")
def key(ca: Ca) -> MemoryKey:
    return key_of(ca, ends=NOW + 3650 * DAY)


def clock() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now_us() / 1e6, datetime.UTC)


def sealed(key: MemoryKey, stamps: TimeStampService | None) -> bytes:
    form = CmsForm.of(key)
    prepared = prepare_pdf(page(), PLACE, picture(), form, stamped=True)
    return prepared.seal(key, form, clock(), stamps=stamps)


def with_evidence(document: bytes, key: MemoryKey, ca: Ca, server: TimeStampServer) -> bytes:
    now = clock()
    lists = [ca.crl(now), server.ca.crl(now)]
    return add_evidence(
        document,
        [*key.x509_chain, *(item.root.public_bytes(Encoding.DER) for item in (ca, server.ca))],
        [item.public_bytes(Encoding.DER) for item in lists],
    )


def verified(
    document: bytes, ca: Ca, server: TimeStampServer, *, after: datetime.timedelta = 0 * DAY
) -> Report:
    trust = Trust("hub", "330100", pdf_anchors=(ca.root,), stamp_anchors=(server.ca.root,))
    return verify(document, Kind.PDF, trust, Evidence(now=int((clock() + after).timestamp())))


def test_a_stamped_seal_is_judged_at_its_stamp(
    ca: Ca, key: MemoryKey, server: TimeStampServer, stamps: TimeStampService
) -> None:
    """B-T: the time is somebody else's word, and the report says whose."""
    report = verified(sealed(key, stamps), ca, server)
    judged = [step.moment for step in report.steps if step.name is StepName.SIGNER_CHAIN]
    outcome = {step.name: step.verdict for step in report.steps}

    assert outcome[StepName.TIME_STAMP] is Verdict.VALID
    assert judged[0] is not None
    assert judged[0].basis is Basis.STAMPED
    # Lists are the one thing that such a document does not keep.
    assert (report.verdict, report.reason) == (Verdict.CANNOT_CHECK, ProofReason.NO_CRL)


def test_evidence_makes_it_whole(
    ca: Ca, key: MemoryKey, server: TimeStampServer, stamps: TimeStampService
) -> None:
    """B-LT: valid from the document alone, and years later, when certificate and list are over."""
    document = with_evidence(sealed(key, stamps), key, ca, server)

    assert verified(document, ca, server).verdict is Verdict.VALID
    assert verified(document, ca, server, after=4000 * DAY).verdict is Verdict.VALID


def test_without_a_stamp_evidence_grows_old(
    ca: Ca, key: MemoryKey, server: TimeStampServer
) -> None:
    """The lists hold for their own time only where nobody vouches for the signing time."""
    document = with_evidence(sealed(key, None), key, ca, server)

    assert verified(document, ca, server).verdict is Verdict.VALID
    later = verified(document, ca, server, after=60 * DAY)
    assert (later.verdict, later.reason) == (Verdict.CANNOT_CHECK, ProofReason.NO_CRL)


def test_document_stamps_follow_each_other(
    ca: Ca, key: MemoryKey, server: TimeStampServer, stamps: TimeStampService
) -> None:
    """B-LTA, and again with newer lists: each is a part of its own, the seal stays what it was."""
    document = with_evidence(sealed(key, stamps), key, ca, server)
    once = add_document_stamp(document, stamps)
    again = with_evidence(once, key, ca, server)
    twice = add_document_stamp(again, stamps)
    report = verified(twice, ca, server)

    assert twice.startswith(again)
    assert again.startswith(once)
    assert once.startswith(document)
    assert report.verdict is Verdict.VALID, report.steps
    assert {step.part for step in report.steps} == {None, 1, 2, 3}


def test_a_document_stamp_alone_proves_the_time(
    ca: Ca, key: MemoryKey, server: TimeStampServer, stamps: TimeStampService
) -> None:
    """A seal without a stamp of its own under one over the document."""
    evidenced = with_evidence(sealed(key, None), key, ca, server)
    report = verified(add_document_stamp(evidenced, stamps), ca, server, after=60 * DAY)

    assert report.verdict is Verdict.VALID, report.steps


def test_pyhanko_accepts_it_for_the_long_term(
    ca: Ca, key: MemoryKey, server: TimeStampServer, stamps: TimeStampService
) -> None:
    """Its own B-LTA validation, from what the document holds."""
    document = with_evidence(sealed(key, stamps), key, ca, server)
    document = add_document_stamp(document, stamps)
    anchors = SimpleTrustManager.build(
        [
            asn1_x509.Certificate.load(item.root.public_bytes(Encoding.DER))
            for item in (ca, server.ca)
        ]
    )
    rule = RevocationCheckingRule.CRL_REQUIRED
    lists = CertRevTrustPolicy(RevocationCheckingPolicy(rule, rule), retroactive_revinfo=True)
    policy = CertValidationPolicySpec(anchors, revinfo_policy=lists)
    spec = PdfSignatureValidationSpec(SignatureValidationSpec(policy, LOCAL))
    result = asyncio.run(
        ades_lta_validation(
            PdfFileReader(io.BytesIO(document)).embedded_regular_signatures[0], spec
        )
    )

    assert result.ades_subindic is AdESPassed.OK, result


def test_no_stamp_no_seal(key: MemoryKey, server: TimeStampServer) -> None:
    """An outage refuses; it is never a silent B-B."""
    away = TimeStampService("http://127.0.0.1:9/", (server.ca.root,), now_us, timeout_s=1)
    form = CmsForm.of(key)
    prepared = prepare_pdf(page(), PLACE, picture(), form, stamped=True)

    with pytest.raises(HubError) as refused:
        prepared.seal(key, form, clock(), stamps=away)
    assert refused.value.reason is Reason.TIME_STAMP_UNAVAILABLE


@pytest.mark.parametrize("wrong", ["another signature's", "another service's"])
def test_a_stamp_of_something_else_is_invalid(
    ca: Ca, key: MemoryKey, server: TimeStampServer, stamps: TimeStampService, wrong: str
) -> None:
    """It vouches for nothing here, and says of the document that somebody played a trick."""

    class Wrong:
        def stamp(self, data: bytes) -> bytes:
            return stamps.stamp(b"another" if wrong == "another signature's" else data)

    document = with_evidence(sealed(key, Wrong()), key, ca, server)  # type: ignore[arg-type]
    stranger = server if wrong == "another signature's" else TimeStampServer(Path(), Ca("X"))
    report = verified(document, ca, stranger)

    assert (report.verdict, report.reason) == (Verdict.INVALID, ProofReason.TIME_STAMP_INVALID)


def test_without_anchors_a_stamp_is_open(
    ca: Ca, key: MemoryKey, server: TimeStampServer, stamps: TimeStampService
) -> None:
    """Nobody is known who could vouch."""
    document = with_evidence(sealed(key, stamps), key, ca, server)
    trust = Trust("hub", "330100", pdf_anchors=(ca.root,))
    report = verify(document, Kind.PDF, trust, Evidence(now=int(clock().timestamp())))

    assert (report.verdict, report.reason) == (Verdict.CANNOT_CHECK, ProofReason.NO_STAMP_ANCHOR)


def test_a_revocation_after_the_stamp_is_none(
    server: TimeStampServer, stamps: TimeStampService
) -> None:
    """What was stamped before stays valid (the compromise drill); what was not is open."""
    ca = Ca()
    key = key_of(ca, ends=NOW + 3650 * DAY)
    serial = x509.load_der_x509_certificate(key.x509_chain[0]).serial_number
    stamped, bare = sealed(key, stamps), sealed(key, None)
    ca.revoked.append((serial, clock() + DAY))
    crls = (ca.crl(clock() + 2 * DAY).public_bytes(Encoding.DER),)
    trust = Trust("hub", "330100", pdf_anchors=(ca.root,), stamp_anchors=(server.ca.root,))
    evidence = Evidence(now=int((clock() + 3 * DAY).timestamp()), crls=crls)

    assert verify(stamped, Kind.PDF, trust, evidence).verdict is Verdict.VALID
    report = verify(bare, Kind.PDF, trust, evidence)
    assert report.reason is ProofReason.X509_REVOKED_SINCE


def test_a_seal_with_sm2_is_kept_verifiable_by_an_international_stamp(
    server: TimeStampServer, stamps: TimeStampService
) -> None:
    """B-T, B-LT and B-LTA: stamp and evidence lie around the seal, whatever signed it. Valid from
    the document alone, and years later; another byte under the seal is found."""
    key, top, now = key_of(Ca(), KeyAlgorithm.SM2), sm2_root(), clock()
    anchors = (x509.load_der_x509_certificate(top.der),)
    trust = Trust("hub", "330100", pdf_anchors=anchors, stamp_anchors=(server.ca.root,))
    document = sealed(key, stamps)
    sm2_list = make_crl(
        issuer=top.subject,
        this_update=now,
        next_update=now + 30 * DAY,
        revoked={},
        sign=top.key.sign,
    )
    whole = add_evidence(
        document,
        [*key.x509_chain, top.der, server.ca.root.public_bytes(Encoding.DER)],
        [sm2_list, server.ca.crl(now).public_bytes(Encoding.DER)],
    )
    archived = add_document_stamp(whole, stamps)

    def said(data: bytes, after: datetime.timedelta = 0 * DAY) -> Report:
        evidence = Evidence(now=int((clock() + after).timestamp()))
        return verify(data, Kind.PDF, trust, evidence)

    stamped = said(document)
    assert (stamped.verdict, stamped.reason) == (Verdict.CANNOT_CHECK, ProofReason.NO_CRL)
    for data in (whole, archived):
        for after in (0 * DAY, 4000 * DAY):
            report = said(data, after)
            assert (report.verdict, report.reason) == (Verdict.VALID, None)
    changed = said(archived.replace(b"Acme", b"Evil", 1))
    assert changed.reason is ProofReason.CONTENT_DIGEST_MISMATCH


def test_what_is_no_sealed_document_is_not_added_to(stamps: TimeStampService) -> None:
    """Evidence belongs to a seal."""
    for call in (
        lambda: add_evidence(page(), [], []),
        lambda: add_evidence(b"%PDF-", [], []),
        lambda: add_document_stamp(b"%PDF-", stamps),
    ):
        with pytest.raises(HubError) as refused:
            call()
        assert refused.value.reason is Reason.PDF_REFUSED
