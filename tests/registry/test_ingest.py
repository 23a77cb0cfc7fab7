"""Ingest: what is refused as a whole, what is refused row by row, and what is sealed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

from hub.domain.certificate import Custody, State
from hub.domain.holder import Holder
from hub.domain.row import Op, Row, emit_row
from hub.errors import HubError, Reason
from hub.proof.encoding import b64_decode, b64u, b64u_decode, digest, parse_object
from hub.proof.exchange.batch import sign_batch_root
from hub.proof.jose import BATCH_ROOT_TYP
from hub.proof.records.sd_jwt import Custody as ClaimedCustody
from hub.proof.records.sd_jwt import Expectation, present, verify_presentation
from hub.registry.decide import Outcome
from tests.registry.office import (
    LICENCE,
    LICENCE_TYPE,
    OFFICERS,
    ORIGIN,
    PERMIT,
    REGION,
    USCC,
    Office,
    licence,
    uscc,
)

TABLES = (
    "registry_certificates",
    "registry_versions",
    "registry_holders",
    "registry_batches",
    "seal_signatures",
    "seal_status",
    "seal_intent_uses",
)
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
CITIZEN = "11010519491231002X"


async def counts(office: Office) -> list[int]:
    return [await office.count(table) for table in TABLES]


async def refused(office: Office, rows: list[bytes], **changes: object) -> HubError:
    """The refusal of a batch that differs from a good one in `changes`; nothing may be stored."""
    before, size = await counts(office), office.recorder.head().size
    root, delivered = office.root(rows, **changes)
    with pytest.raises(HubError) as caught:
        await office.ingest(office.caller, sign_batch_root(root, office.connector), delivered)
    assert await counts(office) == before
    assert office.recorder.head().size - size == int(caught.value.recorded)
    return caught.value


def permit(number: str = "P-0001", name: str = "张三丰", **changes: object) -> Row:
    values: dict[str, object] = {
        "op": Op.ISSUE,
        "source_key": "1",
        "number": number,
        "serial": None,
        "issue_date": "2020-01-01",
        "valid_from": None,
        "valid_until": None,
        "holders": (Holder("111", CITIZEN),),
        "fields": {"name": name, "grade": "一级"},
    }
    return Row(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason", "rule"),
    [
        ({"aud": "hub.ningbo.example"}, Reason.BATCH_INVALID, "AUD_WRONG"),
        ({"region": "330200"}, Reason.BATCH_INVALID, "REGION_WRONG"),
        ({"iss": "systems/connector-2"}, Reason.BATCH_INVALID, "ISS_MISMATCH"),
        ({"authority": uscc(9)}, Reason.AUTHORITY_NOT_ALLOWED, None),
        ({"n": 2}, Reason.BATCH_INVALID, "BATCH_N"),
        ({"n": 1001}, Reason.BATCH_INVALID, "BATCH_N"),
        ({"root": bytes(32)}, Reason.BATCH_INVALID, "ROOT_MISMATCH"),
        ({"seq": 2}, Reason.BATCH_INVALID, "BATCH_SEQ"),
        ({"prev": digest("x")}, Reason.BATCH_INVALID, "BATCH_PREV"),
        ({"iat": 4102444800}, Reason.BATCH_INVALID, "IAT_FUTURE"),
        ({"connector": "c" * 129}, Reason.BATCH_INVALID, "CLAIM_INVALID"),
        ({"type_version": 2}, Reason.CERTIFICATE_TYPE_NOT_FOUND, None),
        (
            {"vct": f"https://{ORIGIN}/vct/{LICENCE[:18]}999"},
            Reason.CERTIFICATE_TYPE_NOT_FOUND,
            None,
        ),
        ({"vct": f"https://evil.example/vct/{LICENCE}"}, Reason.CERTIFICATE_TYPE_NOT_FOUND, None),
    ],
)
async def test_a_wrong_root_refuses_the_whole_batch(
    office: Office, changes: dict[str, object], reason: Reason, rule: str | None
) -> None:
    """The exact reason, and nothing stored."""
    refusal = await refused(office, [emit_row(licence(1))], **changes)

    assert refusal.reason is reason
    assert refusal.details.get("rule") == rule
    assert "?" not in refusal.text("en") + refusal.text("zh")


async def test_the_refusal_of_a_gap_keeps_the_root_as_evidence(office: Office) -> None:
    """`seq` jumps: one entry of kind refusal that holds the authentic root."""
    await office.deliver([licence(1)])
    root, delivered = office.root([emit_row(licence(2))], seq=3)
    compact = sign_batch_root(root, office.connector)

    with pytest.raises(HubError) as caught:
        await office.ingest(office.caller, compact, delivered)

    assert caught.value.recorded
    assert caught.value.details["rule"] == "BATCH_SEQ"
    opened = await office.recorder.proofs.opened(office.recorder.head().size - 1)
    assert compact.encode() in opened.body
    assert b'"kind":"refusal"' in opened.body
    assert b'"last_seq":1' in opened.body


async def test_another_batch_at_a_place_that_is_taken_is_refused(office: Office) -> None:
    """A second root with the same `seq` is a fork of the chain, and is kept as evidence."""
    await office.deliver([licence(1)])
    office.chain.clear()

    refusal = await refused(office, [emit_row(licence(2))])

    assert refusal.details["rule"] == "BATCH_SEQ"
    assert refusal.recorded


async def test_the_mirrored_signature_gives_the_first_answer(office: Office) -> None:
    """(r, n − s) is another text of the same batch: first answer, no new entry."""
    root, delivered = office.root([emit_row(licence(1))])
    compact = sign_batch_root(root, office.connector)
    first = await office.ingest(office.caller, compact, delivered)
    size = office.recorder.head().size
    signature = b64u_decode(compact.rpartition(".")[2])
    s = N - int.from_bytes(signature[32:])
    mirrored = f"{compact.rpartition('.')[0]}.{b64u(signature[:32] + s.to_bytes(32))}"

    again = await office.ingest(office.caller, mirrored, delivered)

    assert again == first
    assert office.recorder.head().size == size


async def test_a_key_that_is_not_the_callers_is_refused(office: Office) -> None:
    """A connector cannot deliver in the name of another one, not even with a genuine root."""
    other = office.identities.enrol("systems/connector-2", BATCH_ROOT_TYP)
    root, delivered = office.root([emit_row(licence(1))], iss="systems/connector-2")

    with pytest.raises(HubError) as caught:
        await office.ingest(office.caller, sign_batch_root(root, other), delivered)

    assert caught.value.details["rule"] == "ISS_MISMATCH"
    assert await office.count("registry_batches") == 0


async def test_an_unknown_key_is_refused(office: Office) -> None:
    """No registered key, no batch."""
    root, delivered = office.root([emit_row(licence(1))])
    office.identities.keys.clear()

    with pytest.raises(HubError) as caught:
        await office.ingest(office.caller, sign_batch_root(root, office.connector), delivered)

    assert caught.value.details["rule"] == "KEY_UNKNOWN"


async def test_a_changed_row_does_not_match_the_root(office: Office) -> None:
    """One byte of one row, or of one salt, refuses the batch."""
    root, delivered = office.root([emit_row(licence(1)), emit_row(licence(2))])
    compact = sign_batch_root(root, office.connector)
    row = delivered[1]
    for changed in (
        dataclasses.replace(row, data=row.data.replace(b"5000000", b"6000000")),
        dataclasses.replace(row, salt=bytes(32)),
    ):
        with pytest.raises(HubError) as caught:
            await office.ingest(office.caller, compact, [delivered[0], changed])
        assert caught.value.details["rule"] == "ROOT_MISMATCH"

    with pytest.raises(HubError) as caught:
        short = dataclasses.replace(row, salt=bytes(31))
        await office.ingest(office.caller, compact, [delivered[0], short])
    assert caught.value.details["rule"] == "SALT_LENGTH"
    assert await counts(office) == [0] * len(TABLES)


async def test_a_batch_over_the_limit_is_refused(office: Office) -> None:
    """4,000,000 bytes are too many before anything is verified."""
    refusal = await refused(office, [b"x" * 60_000] * 67)

    assert refusal.reason is Reason.MESSAGE_TOO_LARGE
    assert refusal.details["bytes_max"] == "4000000"


GIVEN = {"legal_basis": "行政许可法", "document": "12号", "decision_date": "2026-01-05"}


def bad_row(**members: object) -> bytes:
    row: dict[str, Any] = json.loads(emit_row(licence(1)))
    for name, value in members.items():
        target, _, inner = name.partition("__")
        if inner:
            row[target][inner] = value
        else:
            row[target] = value
    return json.dumps(row, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        (
            bad_row(holders=[{"type": "001", "number": uscc(1)[:17] + "0"}]),
            "holders[0].number",
            "uscc.check",
        ),
        (bad_row(issue_date="2023-02-29"), "issue_date", "value.date"),
        (bad_row(fields__established="2001-13-01"), "fields.established", "value.date"),
        (bad_row(fields__name="长" * 10_000), "fields.name", "value.length"),
        (bad_row(fields__name="杭州\x00公司"), "fields.name", "value.control"),
        (bad_row(fields__name=None), "fields.name", "value.required"),
        (bad_row(fields__unknown="x"), "fields.unknown", "value.unknown_field"),
        (bad_row(holders=[{"type": "111", "number": CITIZEN}]), "holders[0].type", "holder.kind"),
        (bad_row(op="revoke", number="91330100NOSUCH", ruling=GIVEN), "number", "row.not_on_file"),
        (bad_row(op="revoke"), "ruling", "row.ruling"),
        (bad_row(op="change", ruling=GIVEN), "ruling", "row.ruling"),
        (
            bad_row(op="revoke", ruling=GIVEN | {"legal_basis": ""}),
            "ruling.legal_basis",
            "value.empty",
        ),
        (bad_row(op="revoke", ruling={"legal_basis": "法"}), "ruling", "member.kind"),
        (
            bad_row(op="revoke", ruling=GIVEN | {"decision_date": "2099-01-01"}),
            "ruling.decision_date",
            "ruling.future",
        ),
        (bad_row(op="change", objection="objections/0190"), "objection", "row.objection"),
        (bad_row(op="correct", objection="0190"), "objection", "row.objection"),
        (bad_row(op="correct", objection="objections/0190"), "objection", "row.objection_open"),
        (b"not json", "row", "json.malformed"),
        (b'{"v":1,"v":1}', "row", "json.malformed"),
    ],
)
async def test_a_faulty_row_is_refused_with_its_rule_and_the_others_stay(
    office: Office, row: bytes, field: str, rule: str
) -> None:
    """Exactly that row, with field and rule, in both languages; nothing of it is stored."""
    ingested = await office.deliver([row, licence(2)])

    result = ingested.results[0]
    assert result.outcome is Outcome.REFUSED
    assert (result.violations[0].field, result.violations[0].rule) == (field, rule)
    assert result.violations[0].en
    assert result.violations[0].zh
    assert (result.certificate, result.identifier) == ("", "")
    assert ingested.results[1].outcome is Outcome.NEW
    assert await office.count("registry_certificates") == 1


async def test_every_error_of_a_row_is_reported(office: Office) -> None:
    """A department corrects a row once, not once per error."""
    row = bad_row(issue_date="2023-02-29", fields__name="x\x00", source_key="")

    ingested = await office.deliver([row])

    rules = {(one.field, one.rule) for one in ingested.results[0].violations}
    assert rules == {
        ("issue_date", "value.date"),
        ("fields.name", "value.control"),
        ("source_key", "value.empty"),
    }


async def test_serials_are_kept_and_never_shared(office: Office) -> None:
    """A serial of the source stands in the identifier; another certificate cannot have it."""
    first = await office.deliver([licence(1, serial="ABC0001"), licence(2, serial="ABC0001")])
    later = await office.deliver(
        [licence(3, serial="ABC0001"), licence(1, serial="XYZ", fields={"city": "宁波"})]
    )

    assert first.results[0].identifier.split(".")[7] == "ABC0001"
    rules = [result.violations[0].rule for result in (*first.results[1:], *later.results)]
    assert rules == ["row.serial_taken", "row.serial_taken", "row.serial_other"]


async def test_what_is_older_than_the_file_is_stale(office: Office) -> None:
    """An old export delivered late changes nothing back."""
    new, old = "2026-01-02T08:00:00+08:00", "2026-01-01T08:00:00+08:00"
    await office.deliver([licence(1, source_time=new)])

    late = await office.deliver([licence(1, fields={"city": "宁波"}, source_time=old)])
    revoked = await office.deliver([licence(1, Op.REVOKE, source_time=old)])

    assert late.results[0].violations[0].rule == "row.stale"
    assert revoked.results[0].violations[0].rule == "row.stale"


async def test_nothing_is_stored_without_an_approved_intent(office: Office) -> None:
    """A type nobody approved sealing for: the batch is refused, the chain does not move."""
    second = dataclasses.replace(LICENCE_TYPE, code=LICENCE[:18] + "003")
    await office.publish_type(second)

    refusal = await refused(office, [emit_row(licence(1))], vct=office.catalogue.vct(second.code))

    assert refusal.reason is Reason.INTENT_NOT_APPROVED


async def test_a_stale_decision_is_made_once_more_then_given_up(office: Office) -> None:
    """What the recorder's checks refuse twice goes out as DECISION_STALE."""
    office.identities.current = False

    refusal = await refused(office, [emit_row(licence(1))])

    assert refusal.reason is Reason.DECISION_STALE


