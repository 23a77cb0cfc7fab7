"""PlanMaterials on both engines: what is read, judged, said, logged, and what repetition does."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.domain.certificate import Grade
from hub.domain.certificate_type import Kind, Listing, Sharing
from hub.domain.document import Level
from hub.domain.holder import Holder
from hub.domain.holder_link import LinkKind
from hub.domain.row import Op
from hub.domain.service_item import Compare, Role
from hub.errors import HubError, Reason
from hub.exchange.plan import DEMANDS_MAX, Outcome
from hub.exchange.plan_service import encode_plan
from hub.proof.encoding import digest
from hub.proof.exchange.answer_receipt import verify_plan_receipt
from hub.proof.exchange.plan_request import RoleHolder, StatedMandate, sign_plan_request
from hub.proof.jose import LogHead
from hub.proof.log.receipt import LogTrust
from hub.proof.reasons import ProofError, ProofReason
from tests.contracts.test_holder_links import Desk
from tests.exchange.planning import (
    ITEM,
    ORIGIN,
    OTHER_ITEM,
    WINDOW,
    Window,
    answered,
    by_material,
    company,
    item,
    material,
    obstacles,
    open_window,
    outcomes,
    verify,
)
from tests.ledger.logs import KEY
from tests.registry.office import LICENCE, LICENCE_TYPE, PERMIT, licence, uscc
from tests.simulator import citizen

CITIZEN = citizen(1)
DAY = datetime.timedelta(days=1)


@pytest.fixture
async def window(database_url: str, tmp_path: Path) -> AsyncIterator[Window]:
    async with open_window(database_url, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def counter(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Window]:
    """A window for what is refused before anything is read; tests define the items they need."""
    folder = tmp_path_factory.mktemp("counter")
    async with open_window(f"sqlite:///{folder}/hub.db", folder) as opened:
        yield opened


LICENCE_NEEDED = material("licence", Role.COMPANY, LICENCE, fields=("name", "scope"))
FORM = material("form", Role.COMPANY)


async def test_what_a_merged_company_held_is_on_file_for_its_successor(window: Window) -> None:
    """While the link stands; the merged company has nothing of its successor's."""
    desk = Desk(window.office)
    # The successor's own licence does not say what is needed.
    _, heir = await desk.deliver(licence(1), licence(2, fields={"scope": None}))
    await window.grant(LICENCE, "name", "scope")
    window.define(item(ITEM, LICENCE_NEEDED))

    link = await desk.linked(heir, Holder("001", uscc(1)), LinkKind.MERGER)
    successor, merged = await window.ask(company(2)), await window.ask(company(1))
    await desk.unlink(link)
    after = await window.ask(company(2))

    assert [outcomes(one)["licence"] for one in (successor, merged, after)] == [
        Outcome.ON_FILE,
        Outcome.ON_FILE,
        Outcome.ASK,
    ]
    found = [by_material(one)["licence"].planned.certificate for one in (successor, merged)]
    assert found[0] is not None and found[1] is not None
    assert found[0].identifier == found[1].identifier


async def test_what_is_on_file_is_not_asked_for_and_what_is_not_is_asked_with_its_reason(
    window: Window,
) -> None:
    """One question, one entry, one receipt; the notice says the same in both languages."""
    await window.office.deliver([licence(1)])
    await window.grant(LICENCE, "name", "scope")
    window.define(item(ITEM, LICENCE_NEEDED, FORM))
    size = window.office.recorder.head().size

    answer = await window.ask()

    assert outcomes(answer) == {"licence": "on_file", "form": "ask"}
    found = by_material(answer)["licence"].planned.certificate
    assert found is not None
    stored = await window.office.reader.by_identifier(found.identifier)
    assert stored is not None
    assert (found.version_id, found.grade) == (stored.version_id, Grade.C)
    assert obstacles(by_material(answer)["form"]) == ["paper_only"]
    assert answer.entry == size
    assert window.office.recorder.head().size == size + 1
    assert "1. 材料form（企业）。原因：该材料没有可用的电子证照。" in answer.notice.zh
    assert "1. Material licence (company)." in answer.notice.en


