"""Entries, proof texts and receipts of the log (formats-ledger.md §2, §5, §6).

A receipt shows that one entry stands in the log under a signed head, and that the entry says what
the caller asked and was given. `verify_receipt` is the whole check of a fetch, `verify_exchange`
that of any exchange; the functions they are made of are public, so that a report can name the step
that failed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.proof.encoding import (
    Json,
    b64,
    b64_decode,
    b64u,
    b64u_decode,
    digest,
    emit_json,
    parse_object,
)
from hub.proof.exchange.request import Holder, RequestedCertificate
from hub.proof.jose import LogHead, log_head
from hub.proof.log.merkle import (
    HASH_BYTES,
    PATH_MAX,
    check_consistency,
    check_inclusion,
    leaf_hash,
)
from hub.proof.log.note import Checkpoint, open_checkpoint, parse_decimal
from hub.proof.reasons import ProofError, ProofReason

RECEIPT_BYTES_MAX: Final = 524_288
BODY_BYTES_MAX: Final = 131_072
STAMP_BYTES_MAX: Final = 65_536
SALT_BYTES: Final = 32
TIME_WINDOW_US: Final = 120_000_000

_PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
_RECEIPT_MEMBERS: Final = {"v", "body", "salt", "proof", "consistency"}


class ExchangeKind(StrEnum):
    """The kind of an entry that answers a signed request."""

    FETCH = "fetch"
    PLAN = "plan"
    VERIFICATION = "verification"
    DOCUMENT = "document.fetched"


class Grade(StrEnum):
    """How far a receipt binds the log; computed by the verifier, never stated."""

    LOGGED = "logged"
    WITNESSED = "witnessed"
    STAMPED = "stamped"


@dataclass(frozen=True, slots=True)
class LogTrust:
    """What is pinned about one log: origin, verifier keys as text, and how many witnesses count."""

    origin: str
    log_keys: tuple[str, ...]
    witness_keys: tuple[str, ...] = ()
    witnesses_min: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """One certificate of an answer: its state, the presentation unless there is none, and the SM2
    twin of that, of which the entry says nothing of its own."""

    state: str
    presentation: str | None = None
    sm2_presentation: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof text taken apart; `checkpoint` is a note, byte for byte, not yet opened."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A later proof of the same entry and the consistency from the checkpoint before.

    `stamp` is a time stamp token (RFC 3161) over the bytes of its checkpoint, not yet verified.
    """

    proof: str
    consistency: tuple[bytes, ...]
    stamp: bytes | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt decoded, nothing of it verified."""

    body: bytes
    salt: bytes
    proof: str
    consistency: tuple[bytes, ...]
    later: tuple[Upgrade, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggedCertificate:
    """One certificate as the entry names it; without `cert` and `version` where none was found."""

    cert: str | None
    version: int | None
    vct: str
    state: str
    sd_hash: str | None


@dataclass(frozen=True, slots=True)
class ExchangeEntry:
    """What the entry of an exchange says, as far as a caller can compare it.

    A fetch names certificates; of a plan and a verification `data` says what was answered.
    """

    kind: ExchangeKind
    time_us: int
    region: str
    request_id: str
    caller: str
    request_digest: str
    outcome: str
    certificates: tuple[LoggedCertificate, ...] = ()
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedAct:
    """What the entry of anything else says that every entry says: a change, a refusal, a look."""

    kind: str
    time_us: int
    request_id: str
    caller: str


@dataclass(frozen=True, slots=True)
class SentRequest:
    """The caller's own request, decoded and not verified: it is matched by its digest.

    One that asks for a plan names no certificates.
    """

    compact: str
    caller: str
    request_id: str
    issued_time_s: int
    certificates: tuple[RequestedCertificate, ...]
    log: LogHead | None
    is_plan: bool = False


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """The outcome of a receipt that holds. `proven_from` are heads that `head` provably follows."""

    entry: ExchangeEntry
    request: SentRequest
    index: int
    head: LogHead
    grade: Grade
    proven_from: tuple[LogHead, ...]


def commit(salt: bytes, body: bytes) -> bytes:
    """The commitment to an entry's body (§2)."""
    return hashlib.sha256(b"sealway/entry-body/v1\x00" + salt + body).digest()


