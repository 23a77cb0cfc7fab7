"""Fetches that are answered: what leaves, what is logged, and what it is worth to an outsider."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sd_jwt.holder import SDJWTHolder

from hub.domain.holder import Holder
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import Op
from hub.exchange.v1 import exchange_pb2
from hub.proof.encoding import b64u_decode, digest, emit_json, parse_object
from hub.proof.exchange.request import sign_request
from hub.proof.jose import Algorithm
from hub.proof.log.receipt import parse_receipt
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.records.sd_jwt import Expectation, verify_presentation
from hub.proof.records.twin import check_same
from hub.proof.reports.report import Kind, StepName
from hub.proof.run import Evidence
from hub.proof.verify import verify
from tests.simulator import (
    ASKED,
    GRANTED,
    ITEM,
    LICENCE,
    MATTER,
    ORIGIN,
    PERMIT,
    PERMIT_VCT,
    REGION,
    ROOT,
    Fetched,
    Refused,
    Simulator,
    by_holder,
    by_identifier,
    citizen,
    company,
    copy_home,
    licence,
    permit,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOLDER = {"holder_type", "holder_number"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """Thirty licences and a few qualifications on file; window-1 may have both types."""
    home = copy_home(city, tmp_path_factory.mktemp("fetch") / "home")
    async with Simulator(home) as simulator:
        connector = simulator.connector()
        await connector.deliver([licence(number) for number in range(1, 31)])
        await connector.deliver([permit(number) for number in range(1, 4)], vct=PERMIT_VCT)
        await simulator.officer().grant(
            "permit-to-window", "window-1", ("name", "grade"), type_code=PERMIT
        )
        yield simulator


def _payload(presentation: str) -> dict[str, object]:
    """What the issuer's JWT says in clear."""
    return dict(parse_object(b64u_decode(presentation.split("~", maxsplit=1)[0].split(".")[1])))


async def test_what_an_area_shares_is_fetched_by_each_of_its_codes(hub: Simulator) -> None:
    """All areas are shown, since they are public, and the one that was named is among them."""
    zhao = hub.officer("zhao")
    document = (ROOT / "deploy/catalogue/types/demo-area-flood.json").read_bytes()
    code = str(json.loads(document)["code"])
    vct = f"https://{ORIGIN}/vct/{code}"
    await zhao.publish(document)
    await zhao.propose("flood", "authorities/hz-market/seals/main", code)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("flood")
    await zhao.grant("flood-to-window", "window-1", ("extent",), type_code=code)
    areas = (Holder("901", "G330101"), Holder("902", "330106001002GB00003"))
    fields = {
        "area_name": "开发区",
        "area_codes": "G330101",
        "extent": "全区",
        "conclusion": "满足",
    }
    row = licence(900, number="洪评1", holders=areas)
    await hub.connector().deliver([dataclasses.replace(row, fields=fields)], vct=vct)
    shared = [{"type": one.type, "number": one.number} for one in areas]

    for area in areas:
        wanted = by_holder(area.number, ("extent",), vct=vct, holder_type=area.type)
        fetched = await hub.platform().fetch(wanted)
        assert fetched.fields() == {"extent": "全区", "holders": shared}
    other = by_holder("330106001002GB00009", ("extent",), vct=vct, holder_type="902")
    assert (await hub.platform().fetch(other)).states == ["absent"]
    # Shown for another area, it is refused by whoever checks.
    presentation = fetched.response.certificates[0].presentation
    with pytest.raises(ProofError) as refused:
        verify_presentation(
            presentation,
            Expectation(
                ORIGIN, REGION, vct, frozenset({"extent"}), holder=("902", "330106001002GB00009")
            ),
            keys=None,
            anchors=hub.trust.seal_anchors,
            now=int(time.time()),
        )
    assert refused.value.reason is ProofReason.HOLDER_MISMATCH


async def test_by_holder_the_granted_fields_and_the_holder_come(hub: Simulator) -> None:
    """Exactly what was asked, and the two claims that tie it to who was named."""
    fetched = await hub.platform().fetch(holder=company(1))

    assert fetched.states == ["active"]
    assert fetched.fields() == {
        "name": "杭州示例1有限公司",
        "scope": "软件开发;批发、零售:机械设备",
        "holder_type": "001",
        "holder_number": company(1),
    }