async def test_the_entry_says_what_was_asked_and_found_and_never_who(window: Window) -> None:
    """Roles, items in their versions, outcomes and digests; no number of anybody."""
    await window.office.deliver([licence(1)])
    await window.grant(LICENCE, "name", "scope", consent_required=True)
    window.define(item(ITEM, LICENCE_NEEDED, FORM))
    mandate = StatedMandate("mandates/1", (ITEM,), window.today.isoformat(), "2099-12-31")

    answer = await window.ask(
        company(1),
        ("agent", "111", CITIZEN),
        consent="consents/1",
        mandate=mandate,
        act="accounts/portal",
    )

    proven = await window.office.recorder.proofs.proven(answer.entry)
    said = proven.body.decode()
    assert uscc(1) not in said
    assert CITIZEN not in said
    for part in (
        f'"service_items":[{{"code":"{ITEM}","version":3}}]',
        '"roles":["company","agent"]',
        f'"consent_digest":"{digest("consents/1")}"',
        f'"mandate_digest":"{digest("mandates/1")}"',
        '"act":"accounts/portal"',
        f'"notice_digest":"{digest(answer.notice.zh + chr(10) + answer.notice.en)}"',
        '"outcome":"on_file"',
    ):
        assert part in said


async def test_what_stands_in_the_way_is_named_and_decides_the_outcome(window: Window) -> None:
    """Each obstacle that a certificate on file can have, on a real row."""
    today = window.today
    await window.office.deliver(
        [
            licence(1, fields={"scope": None}),
            licence(2, valid_until=(today + DAY).isoformat()),
            licence(3, Op.ISSUE),
        ]
    )
    await window.office.deliver([licence(3, Op.REVOKE)])
    await window.grant(LICENCE, "name", "scope")
    cases = {
        "fields_missing": (LICENCE_NEEDED, company(1), today),
        "not_in_force": (LICENCE_NEEDED, company(2), today + 2 * DAY),
        "trust_too_low": (
            material("licence", Role.COMPANY, LICENCE, grade_min=Grade.B),
            company(2),
            today,
        ),
        "absent": (LICENCE_NEEDED, company(9), today),
    }
    for obstacle, (needed, holder, day) in cases.items():
        window.define(item(ITEM, needed))
        answer = await window.ask(holder, decision_date=day.isoformat())
        assert list(obstacles(answer.lines[0])) == [obstacle]
        assert answer.lines[0].planned.outcome is Outcome.ASK

    window.define(item(ITEM, LICENCE_NEEDED))
    revoked = await window.ask(company(3))
    assert list(obstacles(revoked.lines[0])) == ["not_in_force"]
    on_the_last_day = await window.ask(company(2), decision_date=(today + DAY).isoformat())
    assert on_the_last_day.lines[0].planned.outcome is Outcome.ON_FILE


async def test_a_personal_value_counts_where_it_is_there_and_leaves_nothing(window: Window) -> None:
    """Whether an encrypted field has a value is found out; the value goes nowhere."""
    row = dataclasses.replace(
        licence(1),
        source_key="p-1",
        number="P-0001",
        holders=(Holder("111", CITIZEN),),
        fields={"name": "张示例", "grade": None},
    )
    await window.office.deliver([row], vct=window.office.catalogue.vct(PERMIT), connector="permits")
    await window.grant(PERMIT, "name", "grade")
    window.define(
        item(
            ITEM,
            material("qualification", Role.APPLICANT, PERMIT),
            material("grade", Role.SPOUSE, PERMIT, fields=("name", "grade")),
        )
    )

    answer = await window.ask(("applicant", "111", CITIZEN), ("spouse", "111", CITIZEN))

    assert [one.planned.outcome.value for one in answer.lines] == ["on_file", "ask"]
    assert list(obstacles(answer.lines[1])) == ["fields_missing"]
    wire = encode_plan(answer).SerializeToString()
    assert "张示例".encode() not in wire
    assert CITIZEN.encode() not in wire