def entry_bytes(commitment: bytes) -> bytes:
    """The public entry: 49 bytes that say nothing without salt and body (§2)."""
    return b"sealway/entry/v1\n" + commitment


def entry_leaf(salt: bytes, body: bytes) -> bytes:
    """The leaf of the entry that commits to `body` under `salt`."""
    return leaf_hash(entry_bytes(commit(salt, body)))


def proof_text(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    """The proof of entry `index` as text; `checkpoint` is a note with its final newline (§5)."""
    lines = [_PROOF_HEADER, f"index {index}", *(b64(item) for item in path), "", checkpoint]
    return "\n".join(lines)


def parse_proof(text: str) -> Proof:
    """The parts of a proof text. Raises ProofError: PROOF_MALFORMED or BASE64_NOT_CANONICAL."""
    head, empty_line, checkpoint = text.partition("\n\n")
    lines = head.split("\n", PATH_MAX + 2)
    if not empty_line or len(lines) < 2 or lines[0] != _PROOF_HEADER:
        raise ProofError(ProofReason.PROOF_MALFORMED, "header or empty line")
    index = parse_decimal(lines[1].removeprefix("index "))
    if index is None or not lines[1].startswith("index "):
        raise ProofError(ProofReason.PROOF_MALFORMED, "index line")
    if len(lines) > PATH_MAX + 2:
        raise ProofError(ProofReason.PROOF_MALFORMED, f"more than {PATH_MAX} hashes")
    path = tuple(b64_decode(line) for line in lines[2:])
    if any(len(item) != HASH_BYTES for item in path):
        raise ProofError(ProofReason.PROOF_MALFORMED, "a hash that is not 32 bytes")
    return Proof(index, path, checkpoint)


def make_receipt(body: bytes, salt: bytes, proof: str, consistency: Sequence[bytes]) -> str:
    """The receipt as text. `body` is the entry's bytes, kept verbatim and never encoded again."""
    members: dict[str, Json] = {
        "v": 1,
        "body": b64u(body),
        "salt": b64u(salt),
        "proof": proof,
        "consistency": [b64u(item) for item in consistency],
    }
    return emit_json(members).decode()


def verify_receipt(
    data: bytes,
    requests: Sequence[str],
    me: str,
    answer: Sequence[Answered],
    trust: LogTrust,
) -> VerifiedReceipt:
    """Every step of §6 for a fetch; `requests` are the compact JWS sent under this request id by
    system `me`.

    Raises ProofError with the reason of the first step that fails, and the verdict *cannot check*
    where `trust` has no usable log key.
    """
    return verify_exchange(
        data,
        requests,
        me,
        trust,
        kind=ExchangeKind.FETCH,
        match=lambda entry, request: match_answer(entry, request, answer),
    )


def verify_exchange(
    data: bytes,
    requests: Sequence[str],
    me: str,
    trust: LogTrust,
    *,
    kind: ExchangeKind,
    match: Callable[[ExchangeEntry, SentRequest], None],
) -> VerifiedReceipt:
    """Every step of §6 for an exchange of this kind, `match` being step 8. Raises ProofError."""
    receipt = parse_receipt(data)
    proof, checkpoint = open_proof(receipt, receipt.proof, trust)
    entry = read_entry(receipt.body, trust.origin, kind)
    request = match_request(entry, requests, me)
    match(entry, request)
    check_time(entry, request)
    check_request_head(request, checkpoint, receipt.consistency)
    checkpoints = [checkpoint, *open_upgrades(receipt, proof.index, checkpoint, trust)]
    heads = [LogHead(item.origin, item.size, b64u(item.root)) for item in checkpoints]
    before = [request.log] if request.log else []
    return VerifiedReceipt(
        entry=entry,
        request=request,
        index=proof.index,
        head=heads[-1],
        grade=grade_of(checkpoints, trust.witnesses_min),
        proven_from=(*before, *heads[:-1]),
    )


def parse_receipt(data: bytes) -> Receipt:
    """Steps 1 and 2. Raises RECEIPT_MALFORMED, RECEIPT_VERSION, BASE64_NOT_CANONICAL,
    SALT_LENGTH or BODY_MALFORMED."""
    members = _receipt_members(data)
    later = members.get("later", [])
    if not isinstance(later, list):
        raise ProofError(ProofReason.RECEIPT_MALFORMED, "later")
    body, salt = _base64url(members["body"]), _base64url(members["salt"])
    consistency = _hashes(members["consistency"])
    upgrades = tuple(_upgrade(item) for item in later)
    if len(salt) != SALT_BYTES:
        raise ProofError(ProofReason.SALT_LENGTH, f"{len(salt)} bytes")
    if len(body) > BODY_BYTES_MAX:
        raise ProofError(ProofReason.BODY_MALFORMED, f"more than {BODY_BYTES_MAX} bytes")
    return Receipt(body, salt, _proof_member(members), consistency, upgrades)


def open_proof(receipt: Receipt, text: str, trust: LogTrust) -> tuple[Proof, Checkpoint]:
    """Steps 3 to 5: the proof `text` shows the receipt's entry in a head signed by the log."""
    proof = parse_proof(text)
    checkpoint = open_checkpoint(proof.checkpoint, trust.origin, trust.log_keys, trust.witness_keys)
    _check_entry(receipt, proof, checkpoint)
    return proof, checkpoint


# The member of an entry's data that is its outcome.
_OUTCOMES: Final = {ExchangeKind.VERIFICATION: "result", ExchangeKind.DOCUMENT: "state"}


def read_entry(body: bytes, origin: str, kind: ExchangeKind) -> ExchangeEntry:
    """Step 6. Raises BODY_MALFORMED, BODY_VERSION, BODY_KIND or BODY_ORIGIN."""
    members = _body_members(body)
    if _has_null(members):
        raise ProofError(ProofReason.BODY_MALFORMED, "null")
    _check_version(members)
    if members.get("kind") != kind:
        raise ProofError(ProofReason.BODY_KIND)
    _check_origin(members, origin)
    certificates: tuple[LoggedCertificate, ...] = ()
    data: dict[str, Json] = {}
    if kind is ExchangeKind.FETCH:
        outcome = _string(members, "outcome")
        certificates = tuple(_logged(item) for item in _list(members, "certificates"))
    else:
        data = _object(members, "data")
        named = _OUTCOMES.get(kind)
        outcome = _string(data, named) if named is not None else "answered"
    return ExchangeEntry(
        kind=kind,
        time_us=_integer(members, "time_us"),
        region=_string(members, "region"),
        request_id=_string(members, "request_id"),
        caller=_string(members, "caller"),
        request_digest=_string(members, "request_digest"),
        outcome=outcome,
        certificates=certificates,
        data=data,
    )


def read_act(body: bytes, origin: str) -> LoggedAct:
    """Step 6 for an entry of any kind, of which nothing is compared with a request.

    Raises BODY_MALFORMED, BODY_VERSION or BODY_ORIGIN.
    """
    members = _body_members(body)
    _check_version(members)
    _check_origin(members, origin)
    return LoggedAct(
        kind=_string(members, "kind"),
        time_us=_integer(members, "time_us"),
        request_id=_string(members, "request_id"),
        caller=_string(members, "caller"),
    )


def match_request(entry: ExchangeEntry, requests: Sequence[str], me: str) -> SentRequest:
    """Step 7: the one request of mine that the entry answers.

    Raises CALLER_NOT_ME or REQUEST_NOT_MINE.
    """
    if entry.caller != me:
        raise ProofError(ProofReason.CALLER_NOT_ME, f"the entry names {entry.caller}")
    for compact in requests:
        if digest(compact) != entry.request_digest:
            continue
        request = read_sent_request(compact)
        mine = (request.caller, request.request_id) == (me, entry.request_id)
        if mine and request.is_plan is (entry.kind is ExchangeKind.PLAN):
            return request
        raise ProofError(ProofReason.REQUEST_NOT_MINE, "its iss or jti differs, or what it asks")
    raise ProofError(ProofReason.REQUEST_NOT_MINE, "none has the entry's request_digest")


def read_sent_request(compact: str) -> SentRequest:
    """The claims of a request that the reader sent; its signature is not looked at.

    Raises REQUEST_NOT_MINE where it is not a request in our form.
    """
    try:
        _, payload, _ = compact.split(".")
        claims = parse_object(b64u_decode(payload))
        is_plan = "plan" in claims
        return SentRequest(
            compact=compact,
            caller=_string(claims, "iss"),
            request_id=_string(claims, "jti"),
            issued_time_s=_integer(claims, "iat"),
            certificates=()
            if is_plan
            else tuple(_asked(item) for item in _list(claims, "certificates")),
            log=log_head(claims),
            is_plan=is_plan,
        )
    except (ValueError, ProofError) as error:
        raise ProofError(ProofReason.REQUEST_NOT_MINE, "not a signed request") from error


def match_answer(entry: ExchangeEntry, request: SentRequest, answer: Sequence[Answered]) -> None:
    """Step 8. Raises CERTIFICATES_DIFFER, STATE_DIFFERS or SD_HASH_MISMATCH."""
    match_certificates(entry, request)
    if len(answer) != len(entry.certificates):
        raise ProofError(
            ProofReason.CERTIFICATES_DIFFER,
            f"{len(answer)} answered, {len(entry.certificates)} logged",
        )
    pairs = list(zip(answer, entry.certificates, strict=True))
    for number, (given, logged) in enumerate(pairs, 1):
        if given.state != logged.state:
            raise ProofError(
                ProofReason.STATE_DIFFERS,
                f"certificate {number}: {given.state[:32]} given, {logged.state[:32]} logged",
            )
    for number, (given, logged) in enumerate(pairs, 1):
        if not _is_logged(given.presentation, logged.sd_hash):
            raise ProofError(ProofReason.SD_HASH_MISMATCH, f"certificate {number}")


def match_certificates(entry: ExchangeEntry, request: SentRequest) -> None:
    """The part of step 8 that needs no answer: the entry is about what was asked, in that order."""
    if len(entry.certificates) != len(request.certificates):
        raise ProofError(
            ProofReason.CERTIFICATES_DIFFER,
            f"{len(request.certificates)} asked, {len(entry.certificates)} logged",
        )
    pairs = zip(request.certificates, entry.certificates, strict=True)
    for number, (asked, logged) in enumerate(pairs, 1):
        other = asked.cert not in (None, logged.cert)
        if other or asked.vct != logged.vct:
            raise ProofError(ProofReason.CERTIFICATES_DIFFER, f"certificate {number}")


def check_time(entry: ExchangeEntry, request: SentRequest) -> None:
    """Step 9. Raises TIME_OUT_OF_WINDOW."""
    apart_us = abs(entry.time_us - request.issued_time_s * 1_000_000)
    if apart_us > TIME_WINDOW_US:
        raise ProofError(ProofReason.TIME_OUT_OF_WINDOW, f"{apart_us} microseconds apart")


def check_request_head(
    request: SentRequest, checkpoint: Checkpoint, consistency: Sequence[bytes]
) -> None:
    """Step 10: the log continues the head that the request named.

    Raises ORIGIN_WRONG, LOG_WENT_BACK, CONSISTENCY_LENGTH or CONSISTENCY_MISMATCH.
    """
    if request.log is None:
        if consistency:
            raise ProofError(ProofReason.CONSISTENCY_LENGTH, "the request named no head")
        return
    if request.log.origin != checkpoint.origin:
        raise ProofError(ProofReason.ORIGIN_WRONG, "the request named a head of another log")
    root = b64u_decode(request.log.root)
    check_consistency(request.log.size, root, checkpoint.size, checkpoint.root, consistency)


def open_upgrades(
    receipt: Receipt, index: int, checkpoint: Checkpoint, trust: LogTrust
) -> list[Checkpoint]:
    """Step 11: the later checkpoints, each continuing the one before.

    Raises LATER_INDEX and the reasons of steps 3 to 5 and of `check_consistency`.
    """
    opened: list[Checkpoint] = []
    before = checkpoint
    for upgrade in receipt.later:
        proof = parse_proof(upgrade.proof)
        later = open_checkpoint(proof.checkpoint, trust.origin, trust.log_keys, trust.witness_keys)
        if proof.index != index:
            raise ProofError(ProofReason.LATER_INDEX, f"{proof.index} for {index}")
        _check_entry(receipt, proof, later)
        check_consistency(before.size, before.root, later.size, later.root, upgrade.consistency)
        opened.append(later)
        before = later
    return opened


def grade_of(checkpoints: Sequence[Checkpoint], witnesses_min: int) -> Grade:
    """Step 12. Nobody's word is never `WITNESSED`: at least one witness must have cosigned."""
    witnesses = [item.witness for point in checkpoints for item in point.cosignatures]
    # Neither one name with two keys nor one key under two names counts twice.
    different = min(len({key.name for key in witnesses}), len({key.public for key in witnesses}))
    return Grade.WITNESSED if different >= max(witnesses_min, 1) else Grade.LOGGED


def witnessed_time(checkpoints: Sequence[Checkpoint], witnesses_min: int) -> int | None:
    """When (seconds) the last of the fewest witnesses that are demanded had cosigned.

    None where they are too few, judged as `grade_of` does.
    """
    if grade_of(checkpoints, witnesses_min) is not Grade.WITNESSED:
        return None
    first: dict[str, int] = {}
    for item in sorted(
        (item for point in checkpoints for item in point.cosignatures),
        key=lambda item: item.time_s,
    ):
        first.setdefault(item.witness.name, item.time_s)
    return sorted(first.values())[max(witnesses_min, 1) - 1]


def may_replace_head(stored: LogHead | None, verified: VerifiedReceipt) -> bool:
    """Step 13: whether the receipt's last head may take the place of `stored`.

    False for a head that is not larger, and for one that the receipt does not prove to follow
    `stored` (requests run in parallel): then ask for a consistency proof between the two first.
    Raises ProofError(CONSISTENCY_MISMATCH) where the log shows two roots at one size.
    """
    if stored is None:
        return True
    for head in (*verified.proven_from, verified.head):
        if head.origin == stored.origin and head.size == stored.size and head != stored:
            raise ProofError(ProofReason.CONSISTENCY_MISMATCH, "two roots at one size")
    return verified.head.size > stored.size and stored in verified.proven_from


def _check_entry(receipt: Receipt, proof: Proof, checkpoint: Checkpoint) -> None:
    leaf = entry_leaf(receipt.salt, receipt.body)
    check_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root)


