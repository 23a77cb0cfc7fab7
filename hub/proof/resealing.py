"""A record sealed anew: what the seal before must prove, and which bytes follow from it.

After a theft the same version is sealed again by a key in force (docs/adr/0052, 0054). Nothing but
the moment, the intent and the algorithms may differ, so the new bytes follow from the old ones; as
in `hub.proof.sealing`, the hub makes them here and a signer apart from it makes them again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final

from hub.proof.encoding import b64u, b64u_decode, emit_json, parse_object
from hub.proof.jose import SEAL_TYP, RegisteredKey, string, verify_signature
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.record_batch import RECORDS_CLAIM, unfold_record
from hub.proof.sd_jwt import RecordClaims, key_of_chain, parse_record_payload, record_payload

COMPROMISED: Final = "key.compromised"
"""Kind of the entry that declares a key stolen."""


@dataclass(frozen=True, slots=True)
class SealBefore:
    """A record's seal as it stands: one payload, and header segment and signature of each of its
    one or two keys. `path` leads to the record in a folded payload (`~` before each disclosure).
    """

    payload: bytes = field(repr=False)
    path: str = field(repr=False)
    seals: tuple[tuple[str, bytes], ...]


@lru_cache(maxsize=1_024)
def sealing_key(header: str) -> RegisteredKey:
    """The key that a header segment of a record seal names and its chain certifies. Raises
    ProofError."""
    members = parse_object(b64u_decode(header))
    try:
        kid, typ, alg = (string(members, name) for name in ("kid", "typ", "alg"))
    except KeyError as error:
        raise ProofError(ProofReason.HEADER_MEMBER) from error
    if typ != SEAL_TYP:
        raise ProofError(ProofReason.TYP_WRONG)
    key = key_of_chain(members, kid)
    if alg != key.algorithm.value:
        raise ProofError(ProofReason.ALG_MISMATCH)
    return key


def verify_before(
    before: SealBefore, verified: set[tuple[str, bytes, bytes]]
) -> list[RegisteredKey]:
    """The keys of the seal before, each of whose signatures verifies; all are one authority's.

    `verified` remembers what did: the one seal of a folded batch is verified once.
    Raises ProofError.
    """
    keys = [sealing_key(header) for header, _ in before.seals]
    if not keys or any(key.owner != keys[0].owner for key in keys):
        raise ProofError(ProofReason.ISSUER_MISMATCH)
    for key, (header, signature) in zip(keys, before.seals, strict=True):
        seal = (header, before.payload, signature)
        if seal not in verified:
            signing_input = f"{header}.{b64u(before.payload)}".encode()
            verify_signature(key, signing_input, signature, low_s=True)
            verified.add(seal)
    return keys


def claims_before(before: SealBefore) -> tuple[RecordClaims, list[str]]:
    """Clear claims and digests of the one record that `before` seals. Raises ProofError."""
    if not before.path:
        return parse_record_payload(before.payload)
    claims = parse_object(before.payload)
    if RECORDS_CLAIM not in claims:
        raise ProofError(ProofReason.SD_MALFORMED)
    record, rest = unfold_record(claims, before.path.removeprefix("~").split("~"))
    if rest or RECORDS_CLAIM in record:
        raise ProofError(ProofReason.SD_MALFORMED)
    return parse_record_payload(emit_json(record))


def payload_anew(
    before: SealBefore,
    keys: Collection[RegisteredKey],
    *,
    iat: int,
    intent: str,
    algs: Sequence[str],
) -> bytes:
    """What the seal before said, said at `iat` (seconds) by `intent` and sealed by `algs`.

    `keys` are those that `verify_before` found. Raises ProofError: ISSUER_MISMATCH for a record of
    another authority than its keys', and as `claims_before`.
    """
    claims, sd = claims_before(before)
    if any(key.owner != claims.iss for key in keys):
        raise ProofError(ProofReason.ISSUER_MISMATCH)
    # A legacy row that nobody had sealed stays attested by its authority.
    delegation = claims.delegation and intent
    claims = dataclasses.replace(claims, iat=iat, delegation=delegation, algs=tuple(algs))
    return record_payload(claims, sd)


def recorded_rows(body: bytes, writes: bytes, table: str) -> dict[str, str]:
    """Of the rows of `table` that an entry recorded: key to digest, in their order.

    `writes` is kept beside the body, which has its digest. Raises ProofError(BODY_MALFORMED).
    """
    if parse_object(body).get("writes") != b64u(sha256(writes).digest()):
        raise ProofError(ProofReason.BODY_MALFORMED, "writes")
    try:
        lines = json.loads(writes)
        return {str(key): str(at) for name, key, at in lines if name == table}
    except (ValueError, TypeError) as error:
        raise ProofError(ProofReason.BODY_MALFORMED, "writes") from error