async def test_by_identifier_the_holder_does_not_come(hub: Simulator) -> None:
    """Who did not name the holder does not learn it."""
    first = await hub.platform().fetch(holder=company(2))
    identifier = first.verified.entry.certificates[0].cert
    assert identifier is not None

    fetched = await hub.platform().fetch(by_identifier(identifier, ("name",)))

    assert fetched.fields() == {"name": "杭州示例2有限公司"}
    assert _payload(fetched.response.certificates[0].presentation)["cert"] == identifier
    assert company(2) not in fetched.response.certificates[0].presentation


async def test_a_field_without_a_value_comes_as_null(hub: Simulator) -> None:
    """Absence is sealed as well, so that nobody takes it for a refusal."""
    await hub.officer().grant("kind-to-window", "window-1", ("name", "kind"))

    fetched = await hub.platform().fetch(holder=company(3), fields=("kind",))

    assert fetched.fields()["kind"] is None


async def test_twenty_certificates_of_one_matter_have_one_entry(hub: Simulator) -> None:
    """In the order of the question, under one receipt."""
    size = hub.size

    fetched = await hub.platform().fetch(*(by_holder(company(n)) for n in range(1, 21)))

    assert fetched.states == ["active"] * 20
    assert [fetched.fields(n)["holder_number"] for n in range(20)] == [
        company(n) for n in range(1, 21)
    ]
    assert hub.size == size + 1


async def test_states_are_answered_one_by_one_beside_the_data(hub: Simulator) -> None:
    """What is not in force does not keep back what is."""
    fetched = await hub.platform().fetch(
        by_holder(company(4)), by_holder(company(90)), by_holder(company(5), ("name",))
    )

    assert fetched.states == ["active", "absent", "active"]
    assert fetched.presentations[1] is None
    assert set(fetched.fields(2)) == {"name", *HOLDER}


async def test_two_types_of_one_matter_stand_on_two_grants(hub: Simulator) -> None:
    """A company's licence and a person's qualification, each under its own grant."""
    fetched = await hub.platform().fetch(
        by_holder(company(6)),
        by_holder(citizen(1), ("grade",), vct=PERMIT_VCT, holder_type="111"),
    )

    assert fetched.states == ["active", "active"]
    assert fetched.fields(1) == {
        "grade": "一级",
        "holder_type": "111",
        "holder_number": citizen(1),
    }
    (entry,) = await hub.entries(hub.size - 1)
    stored = [hub.hub.grants.get(name) for name in ("licence-to-window", "permit-to-window")]
    digests = sorted(grant.digest for grant in stored if grant is not None)
    assert entry["grant_digest"] == digest("\n".join(digests))


async def test_an_identifier_of_another_type_reads_as_absent(hub: Simulator) -> None:
    """The grant is for the type; what else exists is nobody's business."""
    first = await hub.platform().fetch(
        by_holder(citizen(2), ("grade",), vct=PERMIT_VCT, holder_type="111")
    )
    identifier = first.verified.entry.certificates[0].cert
    assert identifier is not None

    fetched = await hub.platform().fetch(by_identifier(identifier))

    assert fetched.states == ["absent"]
    assert fetched.verified.entry.certificates[0].version is None


async def test_an_identifier_that_nobody_made_reads_as_absent_and_its_receipt_holds(
    hub: Simulator,
) -> None:
    """That nothing is on file under it is an answer, and can be proven like one."""
    identifier = str(CertificateIdentifier.make(LICENCE, company(1), "0" * 32, 1))

    fetched = await hub.platform().fetch(by_identifier(identifier), by_holder(company(92)))

    assert fetched.states == ["absent", "absent"]
    assert [one.cert for one in fetched.verified.entry.certificates] == [identifier, None]


