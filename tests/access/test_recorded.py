"""What the log proves of an enrolment, without the hub."""

from __future__ import annotations

import json

from hub.access.store import ENROLMENT_BY_THUMBPRINT
from hub.ledger.store import ALL_ENTRIES, decode_entry
from hub.proof.encoding import b64u, digest
from hub.proof.log.receipt import open_proof, parse_receipt
from hub.proof.log.row import row_digest
from tests.access.conftest import Register
from tests.access.members import Member
from tests.ledger.logs import TRUST


async def test_a_receipt_proves_the_enrolment(register: Register) -> None:
    """Receipt and log key suffice to see who was enrolled with which certificate and by whom."""
    member = Member(register.ca)

    outcome = await register.enrol("window", member)

    assert outcome.receipt is not None
    receipt = parse_receipt(outcome.receipt.encode())
    proof, _ = open_proof(receipt, receipt.proof, TRUST)
    body = json.loads(receipt.body)
    assert proof.index == outcome.entry == outcome.resource.enrolment_entry
    assert (body["kind"], body["caller"]) == ("system.enrolled", "officers/first")
    assert body["data"]["x509_certificate"] == b64u(member.certificate)


async def test_the_log_covers_the_rows_as_they_are_stored(register: Register) -> None:
    """Digests were made of rows that hold the entry's own index: an audit finds them unchanged."""
    member = Member(register.ca)

    outcome = await register.enrol("window", member)

    row = await register.database.one(ENROLMENT_BY_THUMBPRINT, member.thumbprint)
    assert row is not None
    entries = [
        decode_entry(stored)
        async for page in register.database.scan(ALL_ENTRIES)
        for stored in page
    ]
    entry = next(entry for entry in entries if entry.index == outcome.entry)
    lines = json.loads(entry.writes)
    assert ["access_enrolments", member.thumbprint, b64u(row_digest(row))] in lines
    assert {table for table, _, _ in lines} == {
        "access_systems",
        "access_enrolments",
        "access_version",
        "ledger_requests",
    }
    assert outcome.receipt is not None
    body = json.loads(parse_receipt(outcome.receipt.encode()).body)
    assert body["writes"] == digest(entry.writes)
