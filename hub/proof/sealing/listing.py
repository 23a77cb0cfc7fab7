"""A record sealed anew to name the sealed files of its version: `docs` (formats.md §4).

The record is there before its file, which shows the identifier. So once an original is sealed, the
record is sealed anew on the same version, by the very key that sealed it before, and says the same
but for `docs`, its time and its intent. The hub makes the bytes here and a signer apart from it
makes them again (docs/adr/0054).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

from hub.domain.certificate_type import FILES_FIELD
from hub.proof.encoding import Json, b64u, b64u_decode, digest, parse_json
from hub.proof.jose import RegisteredKey
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.disclosure import member
from hub.proof.records.sd_jwt import parse_record_payload, record_payload
from hub.proof.sealing.anew import (
    RecordAnew,
    Recording,
    SealBefore,
    check_recorded,
    claims_now,
    payload_anew,
    verify_before,
)
from hub.proof.sealing.documents import DocumentOrder, check_document_order
from hub.proof.sealing.records import ApprovedIntent, CertifiedKey, check_certified, refused
from hub.proof.sm2 import sm3


def file_entry(media_type: str, data: bytes) -> dict[str, Json]:
    """What `docs` says of a file."""
    return {
        "mt": media_type,
        "sha256": b64u(hashlib.sha256(data).digest()),
        "sm3": b64u(sm3(data)),
    }


def payload_listing(
    before: SealBefore,
    keys: Collection[RegisteredKey],
    docs: tuple[str, str],
    *,
    iat: int,
    intent: str,
    algs: Sequence[str],
) -> bytes:
    """As `payload_anew`, with another disclosure in the place of that of `docs`: the texts before,
    and now.

    Raises ProofError(DISCLOSURE_UNREFERENCED) where the record has no such digest.
    """
    claims, sd = parse_record_payload(payload_anew(before, keys, iat=iat, intent=intent, algs=algs))
    was, now = map(digest, docs)
    if was not in sd:
        raise ProofError(ProofReason.DISCLOSURE_UNREFERENCED, FILES_FIELD)
    return record_payload(claims, [now if one == was else one for one in sd])


def adds_one_file(docs: tuple[str, str], file: Mapping[str, Json]) -> bool:
    """Whether the disclosures, before and now, differ by `file`: it stands in the place of the one
    of its format, or is new, and no other came or went. Raises ProofError."""
    before, now = map(_files, docs)
    return now == before | {file["mt"]: file}


def check_listing(
    approved: ApprovedIntent,
    record: RecordAnew,
    docs: tuple[str, str],
    recording: Recording,
    *,
    file: Mapping[str, Json],
    order: DocumentOrder,
    key: CertifiedKey,
    now: int,
) -> None:
    """`record` may be signed by `key` under the intent that `file` was sealed under as `order`.

    1. The intent allows originals of this type, now. 2. This very key made the seal before: another
    one's could be a thief's. 3. The log recorded that seal. 4. The record is of the certificate
    that the file shows. 5. The payload is what follows from the one before. 6. `docs` names this
    file beside those that it named. Raises ProofError, HubError: INTENT_NOT_APPROVED with the rule,
    KEY_EXPIRED.
    """
    name, intent = approved.name, approved.intent
    check_document_order(approved, order, now=now)
    check_certified(name, intent.authority, key, now=now)
    if order.terms is not None:
        raise refused(name, "a copy is listed nowhere")
    keys = verify_before(record.before, set())
    if key.kid not in [one.kid for one in keys]:
        raise refused(name, "the seal before is not this key's")
    check_recorded(name, record, keys, recording)
    claims = claims_now(name, record.payload, custody=key.custody, algorithm=key.algorithm, now=now)
    said = (claims.iss, claims.vct, claims.type_version, claims.cert)
    if said != (intent.authority, intent.vct, intent.type_version, order.identifier):
        raise refused(name, "the record is of another certificate than the file")
    again = payload_listing(
        record.before, keys, docs, iat=claims.iat, intent=name, algs=claims.algs
    )
    if again != record.payload:
        raise refused(name, "the record says other than the one before")
    if not adds_one_file(docs, file):
        raise refused(name, "the record names other files than before and this one")


def _files(text: str) -> dict[Json, Json]:
    """What a disclosure of `docs` names, by media type. Raises ProofError(DISCLOSURE_SHAPE)."""
    elements = parse_json(b64u_decode(text))
    if not isinstance(elements, list):
        raise ProofError(ProofReason.DISCLOSURE_SHAPE)
    name, value = member(elements)
    listed = [] if value is None else value
    if name != FILES_FIELD or not isinstance(listed, list):
        raise ProofError(ProofReason.DISCLOSURE_SHAPE, name)
    files: dict[Json, Json] = {}
    for one in listed:
        media_type = one.get("mt") if isinstance(one, dict) else None
        if not isinstance(media_type, str) or media_type in files:
            raise ProofError(ProofReason.DISCLOSURE_SHAPE, name)
        files[media_type] = one
    return files
