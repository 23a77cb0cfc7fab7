"""The X.509 certificate of a seal's key: is it this key's, and is it to be believed?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.encoding import b64
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError
from hub.proof.x509.chain import (
    X5C_MAX,
    check_x509_chain,
    load_sm2_chain,
    load_x509_chain,
    organisation,
)
from hub.proof.x509.sm2 import X509, check_chain, parse_x509
from hub.seal.algorithms import PublicKey
from hub.seal.seal_store import Key


@dataclass(frozen=True, slots=True)
class Anchors:
    """Who is believed to certify: keys of SM2 by use, all others by one list.

    `makers` vouch for keys that make seals and for no others, so that nobody whom a seal names as
    its signer can make one.
    """

    seals: Sequence[x509.Certificate]
    sm2_seals: Sequence[X509] = ()
    makers: Sequence[X509] = ()


@dataclass(frozen=True, slots=True)
class Certified:
    """A chain that was accepted, and from when until when its leaf is in force (microseconds)."""

    x509_chain: tuple[bytes, ...]
    not_before_us: int
    not_after_us: int


def certified(key: Key, x509_chain: tuple[bytes, ...], anchors: Anchors, at_us: int) -> Certified:
    """`x509_chain` (DER, leaf first, without the root) for `key`.

    1. The leaf's key is this key. 2. Its organizationIdentifier is the credit code of the key's
    authority. 3. It may sign and leads to an anchor for this use, all in force at `at_us`. Raises
    HubError(X509_UNTRUSTED) with the rule.
    """
    if not 1 <= len(x509_chain) <= X5C_MAX:
        raise _untrusted(f"a chain of 1 to {X5C_MAX} certificates, leaf first, without the root")
    check = _check_sm2 if key.algorithm is KeyAlgorithm.SM2 else _check
    try:
        not_before, not_after = check(key, x509_chain, anchors, at_us // 1_000_000)
    except ProofError as error:
        raise _untrusted(TEXTS[error.reason].en) from error
    return Certified(x509_chain, not_before * 1_000_000, not_after * 1_000_000)


def _check(key: Key, x509_chain: tuple[bytes, ...], anchors: Anchors, at: int) -> tuple[int, int]:
    chain = load_x509_chain([b64(der) for der in x509_chain])
    try:
        spki = chain[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError as error:
        raise _untrusted("its key cannot be read") from error
    _check_subject(key, spki, organisation(chain[0]) or "")
    check_x509_chain(chain, anchors.seals, at=at)
    leaf = chain[0]
    return int(leaf.not_valid_before_utc.timestamp()), int(leaf.not_valid_after_utc.timestamp())


def _check_sm2(
    key: Key, x509_chain: tuple[bytes, ...], anchors: Anchors, at: int
) -> tuple[int, int]:
    if key.use is KeyUse.RECORD:
        # What stands in `x5c`, which holds no root.
        load_sm2_chain([b64(der) for der in x509_chain])
    leaf, *others = [parse_x509(der) for der in x509_chain]
    if leaf.key is None:
        raise _untrusted("the key is not the one made here")
    _check_subject(key, leaf.key.to_spki(), leaf.organization_identifier)
    pinned = anchors.makers if key.use is KeyUse.MAKER else anchors.sm2_seals
    check_chain(leaf, others, pinned, at=at)
    return leaf.not_before, leaf.not_after


def _check_subject(key: Key, spki: bytes, organization_identifier: str) -> None:
    try:
        kid = PublicKey.from_spki(spki).kid
    except HubError as error:
        raise _untrusted("its key is of no algorithm that seals") from error
    if kid != key.kid:
        raise _untrusted("the key is not the one made here")
    if organization_identifier != key.authority_uscc:
        raise _untrusted("organizationIdentifier is not the authority's credit code")


def _untrusted(rule: str) -> HubError:
    return HubError(Reason.X509_UNTRUSTED, profile="seal", rule=rule)
