"""Standing intents: nothing is sealed without two officers, and nobody counts twice."""

from __future__ import annotations

import dataclasses

import pytest

from hub.clock import now_us
from hub.domain.record import SealingOrder
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, digest, parse_object
from hub.proof.officers.approval import Decision, intent_digest
from hub.proof.officers.intent import parse_intent
from hub.proof.officers.intent_kinds import KINDS
from hub.proof.sealing.records import standing_intent
from hub.registry.decide import Outcome
from hub.seal.signer import Signer
from hub.seal.store import INSERT_INTENT, IntentState, StoredIntent, intent_row
from hub.storage.statements import Write
from tests.ledger.logs import entry
from tests.registry.office import (
    AUTHORITY,
    LICENCE,
    MANIFEST,
    OFFICERS,
    ORIGIN,
    REGION,
    USCC,
    Office,
    licence,
)

FIRST, SECOND, THIRD = OFFICERS
NAME = "intents/licences"


async def refusal_of(office: Office) -> Reason:
    with pytest.raises(HubError) as caught:
        await office.deliver([licence(1)])
    assert await office.count("seal_signatures") == 0
    return caught.value.reason


async def test_the_bytes_that_officers_sign_say_everything(office: Office) -> None:
    """Seal, authority, type, version and uses stand in the bytes; the digest is over them."""
    view = await office.propose(uses_max=7, manifest=MANIFEST)

    said = parse_object(view.stored.bytes)

    assert said["kind"] == "standing-seal"
    assert (said["origin"], said["region"]) == (ORIGIN, REGION)
    assert said["seal"] == f"{AUTHORITY}/seals/main"
    assert said["authority"] == USCC
    assert said["vct"] == f"https://{ORIGIN}/vct/{LICENCE}"
    assert (said["type_version"], said["uses_max"]) == (1, 7)
    assert (said["manifest"], said["requester"]) == (MANIFEST, FIRST)
    assert view.stored.digest == b64u(intent_digest(view.stored.bytes))
    assert view.intent.requester == FIRST


async def test_two_approvals_put_it_in_force(office: Office) -> None:
    """One is not enough; with the second, rows are sealed."""
    await office.propose()
    await office.decide(SECOND, NAME)
    assert (await office.intents.get(NAME)).stored.state is IntentState.PROPOSED
    assert await refusal_of(office) is Reason.INTENT_NOT_APPROVED

    await office.decide(THIRD, NAME)

    view = await office.intents.get(NAME)
    assert view.stored.state is IntentState.APPROVED
    assert [approval.officer for approval in view.approvals] == [SECOND, THIRD]
    assert (await office.deliver([licence(1)])).results[0].outcome is Outcome.NEW
    assert (await office.intents.get(NAME)).uses == 1


async def test_the_requester_does_not_decide(office: Office) -> None:
    """Not even a challenge is given to who proposed it."""
    await office.propose()

    with pytest.raises(HubError) as caught:
        await office.decisions.challenge(FIRST, NAME)

    assert caught.value.reason is Reason.APPROVER_REFUSED


async def test_the_same_officer_approves_once(office: Office) -> None:
    """A second approval by the same officer is refused; a rejection after it ends the intent."""
    await office.propose()
    await office.decide(SECOND, NAME)

    with pytest.raises(HubError) as caught:
        await office.decide(SECOND, NAME)

    assert caught.value.reason is Reason.APPROVER_REFUSED
    assert (await office.intents.get(NAME)).stored.state is IntentState.PROPOSED
    await office.decide(SECOND, NAME, Decision.REJECT)
    assert (await office.intents.get(NAME)).stored.state is IntentState.REJECTED


async def test_a_rejection_ends_it(office: Office) -> None:
    """After one rejection nobody can approve any more."""
    await office.propose()
    await office.decide(SECOND, NAME, Decision.REJECT)

    with pytest.raises(HubError) as caught:
        await office.decisions.challenge(THIRD, NAME)

    assert caught.value.reason is Reason.INTENT_CLOSED
    assert (await office.intents.get(NAME)).stored.state is IntentState.REJECTED


