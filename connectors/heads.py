"""The last head of the log that a client has seen: kept beside its profile, never turned back.

A hub that shows one log to some and another to others is caught by clients that compare each head
with the one before (formats-ledger.md §6, step 13).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from certs.files import PRIVATE, locked, write_replacing
from connectors.client import HubClient
from connectors.profile import Profile, read_bounded
from hub.errors import HubError, Reason
from hub.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from hub.proof.encoding import b64u_decode, emit_json, parse_object
from hub.proof.jose import LogHead, log_head
from hub.proof.log.merkle import check_consistency
from hub.proof.log.receipt import VerifiedReceipt, may_replace_head
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.trust import TRUST_BYTES_MAX, Trust, parse_trust

HEAD_BYTES_MAX: Final = 1024


def read_trust(profile: Profile) -> Trust:
    """What the profile's reader has pinned. Raises ProofError(TRUST_MALFORMED) or (ORIGIN_WRONG)
    as *cannot check* and *invalid*, HubError(FILE_UNREADABLE)."""
    trust = parse_trust(read_bounded(profile.trust, TRUST_BYTES_MAX, "trust"))
    if (trust.origin, trust.region) != (profile.origin, profile.region):
        raise ProofError(ProofReason.ORIGIN_WRONG, f"{profile.trust.name} is of {trust.origin}")
    return trust


def kept_head(profile: Profile) -> LogHead | None:
    """The head that was kept, or None at first contact.

    Raises HubError(FILE_UNREADABLE): a damaged file is never taken for first contact.
    """
    file = _file(profile)
    if not file.exists():
        return None
    try:
        head = log_head({"log": parse_object(read_bounded(file, HEAD_BYTES_MAX, "log head"))})
    except ProofError as error:
        rule = f"is damaged ({error.reason.value}); restore it from a backup"
        raise HubError(Reason.FILE_UNREADABLE, what="log head", path=file, rule=rule) from error
    return head


def keep_proven_head(profile: Profile, verified: VerifiedReceipt) -> LogHead | None:
    """Keep the receipt's head where it is proven to follow the kept one; what is kept now.

    Asks nobody: where another request moved the kept head on meanwhile, it stays.
    """
    with _lock(profile):
        stored = kept_head(profile)
        if may_replace_head(stored, verified):
            _keep(profile, verified.head)
            return verified.head
        return stored


def keep_receipt_head(client: HubClient, verified: VerifiedReceipt) -> None:
    """Keep the receipt's head where it is larger than the kept one and proven to follow it.

    Where another request moved the kept head on meanwhile, the hub must prove the step between the
    two. Raises ProofError where it cannot: both heads are then evidence and the old one stays.
    """
    with _lock(client.profile):
        stored = kept_head(client.profile)
        if may_replace_head(stored, verified):
            _keep(client.profile, verified.head)
        elif stored is not None and verified.head.size > stored.size:
            check_follows(client, stored, verified.head)
            _keep(client.profile, verified.head)


def keep_checkpoint_head(client: HubClient, before: LogHead | None, head: LogHead) -> None:
    """As `keep_receipt_head`, for the head of a checkpoint opened with the pinned keys; `before` is
    the head kept when the checkpoint was asked for.

    Raises ProofError(LOG_WENT_BACK) where the checkpoint is smaller than that.
    """
    if before is not None:
        check_follows(client, before, head)
    with _lock(client.profile):
        stored = kept_head(client.profile)
        if stored is not None and stored.size > head.size:
            # Another call has moved on meanwhile; both must still be of one log.
            check_follows(client, head, stored)
            return
        if stored is not None and stored != before:
            check_follows(client, stored, head)
        _keep(client.profile, head)


def check_follows(client: HubClient, older: LogHead, newer: LogHead) -> None:
    """The hub proves that `newer` continues `older`. Raises ProofError where it does not."""
    if older.origin != newer.origin:
        raise ProofError(ProofReason.ORIGIN_WRONG, newer.origin)
    hashes: tuple[bytes, ...] = ()
    if older.size < newer.size:
        stub = ledger_pb2_grpc.LedgerServiceStub(client.channel)
        answer: ledger_pb2.GetConsistencyProofResponse = client.call(
            stub.GetConsistencyProof,
            ledger_pb2.GetConsistencyProofRequest(old_size=older.size, new_size=newer.size),
        )
        hashes = tuple(answer.hashes)
    check_consistency(
        older.size, b64u_decode(older.root), newer.size, b64u_decode(newer.root), hashes
    )


def _keep(profile: Profile, head: LogHead) -> None:
    write_replacing(_file(profile), emit_json(head.claim()), mode=PRIVATE)


def _lock(profile: Profile) -> AbstractContextManager[None]:
    return locked(profile.folder / ".log-head.lock")


def _file(profile: Profile) -> Path:
    return profile.folder / "log-head.json"