async def test_only_granted_types_are_looked_for(window: Window) -> None:
    """Without a grant the database is not asked, and the answer is that of an empty database."""
    window.define(item(ITEM, LICENCE_NEEDED))
    asked: list[object] = []
    find = window.plan.on_file.find

    class Watched:
        unchanged = staticmethod(window.plan.on_file.unchanged)

        async def find(self, wanted: object) -> object:
            asked.append(wanted)
            return await find(wanted)  # type: ignore[arg-type]

    window.plan = dataclasses.replace(window.plan, on_file=Watched())  # type: ignore[arg-type]
    before = await window.ask()
    await window.office.deliver([licence(1)])
    after = await window.ask()

    assert asked == []
    assert outcomes(before) == outcomes(after) == {"licence": "ask"}
    assert list(obstacles(after.lines[0])) == ["grant_missing"]
    assert before.notice == after.notice

    await window.grant(LICENCE, "name")
    lacks_a_field = await window.ask()
    assert list(obstacles(lacks_a_field.lines[0])) == ["grant_missing"]
    assert asked == []

    await window.grant(LICENCE, "name", "scope")
    assert outcomes(await window.ask()) == {"licence": "on_file"}
    assert asked == [{(Holder("001", uscc(1)), LICENCE): frozenset({"name", "scope"})}]


async def test_consent_is_needed_where_the_grant_says_so(window: Window) -> None:
    """The entry keeps the digest of the consent; without one nothing is looked for."""
    await window.office.deliver([licence(1)])
    await window.grant(LICENCE, "name", "scope", consent_required=True)
    window.define(item(ITEM, LICENCE_NEEDED))

    without = await window.ask()
    given = await window.ask(consent="consents/1")

    assert list(obstacles(without.lines[0])) == ["consent_missing"]
    assert outcomes(given) == {"licence": "on_file"}


async def test_a_type_that_is_not_shared_is_not_looked_for(window: Window) -> None:
    """Whatever a grant says."""
    listing = Listing(
        kind=Kind.LICENCE,
        is_demonstration=True,
        defining_authority_name="市场监管总局",
        defining_level=Level.NATION,
        issuing_levels=(Level.COUNTY,),
        issuing_authorities=(),
        items=(),
        sharing=Sharing.NOT_SHARED,
        sharing_basis="law",
        evidence_days=5,
        successors=(),
    )
    await window.office.deliver([licence(1)])
    await window.office.publish_type(dataclasses.replace(LICENCE_TYPE, version=2, listing=listing))
    await window.grant(LICENCE, "name", "scope")
    window.define(item(ITEM, LICENCE_NEEDED))

    answer = await window.ask()

    assert list(obstacles(answer.lines[0])) == ["not_shared"]


async def test_an_agent_needs_a_mandate_in_scope_and_date(window: Window) -> None:
    """From today to the day of the decision, both included, for this item."""
    await window.office.deliver([licence(1)])
    await window.grant(LICENCE, "name", "scope")
    window.define(item(ITEM, LICENCE_NEEDED))
    today = window.today
    cases = [
        ((0, 3, ITEM), []),
        ((0, 2, ITEM), ["mandate_missing"]),
        ((1, 9, ITEM), ["mandate_missing"]),
        ((-9, -1, ITEM), ["mandate_missing"]),
        ((0, 9, OTHER_ITEM), ["mandate_missing"]),
        (None, ["mandate_missing"]),
    ]
    for days, expected in cases:
        mandate = None
        if days is not None:
            start, end = (today + days[0] * DAY).isoformat(), (today + days[1] * DAY).isoformat()
            mandate = StatedMandate("m-1", (days[2],), start, end)

        answer = await window.ask(
            company(1),
            ("agent", "111", CITIZEN),
            decision_date=(today + 3 * DAY).isoformat(),
            mandate=mandate,
        )

        assert list(obstacles(answer.lines[0])) == expected
        assert outcomes(answer) == {"licence": "ask" if expected else "on_file"}