async def test_a_nonce_serves_once(office: Office) -> None:
    """A used nonce, or a signed approval that failed, cannot be sent again."""
    await office.propose()
    wrong = await office.signed_approval(SECOND, NAME, origin="hub.ningbo.example")
    with pytest.raises(HubError) as caught:
        await office.decisions.decide(office.call(SECOND), NAME, wrong, lambda _: b"")
    assert caught.value.details["rule"] == "ORIGIN_WRONG"

    with pytest.raises(HubError) as caught:
        await office.decisions.decide(office.call(SECOND), NAME, wrong, lambda _: b"")

    assert caught.value.details["rule"] == "NONCE_MISMATCH"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"nonce": bytes(32)}, "NONCE_MISMATCH"),
        ({"intent": bytes(32)}, "INTENT_MISMATCH"),
        ({"officer": THIRD}, "OFFICER_MISMATCH"),
        ({"not_after": 1}, "EXPIRED"),
        ({"not_after": 4102444800}, "EXP_TOO_FAR"),
        ({"key_entry": 999}, "CLAIM_INVALID"),
    ],
)
async def test_an_approval_that_says_something_else_is_refused(
    office: Office, changes: dict[str, object], rule: str
) -> None:
    """The exact rule; no entry, no approval stored."""
    await office.propose()
    approval = await office.signed_approval(SECOND, NAME, **changes)
    size = office.recorder.head().size

    with pytest.raises(HubError) as caught:
        await office.decisions.decide(office.call(SECOND), NAME, approval, lambda _: b"")

    assert caught.value.reason is Reason.APPROVAL_INVALID
    assert caught.value.details["rule"] == rule
    assert office.recorder.head().size == size
    assert (await office.intents.get(NAME)).approvals == ()


async def test_anothers_approval_is_not_mine(office: Office) -> None:
    """An officer cannot send in what another one signed."""
    await office.propose()
    await office.decisions.challenge(SECOND, NAME)
    approval = await office.signed_approval(THIRD, NAME)

    with pytest.raises(HubError) as caught:
        await office.decisions.decide(office.call(SECOND), NAME, approval, lambda _: b"")

    assert caught.value.reason is Reason.APPROVAL_INVALID


async def test_a_call_repeated_is_answered_alike(office: Office) -> None:
    """Same id and content: first answer and receipt; other content is refused."""
    await office.propose()
    approval = await office.signed_approval(SECOND, NAME)
    call = office.call(SECOND)
    first = await office.decisions.decide(call, NAME, approval, lambda view: view.stored.bytes)

    again = await office.decisions.decide(call, NAME, approval, lambda _: b"other")

    assert again == first
    with pytest.raises(HubError) as caught:
        other = dataclasses.replace(call, content=digest("other"))
        await office.decisions.decide(other, NAME, approval, lambda _: b"")
    assert caught.value.reason is Reason.REQUEST_ID_REUSED


async def test_a_row_in_the_database_cannot_seal(office: Office) -> None:
    """An intent marked approved by whoever writes to the database has no approvals to verify."""
    view = await office.propose("real")
    forged = dataclasses.replace(
        view.stored, name="intents/forged", digest="x", state=IntentState.APPROVED, decisions=2
    )
    await office.recorder.record(entry(), [Write(INSERT_INTENT, [intent_row(forged)])], [])

    assert await refusal_of(office) is Reason.INTENT_NOT_APPROVED


async def test_uses_end_with_the_number_approved(office: Office) -> None:
    """Three uses: a batch of two fits, another of two does not, one of one does."""
    await office.propose(uses_max=3)
    for officer in (SECOND, THIRD):
        await office.decide(officer, NAME)
    await office.deliver([licence(1), licence(2)])

    with pytest.raises(HubError) as caught:
        await office.deliver([licence(3), licence(4)])
    await office.deliver([licence(3)])

    assert caught.value.reason is Reason.INTENT_EXHAUSTED
    assert (await office.intents.get(NAME)).uses == 3


async def test_only_the_manifest_approved_is_sealed(office: Office) -> None:
    """An intent may name the connector's manifest; a batch under another one is refused."""
    await office.propose(manifest=digest("another manifest"))
    for officer in (SECOND, THIRD):
        await office.decide(officer, NAME)

    assert await refusal_of(office) is Reason.INTENT_NOT_APPROVED


