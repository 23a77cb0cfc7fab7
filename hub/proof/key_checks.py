"""Was the key, and was its algorithm, still good when this was signed? And who kept it?

Both ends are judged alike: once a key is in other hands, or an algorithm is broken, whoever signs
writes whatever signing time he likes. So only a proof from outside counts for the time before.
"""

from __future__ import annotations

import hashlib
from typing import Final

from hub.domain.certificate import Custody
from hub.proof.encoding import b64u
from hub.proof.moment import Moment, Times, iso_time
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import FactName, Remark
from hub.proof.run import Run
from hub.proof.trust import Trust

UNVERIFIED: Final = "unverified"
"""What a report says of the custody of a key that nobody vouches for."""
BY_HUB: Final = (Custody.HUB_FILE, Custody.HUB_HSM)


def key_digest(spki: bytes) -> str:
    """What a trust file calls a key: the digest of its SubjectPublicKeyInfo (DER), base64url."""
    return b64u(hashlib.sha256(spki).digest())


def check_key(trust: Trust, key: str, algorithm: str, times: Times, reader: Moment) -> None:
    """The key was not declared compromised, nor its algorithm ended, before the signature was made.

    `key` is a `key_digest`, `algorithm` a name as in `KeyAlgorithm`. Raises
    ProofError(KEY_COMPROMISED or ALGORITHM_ENDED), and COMPROMISE_OPEN or ALGORITHM_END_OPEN as
    *cannot check* where nobody outside vouches that the signature is older. A compromise counts
    whatever moment the reader asks about; an algorithm that ends later than that has not ended.
    Without a trust file nobody knows: NO_TRUST, *cannot check*.
    """
    if not trust.origin:
        raise ProofError(ProofReason.NO_TRUST, verdict=Verdict.CANNOT_CHECK)
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


def note_custody(run: Run, trust: Trust, key: str) -> None:
    """Say who kept the key of this `key_digest`, which has signed: whatever signed it names nobody,
    so it is what the trust file says of the key, and *unverified* of a stranger's."""
    custody = trust.custody_of(key)
    run.fact(FactName.CUSTODY, UNVERIFIED if custody is None else custody.value)
    if custody in BY_HUB:
        run.remark(Remark.SEALED_BY_HUB)


def _check_before(end: int, times: Times, *, ended: ProofReason, unproven: ProofReason) -> None:
    if times.outside is not None and times.outside < end:
        return
    if times.signed is not None and times.signed >= end:
        raise ProofError(ended, iso_time(end))
    raise ProofError(unproven, iso_time(end), verdict=Verdict.CANNOT_CHECK)