async def test_what_is_no_identifier_is_refused_and_stands_in_no_entry(hub: Simulator) -> None:
    """It might be anything, a person's number too; the refusal names the rule, never the value."""
    wrong = "33010119900101123X"

    with pytest.raises(Refused) as caught:
        await hub.platform().fetch(by_identifier(wrong))

    assert (caught.value.status, caught.value.reason) == ("INVALID_ARGUMENT", "IDENTIFIER_INVALID")
    assert caught.value.message == (
        "identifier is not a valid certificate identifier (a certificate identifier begins with "
        "1.2.156.3005.2 (GB/T 36904)); copy it from the certificate."
    )
    entry = (await hub.entries())[-1]
    assert entry["kind"] == "refusal"
    assert wrong not in json.dumps(entry)


async def test_only_granted_fields_can_be_read_out_of_a_presentation(hub: Simulator) -> None:
    """Not by us and not by others: the other values exist as salted digests only."""
    fetched = await hub.platform().fetch(holder=company(7), fields=("name",))
    presentation = fetched.response.certificates[0].presentation

    opened = SDJWTHolder(presentation)
    disclosed = {json.loads(b64u_decode(text))[1] for text in presentation.split("~")[1:-1]}

    assert disclosed == {"name", *HOLDER}
    assert len(opened._hash_to_decoded_disclosure) == 3
    for secret in ("浙江省杭州市示例路7号", "软件开发", "2001-01-01"):
        assert secret not in json.dumps(_payload(presentation), ensure_ascii=False)


async def test_every_certificate_of_a_type_has_the_same_number_of_digests(hub: Simulator) -> None:
    """Their number does not tell how many fields have a value."""
    connector = hub.connector()
    await connector.deliver([licence(40, fields={"kind": "有限责任公司", "province": "浙江"})])
    lengths = set()
    for number in (40, 8):
        fetched = await hub.platform().fetch(holder=company(number))
        lengths.add(len(_payload(fetched.response.certificates[0].presentation)["_sd"]))  # type: ignore[arg-type]

    assert len(lengths) == 1


async def test_the_custody_says_that_the_hub_holds_the_key(hub: Simulator) -> None:
    """Rows from before the connector was enrolled are attested; the hub's word stays the hub's."""
    fetched = await hub.platform().fetch(holder=company(9))

    presentation = fetched.presentations[0]
    assert presentation is not None
    assert presentation.custody.value == "attested"


async def test_the_entry_says_everything_but_the_holder(hub: Simulator) -> None:
    """Caller, basis, matter, grant, fields and hashes; never whose certificate it was."""
    platform = hub.platform()
    fetched = await platform.fetch(holder=company(10), consent="consent of the holder")

    entry = (await hub.entries(hub.size - 1))[0]

    request_id = fetched.verified.entry.request_id
    assert entry["kind"] == "fetch"
    assert entry["caller"] == platform.name
    assert entry["outcome"] == "answered"
    assert (entry["service_item"], entry["matter"]) == (ITEM, MATTER)
    assert entry["consent_digest"] == digest("consent of the holder")
    assert entry["request_digest"] == digest(platform.sent[request_id][-1])
    (certificate,) = entry["certificates"]
    assert certificate["fields"] == list(ASKED)
    assert certificate["sd_hash"] == digest(fetched.response.certificates[0].presentation)
    # The credit code stands in the licence's own identifier only as far as its issuer goes.
    assert company(10) not in json.dumps(entry)


async def test_the_entry_names_the_enrolment_of_the_key_that_signed(hub: Simulator) -> None:
    """Non-repudiation: from the request to the proof of possession."""
    await hub.platform().fetch(holder=company(11))

    entries = await hub.entries()

    enrolment = entries[entries[-1]["key_entry"]]
    assert enrolment["kind"] == "system.enrolled"
    assert enrolment["data"]["system"] == "systems/window-1"


async def test_each_receipt_proves_that_the_log_continued_the_head_before(hub: Simulator) -> None:
    """The client never goes back; the second receipt carries the proof."""
    platform = hub.platform()
    first = await platform.fetch(holder=company(12))
    head = platform.head

    second = await platform.fetch(holder=company(13))

    assert second.verified.request.log == head == first.verified.head
    assert platform.head is not None
    assert head is not None
    assert platform.head.size > head.size
    assert parse_receipt(second.response.receipt.json.encode()).consistency


