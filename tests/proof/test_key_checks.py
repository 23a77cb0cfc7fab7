"""Compromised keys and ended algorithms: what counts for the time before, and what does not."""

from __future__ import annotations

import pytest

from hub.proof.key_checks import check_key
from hub.proof.log.note import Checkpoint, Cosignature, KeyType, VerifierKey
from hub.proof.log.receipt import witnessed_time
from hub.proof.moment import Basis, Moment, Times
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.trust import AlgorithmEnd, Compromise, Trust

END = 1_000
KEY = "k" * 43
COMPROMISED = Trust("o", "", compromised=(Compromise(KEY, 2_000), Compromise(KEY, END)))
ENDED = Trust("o", "", algorithms=(AlgorithmEnd("SM2", END),))
LATER = Moment(5_000, Basis.NOW)

CASES = [
    (Times(signed=999), "open"),
    (Times(signed=1_000), "ended"),
    (Times(), "open"),
    (Times(signed=999, stamped=999), "good"),
    (Times(signed=999, stamped=1_000), "open"),
    (Times(signed=1_000, stamped=1_000), "ended"),
    (Times(signed=999, witnessed=999), "good"),
    (Times(signed=999, witnessed=1_500, stamped=999), "good"),
    # The hub may have helped to antedate it.
    (Times(signed=999, logged=999), "open"),
    # A proof from outside is older than what the signer says: it existed by then.
    (Times(signed=1_500, stamped=999), "good"),
]


def outcome(trust: Trust, times: Times, reader: Moment = LATER) -> ProofReason | None:
    try:
        check_key(trust, KEY, "SM2", times, reader)
    except ProofError as error:
        open_ends = (ProofReason.COMPROMISE_OPEN, ProofReason.ALGORITHM_END_OPEN)
        assert (error.verdict is Verdict.CANNOT_CHECK) == (error.reason in open_ends)
        return error.reason
    return None


@pytest.mark.parametrize(("times", "expected"), CASES)
def test_a_compromised_key_is_believed_where_somebody_outside_vouches(
    times: Times, expected: str
) -> None:
    """Of two declarations the earlier counts; after it *compromised*, else *cannot check*."""
    reasons = {
        "good": None,
        "ended": ProofReason.KEY_COMPROMISED,
        "open": ProofReason.COMPROMISE_OPEN,
    }

    assert outcome(COMPROMISED, times) is reasons[expected]


@pytest.mark.parametrize(("times", "expected"), CASES)
def test_an_ended_algorithm_is_judged_alike(times: Times, expected: str) -> None:
    """Whoever can forge can antedate."""
    reasons = {
        "good": None,
        "ended": ProofReason.ALGORITHM_ENDED,
        "open": ProofReason.ALGORITHM_END_OPEN,
    }

    assert outcome(ENDED, times) is reasons[expected]


def test_an_algorithm_ends_by_the_readers_clock_and_a_compromise_for_every_moment() -> None:
    """Before its end an algorithm is good; that a key is known to be stolen is never unlearned."""
    before = Moment(999, Basis.AS_OF)

    assert outcome(ENDED, Times(signed=900), before) is None
    assert outcome(COMPROMISED, Times(signed=900), before) is ProofReason.COMPROMISE_OPEN


def test_other_keys_and_algorithms_are_not_concerned() -> None:
    """A declaration is about the key that it names."""
    check_key(COMPROMISED, "x" * 43, "SM2", Times(signed=2_000), LATER)
    check_key(ENDED, KEY, "ES256", Times(signed=2_000), LATER)


def witness(name: str, public: bytes, time_s: int) -> Cosignature:
    return Cosignature(VerifierKey(name, KeyType.WITNESS, public), time_s)


@pytest.mark.parametrize(
    ("cosigned", "witnesses_min", "time"),
    [
        ([("a", 30)], 0, 30),
        ([("a", 30), ("b", 20)], 1, 20),
        ([("a", 30), ("b", 20)], 2, 30),
        ([("a", 30), ("a", 20)], 2, None),
        ([("a", 40), ("b", 20), ("a", 10), ("c", 30)], 2, 20),
        ([], 0, None),
    ],
)
def test_a_time_is_witnessed_when_the_last_of_those_demanded_had_cosigned(
    cosigned: list[tuple[str, int]], witnesses_min: int, time: int | None
) -> None:
    """One witness counts once, by its first cosignature."""
    point = Checkpoint(
        "hub.test",
        1,
        bytes(32),
        tuple(witness(name, name.encode() * 32, time_s) for name, time_s in cosigned),
    )

    assert witnessed_time([point], witnesses_min) == time


def test_without_a_trust_file_nobody_knows_of_a_key() -> None:
    """Not known to be stolen is not known to be good."""
    with pytest.raises(ProofError) as refused:
        check_key(Trust("", ""), KEY, "SM2", Times(signed=999), LATER)

    assert refused.value.reason is ProofReason.NO_TRUST
    assert refused.value.verdict is Verdict.CANNOT_CHECK