async def test_several_items_count_a_material_once_and_judge_each_by_its_own_demand(
    window: Window,
) -> None:
    """One item is served from the file, the other asks; what both ask is asked once."""
    await window.office.deliver([licence(1)])
    await window.grant(LICENCE, "name", "scope")
    strict = material("licence", Role.COMPANY, LICENCE, grade_min=Grade.A)
    late = material("form", Role.COMPANY, deferrable_days=10)
    window.define(
        item(ITEM, LICENCE_NEEDED, dataclasses.replace(FORM, name="申请表")),
        item(OTHER_ITEM, strict, dataclasses.replace(late, name="申请表")),
    )

    answer = await window.ask(items=(ITEM, OTHER_ITEM))

    said = [
        ([use.item for use in one.planned.uses], one.planned.material.id, one.planned.outcome.value)
        for one in answer.lines
    ]
    assert said == [
        ([ITEM], "licence", "on_file"),
        ([OTHER_ITEM], "licence", "ask"),
        ([ITEM, OTHER_ITEM], "form", "ask"),
    ]


async def test_every_co_owner_is_planned_and_the_notice_counts_them(window: Window) -> None:
    """One of two companies has a licence on file; the other one brings it."""
    await window.office.deliver([licence(1)])
    await window.grant(LICENCE, "name", "scope")
    window.define(item(ITEM, dataclasses.replace(LICENCE_NEEDED, role=Role.CO_OWNER)))

    answer = await window.ask(company(1, "co-owner"), company(2, "co-owner"))

    assert [(one.holder, one.planned.outcome.value) for one in answer.lines] == [
        (0, "on_file"),
        (1, "ask"),
    ]
    assert "材料licence（共有人 2）" in answer.notice.zh


async def test_more_pairs_than_one_question_takes_are_all_answered(window: Window) -> None:
    """Thirty-two co-owners and two types: two portions, nobody left out."""
    await window.office.deliver([licence(number) for number in range(1, 33)])
    await window.grant(LICENCE, "name")
    await window.grant(PERMIT, "name")
    window.define(item(ITEM, material("either", Role.CO_OWNER, PERMIT, LICENCE)))

    answer = await window.ask(*[company(number, "co-owner") for number in range(1, 33)])

    assert [one.planned.outcome.value for one in answer.lines] == ["on_file"] * 32
    identifiers = {
        one.planned.certificate.identifier for one in answer.lines if one.planned.certificate
    }
    assert len(identifiers) == 32


# ---- repetition ----


async def test_the_same_id_is_answered_once_and_then_again(window: Window) -> None:
    """Same content: the original receipt and no entry; a fresh signature changes nothing."""
    await window.office.deliver([licence(1)])
    await window.grant(LICENCE, "name", "scope")
    window.define(item(ITEM, LICENCE_NEEDED))
    claims = window.claims()
    compact = sign_plan_request(claims, window.signer)
    first = await window.send(compact, claims.jti)
    size = window.office.recorder.head().size

    again = await window.send(compact, claims.jti)
    later = dataclasses.replace(claims, iat=claims.iat - 1, exp=claims.exp - 1)
    signed_anew = await window.plan(
        window.caller, claims.jti, sign_plan_request(later, window.signer)
    )

    assert again == first == signed_anew
    assert window.office.recorder.head().size == size


async def test_an_answer_that_would_differ_today_is_stale(window: Window) -> None:
    """The original receipt comes, the plan does not; a new id gets the plan of today."""
    await window.office.deliver([licence(1)])
    grant = await window.grant(LICENCE, "name", "scope")
    window.define(item(ITEM, LICENCE_NEEDED))
    claims = window.claims()
    compact = sign_plan_request(claims, window.signer)
    first = await window.send(compact, claims.jti)
    await window.put(dataclasses.replace(grant, revoke_us=grant.start_us + 1))

    with pytest.raises(HubError) as caught:
        await window.send(compact, claims.jti)

    assert caught.value.reason is Reason.ANSWER_STALE
    assert caught.value.receipt == first.receipt
    assert outcomes(await window.ask()) == {"licence": "ask"}


