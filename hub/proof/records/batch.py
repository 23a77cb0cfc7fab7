"""Many records under one signature: what a key does that can sign only a few times in a second.

One SD-JWT whose claim `records` is a tree of recursive disclosures (RFC 9901 §4.2.6): up to sixteen
branches at each level, up to three levels, and at each leaf a record with the clear claims and the
digests that its own SD-JWT would have. Shown are the branches that lead to one record, then its
fields: `<JWS>~branch~branch~record~field~…~`. Any library of RFC 9901 reads that; docs/adr/0045
says why this way, docs/formats/record-seal.md what stands where.

Salts keep siblings from being guessed; to one record, all others are digests. They are drawn from
one secret seed, so that a signer elsewhere folds the same records to the same bytes and compares.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.proof.encoding import Json, b64u_decode, digest, emit_json, parse_json, parse_object
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.disclosure import SALT_BYTES, make_disclosure, member

FANOUT: Final = 16
LEVELS_MAX: Final = 3
RECORDS_MAX: Final = FANOUT**LEVELS_MAX
RECORDS_CLAIM: Final = "records"
SEED_BYTES: Final = 32
_SALT: Final = b"sealway/batch-salt/v1\0"

# What every record of a batch shares stands once, beside the tree.
SHARED: Final = (
    "v",
    "origin",
    "region",
    "iss",
    "vct",
    "vct#integrity",
    "type_version",
    "iat",
    "algs",
    "_sd_alg",
)
_NAMES: Final = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class FoldedRecords:
    """The payload that is signed once, and the disclosures that lead to each record, outermost
    first, the record's own last."""

    payload: bytes
    paths: tuple[tuple[str, ...], ...] = field(repr=False)


def fold_records(payloads: Sequence[bytes], seed: bytes) -> FoldedRecords:
    """Fold the payloads of 1 to 4,096 records of one batch, made to be signed one by one.

    `seed` is 32 random bytes that nobody else learns; the same payloads and seed give the same
    bytes. Raises ProofError: BATCH_N, SALT_LENGTH, and CLAIM_INVALID where they differ in what a
    batch shares.
    """
    if not 1 <= len(payloads) <= RECORDS_MAX:
        raise ProofError(ProofReason.BATCH_N)
    records = [parse_object(payload) for payload in payloads]
    shared = {name: records[0][name] for name in SHARED}
    salts = iter(_salts(len(records), seed))
    level: list[tuple[Mapping[str, Json], list[int]]] = []
    for place, record in enumerate(records):
        if any(record[name] != value for name, value in shared.items()):
            raise ProofError(ProofReason.CLAIM_INVALID, "what a batch shares")
        own = {name: value for name, value in record.items() if name not in shared}
        level.append((own, [place]))
    paths: list[list[str]] = [[] for _ in records]
    while True:
        branches: list[tuple[Mapping[str, Json], list[int]]] = []
        for start in range(0, len(level), FANOUT):
            digests: list[Json] = []
            places: list[int] = []
            for name, (value, below) in zip(_NAMES, level[start : start + FANOUT], strict=False):
                text = make_disclosure(next(salts), name, dict(value)).text
                digests.append(digest(text))
                for place in below:
                    paths[place].append(text)
                places += below
            branches.append(({"_sd": digests}, places))
        if len(branches) == 1:
            break
        level = branches
    members = {name: value for name, value in shared.items() if name != "_sd_alg"}
    payload = emit_json({**members, RECORDS_CLAIM: dict(branches[0][0]), "_sd_alg": "sha-256"})
    return FoldedRecords(payload, tuple([tuple(path[::-1]) for path in paths]))


def unfold_record(
    claims: Mapping[str, Json], texts: Sequence[str]
) -> tuple[dict[str, Json], list[str]]:
    """The claims of the one record that the first of `texts` lead to, as if it were sealed alone,
    and the texts that remain: its fields.

    Raises ProofError: SD_MALFORMED for a tree of another form, DISCLOSURE_UNREFERENCED for a branch
    that hangs on nothing, FIELD_MISSING where no record is reached.
    """
    branch = claims[RECORDS_CLAIM]
    rest = list(texts)
    for _ in range(LEVELS_MAX):
        digests = _digests(branch)
        if not rest:
            raise ProofError(ProofReason.FIELD_MISSING, "no record is shown")
        text = rest.pop(0)
        if digest(text) not in digests:
            raise ProofError(ProofReason.DISCLOSURE_UNREFERENCED)
        elements = parse_json(b64u_decode(text))
        if not isinstance(elements, list):
            raise ProofError(ProofReason.JSON_MALFORMED, "not an array")
        name, value = member(elements)
        if len(name) != 1 or name not in _NAMES or not isinstance(value, dict):
            raise ProofError(ProofReason.SD_MALFORMED)
        if value.keys() != {"_sd"}:
            break
        branch = value
    else:
        raise ProofError(ProofReason.SD_MALFORMED)
    clash = value.keys() & claims.keys()
    if clash or RECORDS_CLAIM in value:
        raise ProofError(ProofReason.DISCLOSURE_NAME_CLASH)
    shared = {name: said for name, said in claims.items() if name != RECORDS_CLAIM}
    return {**shared, **value}, rest


def _digests(branch: Json) -> list[Json]:
    """What a branch leads to."""
    digests = branch.get("_sd") if isinstance(branch, dict) and branch.keys() == {"_sd"} else None
    if not isinstance(digests, list) or not 1 <= len(digests) <= FANOUT:
        raise ProofError(ProofReason.SD_MALFORMED)
    if not all(isinstance(one, str) for one in digests):
        raise ProofError(ProofReason.SD_MALFORMED)
    if len({str(one) for one in digests}) != len(digests):
        raise ProofError(ProofReason.DIGEST_DUPLICATE)
    return digests


def _salts(records: int, seed: bytes) -> list[bytes]:
    """A salt for every record and for every branch above them."""
    if len(seed) != SEED_BYTES:
        raise ProofError(ProofReason.SALT_LENGTH)
    nodes = level = records
    while level > FANOUT:
        level = -(-level // FANOUT)
        nodes += level
    numbers = [_SALT + number.to_bytes(4) for number in range(nodes)]
    return [hmac.digest(seed, number, "sha256")[:SALT_BYTES] for number in numbers]
