"""Confirming values: yes with a state, or no; nothing else leaves, and guessing does not pay."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from hub.domain.certificate import State
from hub.domain.row import Op
from hub.errors import HubError, Reason
from hub.exchange.guesses import PER_CALLER_MAX, PER_SUBJECT_MAX, Guesses
from hub.exchange.verify_information import Result, judge, same_values
from hub.proof.encoding import b64u_decode
from hub.proof.exchange.answer_receipt import verify_verification_receipt
from hub.proof.exchange.request import sign_request
from hub.proof.log.receipt import parse_receipt
from hub.proof.reasons import ProofError, ProofReason
from tests.exchange.verifications import RPC, about, about_identifier, ask, send
from tests.simulator import (
    FETCH,
    ITEM,
    MATTER,
    PERMIT,
    PERMIT_VCT,
    Refused,
    Simulator,
    by_holder,
    citizen,
    company,
    copy_home,
    licence,
    permit,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCOPE = "软件开发;批发、零售:机械设备"


def right(number: int) -> dict[str, Any]:
    """What the licence of company `number` says."""
    return {"name": f"杭州示例{number}有限公司", "scope": SCOPE}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """Licences in several states and two qualifications; window-1 may have both types."""
    home = copy_home(city, tmp_path_factory.mktemp("verify") / "home")
    async with Simulator(home) as simulator:
        connector = simulator.connector()
        await connector.deliver(
            [
                *(licence(number) for number in range(1, 11)),
                licence(11, valid_until="2020-12-31"),
                licence(12, valid_from="2099-01-01"),
                licence(14, number="330100000014A"),
                licence(14, number="330100000014B"),
            ]
        )
        await connector.deliver([licence(13)])
        await connector.deliver([licence(13, Op.REVOKE)])
        await connector.deliver([permit(number) for number in range(1, 3)], vct=PERMIT_VCT)
        await simulator.officer().grant("permits", "window-1", ("name", "grade"), type_code=PERMIT)
        yield simulator


@pytest.mark.parametrize(
    ("number", "result"),
    [(1, "in_force"), (11, "ended"), (12, "not_yet_in_force"), (13, "ended"), (14, "insufficient")],
)
async def test_right_values_are_confirmed_with_the_state(
    hub: Simulator, number: int, result: str
) -> None:
    """And two licences that say the same cannot be told apart."""
    heard = await ask(hub.platform(), **about(right(number), company(number)))

    assert heard.result == result
    assert heard.receipt.entry.outcome == result


@pytest.mark.parametrize(
    ("values", "holder"),
    [
        ({**right(2), "scope": "餐饮"}, company(2)),
        ({**right(2), "name": ""} | {"name": "另一家公司"}, company(2)),
        (right(2), company(90)),
        ({"address": "未知"}, company(2)),
    ],
    ids=["one value wrong", "another name", "nothing on file", "wrong address"],
)
async def test_wrong_and_absent_are_one_answer(
    hub: Simulator, values: dict[str, Any], holder: str
) -> None:
    """Neither the answer nor the entry, which its receipt shows, tells them apart."""
    size = hub.size

    heard = await ask(hub.platform(), **about(values, holder))

    assert heard.result == "not_confirmed"
    (entry,) = await hub.entries(size)
    assert set(entry["data"]) == {
        "service_item",
        "matter",
        "basis",
        "grant_digest",
        "vct",
        "fields",
        "result",
    }


async def test_the_entry_names_purpose_and_result_and_no_value(hub: Simulator) -> None:
    """Who asked what for which matter; neither the holder nor what was said of it."""
    size = hub.size
    values = {"name": "王示例1", "grade": "一级"}

    heard = await ask(
        hub.platform(),
        **about(values, citizen(1), vct=PERMIT_VCT, holder_type="111"),
        act="accounts/portal",
    )

    assert heard.result == "in_force"
    (entry,) = await hub.entries(size)
    assert entry["kind"] == "verification"
    assert entry["caller"] == "systems/window-1"
    assert entry["data"]["service_item"] == ITEM
    assert entry["data"]["matter"] == MATTER
    assert entry["data"]["act"] == "accounts/portal"
    assert "cert" not in entry["data"]
    text = json.dumps(entry, ensure_ascii=False)
    assert citizen(1) not in text
    assert "王示例1" not in text
    assert (await hub.audit()).findings == []


async def test_by_identifier_a_version_is_confirmed(hub: Simulator) -> None:
    """Its own identifier comes back in the entry; one of another type is not confirmed."""
    fetched = await hub.platform().fetch(holder=company(3))
    identifier = fetched.verified.entry.certificates[0].cert or ""

    heard = await ask(hub.platform(), **about_identifier(right(3), identifier))
    other = await ask(hub.platform(), **about_identifier({"name": "x"}, identifier, vct=PERMIT_VCT))

    assert heard.result == "in_force"
    assert other.result == "not_confirmed"
    body = json.loads(parse_receipt(heard.response.receipt.json.encode()).body)
    assert body["data"]["cert"] == identifier


async def test_nothing_of_the_certificate_leaves(hub: Simulator) -> None:
    """The answer has an id, one word, how far the certificate is to be trusted, and a receipt."""
    heard = await ask(hub.platform(), **about({"name": "杭州示例4有限公司"}, company(4)))

    assert heard.result == "in_force"
    body = parse_receipt(heard.response.receipt.json.encode()).body.decode()
    assert SCOPE not in body
    assert "1.2.156.3005.2" not in body
    assert [field.name for field, _ in heard.response.ListFields()] == [
        "request_id",
        "result",
        "receipt",
        "trust_grade",
        "origin",
    ]


async def test_a_repetition_gets_the_same_receipt(hub: Simulator) -> None:
    """One question, one entry; another question under its id is refused."""
    platform = hub.platform()
    claims = await platform.claims(rpc=RPC, **about(right(5), company(5)))
    compact = sign_request(claims, platform.signer)
    size = hub.size

    first = await send(platform, compact, claims.jti)
    again = await send(platform, compact, claims.jti)

    assert again.response == first.response
    assert hub.size == size + 1
    with pytest.raises(Refused) as refused:
        await ask(platform, **about(right(6), company(6)), jti=claims.jti)
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_a_repetition_after_the_end_gets_the_receipt_and_no_answer(hub: Simulator) -> None:
    """What was confirmed is not confirmed any more."""
    platform = hub.platform()
    claims = await platform.claims(rpc=RPC, **about(right(7), company(7)))
    compact = sign_request(claims, platform.signer)
    first = await send(platform, compact, claims.jti)
    await hub.connector().deliver([licence(7, Op.REVOKE)])

    with pytest.raises(Refused) as refused:
        await send(platform, compact, claims.jti)

    assert refused.value.reason == "ANSWER_STALE"
    assert refused.value.receipt == first.response.receipt.json


async def test_without_a_grant_nothing_is_compared(hub: Simulator) -> None:
    """Fields, service item and recipient count as for a fetch; the refusal is on record."""
    for name, changes, reason in (
        ("window-2", {}, "GRANT_MISSING"),
        ("window-1", {"service_item": "999999999999"}, "GRANT_MISSING"),
        ("window-1", about({"capital": "500万元人民币"}), "FIELD_NOT_GRANTED"),
    ):
        size = hub.size
        with pytest.raises(Refused) as refused:
            await ask(hub.platform(name), **{**about(right(1)), **changes})
        assert (refused.value.status, refused.value.reason) == ("PERMISSION_DENIED", reason)
        (entry,) = await hub.entries(size)
        assert entry["data"]["reason"] == reason


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"values": None}, "CLAIM_INVALID"),
        ({"values": {}}, "CLAIM_INVALID"),
        ({"values": {"name": "x"}}, "CLAIM_INVALID"),
        ({"values": {"name": "", "scope": "x"}}, "CLAIM_INVALID"),
        ({"values": {"name": None, "scope": "x"}}, "CLAIM_INVALID"),
        ({"values": {"name": ["x"], "scope": "x"}}, "CLAIM_INVALID"),
        ({"values": {"name": "x" * 4001, "scope": "x"}}, "CLAIM_INVALID"),
        ({"values": {"name": "x", "scope": "x", "address": "x"}}, "CLAIM_INVALID"),
        ({"certificates": (by_holder(company(1)), by_holder(company(2)))}, "CERTIFICATES_COUNT"),
        ({"rpc": FETCH}, "RPC_WRONG"),
    ],
)
async def test_a_question_in_another_form_is_refused(
    hub: Simulator, changes: dict[str, Any], rule: str
) -> None:
    """One value for each field, of one certificate, for this method."""
    with pytest.raises(Refused) as refused:
        await ask(hub.platform(), **{**about(right(1)), **changes})

    assert refused.value.reason == "REQUEST_INVALID"
    assert refused.value.details["rule"] == rule
    assert refused.value.status == "INVALID_ARGUMENT"


async def test_a_fetch_takes_no_values(hub: Simulator) -> None:
    """A claim that a method does not look at would be believed by somebody else."""
    platform = hub.platform()
    claims = await platform.claims(values={"name": "x"})

    with pytest.raises(Refused) as refused:
        await platform.send(sign_request(claims, platform.signer), claims.jti)

    assert refused.value.details["rule"] == "CLAIM_INVALID"


async def test_what_is_no_identifier_goes_into_no_entry(hub: Simulator) -> None:
    """It might be a person's number."""
    with pytest.raises(Refused) as refused:
        await ask(hub.platform(), **about_identifier({"name": "x"}, citizen(9)))

    assert refused.value.reason == "IDENTIFIER_INVALID"
    assert citizen(9) not in f"{refused.value} {refused.value.details}"