def _receipt_members(data: bytes) -> dict[str, Json]:
    if len(data) > RECEIPT_BYTES_MAX:
        raise ProofError(ProofReason.RECEIPT_MALFORMED, f"more than {RECEIPT_BYTES_MAX} bytes")
    try:
        members = parse_object(data)
    except ProofError as error:
        raise ProofError(ProofReason.RECEIPT_MALFORMED, error.reason.value) from error
    if members.keys() - {"later"} != _RECEIPT_MEMBERS or type(members["v"]) is not int:
        raise ProofError(ProofReason.RECEIPT_MALFORMED, "members")
    if members["v"] != 1:
        raise ProofError(ProofReason.RECEIPT_VERSION, f"{members['v']}")
    return members


def _proof_member(members: dict[str, Json]) -> str:
    text = members["proof"]
    if not isinstance(text, str):
        raise ProofError(ProofReason.RECEIPT_MALFORMED, "proof")
    return text


def _upgrade(value: Json) -> Upgrade:
    if not isinstance(value, dict) or value.keys() - {"stamp"} != {"proof", "consistency"}:
        raise ProofError(ProofReason.RECEIPT_MALFORMED, "later")
    stamp = _base64url(value["stamp"]) if "stamp" in value else None
    if stamp is not None and len(stamp) > STAMP_BYTES_MAX:
        raise ProofError(ProofReason.RECEIPT_MALFORMED, f"more than {STAMP_BYTES_MAX} bytes")
    return Upgrade(_proof_member(value), _hashes(value["consistency"]), stamp)