def _document(fetched: Fetched) -> bytes:
    """The answer as the command line stores it."""
    states = exchange_pb2.FetchedCertificate.State
    certificates = []
    for given in fetched.response.certificates:
        members = {"state": states.Name(given.state).removeprefix("STATE_").lower()}
        if given.presentation:
            members["presentation"] = given.presentation
        certificates.append(members)
    return emit_json(
        {
            "request_id": fetched.response.request_id,
            "certificates": certificates,  # type: ignore[dict-item]
            "receipt": parse_object(fetched.response.receipt.json.encode()),
        }
    )


async def test_an_outsider_verifies_the_answer_offline(hub: Simulator) -> None:
    """Trust file, request and answer are all that is needed; status comes from the public list."""
    platform = hub.platform()
    fetched = await platform.fetch(by_holder(company(14)), by_holder(company(91)))
    request_id = fetched.response.request_id
    token = await hub.hub.status_lists.token(1)
    evidence = Evidence(
        now=int(time.time()),
        requests=tuple(platform.sent[request_id]),
        system=platform.name,
        status_tokens=(token,),
    )

    report = verify(_document(fetched), Kind.ANSWER, hub.trust, evidence)

    assert report.verdict is Verdict.VALID, report.steps


async def test_a_retry_after_a_change_of_another_certificate_is_the_same_answer(
    hub: Simulator,
) -> None:
    """Only what was answered is judged again."""
    platform = hub.platform()
    fetched = await platform.fetch(holder=company(15))
    request_id = fetched.response.request_id
    await hub.connector().deliver([licence(16, Op.REVOKE)])

    again = await platform.send_raw(platform.sent[request_id][0], request_id)

    assert again == fetched.data


async def test_all_granted_fields_come_when_all_are_asked(hub: Simulator) -> None:
    """Four fields of ten."""
    fetched = await hub.platform().fetch(holder=company(17), fields=GRANTED)

    assert set(fetched.fields()) == {*GRANTED, *HOLDER}


async def test_the_sm2_twin_comes_to_who_asks_and_the_receipt_covers_it(
    city: Path, tmp_path: Path
) -> None:
    """One entry whether it is asked for or not; a retry brings what it asks for; kept as an answer
    file, it satisfies a reader who requires SM2, and no other file does."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        zhao, name = hub.officer("zhao"), "authorities/hz-market/seals/main"
        made = await zhao.carry_out(
            "key.generate", {"seal": name, "use": "record", "algorithm": "SM2"}
        )
        chain = hub.chain_for(made)
        await zhao.carry_out("key.activate", {"key": made["key"], "x509_chain": chain})
        await hub.connector().deliver([licence(1)])
        window = hub.platform()
        claims = await window.claims()
        compact = sign_request(claims, window.signer)

        plain = await window.send(compact, claims.jti)
        with_twin = exchange_pb2.FetchCertificatesResponse.FromString(
            await window.send_raw(compact, claims.jti, with_sm2_twin=True)
        )

        assert plain.receipt == with_twin.receipt
        (bare,), (given,) = plain.certificates, with_twin.certificates
        assert bare.sm2_presentation == ""
        assert bare.presentation == given.presentation
        check_same(given.presentation, given.sm2_presentation)
        members = {"state": "active", "presentation": given.presentation}
        receipt = parse_object(with_twin.receipt.json.encode())
        for said, expected in (
            (members | {"sm2_presentation": given.sm2_presentation}, None),
            (members, ProofReason.TWIN_MISSING),
        ):
            answer = {"request_id": claims.jti, "certificates": [said], "receipt": receipt}
            report = verify(
                emit_json(answer),
                Kind.ANSWER,
                hub.trust,
                Evidence(int(time.time()), requests=(compact,), required=Algorithm.SM2),
            )
            reasons = {one.name: one.reason for one in report.steps}
            assert reasons[StepName.REQUIRED_ALGORITHM] is expected
            assert reasons[StepName.ENTRY_MATCH] is None