async def test_guessing_ends_after_ten_tries(hub: Simulator) -> None:
    """Absent or wrong, the same limit; and what is right is still confirmed for others."""
    for holder in (company(8), company(91)):
        for number in range(PER_SUBJECT_MAX):
            heard = await ask(hub.platform(), **about({"address": f"猜{number}号"}, holder))
            assert heard.result == "not_confirmed"

        with pytest.raises(Refused) as refused:
            await ask(hub.platform(), **about(right(8), holder))

        assert (refused.value.status, refused.value.reason) == (
            "RESOURCE_EXHAUSTED",
            "RATE_LIMITED",
        )
        assert 0 < (refused.value.retry_after_s or 0) <= 3600
    assert (await ask(hub.platform(), **about(right(9), company(9)))).result == "in_force"


async def test_what_was_confirmed_is_no_guess(hub: Simulator) -> None:
    """A window that asks all day about one company is not locked out."""
    for _ in range(PER_SUBJECT_MAX + 3):
        assert (await ask(hub.platform(), **about(right(10), company(10)))).result == "in_force"


async def test_wrong_and_absent_take_the_same_time(hub: Simulator) -> None:
    """The medians lie within five in a hundred; a busy machine gets three chances."""
    await hub.officer().grant("timing", "window-2", ("name",))
    await hub.connector().deliver([licence(number) for number in range(20, 140)])
    differences = [await _difference(hub, part) for part in range(3)]

    assert min(differences) < 0.05


