"""Changes of state on every engine: what is stored, shown, checked, and refused whole."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.domain.caller import Caller, Role
from hub.domain.certificate import Cause, Grade, State, Verb
from hub.domain.crypto import CryptoProfile
from hub.domain.holder import Holder
from hub.domain.on_file import OnFile
from hub.domain.row import Op
from hub.domain.ruling import Ruling
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.proof.records.status_list import Status
from hub.registry.change_state import (
    ChangeState,
    ConfirmCertificate,
    Order,
    Transitions,
)
from hub.registry.decide import Outcome
from hub.registry.feed_store import CHANGES_AFTER, ChangeKind, change_of
from hub.registry.on_file import OnFileReader
from hub.registry.search import Filter
from hub.registry.store import CertificateView, etag_of
from hub.seal.record_seals import SealedBatch
from hub.storage.changes import Answered, Call
from tests.contracts.test_certificate_store import places, status
from tests.registry.office import (
    AUTHORITY,
    LICENCE,
    LICENCE_TYPE,
    OFFICERS,
    USCC,
    Office,
    licence,
    open_office,
    uscc,
)

DEPARTMENT = Caller("systems/market-1", Role.DEPARTMENT, AUTHORITY, USCC, 1, "", 1)
OTHER = Caller("systems/other-1", Role.DEPARTMENT, "authorities/other", "x", 1, "", 1)
RULING = Ruling("食品安全法 第一百二十二条", "杭市监罚〔2026〕12号", "2026-01-05")


@pytest.fixture(params=list(CryptoProfile))
async def office(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> AsyncIterator[Office]:
    async with open_office(database_url, tmp_path, request.param) as opened:
        await opened.open_for(LICENCE_TYPE)
        yield opened


async def department() -> Caller:
    return DEPARTMENT


def change(office: Office, *, time_us: int = 0) -> ChangeState[SealedBatch]:
    return ChangeState(
        (lambda: time_us) if time_us else now_us,
        office.database,
        office.recorder,
        office.identities,
        office.record_seals,
        department,
    )


async def view(office: Office, name: str) -> CertificateView:
    return await office.search.get(office.officer(OFFICERS[0]), AUTHORITY, name.rpartition("/")[2])


async def order(office: Office, name: str, verb: Verb, **changes: object) -> Order:
    """An order about the certificate as it is now."""
    seen = await view(office, name)
    values: dict[str, object] = {
        "verb": verb,
        "authority": AUTHORITY,
        "certificate_id": name.rpartition("/")[2],
        "etag": etag_of(seen.identifier, seen.state_entry),
        "ruling": RULING,
    }
    return Order(**(values | changes))  # type: ignore[arg-type]


async def on_file(office: Office) -> OnFile:
    """What a plan reads of the first licence."""
    reader = OnFileReader(office.database, office.data_keys, office.reader.holder_keys)
    wanted = (Holder("001", uscc(1)), LICENCE)
    ((found,),) = (await reader.find({wanted: frozenset()})).values()
    return found


def call(caller: Caller = DEPARTMENT, request_id: str = "") -> Call:
    request_id = request_id or str(uuid.uuid4())
    return Call(caller, request_id, "/m", digest(request_id))


async def done(office: Office, name: str, verb: Verb, **ruling: object) -> Answered:
    given = dataclasses.replace(RULING, **ruling)  # type: ignore[arg-type]
    return await change(office)(
        call(), await order(office, name, verb, ruling=given), lambda one: one.state.encode()
    )


async def test_each_verb_is_one_entry_and_shown_to_everybody(office: Office) -> None:
    """Suspend, resume, revoke, deregister, restore: state, status list, history agree."""
    first = (await office.deliver([licence(1)])).results[0]
    place = (await places(office, 1))[0]
    seen = []
    steps: list[tuple[Verb, dict[str, object]]] = [
        (Verb.SUSPEND, {}),
        (Verb.RESUME, {}),
        (Verb.REVOKE, {}),
        (Verb.DEREGISTER, {"cause": Cause.ENDED}),
        (Verb.RESTORE, {"deciding_body": "杭州市中级人民法院"}),
    ]

    for verb, ruling in steps:
        size = office.recorder.head().size
        answered = await done(office, first.certificate, verb, **ruling)
        found = await office.reader.by_identifier(first.identifier)
        assert found is not None
        assert (answered.entry, office.recorder.head().size) == (size, size + 1)
        assert (found.state.value.encode(), found.state_entry) == (answered.answer, answered.entry)
        seen.append((found.state, await status(office, place)))

    assert seen == [
        (State.SUSPENDED, Status.SUSPENDED),
        (State.ACTIVE, Status.VALID),
        (State.REVOKED, Status.INVALID),
        (State.DEREGISTERED, Status.INVALID),
        (State.ACTIVE, Status.VALID),
    ]
    fed = [change_of(row) for row in await office.database.all(CHANGES_AFTER, 0, 0, 2**40, 100)]
    assert [(one.state, one.identifier) for one in fed if one.what is ChangeKind.STATE] == [
        (state, first.identifier) for state, _ in seen
    ]
    transitions, _ = await Transitions(office.database).page(
        first.certificate.rpartition("/")[2], after="", size=10
    )
    assert [one.verb for one in reversed(transitions)] == [verb.value for verb, _ in steps]
    assert {(one.authority, one.system) for one in transitions} == {(AUTHORITY, DEPARTMENT.name)}
    assert (transitions[0].from_state, transitions[0].to_state) == ("deregistered", "active")
    assert transitions[1].cause == "ended"
    pages = await Transitions(office.database).page(
        first.certificate.rpartition("/")[2], after=str(transitions[3].entry), size=10
    )
    assert pages == (transitions[4:], "")


async def test_of_two_systems_at_once_one_is_told_that_it_is_late(office: Office) -> None:
    """Both decided on the same version; exactly one decision is on file."""
    name = (await office.deliver([licence(1)])).results[0].certificate
    orders = [await order(office, name, verb) for verb in (Verb.SUSPEND, Verb.REVOKE)]

    answers = await asyncio.gather(
        *(change(office)(call(), one, lambda _: b"") for one in orders), return_exceptions=True
    )

    refused = [one for one in answers if isinstance(one, HubError)]
    assert [one.reason for one in refused] == [Reason.ETAG_STALE]
    assert await office.count("registry_transitions") == 1


async def test_the_same_call_again_has_one_effect(office: Office) -> None:
    """Even though its etag is stale by then; other content under the id is refused."""
    name = (await office.deliver([licence(1)])).results[0].certificate
    wanted, once = await order(office, name, Verb.SUSPEND), call()

    first = await change(office)(once, wanted, lambda _: b"answer")
    again = await change(office)(once, wanted, lambda _: b"another")
    with pytest.raises(HubError) as caught:
        await change(office)(
            dataclasses.replace(once, content=digest("other")), wanted, lambda _: b""
        )

    assert again == first
    assert caught.value.reason is Reason.REQUEST_ID_REUSED
    assert await office.count("registry_transitions") == 1


async def test_what_is_not_allowed_changes_nothing(office: Office) -> None:
    """Each refusal with its reason; no row, no entry, no status."""
    name = (await office.deliver([licence(1)])).results[0].certificate
    size = office.recorder.head().size
    wrong = Ruling("", "x" * 129, "2999-01-01", cause=Cause.DEATH)
    absent = await order(office, name, Verb.SUSPEND, certificate_id="0" * 32)
    cases = [
        (await order(office, name, Verb.RESUME), Reason.TRANSITION_NOT_ALLOWED),
        (
            await order(
                office,
                name,
                Verb.DEREGISTER,
                ruling=dataclasses.replace(RULING, cause=Cause.EXPIRED),
            ),
            Reason.TRANSITION_NOT_ALLOWED,
        ),
        (await order(office, name, Verb.SUSPEND, etag="stale"), Reason.ETAG_STALE),
        (await order(office, name, Verb.SUSPEND, ruling=wrong), Reason.FIELD_INVALID),
        (await order(office, name, Verb.DEREGISTER), Reason.FIELD_INVALID),
        (await order(office, name, Verb.RESTORE), Reason.FIELD_INVALID),
        (absent, Reason.CERTIFICATE_NOT_FOUND),
    ]

    for wanted, reason in cases:
        with pytest.raises(HubError) as caught:
            await change(office)(call(), wanted, lambda _: b"")
        assert caught.value.reason is reason
        if wanted.ruling is wrong:
            assert [(one.field, one.rule) for one in caught.value.violations] == [
                ("ruling.legal_basis", "value.empty"),
                ("ruling.document", "value.length"),
                ("ruling.decision_date", "ruling.future"),
                ("ruling.cause", "ruling.cause"),
            ]
    assert office.recorder.head().size == size
    assert await office.count("registry_transitions") == 0
    assert (await view(office, name)).state is State.ACTIVE


@pytest.mark.parametrize("exists", [True, False])
async def test_another_authority_learns_nothing(office: Office, *, exists: bool) -> None:
    """The same refusal whether the certificate exists or not, before anything is read."""
    name = (await office.deliver([licence(1)])).results[0].certificate
    wanted = await order(office, name, Verb.REVOKE)
    if not exists:
        wanted = dataclasses.replace(wanted, certificate_id="0" * 32)

    with pytest.raises(HubError) as caught:
        await change(office)(call(OTHER), wanted, lambda _: b"")

    assert caught.value.reason is Reason.AUTHORITY_NOT_ALLOWED
    assert caught.value.details == {"authority": AUTHORITY}


async def test_an_expired_certificate_is_closed_as_expired(office: Office) -> None:
    """The state before is judged on the day of the change, not as it is stored."""
    row = licence(1, valid_until="2020-12-31")
    name = (await office.deliver([row])).results[0].certificate

    with pytest.raises(HubError, match="expired"):
        await done(office, name, Verb.SUSPEND)
    await done(office, name, Verb.DEREGISTER, cause=Cause.EXPIRED)

    assert (await view(office, name)).state is State.DEREGISTERED


async def test_a_batch_meets_the_state_that_its_authority_decided(office: Office) -> None:
    """Suspended takes no change and can be revoked; annulled takes neither."""
    first = (await office.deliver([licence(1), licence(2)])).results
    await done(office, first[0].certificate, Verb.SUSPEND)
    await done(office, first[1].certificate, Verb.ANNUL)
    moved = {"fields": {"city": "宁波"}}

    results = (
        await office.deliver(
            [
                licence(1),
                licence(1, **moved),
                licence(1, Op.REVOKE),
                licence(2),
                licence(2, **moved),
                licence(2, Op.REVOKE),
            ]
        )
    ).results

    assert [one.outcome for one in results] == [
        Outcome.UNCHANGED,
        Outcome.REFUSED,
        Outcome.CHANGED,
        Outcome.UNCHANGED,
        Outcome.REFUSED,
        Outcome.REFUSED,
    ]
    assert [one.violations[0].rule for one in results if one.violations] == [
        "row.suspended",
        "row.ended",
        "row.ended",
    ]


async def test_an_order_about_a_version_that_was_replaced_is_late(office: Office) -> None:
    """A new version came meanwhile: what was decided is not about it."""
    name = (await office.deliver([licence(1)])).results[0].certificate
    wanted = await order(office, name, Verb.SUSPEND)
    await office.deliver([licence(1, fields={"city": "宁波"})])

    with pytest.raises(HubError) as caught:
        await change(office)(call(), wanted, lambda _: b"")

    assert caught.value.reason is Reason.ETAG_STALE


async def test_gone_at_the_source_is_a_flag_until_the_source_speaks_again(office: Office) -> None:
    """Set, cleared by a word, and cleared by a new version; the state stays as it was."""
    confirm = ConfirmCertificate(now_us, office.database, office.recorder, office.identities)
    name = (await office.deliver([licence(1)])).results[0].certificate
    certificate_id = name.rpartition("/")[2]
    stored = (await view(office, name)).presence
    connector = office.caller

    await confirm(call(connector), AUTHORITY, certificate_id, is_gone=True)
    gone = await view(office, name)
    planned = await on_file(office)
    await confirm(call(connector), AUTHORITY, certificate_id, is_gone=False)
    listed = (await view(office, name)).presence
    await confirm(call(connector), AUTHORITY, certificate_id, is_gone=True)
    await office.deliver([licence(1, fields={"city": "宁波"})])
    renewed = (await view(office, name)).presence
    with pytest.raises(HubError) as caught:
        await confirm(call(OTHER), AUTHORITY, certificate_id, is_gone=True)

    assert [stored.is_gone, gone.presence.is_gone, listed.is_gone, renewed.is_gone] == [
        False,
        True,
        False,
        False,
    ]
    assert gone.presence.confirm_time_us == stored.confirm_time_us < listed.confirm_time_us
    assert gone.state is State.ACTIVE
    assert (planned.is_gone, planned.grade) == (True, Grade.C)
    assert not (await on_file(office)).is_gone
    assert caught.value.reason is Reason.AUTHORITY_NOT_ALLOWED


async def test_a_caller_that_ended_meanwhile_changes_nothing(office: Office) -> None:
    """Its identity is checked again inside the transaction; the certificate stays in force."""
    name = (await office.deliver([licence(1)])).results[0].certificate
    office.identities.current = False

    with pytest.raises(HubError) as caught:
        await done(office, name, Verb.REVOKE)

    assert caught.value.reason is Reason.DECISION_STALE
    assert (await view(office, name)).state is State.ACTIVE
    assert await status(office, (await places(office, 1))[0]) is Status.VALID


async def test_a_search_shows_the_new_state(office: Office) -> None:
    """What is revoked and not deregistered reads revoked to whoever looks it up."""
    name = (await office.deliver([licence(1)])).results[0].certificate
    await done(office, name, Verb.REVOKE)

    page = await office.search.search(
        office.officer(OFFICERS[0]), Filter(authority=AUTHORITY), after="", size=5
    )

    assert [one.state for one in page.certificates] == [State.REVOKED]
