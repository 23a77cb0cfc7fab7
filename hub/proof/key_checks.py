"""Was the key, and was its algorithm, still good when this was signed?

Both ends are judged alike: once a key is in other hands, or an algorithm is broken, whoever signs
writes whatever signing time he likes. So only a proof from outside counts for the time before.
"""

from __future__ import annotations

import hashlib

from hub.proof.encoding import b64u
from hub.proof.moment import Moment, Times, iso_time
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.trust import Trust


def key_digest(spki: bytes) -> str:
    """What a trust file calls a key: the digest of its SubjectPublicKeyInfo (DER), base64url."""
    return b64u(hashlib.sha256(spki).digest())


def check_key(trust: Trust, key: str, algorithm: str, times: Times, reader: Moment) -> None:
    """The key was not declared compromised, nor its algorithm ended, before the signature was made.

    `key` is a `key_digest`, `algorithm` a name as in `KeyAlgorithm`. Raises
    ProofError(KEY_COMPROMISED or ALGORITHM_ENDED), and COMPROMISE_OPEN or ALGORITHM_END_OPEN as
    *cannot check* where nobody outside vouches that the signature is older. A compromise counts
    whatever moment the reader asks about; an algorithm that ends later than that has not ended.
    """
    since = trust.compromised_from(key)
    if since is not None:
        _check_before(
            since, times, ended=ProofReason.KEY_COMPROMISED, unproven=ProofReason.COMPROMISE_OPEN
        )
    until = trust.algorithm_until(algorithm)
    if until is not None and until <= reader.time:
        _check_before(
            until,
            times,
            ended=ProofReason.ALGORITHM_ENDED,
            unproven=ProofReason.ALGORITHM_END_OPEN,
        )


def _check_before(end: int, times: Times, *, ended: ProofReason, unproven: ProofReason) -> None:
    if times.outside is not None and times.outside < end:
        return
    if times.signed is not None and times.signed >= end:
        raise ProofError(ended, iso_time(end))
    raise ProofError(unproven, iso_time(end), verdict=Verdict.CANNOT_CHECK)
