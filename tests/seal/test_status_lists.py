"""Status lists: places never used twice, tokens that follow what is on record."""

from __future__ import annotations

import pytest

from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.jose import STATUS_TYP, Algorithm, RegisteredKey, sm2_signer
from hub.proof.records.status_list import Status, read_status, verify_status_list
from hub.seal.status_lists import LIST_PLACES_USED_MAX, REPLICAS_MAX, StatusChange, StatusLists
from tests.registry.office import OFFICERS, ORIGIN, REGION, Office, licence

SM2_KEY = sm2.PrivateKey.generate()
SM2_STATUS_KEY = RegisteredKey(
    sm2_signer(SM2_KEY).kid, Algorithm.SM2, STATUS_TYP, ORIGIN, SM2_KEY.public
)
NOW_US = [1_800_000_000_000_000]


def lists_of(office: Office, clock: list[int]) -> StatusLists:
    return StatusLists(
        ORIGIN,
        REGION,
        office.database,
        office.status_lists.signer,
        lambda: clock[0],
        office.recorder.head,
        twin=sm2_signer(SM2_KEY),
    )


def test_places_are_random_and_never_drawn_twice(office: Office) -> None:
    """Half a list is used at most; then the next one begins."""
    lists = lists_of(office, NOW_US)

    drawn = lists.draw(1000) + lists.draw(LIST_PLACES_USED_MAX)

    assert len(set(drawn)) == len(drawn)
    assert {number for number, _ in drawn} == {1, 1 + REPLICAS_MAX}
    assert sum(number == 1 for number, _ in drawn) == LIST_PLACES_USED_MAX
    first = [place for _, place in drawn[:1000]]
    assert first != sorted(first)


@pytest.mark.parametrize("twin", [False, True])
async def test_a_token_is_kept_for_a_minute_and_rebuilt_after_a_change(
    office: Office, twin: bool
) -> None:
    """Same bytes within the minute; a new token once something changed or the minute is over. The
    twin in SM2 likewise, and whoever knows its key alone verifies it."""
    clock = [NOW_US[0]]
    lists = lists_of(office, clock)
    token = lists.sm2_token if twin else lists.token
    key = SM2_STATUS_KEY if twin else office.status_key
    ((number, place),) = lists.draw(1)
    first = await token(number)
    clock[0] += 59_000_000
    assert await token(number) == first

    lists.publish([StatusChange(number, place, Status.INVALID)])
    changed = await token(number)
    clock[0] += 60_000_000
    later = await token(number)

    assert len({first, changed, later}) == 3
    verified = verify_status_list(
        changed,
        keys=lambda kid: key if kid == key.kid else None,
        origin=ORIGIN,
        region=REGION,
        uri=f"https://{ORIGIN}/status/{number}",
        now=clock[0] // 1_000_000,
        highest_iat=None,
    )
    assert read_status(verified, place) is Status.INVALID
    assert verified.claims.exp - verified.claims.iat == 300
    assert verified.claims.log is not None
    assert verified.claims.log.size == office.recorder.head().size


async def test_the_lists_are_the_same_after_a_restart(office: Office) -> None:
    """Loaded from the database: same places used, same values."""
    await office.propose()
    for officer in OFFICERS[1:]:
        await office.decide(officer, "intents/licences")
    await office.deliver([licence(1), licence(2)])
    await office.deliver([licence(1, fields={"city": "宁波"})])
    restarted = lists_of(office, [office.ingest.clock()])

    await restarted.load()

    before, after = office.status_lists._lists[1], restarted._lists[1]
    assert after.used == before.used
    assert after.statuses.compress() == before.statuses.compress()
    assert after.used_n == 3


async def test_an_unknown_list_is_not_found(office: Office) -> None:
    """No list, no token."""
    with pytest.raises(HubError) as caught:
        await office.status_lists.token(77)

    assert caught.value.reason is Reason.STATUS_LIST_NOT_FOUND
