"""The steps of seals and keys, whole: every verb in every state."""

from __future__ import annotations

import pytest

from hub.domain.seal_states import (
    KEY_STEPS,
    SEAL_STEPS,
    KeyState,
    KeyVerb,
    SealState,
    SealVerb,
    key_step,
    seal_step,
)

# verb, state before, state after. What is not listed may not be done.
SEAL_ALLOWED = {
    (SealVerb.MAKE, SealState.APPLIED, SealState.ACTIVE),
    (SealVerb.IMPORT, SealState.ACTIVE, SealState.ACTIVE),
    (SealVerb.RENEW, SealState.ACTIVE, SealState.ACTIVE),
    (SealVerb.SUSPEND, SealState.ACTIVE, SealState.SUSPENDED),
    (SealVerb.RESUME, SealState.SUSPENDED, SealState.ACTIVE),
    (SealVerb.REVOKE, SealState.APPLIED, SealState.REVOKED),
    (SealVerb.REVOKE, SealState.ACTIVE, SealState.REVOKED),
    (SealVerb.REVOKE, SealState.SUSPENDED, SealState.REVOKED),
    (SealVerb.END, SealState.APPLIED, SealState.ENDED),
    (SealVerb.END, SealState.ACTIVE, SealState.ENDED),
    (SealVerb.END, SealState.SUSPENDED, SealState.ENDED),
}
KEY_ALLOWED = {
    (KeyVerb.ACTIVATE, KeyState.REQUESTED, KeyState.ACTIVE),
    (KeyVerb.ACTIVATE, KeyState.ACTIVE, KeyState.ACTIVE),
    (KeyVerb.ROTATE, KeyState.REQUESTED, KeyState.ACTIVE),
    (KeyVerb.RETIRE, KeyState.ACTIVE, KeyState.RETIRED),
    (KeyVerb.DESTROY, KeyState.REQUESTED, KeyState.DESTROYED),
    (KeyVerb.DESTROY, KeyState.RETIRED, KeyState.DESTROYED),
    (KeyVerb.DESTROY, KeyState.COMPROMISED, KeyState.DESTROYED),
    (KeyVerb.COMPROMISE, KeyState.ACTIVE, KeyState.COMPROMISED),
    (KeyVerb.COMPROMISE, KeyState.RETIRED, KeyState.COMPROMISED),
    (KeyVerb.COMPROMISE, KeyState.DESTROYED, KeyState.COMPROMISED),
    (KeyVerb.COMPROMISE, KeyState.COMPROMISED, KeyState.COMPROMISED),
}


@pytest.mark.parametrize("verb", SealVerb)
@pytest.mark.parametrize("state", SealState)
def test_a_seal_goes_only_where_the_table_leads(verb: SealVerb, state: SealState) -> None:
    """Every pair of verb and state."""
    after = {to for done, before, to in SEAL_ALLOWED if (done, before) == (verb, state)}

    assert {seal_step(verb, state)} == (after or {None})


@pytest.mark.parametrize("verb", KeyVerb)
@pytest.mark.parametrize("state", KeyState)
def test_a_key_goes_only_where_the_table_leads(verb: KeyVerb, state: KeyState) -> None:
    """Every pair of verb and state."""
    after = {to for done, before, to in KEY_ALLOWED if (done, before) == (verb, state)}

    assert {key_step(verb, state)} == (after or {None})


def test_every_verb_has_steps_and_what_has_ended_stays_so() -> None:
    """Nothing leads out of revoked or ended, and a destroyed key can only turn out stolen."""
    assert set(SEAL_STEPS) == set(SealVerb)
    assert set(KEY_STEPS) == set(KeyVerb)
    for state in (SealState.REVOKED, SealState.ENDED):
        assert all(seal_step(verb, state) is None for verb in SealVerb)
    found = {verb for verb in KeyVerb if key_step(verb, KeyState.DESTROYED) is not None}
    assert found == {KeyVerb.COMPROMISE}
