"""OFD seals with the time of a time stamping service: a real one, of OpenSSL, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509

from hub.errors import HubError, Reason
from hub.proof.moment import Basis
from hub.proof.reasons import Verdict
from hub.proof.reports.report import Kind, Report, StepName
from hub.proof.run import Evidence
from hub.proof.ses.seal import assemble_signature, parse_signature
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.documents.ofd_seal import OfdSealer
from hub.seal.documents.time_stamps import TimeStampService
from tests.ofd_sealing import PLACE, Office
from tests.proof import ofd_samples as samples
from tests.time_stamp_server import TimeStampServer, absent, now_us, serving

pytestmark = pytest.mark.skipif(absent(), reason="openssl is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStampServer]:
    with serving(tmp_path_factory.mktemp("tsa")) as started:
        yield started


@pytest.fixture(scope="module")
def office() -> Office:
    return Office.open()


def stamped(office: Office, server: TimeStampServer) -> OfdPackage:
    """The sample, sealed now with a time stamp of `server`."""
    now = datetime.now(UTC)
    stamps = TimeStampService(server.url, (server.ca.root,), now_us)
    sealer = OfdSealer.open(office.seal, office.key, office.trust(at=now), now)
    return sealer.apply(samples.package(), [PLACE], now, stamps=stamps)


def report_on(package: OfdPackage, office: Office, *stamp_anchors: x509.Certificate) -> Report:
    """The word of a reader who trusts the office, and these time stamp authorities."""
    now = datetime.now(UTC)
    anchor = (x509.load_der_x509_certificate(office.root.der),)
    trust = Trust(
        "hub.example", "330000", maker_anchors=anchor, signer_anchors=anchor,
        stamp_anchors=stamp_anchors,
    )  # fmt: skip
    evidence = Evidence(now=int(now.timestamp()), crls=(office.crl_der(at=now),))
    return verify(package.to_bytes(), Kind.OFD, trust, evidence)


def test_the_time_of_the_service_judges_the_seal(office: Office, server: TimeStampServer) -> None:
    """It is over the signature value, so the seal existed by then."""
    report = report_on(stamped(office, server), office, server.ca.root)

    assert [step for step in report.steps if step.reason] == []
    assert report.verdict is Verdict.VALID
    chain = next(step for step in report.steps if step.name is StepName.SIGNER_CHAIN)
    assert chain.moment is not None
    assert chain.moment.basis is Basis.STAMPED


def test_a_time_stamp_of_an_authority_that_is_not_pinned_is_not_believed(
    office: Office, server: TimeStampServer
) -> None:
    """Cannot check, not valid."""
    report = report_on(stamped(office, server), office)

    assert report.verdict is Verdict.CANNOT_CHECK
    assert {step.name for step in report.steps if step.reason} == {StepName.TIME_STAMP}


def test_a_time_stamp_of_another_seal_is_refused(office: Office, server: TimeStampServer) -> None:
    """It is about other bytes."""
    value = "Doc_0/Signs/Sign_0/SignedValue.dat"
    first, second = stamped(office, server), stamped(office, server)
    mine, other = (parse_signature(item.files[value]) for item in (first, second))
    mixed = assemble_signature(
        mine.signed_bytes, mine.signer_x509, mine.algorithm, mine.signature, other.time_stamp
    )

    report = report_on(samples.changed(first, value, mixed), office, server.ca.root)

    assert report.verdict is Verdict.INVALID
    assert StepName.TIME_STAMP in {step.name for step in report.steps if step.reason}


def test_without_an_answer_of_the_service_there_is_no_seal(
    office: Office, server: TimeStampServer
) -> None:
    """Nothing is sealed with less than was asked for."""
    server.answer = lambda _: (503, "text/plain", b"away")
    try:
        with pytest.raises(HubError) as raised:
            stamped(office, server)
    finally:
        server.answer = server.honest

    assert raised.value.reason is Reason.TIME_STAMP_UNAVAILABLE