def add_stamp(receipt: bytes, stamp: bytes) -> bytes:
    """The receipt with a time stamp over the last checkpoint that it holds: an upgrade with the
    same proof, since a checkpoint is consistent with itself. Raises as `parse_receipt`."""
    parsed = parse_receipt(receipt)
    members = dict(_receipt_members(receipt))
    later = members.get("later", [])
    assert isinstance(later, list), "parsed above"
    upgrade: Json = {"proof": last_proof(parsed), "consistency": [], "stamp": b64u(stamp)}
    stamped = emit_json({**members, "later": [*later, upgrade]})
    parse_receipt(stamped)
    return stamped


def last_proof(receipt: Receipt) -> str:
    """The proof in the last checkpoint that the receipt holds."""
    return receipt.later[-1].proof if receipt.later else receipt.proof


def _hashes(value: Json) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > PATH_MAX:
        raise ProofError(ProofReason.RECEIPT_MALFORMED, "consistency")
    hashes = tuple(_base64url(item) for item in value)
    if any(len(item) != HASH_BYTES for item in hashes):
        raise ProofError(ProofReason.RECEIPT_MALFORMED, "a hash that is not 32 bytes")
    return hashes


def _base64url(value: Json) -> bytes:
    if not isinstance(value, str):
        raise ProofError(ProofReason.BASE64_NOT_CANONICAL, "not text")
    try:
        return b64u_decode(value)
    except ProofError as error:
        raise ProofError(ProofReason.BASE64_NOT_CANONICAL) from error


