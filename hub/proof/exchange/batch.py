"""Batches: one signature over many rows or records, each provable alone (formats-jose.md §7)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.proof.encoding import Json, b64u, b64u_decode, digest, emit_json
from hub.proof.jose import (
    BATCH_ROOT_TYP,
    FORMAT_VERSION,
    JWS,
    Keys,
    Signer,
    check_equal,
    check_issued,
    check_members,
    digest_claim,
    integer,
    open_jws,
    string,
)
from hub.proof.log.merkle import inclusion_path, root_from_path
from hub.proof.reasons import ProofError, ProofReason

ROOT_SIZE_MAX: Final = 8192
LEAVES_MAX: Final = 4096
INGEST_LEAVES_MAX: Final = 1000
SALT_BYTES: Final = 32

_ROW_PREFIX: Final = b"\x00sealway/row/v1\x00"
_RECORD_PREFIX: Final = b"\x00sealway/record/v1\x00"
_REQUIRED: Final = frozenset(
    {
        "v",
        "purpose",
        "iss",
        "aud",
        "region",
        "authority",
        "connector",
        "batch",
        "seq",
        "prev",
        "n",
        "root",
        "vct",
        "type_version",
        "manifest",
        "iat",
    }
)


class Purpose(StrEnum):
    """What the leaves of a batch are."""

    ROW = "row"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class BatchRoot:
    """What a batch root says.

    `seq` counts from 1 per (`iss`, `connector`, `purpose`); `prev` is the chain digest of the root
    before, None at `seq` 1; `manifest` is the digest of the manifest's bytes.
    """

    purpose: Purpose
    iss: str
    aud: str
    region: str
    authority: str
    connector: str
    batch: str
    seq: int
    prev: str | None
    n: int
    root: bytes
    vct: str
    type_version: int
    manifest: str
    iat: int


@dataclass(frozen=True, slots=True)
class VerifiedRoot:
    """An authentic batch root; `chain_digest` is what the next root's `prev` must be."""

    root: BatchRoot
    compact: str
    digest: str
    chain_digest: str


@dataclass(frozen=True, slots=True)
class LastRoot:
    """The last root accepted of a chain."""

    seq: int
    chain_digest: str


@dataclass(frozen=True, slots=True)
class LeafProof:
    """Where a leaf stands in a batch; the opening (salt, row) travels beside it, never inside."""

    i: int
    n: int
    path: tuple[bytes, ...]
    root_jws: str

    def emit(self) -> dict[str, Json]:
        """The proof as JSON."""
        path: list[Json] = [b64u(node) for node in self.path]
        return {"i": self.i, "n": self.n, "path": path, "root_jws": self.root_jws}


def row_leaf(salt: bytes, row: bytes) -> bytes:
    """The leaf of a connector row; `salt` is 32 random bytes, `row` the outbox's JSON bytes."""
    return hashlib.sha256(_ROW_PREFIX + salt + row).digest()


def record_leaf(signing_input: str) -> bytes:
    """The leaf of a record, from the `header.payload` its own signature covers or would cover."""
    return hashlib.sha256(_RECORD_PREFIX + hashlib.sha256(signing_input.encode()).digest()).digest()


def leaf_proof(leaves: Sequence[bytes], i: int, root_jws: str) -> LeafProof:
    """The proof that leaf `i` is in the batch of these leaves."""
    return LeafProof(i, len(leaves), tuple(inclusion_path(leaves, i)), root_jws)


def sign_batch_root(root: BatchRoot, signer: Signer) -> str:
    """The root's compact text."""
    return signer.compact(
        BATCH_ROOT_TYP,
        emit_json(
            {
                "v": FORMAT_VERSION,
                "purpose": root.purpose.value,
                "iss": root.iss,
                "aud": root.aud,
                "region": root.region,
                "authority": root.authority,
                "connector": root.connector,
                "batch": root.batch,
                "seq": root.seq,
                "prev": root.prev,
                "n": root.n,
                "root": b64u(root.root),
                "vct": root.vct,
                "type_version": root.type_version,
                "manifest": root.manifest,
                "iat": root.iat,
            }
        ),
    )


def open_batch_root(compact: str, keys: Keys) -> JWS:
    """An authentic batch root with the members of the format (step 1)."""
    jws = open_jws(compact, typ=BATCH_ROOT_TYP, keys=keys, size_max=ROOT_SIZE_MAX)
    check_members(jws.claims, _REQUIRED)
    return jws


