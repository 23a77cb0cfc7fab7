"""LedgerService: proofs for all, openings for the auditor and the entry's own caller."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hub.domain.caller import Caller, Role
from hub.errors import HubError, Reason
from hub.ledger.service import LedgerService
from hub.ledger.v1 import ledger_pb2 as pb
from hub.proof.encoding import b64u_decode
from hub.proof.log.merkle import check_consistency, check_inclusion, leaf_hash
from hub.proof.log.note import open_checkpoint
from hub.proof.log.receipt import open_proof, open_upgrades, parse_proof, parse_receipt
from tests.ledger.logs import KEY, ORIGIN, TRUST, entry, new_log

PLATFORM = Caller("systems/other", Role.PLATFORM, "", "", 0, "", 1)


@dataclass
class Served:
    """A service, the index of an entry of systems/tester, and who calls."""

    service: LedgerService
    index: int
    caller: Caller = PLATFORM

    async def inclusion(self) -> pb.GetInclusionProofResponse:
        request = pb.GetInclusionProofRequest(entry=self.index)
        return await self.service.GetInclusionProof(request, None)  # type: ignore[arg-type]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    log = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    recorder = await log.started()
    recorded = await recorder.record(entry(), (), [])
    await recorder.record(entry(), (), [])
    made = Served(LedgerService(recorder, lambda: made.caller), recorded.index)
    yield made
    await recorder.close()
    await log.database.close()


async def test_an_inclusion_proof_verifies_against_the_newest_checkpoint(served: Served) -> None:
    """With the published algorithms, from what the answer holds."""
    answer = await served.inclusion()

    proof = parse_proof(answer.proof)
    head = open_checkpoint(proof.checkpoint, ORIGIN, [KEY.verifier.text()])
    assert proof.index == served.index
    check_inclusion(leaf_hash(answer.entry), proof.index, head.size, proof.path, head.root)


@pytest.mark.parametrize(
    ("name", "role", "may_read"),
    [
        ("systems/other", Role.PLATFORM, False),
        ("systems/other", Role.MONITOR, False),
        ("officers/one", Role.OFFICER, False),
        ("systems/tester", Role.PLATFORM, True),
        ("systems/audit", Role.AUDITOR, True),
    ],
)
async def test_only_auditor_and_caller_get_the_opening(
    served: Served, name: str, role: Role, may_read: bool
) -> None:
    """To everybody else an entry is 49 bytes that say nothing."""
    served.caller = replace(PLATFORM, name=name, role=role)

    answer = await served.inclusion()

    assert answer.HasField("receipt") == may_read
    assert len(answer.entry) == 49
    if may_read:
        receipt = parse_receipt(answer.receipt.json.encode())
        proof, head = open_proof(receipt, receipt.proof, TRUST)
        assert open_upgrades(receipt, proof.index, head, TRUST)[-1].size > head.size
        assert json.loads(receipt.body)["caller"] == "systems/tester"


async def test_consistency_is_proven_between_any_two_sizes(served: Served) -> None:
    """And the newer head is given as values."""
    newest = await served.service.GetCheckpoint(pb.GetCheckpointRequest(), None)  # type: ignore[arg-type]
    first = await served.service.GetConsistencyProof(
        pb.GetConsistencyProofRequest(old_size=1, new_size=1),
        None,  # type: ignore[arg-type]
    )

    answer = await served.service.GetConsistencyProof(
        pb.GetConsistencyProofRequest(old_size=1),
        None,  # type: ignore[arg-type]
    )

    old, new = b64u_decode(first.head.root), b64u_decode(answer.head.root)
    assert answer.head == newest.head
    check_consistency(1, old, answer.head.size, new, list(answer.hashes))


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [(0, 0, "old_size"), (3, 2, "old_size"), (1, 99, "new_size"), (1, -1, "new_size")],
)
async def test_sizes_that_the_log_never_had_are_refused(
    served: Served, old: int, new: int, field: str
) -> None:
    """With the field and what is allowed."""
    request = pb.GetConsistencyProofRequest(old_size=old, new_size=new)

    with pytest.raises(HubError) as error:
        await served.service.GetConsistencyProof(request, None)  # type: ignore[arg-type]

    assert error.value.reason is Reason.FIELD_INVALID
    assert error.value.details["field"] == field


async def test_an_entry_beyond_the_head_is_not_found(served: Served) -> None:
    """Also one that is committed but not yet covered by the external head."""
    served.index = 10_000

    with pytest.raises(HubError) as error:
        await served.inclusion()

    assert error.value.reason is Reason.ENTRY_NOT_FOUND
