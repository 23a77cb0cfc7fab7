"""A scan goes the whole way: attested at a desk, delivered, fetched, verified, and marked."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from hub.clock import legal_day, now_us
from hub.domain.certificate import Grade, Origin
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.row import Row
from hub.proof.exchange.answer_receipt import AnsweredDocument, verify_document_receipt
from hub.proof.exchange.attestation import Subject, attested_digest, sign_attestation
from hub.proof.reasons import ProofError
from hub.proof.reports.report import FactName, Kind, Remark
from hub.proof.run import Evidence
from hub.proof.verify import verify
from hub.registry.v1 import registry_pb2
from hub.v1 import common_pb2
from tests.exchange import handed, plans
from tests.exchange.verifications import about, ask
from tests.registry.clerk import PDF, Clerk
from tests.simulator import (
    ASKED,
    LICENCE_VCT,
    ORIGIN,
    REGION,
    USCC,
    Simulator,
    company,
    copy_home,
    licence,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """One licence from the system, an old and a new one from paper."""
    home = copy_home(city, tmp_path_factory.mktemp("scans") / "home")
    async with Simulator(home) as simulator:
        today = legal_day(now_us()).isoformat()
        new = licence(3, issue_date=today, valid_from=today)
        rows = [licence(1), scanned(simulator, licence(2)), scanned(simulator, new)]
        answer = await simulator.connector().deliver(rows)
        assert [one.outcome for one in answer.results] == [1, 1, 1], answer.results
        yield simulator


def scanned(hub: Simulator, row: Row) -> Row:
    """A scan that the desk of the department attests to."""
    scan = replace(row, origin=Origin.SCAN)
    digest = attested_digest(scan)
    subject = Subject(ORIGIN, REGION, USCC["hz-market"], LICENCE_VCT, 1, digest)
    signer = hub.system("hz-desk").signer
    compact = sign_attestation(subject, "systems/hz-desk", int(time.time()), signer)
    return replace(scan, attestation=compact)


async def test_who_fetches_a_scan_sees_that_it_is_one(hub: Simulator) -> None:
    """Sealed by the department's key, so that nobody on the way can leave it out."""
    fetched = await hub.platform().fetch(holder=company(2), fields=ASKED)

    presentation = fetched.presentations[0]
    assert presentation is not None
    assert (presentation.origin, presentation.grade) == (Origin.SCAN, Grade.D)
    conversion = presentation.record.conversion
    assert conversion is not None
    assert conversion.officer == "systems/hz-desk"
    given = fetched.response.certificates[0].presentation.encode()
    report = verify(given, Kind.PRESENTATION, hub.trust, Evidence(int(time.time())))
    assert Remark.SCAN in report.remarks
    said = {fact.name: fact.value for fact in report.facts}
    assert said[FactName.CONVERTED_BY] == "systems/hz-desk"
    assert (await hub.audit()).findings == []


async def test_a_plan_says_that_what_is_on_file_is_a_scan(hub: Simulator) -> None:
    """With its grade; where that is too low for a material, the original is asked for."""
    await plans.furnish_items(hub)
    said = []

    for number in (1, 2, 3):
        people = [(role, "001", company(number)) for role in ("company", "applicant")]
        answer = await plans.ask(hub.platform(), *people)
        (needed,) = [one for one in answer.materials if one.uses[0].material == "licence"]
        obstacles = [one.code for one in needed.obstacles]
        said.append((needed.certificate.grade, needed.certificate.origin, obstacles))

    assert said == [
        ("C", common_pb2.CERTIFICATE_ORIGIN_SYSTEM, []),
        ("", common_pb2.CERTIFICATE_ORIGIN_UNSPECIFIED, ["trust_too_low"]),
        ("C", common_pb2.CERTIFICATE_ORIGIN_SCAN, []),
    ]


async def test_who_has_values_confirmed_is_told_of_which_trust(hub: Simulator) -> None:
    """With the result, and in the entry; nothing where nothing is confirmed."""
    platform = hub.platform()

    heard = [
        await ask(platform, **about({"name": name}, company(number)))
        for number, name in (
            (1, "杭州示例1有限公司"),
            (2, "杭州示例2有限公司"),
            (2, "别的公司"),
        )
    ]

    assert [(one.result, one.response.trust_grade, one.response.origin) for one in heard] == [
        ("in_force", "C", common_pb2.CERTIFICATE_ORIGIN_SYSTEM),
        ("in_force", "D", common_pb2.CERTIFICATE_ORIGIN_SCAN),
        ("not_confirmed", "", common_pb2.CERTIFICATE_ORIGIN_UNSPECIFIED),
    ]


async def test_the_document_of_a_scan_comes_marked(hub: Simulator) -> None:
    """In the header, in the entry and in what its receipt proves; one of the system's data is not
    marked, and neither answer passes for the other."""
    await hub.officer().grant("documents", "window-1", (DOCUMENT_FIELD,))
    platform, clerk, came = hub.platform(), Clerk(hub.system("hz-department")), []
    for number in (1, 2):
        fetched = await platform.fetch(holder=company(number), fields=ASKED)
        certificate = fetched.verified.entry.certificates[0]
        assert certificate.cert is not None
        request = registry_pb2.SearchCertificatesRequest()
        request.filter.identifier = certificate.cert
        found = await clerk.member.call(clerk.member.registry.SearchCertificates, request)
        await clerk.upload(found.certificates[0].name, [PDF + b"%d" % number])
        came.append(await handed.fetch(platform, certificate.cert))

    assert [(one.header.trust_grade, one.header.origin) for one in came] == [
        ("C", common_pb2.CERTIFICATE_ORIGIN_SYSTEM),
        ("D", common_pb2.CERTIFICATE_ORIGIN_SCAN),
    ]
    assert [one.receipt.entry.data.get("origin") for one in came] == [None, "scan"]
    said = AnsweredDocument("active", "application/pdf", len(came[1].data), came[1].header.digest)
    receipt, request_text = came[1].header.receipt.json.encode(), came[1].receipt.request.compact
    with pytest.raises(ProofError, match="origin"):
        verify_document_receipt(receipt, [request_text], platform.name, said, hub.trust.log)