def verify_batch_root(
    compact: str,
    *,
    keys: Keys,
    origin: str,
    region: str,
    purpose: Purpose,
    now: int,
    leaves_max: int = LEAVES_MAX,
) -> VerifiedRoot:
    """Steps 1 to 5 of formats-jose.md §7; its place in the chain is `check_chain`'s.

    The key's owner must be `iss`: chains count per `iss`, and no connector may write another's.
    Raises ProofError with the reason of the first failing step.
    """
    jws = open_batch_root(compact, keys)
    claims = jws.claims
    check_equal(
        claims,
        {
            "aud": (origin, ProofReason.AUD_WRONG),
            "region": (region, ProofReason.REGION_WRONG),
            "purpose": (purpose.value, ProofReason.BATCH_PURPOSE),
            "iss": (jws.key.owner, ProofReason.ISS_MISMATCH),
        },
    )
    iat = integer(claims, "iat")
    check_issued(iat, now)
    n = integer(claims, "n")
    if not 1 <= n <= leaves_max:
        raise ProofError(ProofReason.BATCH_N)
    if claims["prev"] is not None:
        digest_claim(claims, "prev")
    digest_claim(claims, "manifest")
    root = BatchRoot(
        purpose=purpose,
        iss=jws.key.owner,
        aud=origin,
        region=region,
        authority=string(claims, "authority"),
        connector=string(claims, "connector"),
        batch=string(claims, "batch"),
        seq=integer(claims, "seq", least=1),
        prev=None if claims["prev"] is None else string(claims, "prev"),
        n=n,
        root=digest_claim(claims, "root"),
        vct=string(claims, "vct"),
        type_version=integer(claims, "type_version", least=1),
        manifest=string(claims, "manifest"),
        iat=iat,
    )
    return VerifiedRoot(root, compact, jws.digest, digest(jws.signing_input))


def check_chain(root: BatchRoot, last: LastRoot | None) -> None:
    """`root` is the next of its chain (step 6). `last` is None before the first.

    Raises ProofError(BATCH_SEQ) or (BATCH_PREV). A root that fails here is authentic: it is kept
    as evidence of what is missing and reported, not dropped.
    """
    seq, prev = (1, None) if last is None else (last.seq + 1, last.chain_digest)
    if root.seq != seq:
        raise ProofError(ProofReason.BATCH_SEQ)
    if root.prev != prev:
        raise ProofError(ProofReason.BATCH_PREV)


def parse_leaf_proof(value: Json) -> LeafProof:
    """A proof from its JSON. Raises ProofError(PROOF_INVALID)."""
    if not isinstance(value, dict) or value.keys() != {"i", "n", "path", "root_jws"}:
        raise ProofError(ProofReason.PROOF_INVALID)
    path = value["path"]
    if not isinstance(path, list) or len(path) > LEAVES_MAX.bit_length():
        raise ProofError(ProofReason.PROOF_INVALID)
    try:
        return LeafProof(
            integer(value, "i"),
            integer(value, "n"),
            tuple([_node(node) for node in path]),
            string(value, "root_jws"),
        )
    except ProofError as error:
        raise ProofError(ProofReason.PROOF_INVALID) from error


def verify_leaf(root: BatchRoot, proof: LeafProof, leaf: bytes) -> None:
    """`leaf` stands at `proof.i` of the batch (step 7).

    The tree's size is the signed one: an unsigned size would make positions ambiguous.
    Raises ProofError(BATCH_N) or (PROOF_INVALID).
    """
    if proof.n != root.n:
        raise ProofError(ProofReason.BATCH_N)
    try:
        computed = root_from_path(leaf, proof.i, root.n, list(proof.path))
    except ProofError as error:
        raise ProofError(ProofReason.PROOF_INVALID) from error
    if computed != root.root:
        raise ProofError(ProofReason.PROOF_INVALID)


def verify_row(root: BatchRoot, proof: LeafProof, *, salt: bytes, row: bytes) -> bytes:
    """The leaf of `row`, proven to stand in the batch. Raises as `verify_leaf`."""
    if len(salt) != SALT_BYTES:
        raise ProofError(ProofReason.PROOF_INVALID, "salt")
    leaf = row_leaf(salt, row)
    verify_leaf(root, proof, leaf)
    return leaf


def _node(value: Json) -> bytes:
    if not isinstance(value, str):
        raise ProofError(ProofReason.PROOF_INVALID)
    node = b64u_decode(value)
    if len(node) != 32:
        raise ProofError(ProofReason.PROOF_INVALID)
    return node