def _is_logged(presentation: str | None, sd_hash: str | None) -> bool:
    if presentation is None or sd_hash is None:
        return presentation is None and sd_hash is None
    return presentation.endswith("~") and digest(presentation) == sd_hash


def _logged(value: Json) -> LoggedCertificate:
    if not isinstance(value, dict):
        raise ProofError(ProofReason.BODY_MALFORMED, "certificates")
    # What was given is named; otherwise nothing could be compared with it.
    if "sd_hash" in value and not value.keys() >= {"cert", "version"}:
        raise ProofError(ProofReason.BODY_MALFORMED, "sd_hash without cert and version")
    return LoggedCertificate(
        cert=_string(value, "cert") if "cert" in value else None,
        version=_integer(value, "version") if "version" in value else None,
        vct=_string(value, "vct"),
        state=_string(value, "state"),
        sd_hash=_string(value, "sd_hash") if "sd_hash" in value else None,
    )


def _asked(value: Json) -> RequestedCertificate:
    if not isinstance(value, dict):
        raise ProofError(ProofReason.REQUEST_NOT_MINE, "certificates")
    holder = value.get("holder")
    return RequestedCertificate(
        vct=_string(value, "vct"),
        fields=tuple(item for item in _list(value, "fields") if isinstance(item, str)),
        cert=_string(value, "cert") if "cert" in value else None,
        holder=Holder(_string(holder, "type"), _string(holder, "number"))
        if isinstance(holder, dict)
        else None,
    )