async def test_other_content_under_a_used_id_is_refused(window: Window) -> None:
    """Another day is another question."""
    window.define(item(ITEM, FORM))
    claims = window.claims()
    await window.send(sign_plan_request(claims, window.signer), claims.jti)
    other = dataclasses.replace(claims, decision_date=(window.today + DAY).isoformat())

    with pytest.raises(HubError) as caught:
        await window.send(sign_plan_request(other, window.signer), claims.jti)

    assert caught.value.reason is Reason.REQUEST_ID_REUSED


async def test_a_certificate_that_changes_meanwhile_is_judged_again(window: Window) -> None:
    """Between reading and recording it was revoked: the plan that leaves knows."""
    await window.office.deliver([licence(1)])
    await window.grant(LICENCE, "name", "scope")
    window.define(item(ITEM, LICENCE_NEEDED))
    find, revoked = window.plan.on_file.find, []

    class Racing:
        unchanged = staticmethod(window.plan.on_file.unchanged)

        async def find(self, wanted: object) -> object:
            found = await find(wanted)  # type: ignore[arg-type]
            if not revoked:
                revoked.append(await window.office.deliver([licence(1, Op.REVOKE)]))
            return found

    window.plan = dataclasses.replace(window.plan, on_file=Racing())  # type: ignore[arg-type]

    answer = await window.ask()

    assert list(obstacles(answer.lines[0])) == ["not_in_force"]


# ---- bad input ----


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"items": ("DEMO-NOTHING",)}, "plan.items[0]"),
        ({"decision_date": "2020-01-01"}, "plan.decision_date"),
        ({"decision_date": "2199-01-01"}, "plan.decision_date"),
        ({"decision_date": "20300101"}, "plan.decision_date"),
        ({"facts": {}}, "plan.facts.premises_m2"),
        (
            {"mandate": StatedMandate("m", (ITEM,), "2026-13-01", "2027-01-01")},
            "plan.mandate.from",
        ),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_bad_input_names_field_and_rule_and_leaves_no_entry_of_a_plan(
    counter: Window, changes: dict[str, object], field: str
) -> None:
    """The guard at the edge records the refusal; the operation itself leaves nothing."""
    needed = material("plan", Role.APPLICANT, condition=Compare("premises_m2", (), 50))
    counter.define(item(ITEM, needed))
    size = counter.office.recorder.head().size

    with pytest.raises(HubError) as caught:
        await counter.ask(**({"facts": {"premises_m2": 60}} | changes))

    assert caught.value.reason is Reason.FIELD_INVALID
    assert caught.value.details["field"] == field
    assert counter.office.recorder.head().size == size