async def test_a_sealed_record_verifies_here_and_with_a_second_implementation(
    office: Office,
) -> None:
    """Ours by all steps; the `sd-jwt` package comes to the same payload."""
    result = (await office.deliver([licence(1)])).results[0]
    found = await office.reader.by_identifier(result.identifier)
    assert found is not None
    jws = await office.record_seals.record_seal(found.version_id)
    names = ("name", "scope", "holder_type", "holder_number")
    text = present(jws, await found.disclosures(names), names)

    verified = verify_presentation(
        text,
        Expectation(
            origin=ORIGIN,
            region=REGION,
            vct=office.catalogue.vct(LICENCE),
            fields=frozenset({"name", "scope"}),
            cert=result.identifier,
            holder=("001", uscc(1)),
            version=1,
        ),
        keys=None,
        anchors=office.anchors,
        now=office.ingest.clock() // 1_000_000,
    )
    chain_key = verified.kid
    theirs = SDJWTVerifier(text, lambda *_: _jwk(office, jws)).get_verified_payload()

    assert theirs == dict(verified.claims)
    (view,) = (await office.seals.get("authorities/market/seals/main")).keys
    assert chain_key == view.key.kid
    assert verified.record.iss == USCC
    published = office.catalogue.find(LICENCE)
    assert published is not None
    assert verified.record.vct_integrity == published.integrity
    all_names = {
        "holder_type",
        "holder_number",
        "docs",
        *(one.name for one in LICENCE_TYPE.fields),
    }
    every = await found.disclosures({*all_names, "no such name"})
    assert {one.name for one in every} == all_names