async def _difference(hub: Simulator, part: int) -> float:
    """How far the medians of 20 questions about something and 20 about nothing lie apart."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(40):
        present = number % 2 == 0
        holder = company(20 + 40 * part + number) if present else company(400 + 40 * part + number)
        values = {"name": f"不是它{part}"}
        started = time.perf_counter()
        heard = await ask(hub.platform("window-2"), **about(values, holder), service_item=ITEM)
        times[present].append(time.perf_counter() - started)
        assert heard.result == "not_confirmed"
    here, away = (statistics.median(times[present]) for present in (True, False))
    return abs(here - away) / away


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda heard: {"result": "ended"}, ProofReason.STATE_DIFFERS),
        (lambda heard: {"me": "systems/window-2"}, ProofReason.CALLER_NOT_ME),
        (lambda heard: {"requests": []}, ProofReason.REQUEST_NOT_MINE),
    ],
)
async def test_a_receipt_proves_this_answer_to_this_question_only(
    hub: Simulator, change: Any, reason: ProofReason
) -> None:
    """Offline, with what the platform has kept."""
    heard = await ask(hub.platform(), **about(right(1)))
    kept = {"requests": [heard.compact], "me": "systems/window-1", "result": "in_force"}

    with pytest.raises(ProofError) as failed:
        verify_verification_receipt(
            heard.response.receipt.json.encode(),
            **{**kept, **change(heard)},
            trust=hub.trust.log,
        )

    assert failed.value.reason is reason


async def test_a_fetch_receipt_is_no_verification(hub: Simulator) -> None:
    """Nor the other way round."""
    fetched = await hub.platform().fetch(holder=company(1))

    with pytest.raises(ProofError) as failed:
        verify_verification_receipt(
            fetched.response.receipt.json.encode(),
            [],
            "systems/window-1",
            "in_force",
            hub.trust.log,
        )

    assert failed.value.reason is ProofReason.BODY_KIND
    assert b64u_decode(json.loads(fetched.response.receipt.json)["body"])


# -- The rules by themselves -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "result"),
    [
        ([], Result.NOT_CONFIRMED),
        (["active"], Result.IN_FORCE),
        (["active", "expired"], Result.IN_FORCE),
        (["active", "active"], Result.INSUFFICIENT),
        (["expired", "revoked"], Result.ENDED),
        (["expired", "not_yet_in_force"], Result.INSUFFICIENT),
        (["superseded"], Result.ENDED),
    ],
)
async def test_the_judgement_goes_by_the_states_of_what_is_right(
    states: list[str], result: Result
) -> None:
    """In force before anything else; several only where they come to the same."""
    found: Any = [SimpleNamespace(state=State(state)) for state in states]

    assert judge(found)[0] is result


@pytest.mark.parametrize(
    ("stored", "said", "same"),
    [
        ("杭州（示例）有限公司", "杭州(示例)有限公司", True),
        ("ＡＢＣ１２３", "ABC123", True),
        (" x ", "x", True),
        (12, "12", True),
        ("x", "X", False),
        (None, "x", False),
        (True, "true", False),
        (True, 1, False),
        (True, True, True),
    ],
)
async def test_values_are_compared_as_people_write_them(stored: Any, said: Any, same: bool) -> None:
    """Width and outer space are forgiven, nothing else."""
    assert same_values({"a": stored}, {"a": said}) is same


async def test_guesses_are_bounded_per_caller_too() -> None:
    """So trying one name on everybody ends as well, and the memory of it is bounded."""
    now = 0
    guesses = Guesses(lambda: now)
    for number in range(PER_CALLER_MAX):
        guesses.take("systems/a", f"subject {number}")

    with pytest.raises(HubError) as refused:
        guesses.take("systems/a", "another")

    assert refused.value.reason is Reason.RATE_LIMITED
    guesses.take("systems/b", "another")
    now = 3_600_000_000
    guesses.take("systems/a", "another")