@pytest.mark.parametrize(
    ("holder", "reason", "field"),
    [
        (("owner", "001", uscc(1)), Reason.FIELD_INVALID, "plan.holders[0].role"),
        (("company", "001", "91330100MA2XXXXX1A"), Reason.USCC_INVALID, "plan.holders[0].number"),
        (
            ("applicant", "111", "330101199003071011"),
            Reason.CITIZEN_NUMBER_INVALID,
            "plan.holders[0].number",
        ),
        (("applicant", "777", "1234"), Reason.HOLDER_INVALID, "plan.holders[0].type"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_holder_is_refused_without_repeating_the_number(
    counter: Window, holder: tuple[str, str, str], reason: Reason, field: str
) -> None:
    """What was wrong is named, whose number it was is not."""
    counter.define(item(ITEM, FORM))

    with pytest.raises(HubError) as caught:
        await counter.ask(holder)

    assert caught.value.reason is reason
    assert caught.value.details["field"] == field
    assert holder[2] not in str(caught.value) + str(caught.value.details)


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_stands_twice_in_one_role(counter: Window) -> None:
    """Otherwise one person would be asked twice."""
    counter.define(item(ITEM, FORM))

    with pytest.raises(HubError) as caught:
        await counter.ask(company(1, "co-owner"), company(1, "co-owner"))

    assert caught.value.details["field"] == "plan.holders[1]"


@pytest.mark.asyncio(loop_scope="module")
async def test_too_many_materials_are_refused(counter: Window) -> None:
    """The entry of a plan must fit into one receipt."""
    many = [material(f"m-{number}", Role.CO_OWNER) for number in range(7)]
    counter.define(item(ITEM, *many))

    with pytest.raises(HubError) as caught:
        await counter.ask(*[company(number, "co-owner") for number in range(1, 33)])

    assert caught.value.details["rule"] == (
        f"at most {DEMANDS_MAX} materials in one plan, each counted per holder"
    )


# ---- the signed request and the receipt ----


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"items": ()}, "PLAN_SHAPE"),
        ({"items": (ITEM, ITEM)}, "PLAN_SHAPE"),
        ({"items": tuple(f"ITEM-{n}" for n in range(17))}, "PLAN_SHAPE"),
        ({"holders": ()}, "PLAN_SHAPE"),
        (
            {"holders": tuple(RoleHolder("co-owner", "001", uscc(n)) for n in range(33))},
            "PLAN_SHAPE",
        ),
        ({"holders": (RoleHolder("company", "001", ""),)}, "PLAN_SHAPE"),
        ({"facts": {f"f{n}": 1 for n in range(65)}}, "PLAN_SHAPE"),
        ({"facts": {"area": "x" * 129}}, "PLAN_SHAPE"),
        ({"decision_date": ""}, "PLAN_SHAPE"),
        ({"rpc": "/hub.exchange.v1.ExchangeService/FetchCertificates"}, "RPC_WRONG"),
        ({"aud": "hub.other.example"}, "AUD_WRONG"),
        ({"region": "110000"}, "REGION_WRONG"),
        ({"iss": "systems/window-2"}, "ISS_MISMATCH"),
        ({"ath": digest("another token")}, "ATH_MISMATCH"),
        ({"iat": 1, "exp": 100}, "EXPIRED"),
        ({"matter": ""}, "CLAIM_INVALID"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_request_of_another_form_is_refused(
    counter: Window, changes: dict[str, object], reason: str
) -> None:
    """The first step that fails is named; nothing is looked at."""
    counter.define(item(ITEM, FORM))

    with pytest.raises(HubError) as caught:
        await counter.ask(**changes)

    assert caught.value.reason is Reason.REQUEST_INVALID
    assert caught.value.details["rule"] == reason


@pytest.mark.asyncio(loop_scope="module")
async def test_an_answer_that_was_changed_on_the_way_fails_its_receipt(counter: Window) -> None:
    """A material turned from asked to on file, a notice rewritten, another's request."""
    counter.define(item(ITEM, FORM))
    claims = counter.claims()
    compact = sign_plan_request(claims, counter.signer)
    answer = await counter.send(compact, claims.jti)
    trust = LogTrust(ORIGIN, (KEY.verifier.text(),))
    told = answered(encode_plan(answer))
    changed = dataclasses.replace(told.materials[0], outcome="on_file")
    lies = [
        (dataclasses.replace(told, materials=(changed,)), [compact], WINDOW, "PLAN_DIFFERS"),
        (dataclasses.replace(told, materials=()), [compact], WINDOW, "PLAN_DIFFERS"),
        (dataclasses.replace(told, notice_zh="别的"), [compact], WINDOW, "PLAN_DIFFERS"),
        (told, [compact + "A"], WINDOW, "REQUEST_NOT_MINE"),
        (told, [compact], "systems/window-2", "CALLER_NOT_ME"),
    ]

    for lie, requests, me, reason in lies:
        with pytest.raises(ProofError) as caught:
            verify_plan_receipt(answer.receipt.encode(), requests, me, lie, trust)
        assert caught.value.reason is ProofReason(reason)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_receipt_continues_the_head_that_the_request_names(counter: Window) -> None:
    """As for a fetch: who has seen more of the log than there is keeps the proof."""
    counter.define(item(ITEM, FORM))
    first = counter.claims()
    compact = sign_plan_request(first, counter.signer)
    head = verify(await counter.send(compact, first.jti), compact).head

    await counter.ask(log=head)
    with pytest.raises(HubError) as caught:
        await counter.ask(log=LogHead(ORIGIN, head.size + 100, head.root))

    assert caught.value.reason is Reason.LOG_SEEN_AHEAD