def _jwk(office: Office, jws: str) -> object:
    header = parse_object(b64u_decode(jws.partition(".")[0]))
    x5c = header["x5c"]
    assert isinstance(x5c, list)
    certificate = x509.load_der_x509_certificate(b64_decode(str(x5c[0])))
    return JWK.from_pyca(certificate.public_key())


async def test_custody_says_what_was_issued_before_the_connector_came(office: Office) -> None:
    """Before its enrolment: attested by the authority; from that day on: by delegation."""
    office.identities.enrolled = 1_600_000_000_000_000  # 2020-09-13 in China

    ingested = await office.deliver(
        [licence(1, issue_date="2020-09-12"), licence(2, issue_date="2020-09-13")]
    )

    records = []
    for result in ingested.results:
        found = await office.reader.by_identifier(result.identifier)
        assert found is not None
        jws = await office.record_seals.record_seal(found.version_id)
        records.append(
            verify_presentation(
                present(jws, await found.disclosures({"name"}), {"name"}),
                Expectation(ORIGIN, REGION, found.vct, frozenset({"name"}), cert=result.identifier),
                keys=None,
                anchors=office.anchors,
                now=office.ingest.clock() // 1_000_000,
            ).record
        )
    assert [record.custody for record in records] == [
        ClaimedCustody.ATTESTED,
        ClaimedCustody.HUB_FILE,
    ]
    assert [record.attested_by for record in records] == [USCC, None]
    assert [record.delegation for record in records] == [None, "intents/intent-0"]
    assert Custody(records[0].custody.value) is Custody.ATTESTED


