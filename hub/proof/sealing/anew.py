"""A record sealed anew: what the seal before must prove, and which bytes follow from it.

After a theft the same version is sealed again by a key in force (docs/adr/0052, 0054). Nothing but
the moment, the intent and the algorithms may differ, so the new bytes follow from the old ones; as
in `hub.proof.sealing.records`, the hub makes them here and a signer apart from it makes them again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final

from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm
from hub.proof.encoding import Json, b64u, b64u_decode, digest, emit_json, parse_object
from hub.proof.jose import SEAL_TYP, Algorithm, RegisteredKey, string, verify_signature
from hub.proof.log.receipt import LogTrust, open_proof, parse_receipt, read_act
from hub.proof.log.row import Row, row_digest
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.batch import RECORDS_CLAIM, unfold_record
from hub.proof.records.sd_jwt import (
    RecordClaims,
    key_of_chain,
    parse_record_payload,
    record_payload,
)
from hub.proof.sealing.records import SKEW_S, refused

COMPROMISED: Final = "key.compromised"
"""Kind of the entry that declares a key stolen."""
SEALING: Final = ("ingest", "records.resealed", "document.sealed", "document.resealed")
"""Kinds of the entries that seal records."""
SIGNATURES: Final = "seal_signatures"
"""Table of the signatures of records, as those entries name it."""


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


@dataclass(frozen=True, slots=True)
class Theft:
    """What the log says of a stolen key: its name, its seal, its thumbprint; and which entry under
    which checkpoint."""

    key: str
    seal: str
    kid: str
    entry: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Recording:
    """An entry that sealed records: which, under which checkpoint, and its rows, key to digest."""

    entry: int
    checkpoint: str
    rows: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordAnew:
    """A record's seal as it was recorded, and the payload that shall be signed in its place.

    `recording` is which of the entries recorded it; the rest are values of its rows.
    """

    recording: int
    version_id: str
    before: SealBefore
    status_list: int
    status_place: int
    retention_class: str
    payload: bytes = field(repr=False)


def read_theft(receipt: str, trust: LogTrust) -> Theft:
    """The declaration that the trusted log recorded. Raises ProofError."""
    entry, checkpoint, body = _proven(receipt, trust)
    data = parse_object(body).get("data")
    if _kind(body) != COMPROMISED or not isinstance(data, dict):
        raise ProofError(ProofReason.BODY_KIND)
    try:
        key, seal, kid = (string(data, name) for name in ("key", "seal", "key_id"))
    except KeyError as error:
        raise ProofError(ProofReason.BODY_MALFORMED, "data") from error
    return Theft(key, seal, kid, entry, checkpoint)


def read_recording(receipt: str, writes: bytes, trust: LogTrust) -> Recording:
    """An entry that sealed records, in the trusted log. Raises ProofError."""
    entry, checkpoint, body = _proven(receipt, trust)
    if _kind(body) not in SEALING:
        raise ProofError(ProofReason.BODY_KIND)
    return Recording(entry, checkpoint, recorded_rows(body, writes, SIGNATURES))


def check_anew(
    name: str,
    record: RecordAnew,
    theft: Theft,
    recordings: Sequence[Recording],
    verified: set[tuple[str, bytes, bytes]],
    *,
    custody: Custody,
    algorithm: KeyAlgorithm,
    now: int,
) -> str:
    """`record` may be signed anew under the intent `name` by a key of this custody and algorithm;
    the credit code of its authority.

    1. The log recorded the old seal before it recorded the theft, in one and the same log. 2. The
    stolen key made it, and every signature of it verifies. 3. The new payload is what follows from
    the old one. Raises ProofError, HubError(INTENT_NOT_APPROVED) with the rule.
    """
    if not 0 <= record.recording < len(recordings):
        raise refused(name, "a record names no entry")
    recording = recordings[record.recording]
    if recording.entry >= theft.entry or recording.checkpoint != theft.checkpoint:
        raise refused(name, "the log recorded a seal after the theft was declared")
    keys = verify_before(record.before, verified)
    if theft.kid not in [key.kid for key in keys]:
        raise refused(name, "a seal is not the stolen key's")
    check_recorded(name, record, keys, recording)
    claims = claims_now(name, record.payload, custody=custody, algorithm=algorithm, now=now)
    again = payload_anew(record.before, keys, iat=claims.iat, intent=name, algs=claims.algs)
    if again != record.payload:
        raise refused(name, "a record says other than the one before")
    return claims.iss


def check_recorded(
    name: str, record: RecordAnew, keys: Sequence[RegisteredKey], recording: Recording
) -> None:
    """The seal before, whose keys are `keys`, is what the log recorded, row by row. Raises
    HubError(INTENT_NOT_APPROVED) with the rule."""
    for row_key, row in _rows(record, keys):
        if recording.rows.get(row_key) != b64u(row_digest(row)):
            raise refused(name, "the log recorded another seal")


def claims_now(
    name: str, payload: bytes, *, custody: Custody, algorithm: KeyAlgorithm, now: int
) -> RecordClaims:
    """The claims of a record that a key of this custody and algorithm may seal at `now`.

    Raises ProofError, HubError(INTENT_NOT_APPROVED) with the rule.
    """
    claims, _ = parse_record_payload(payload)
    if abs(claims.iat - now) > SKEW_S:
        raise refused(name, "a record is of another time")
    if algorithm.value not in claims.algs or not set(claims.algs) <= {"ES256", "SM2"}:
        raise refused(name, "a record does not name the algorithm that seals it")
    if claims.custody not in (custody, Custody.ATTESTED):
        raise refused(name, "a record is of another custody than the key")
    return claims


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


def _proven(receipt: str, trust: LogTrust) -> tuple[int, str, bytes]:
    """Number, checkpoint and body of an entry that stands in the log."""
    parsed = parse_receipt(receipt.encode())
    proof, _ = open_proof(parsed, parsed.proof, trust)
    read_act(parsed.body, trust.origin)
    return proof.index, proof.checkpoint, parsed.body


def _kind(body: bytes) -> Json:
    return parse_object(body).get("kind")


def _rows(record: RecordAnew, keys: Sequence[RegisteredKey]) -> Iterator[tuple[str, Row]]:
    """The rows of the seal before, as they were recorded, each after its key."""
    for key, (header, signature) in zip(keys, record.before.seals, strict=True):
        is_twin = key.algorithm is Algorithm.SM2
        row: Row = (
            record.version_id,
            key.algorithm.name,
            key.kid,
            digest(header),
            record.before.payload,
            signature,
            # A twin has no place of its own in a status list.
            *((None, None) if is_twin else (record.status_list, record.status_place)),
            record.retention_class,
        )
        yield f"{record.version_id}/{key.algorithm.name}", row
