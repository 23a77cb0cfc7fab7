"""A hub in one file: verifies what a hub verifies, keeps what a hub keeps, proves it in a log.

It stands in for the gRPC service behind the connector's `Submitter`. Its state is one JSON file,
replaced whole, so that it survives the death of the process as a hub's database does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.faults import from_hub
from connectors.outbox import StagedBatch
from connectors.run import Identity
from connectors.submit import BatchAnswer, RowResult
from hub.domain.row import parse_row
from hub.errors import HubError
from hub.proof.encoding import b64u, b64u_decode, digest, emit_json
from hub.proof.exchange.batch import (
    INGEST_LEAVES_MAX,
    LastRoot,
    Purpose,
    check_chain,
    row_leaf,
    verify_batch_root,
)
from hub.proof.jose import (
    BATCH_ROOT_TYP,
    Algorithm,
    RegisteredKey,
    es256_signer,
    thumbprint,
)
from hub.proof.log.merkle import inclusion_path
from hub.proof.log.merkle import root as merkle_root
from hub.proof.log.note import KeyType, VerifierKey, sign_checkpoint
from hub.proof.log.receipt import LogTrust, entry_leaf, make_receipt, proof_text

ORIGIN, REGION = "hub.test.example", "330299"
SYSTEM, AUTHORITY = "systems/connector-1", "11100000MB0143028R"
NOW_US = 1_780_000_000_000_000

# Test keys, the same in every process.
SYSTEM_KEY = ec.derive_private_key(0x1234567, ec.SECP256R1())
LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)


def log_trust(key: Ed25519PrivateKey = LOG_KEY) -> LogTrust:
    """Trust in a log of this key."""
    public = key.public_key().public_bytes_raw()
    return LogTrust(ORIGIN, (VerifierKey(ORIGIN, KeyType.LOG, public).text(),))


def identity() -> Identity:
    """The connector's side of the test keys."""
    return Identity(SYSTEM, AUTHORITY, ORIGIN, REGION, es256_signer(SYSTEM_KEY), log_trust())


def now_us() -> int:
    """A clock that stands."""
    return NOW_US


class SmallHub:
    """Answers batches. `refuse` names certificates to refuse; `spoil` falsifies an answer."""

    def __init__(
        self,
        file: Path,
        *,
        refuse: Callable[[str], bool] = lambda _: False,
        spoil: Callable[[BatchAnswer], BatchAnswer] = lambda answer: answer,
    ) -> None:
        self.file = file
        self.refuse = refuse
        self.spoil = spoil
        self.calls = 0

    @property
    def state(self) -> dict[str, object]:
        """What is on the hub's disk."""
        if not self.file.exists():
            return {"batches": {}, "last": None, "leaves": [], "certificates": {}}
        return json.loads(self.file.read_text())

    def submit(self, batch: StagedBatch) -> BatchAnswer:
        """Verify, store, log, answer; a batch on file is answered from the file."""
        self.calls += 1
        state = self.state
        stored = state["batches"].get(str(batch.seq))
        if stored is None:
            stored = self._store(state, batch)
        assert stored["digest"] == digest(batch.root_jws), "another batch under a used seq"
        results = tuple(
            RowResult(
                outcome,
                "authorities/a/certificates/" + key[-8:].lower() if outcome != "refused" else "",
                "",
                (from_hub("number", "CONFLICT", "held by another", "已由其他部门登记"),)
                if outcome == "refused"
                else (),
            )
            for key, outcome in stored["outcomes"]
        )
        return self.spoil(BatchAnswer(batch.batch, batch.seq, results, stored["receipt"]))

    def _store(self, state: dict, batch: StagedBatch) -> dict:
        verified = verify_batch_root(
            batch.root_jws,
            keys=_keys,
            origin=ORIGIN,
            region=REGION,
            purpose=Purpose.ROW,
            now=NOW_US // 1_000_000,
            leaves_max=INGEST_LEAVES_MAX,
        )
        last = state["last"]
        check_chain(verified.root, LastRoot(last[0], last[1]) if last else None)
        leaves = [row_leaf(row.salt, row.row) for row in batch.rows]
        assert merkle_root(leaves) == verified.root.root
        assert verified.root.n == len(batch.rows)
        assert sum(len(row.row) + 48 for row in batch.rows) + 8192 <= 4_000_000
        outcomes = [self._row(state["certificates"], row.row) for row in batch.rows]
        body = emit_json(
            {
                "v": 1,
                "kind": "ingest",
                "origin": ORIGIN,
                "region": REGION,
                "caller": SYSTEM,
                "request_digest": verified.digest,
            }
        )
        salt = os.urandom(32)
        state["leaves"].append(b64u(entry_leaf(salt, body)))
        entries = [b64u_decode(leaf) for leaf in state["leaves"]]
        note = sign_checkpoint(ORIGIN, len(entries), merkle_root(entries), LOG_KEY)
        index = len(entries) - 1
        proof = proof_text(index, inclusion_path(entries, index), note)
        stored = {
            "digest": verified.digest,
            "outcomes": outcomes,
            "receipt": make_receipt(body, salt, proof, []),
        }
        state["batches"][str(batch.seq)] = stored
        state["last"] = [batch.seq, verified.chain_digest]
        aside = self.file.with_suffix(".new")
        aside.write_text(json.dumps(state))
        aside.replace(self.file)
        return stored

    def _row(self, certificates: dict, data: bytes) -> list[str]:
        row = parse_row(data)
        if self.refuse(row.number):
            return [row.number, "refused"]
        versions = certificates.setdefault(row.number, [])
        found = digest(data)
        outcome = "unchanged" if versions[-1:] == [found] else "changed" if versions else "new"
        if outcome != "unchanged":
            versions.append(found)
        return [row.number, outcome]


class UnreachableHub:
    """Nobody answers."""

    def __init__(self, error: HubError) -> None:
        self.error = error

    def submit(self, batch: StagedBatch) -> BatchAnswer:
        """Always raises."""
        raise self.error


def _keys(kid: str) -> RegisteredKey | None:
    public = SYSTEM_KEY.public_key()
    if kid != thumbprint(public):
        return None
    return RegisteredKey(kid, Algorithm.ES256, BATCH_ROOT_TYP, SYSTEM, public)