async def test_a_stolen_database_says_nothing_about_people(office: Office, tmp_path: Path) -> None:
    """Neither name nor number of a person, nor the number printed on it, stands in any file."""
    vct = office.catalogue.vct(PERMIT)

    ingested = await office.deliver([permit("P-SECRET-1")], vct=vct)

    assert ingested.results[0].outcome is Outcome.NEW
    stored = b"".join((tmp_path / f"hub.db{part}").read_bytes() for part in ("", "-wal"))
    for secret in (CITIZEN, "张三丰", "P-SECRET-1", b64u("张三丰".encode())):
        assert secret.encode() not in stored
    found = await office.reader.by_holder("111", CITIZEN, vct)
    (name,) = await found[0].disclosures({"name"})
    assert "张三丰".encode() in b64u_decode(name.text)
    assert await office.data_keys.find("public:202001") is None


async def test_people_have_a_key_each_and_losing_it_loses_the_data(office: Office) -> None:
    """Two persons, two keys; the same person keeps hers."""
    other = permit("P-2", "李四", holders=(Holder("111", "440524188001010014"),))
    before = await office.count("storage_data_keys")

    await office.deliver([permit("P-1"), other, permit("P-3")], vct=office.catalogue.vct(PERMIT))

    assert await office.count("storage_data_keys") == before + 2