async def approved(office: Office) -> tuple[StoredIntent, list[str]]:
    await office.propose()
    for officer in (SECOND, THIRD):
        await office.decide(officer, NAME)
    view = await office.intents.get(NAME)
    return view.stored, [one.approval for one in view.approvals]


async def test_the_signer_counts_for_itself(office: Office) -> None:
    """Bytes, officers, time and content: each difference is refused by the signer alone."""
    intent, given = await approved(office)
    now = now_us()

    def signer(time_us: int = now, origin: str = ORIGIN) -> Signer:
        return Signer(
            origin,
            REGION,
            lambda: time_us,
            lambda: office.rosters.newest,
            office.identities.key,
            lambda _: None,
        )

    said = standing_intent(NAME, parse_intent(intent.bytes, KINDS))
    assert signer().approve(NAME, intent.bytes, given).intent == said
    for attempt in (
        lambda: signer().approve(NAME, intent.bytes, given[:1]),
        lambda: signer().approve(NAME, intent.bytes, [given[0], given[0]]),
        lambda: signer().approve(NAME, intent.bytes.replace(b"1000000", b"9000000"), given),
        lambda: signer().approve(NAME, intent.bytes + b" ", given),
        lambda: signer(now + 3600 * 1_000_000).approve(NAME, intent.bytes, given),
        lambda: signer(origin="hub.ningbo.example").approve(NAME, intent.bytes, given),
        lambda: signer().approve(NAME, b'{"v":1}', given),
    ):
        with pytest.raises(HubError) as caught:
            attempt()
        assert caught.value.reason is Reason.INTENT_NOT_APPROVED


async def test_an_approval_ends_when_it_says(office: Office) -> None:
    """The signer caches what it verified, and still looks at the clock every time."""
    intent, given = await approved(office)
    time_us = [now_us()]
    signer = Signer(
        ORIGIN,
        REGION,
        lambda: time_us[0],
        lambda: office.rosters.newest,
        office.identities.key,
        lambda _: None,
    )
    signer.approve(NAME, intent.bytes, given)

    time_us[0] += 3600 * 1_000_000

    with pytest.raises(HubError, match="not in force"):
        signer.approve(NAME, intent.bytes, given)


@pytest.mark.parametrize(
    "changes",
    [
        {"authority_uscc": "91330100MADEM0011P"},
        {"vct": f"https://{ORIGIN}/vct/other"},
        {"type_version": 2},
    ],
)
async def test_an_order_that_differs_from_the_intent_is_refused(
    office: Office, changes: dict[str, object]
) -> None:
    """Authority, type and version are compared with what was approved."""
    intent, given = await approved(office)
    signer = office.record_seals.signer
    allowed = signer.approve(NAME, intent.bytes, given)
    order = SealingOrder(
        authority=AUTHORITY,
        authority_uscc=USCC,
        type_code=LICENCE,
        vct=office.catalogue.vct(LICENCE),
        type_version=1,
        integrity="sha256-x",
        digests_n=16,
        manifest=MANIFEST,
        batch="b",
        rows_n=1,
        root_jws="",
        rows=(),
    )
    signer.check(allowed, order, 1, 0)

    with pytest.raises(HubError) as caught:
        signer.check(allowed, dataclasses.replace(order, **changes), 1, 0)  # type: ignore[arg-type]

    assert caught.value.reason is Reason.INTENT_NOT_APPROVED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uses_max": 0}, "uses_max"),
        ({"uses_max": 1_000_000_001}, "uses_max"),
        ({"not_after": 1}, "expire_time"),
        ({"manifest": "short"}, "manifest"),
        ({"intent_id": "X"}, "intent_id"),
    ],
)
async def test_a_proposal_out_of_bounds_is_refused(
    office: Office, changes: dict[str, object], field: str
) -> None:
    """The field is named; nothing is stored."""
    before = await office.count("seal_intents")

    with pytest.raises(HubError) as caught:
        await office.propose(**({"intent_id": "licences"} | changes))  # type: ignore[arg-type]

    assert caught.value.details["field"] == field
    assert await office.count("seal_intents") == before