def _body_members(body: bytes) -> dict[str, Json]:
    try:
        return parse_object(body)
    except ProofError as error:
        raise ProofError(ProofReason.BODY_MALFORMED, error.reason.value) from error


def _check_version(members: dict[str, Json]) -> None:
    if type(members.get("v")) is not int or members["v"] != 1:
        raise ProofError(ProofReason.BODY_VERSION)


def _check_origin(members: dict[str, Json], origin: str) -> None:
    if members.get("origin") != origin:
        raise ProofError(ProofReason.BODY_ORIGIN, f"expected {origin}")


def _string(members: dict[str, Json], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise ProofError(ProofReason.BODY_MALFORMED, name)
    return value


def _integer(members: dict[str, Json], name: str) -> int:
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ProofError(ProofReason.BODY_MALFORMED, name)
    return value


def _object(members: dict[str, Json], name: str) -> dict[str, Json]:
    value = members.get(name)
    if not isinstance(value, dict):
        raise ProofError(ProofReason.BODY_MALFORMED, name)
    return value


def _list(members: dict[str, Json], name: str) -> list[Json]:
    value = members.get(name)
    if not isinstance(value, list):
        raise ProofError(ProofReason.BODY_MALFORMED, name)
    return value


def _has_null(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_has_null(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_null(item) for item in value)
    return value is None