async def test_several_holders_find_the_certificate_and_are_one_claim(office: Office) -> None:
    """`holders` stands in place of the two holder claims; the number of digests is the type's."""
    holders = (Holder("111", CITIZEN), Holder("111", "440524188001010014"))
    vct = office.catalogue.vct(PERMIT)

    await office.deliver([permit(holders=holders)], vct=vct)

    for holder in holders:
        found = await office.reader.by_holder("111", holder.number, vct)
        asked = {"holders", "holder_type", "holder_number", "docs", "name", "grade"}
        names = {one.name for one in await found[0].disclosures(asked)}
        assert names == {"holders", "docs", "name", "grade"}


async def test_an_expired_certificate_may_be_renewed(office: Office) -> None:
    """Expiry is judged on reading; a renewal is a change like any other."""
    ended = licence(1, valid_from="2001-01-01", valid_until="2002-01-01")
    first = (await office.deliver([ended])).results[0]
    found = await office.reader.by_identifier(first.identifier)

    renewed = await office.deliver([licence(1)])

    assert found is not None
    assert found.state is State.EXPIRED
    assert renewed.results[0].outcome is Outcome.CHANGED


async def test_officers_see_counts_in_the_entry_and_no_row(office: Office) -> None:
    """The entry of a batch holds counts and digests, nothing of a row."""
    ingested = await office.deliver([licence(1), b"broken"])

    opened = await office.recorder.proofs.opened(ingested.entry)
    assert b'"counts":{"new":1,"changed":0,"corrected":0,"unchanged":0,"refused":1}' in opened.body
    assert uscc(1).encode() not in opened.body
    assert OFFICERS[0].encode() not in opened.body
