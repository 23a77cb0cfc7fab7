"""`sealway verify` over stored plans and verifications: offline, by what a platform has kept."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.proof.encoding import b64u, b64u_decode, digest
from hub.proof.reasons import Verdict
from hub.proof.recognise import recognise
from hub.proof.run import Evidence
from hub.proof.trust import parse_trust
from hub.proof.verify import verify
from tests.proof.jose_vectors import NOW, ORIGIN, REGION
from tests.proof.test_verify_command import (
    RECORD_CERT,
    VCT,
    Save,
    fact,
    hub_trust,
    receipt_of,
    report,
    save,
    saved_answer,
)

__all__ = ["save"]

ME: Final = "systems/window-1"
STEPS: Final = [
    *("answer-file", "receipt", "logged", "entry", "request", "answer", "time", "continuity"),
]
Change = Callable[[dict[str, Any]], None]


def request(**claims: Any) -> str:
    """A request that was sent; only its claims are read."""
    said = {"iss": ME, "jti": "5b1c7f52", "iat": NOW, **claims}
    return f"e30.{b64u(json.dumps(said).encode())}.c2ln"


PLAN_REQUEST: Final = request(plan={"items": ["DEMO-RESTAURANT"]})
QUESTION: Final = request(certificates=[{"vct": VCT, "fields": ["name"], "cert": RECORD_CERT}])
BY_HOLDER: Final = request(
    certificates=[{"vct": VCT, "fields": ["name"], "holder": {"type": "001", "number": "9"}}]
)


def receipt(kind: str, sent: str, said: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    """The receipt of an entry of this kind that answers `sent`; `changes` are of its body."""
    body = {
        "v": 1,
        "kind": kind,
        "origin": ORIGIN,
        "region": REGION,
        "time_us": NOW * 1_000_000,
        "request_id": "5b1c7f52",
        "caller": ME,
        "request_digest": digest(sent),
        "data": said,
    }
    return receipt_of(json.dumps(body | changes).encode())


def saved_plan(sent: str = PLAN_REQUEST, **changes: Any) -> dict[str, Any]:
    """A plan as `sealway exchange plan --out` keeps it: one licence on file, one plan to follow."""
    licence = {"uses": ["DEMO-RESTAURANT/licence"], "outcome": "on_file", "holder": 0}
    later = {"uses": ["DEMO-RESTAURANT/floor-plan"], "outcome": "deferrable"}
    logged = {
        "materials": [
            licence | {"cert": RECORD_CERT, "state_entry": 7},
            later | {"due_date": "2026-12-04", "obstacles": ["paper_only"]},
        ],
        "notice_digest": digest("请提交\nplease bring"),
    }
    return {
        "request_id": "5b1c7f52",
        "items": [{"code": "DEMO-RESTAURANT", "version": 1}],
        "materials": [
            {
                "uses": [{"item": "DEMO-RESTAURANT", "material": "licence"}],
                "name": {"zh": "营业执照", "en": "Business licence"},
                "outcome": "on_file",
                "holder": 0,
                "certificate": {"cert": RECORD_CERT, "grade": "B"},
            },
            {
                "uses": [{"item": "DEMO-RESTAURANT", "material": "floor-plan"}],
                "outcome": "deferrable",
                "due_date": "2026-12-04",
                "obstacles": [{"code": "paper_only", "text": {"zh": "纸质", "en": "paper"}}],
            },
        ],
        "notice": {"zh": "请提交", "en": "please bring"},
        "receipt": receipt("plan", sent, logged, **changes),
    }


def saved_result(result: str = "in_force", sent: str = QUESTION, **data: Any) -> dict[str, Any]:
    """A verification as `sealway exchange verify --out` keeps it."""
    named = {"cert": RECORD_CERT} if sent == QUESTION else {}
    logged = {"vct": VCT, "fields": ["name"], "result": "in_force", **named, **data}
    return {
        "request_id": "5b1c7f52",
        "result": result,
        "receipt": receipt("verification", sent, logged),
    }


def check(save: Save, answer: Any, sent: str | None, *more: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report of the command about a stored answer."""
    asked = () if sent is None else ("--request", save("request.jws", sent))
    return report(
        save("answer.json", json.dumps(answer, ensure_ascii=False)),
        *asked,
        *("--trust", save("trust.json", hub_trust()), "--at", str(NOW), *more),
    )


@pytest.mark.parametrize(
    ("answer", "sent", "kind", "outcome"),
    [
        (saved_plan(), PLAN_REQUEST, "plan", "answered"),
        (saved_result(), QUESTION, "verification", "in_force"),
        (saved_result(sent=BY_HOLDER), BY_HOLDER, "verification", "in_force"),
    ],
)
def test_a_stored_answer_is_valid(
    answer: dict[str, Any], sent: str, kind: str, outcome: str, save: Save
) -> None:
    """Every step holds: exit code 0, with what the entry says."""
    code, document = check(save, answer, sent, "--as", ME)

    assert (code, document["kind"], document["verdict"]) == (0, kind, "valid")
    assert [step["name"] for step in document["steps"]] == STEPS
    assert fact(document, "outcome") == outcome
    assert (fact(document, "caller"), fact(document, "index")) == (ME, 4)


def test_a_report_on_a_plan_lists_its_materials(save: Save) -> None:
    """As they were logged, so that they can be read to somebody who asks."""
    _, document = check(save, saved_plan(), PLAN_REQUEST)

    assert fact(document, "materials") == [
        "DEMO-RESTAURANT/licence: on_file",
        "DEMO-RESTAURANT/floor-plan: deferrable",
    ]


def changed(change: Change) -> dict[str, Any]:
    """The stored plan after somebody changed it."""
    answer = copy.deepcopy(saved_plan())
    change(answer)
    return answer


def _first(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["materials"][0]
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: _first(answer).update(outcome="ask"),
        lambda answer: _first(answer).update(holder=1),
        lambda answer: _first(answer).pop("holder"),
        lambda answer: _first(answer)["certificate"].update(cert="another"),
        lambda answer: _first(answer)["uses"][0].update(material="other"),
        lambda answer: _first(answer).update(obstacles=[{"code": "stale"}]),
        lambda answer: answer["materials"][1].update(due_date="2026-12-05"),
        lambda answer: answer["materials"][1].pop("obstacles"),
        lambda answer: answer["materials"].pop(),
        lambda answer: answer["materials"].reverse(),
        lambda answer: answer["notice"].update(zh="无需提交"),
        lambda answer: answer["notice"].update(en=""),
    ],
)
def test_a_plan_that_was_changed_is_not_the_one_that_was_logged(change: Change, save: Save) -> None:
    """A material less, a later day, a rewritten notice: exit code 1."""
    code, document = check(save, changed(change), PLAN_REQUEST)

    assert (code, document["reason"]) == (1, "PLAN_DIFFERS")


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer.update(materials={}),
        lambda answer: answer.update(materials=["x"]),
        lambda answer: answer.update(notice="x"),
        lambda answer: answer.update(notice={"zh": "请提交"}),
        lambda answer: _first(answer).update(outcome=1),
        lambda answer: _first(answer).update(certificate="x"),
        lambda answer: _first(answer).update(uses=[{"item": "x"}]),
        lambda answer: _first(answer).update(obstacles="x"),
        lambda answer: _first(answer).update(due_date=None),
        lambda answer: answer.update(request_id=7),
    ],
)
def test_a_plan_of_another_form_is_malformed(change: Change, save: Save) -> None:
    """The form is checked before anything is compared."""
    code, document = check(save, changed(change), PLAN_REQUEST)

    assert (code, document["reason"]) == (1, "ANSWER_MALFORMED")


@pytest.mark.parametrize(
    ("answer", "sent", "reason"),
    [
        (saved_result("ended"), QUESTION, "STATE_DIFFERS"),
        (saved_result(result="not_confirmed"), QUESTION, "STATE_DIFFERS"),
        (saved_result(vct=f"{VCT}x"), QUESTION, "CERTIFICATES_DIFFER"),
        (saved_result(fields=["name", "scope"]), QUESTION, "CERTIFICATES_DIFFER"),
        (saved_result(cert="another"), QUESTION, "CERTIFICATES_DIFFER"),
        (saved_result() | {"result": 1}, QUESTION, "ANSWER_MALFORMED"),
        (saved_result() | {"request_id": "other"}, QUESTION, "REQUEST_NOT_MINE"),
        (saved_result(), BY_HOLDER, "REQUEST_NOT_MINE"),
        # A receipt of one kind proves nothing of another.
        (saved_result() | {"receipt": saved_plan()["receipt"]}, PLAN_REQUEST, "BODY_KIND"),
        (saved_plan() | {"receipt": saved_result()["receipt"]}, QUESTION, "BODY_KIND"),
        (saved_plan() | {"receipt": saved_answer()["receipt"]}, PLAN_REQUEST, "BODY_KIND"),
        # A hub that logs a plan as the answer to a question, and the other way round.
        (saved_plan(QUESTION), QUESTION, "REQUEST_NOT_MINE"),
        (saved_result(sent=PLAN_REQUEST), PLAN_REQUEST, "REQUEST_NOT_MINE"),
        (saved_plan(data={"materials": "x"}), PLAN_REQUEST, "BODY_MALFORMED"),
        (saved_plan(data={"materials": [1]}), PLAN_REQUEST, "BODY_MALFORMED"),
        (saved_plan(data=7), PLAN_REQUEST, "BODY_MALFORMED"),
        (saved_plan(time_us=(NOW + 121) * 1_000_000), PLAN_REQUEST, "TIME_OUT_OF_WINDOW"),
        (saved_plan(origin="hub.other.example"), PLAN_REQUEST, "BODY_ORIGIN"),
    ],
)
def test_what_was_not_answered_so_is_invalid(
    answer: dict[str, Any], sent: str, reason: str, save: Save
) -> None:
    """Another result, another question, another kind of entry: exit code 1 with its reason."""
    code, document = check(save, answer, sent)

    assert (code, document["reason"]) == (1, reason)


def test_another_systems_answer_is_not_mine(save: Save) -> None:
    """Whoever did not ask cannot use it."""
    code, document = check(save, saved_plan(), PLAN_REQUEST, "--as", "systems/window-2")

    assert (code, document["reason"]) == (1, "CALLER_NOT_ME")


@pytest.mark.parametrize(
    ("answer", "sent"), [(saved_plan(), PLAN_REQUEST), (saved_result(), QUESTION)]
)
def test_what_is_missing_cannot_be_checked(answer: dict[str, Any], sent: str, save: Save) -> None:
    """Without request, receipt or trust: exit code 2, and the report says what to supply."""
    bare = {name: value for name, value in answer.items() if name != "receipt"}

    found = [check(save, answer, None), check(save, bare, sent)]
    found.append(report(save("answer.json", json.dumps(answer))))

    reasons = [(code, document["reason"]) for code, document in found]
    assert reasons == [(2, "NO_REQUEST"), (2, "NO_RECEIPT"), (2, "NO_TRUST")]


@pytest.mark.parametrize(
    ("answer", "sent"), [(saved_plan(), PLAN_REQUEST), (saved_result(), QUESTION)]
)
def test_a_bare_receipt_is_checked_by_its_own_kind(
    answer: dict[str, Any], sent: str, save: Save
) -> None:
    """With the answer beside it valid, without it not checked; of a fetch's answer it is none."""
    asked = ("--trust", save("trust.json", hub_trust()), "--request", save("request.jws", sent))
    bare = save("receipt.json", json.dumps(answer["receipt"]))

    with_answer = report(bare, *asked, "--answer", save("a.json", json.dumps(answer)))
    alone = report(bare, *asked)
    other = report(bare, *asked, "--answer", save("b.json", json.dumps(saved_answer())))

    assert (with_answer[0], with_answer[1]["kind"]) == (0, "receipt")
    assert (alone[0], alone[1]["reason"]) == (2, "NO_ANSWER")
    assert (other[0], other[1]["reason"]) == (1, "BODY_KIND")


def test_a_receipt_of_another_question_is_noticed_without_the_answer(save: Save) -> None:
    """What can be compared is compared: the entry is about another type than was asked."""
    bare = save("receipt.json", json.dumps(saved_result(vct=f"{VCT}x")["receipt"]))

    code, document = report(
        bare,
        *("--trust", save("trust.json", hub_trust()), "--request", save("r", QUESTION)),
    )

    assert (code, document["reason"]) == (1, "CERTIFICATES_DIFFER")


def act(**changes: Any) -> str:
    """The receipt of a change, as `--receipt` keeps it."""
    said = receipt("grant.created", "", {"grant": "grants/g-1"}, **changes)
    return json.dumps(said)


def test_the_receipt_of_an_act_is_valid_and_says_which(save: Save) -> None:
    """Nobody signed a request for it: what the entry says is shown, with a remark."""
    trust = ("--trust", save("trust.json", hub_trust()))

    code, document = report(save("receipt.json", act(caller="officers/zhao")), *trust)

    assert (code, [step["name"] for step in document["steps"]]) == (
        0,
        ["receipt", "logged", "entry"],
    )
    assert fact(document, "entry_kind") == "grant.created"
    assert (fact(document, "caller"), fact(document, "index")) == ("officers/zhao", 4)
    assert [item["remark"] for item in document["remarks"]] == ["AN_ACT"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"origin": "hub.other.example"}, "BODY_ORIGIN"),
        ({"v": 2}, "BODY_VERSION"),
        ({"kind": 7}, "BODY_MALFORMED"),
        ({"caller": None}, "BODY_MALFORMED"),
    ],
)
def test_an_act_is_read_strictly(change: dict[str, Any], reason: str, save: Save) -> None:
    """Though it is logged."""
    trust = ("--trust", save("trust.json", hub_trust()))

    code, document = report(save("receipt.json", act(**change)), *trust)

    assert (code, document["reason"]) == (1, reason)


@pytest.mark.parametrize("name", ["--request", "--answer"])
def test_an_act_stands_for_no_exchange(name: str, save: Save) -> None:
    """Whoever shows what was asked or answered is told that this receipt does not prove it."""
    shown = QUESTION if name == "--request" else json.dumps(saved_answer())

    code, document = report(
        save("receipt.json", act()),
        *("--trust", save("trust.json", hub_trust()), name, save("shown", shown)),
    )

    assert (code, document["reason"]) == (1, "BODY_KIND")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_damaged_answer_is_valid_or_raises(data: st.DataObject) -> None:
    """A byte of the receipt or of what was answered replaced: never *valid*, never an exception."""
    answer, sent = data.draw(
        st.sampled_from([(saved_plan(), PLAN_REQUEST), (saved_result(), QUESTION)])
    )
    raw = bytearray(json.dumps(answer).encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(33, 126))
    kind = recognise(bytes(raw))
    if kind is None:
        return

    found = verify(bytes(raw), kind, parse_trust(hub_trust()), Evidence(NOW, (sent,), ME))

    assert found.verdict is not Verdict.VALID or _compared(json.loads(raw)) == _compared(answer)


def _compared(answer: dict[str, Any]) -> Any:
    """What of an answer is compared with its entry, or stands in its receipt."""
    said = answer.get("result") or [
        [
            [(use["item"], use["material"]) for use in one["uses"]],
            one["outcome"],
            one.get("holder"),
            one.get("certificate", {}).get("cert"),
            one.get("due_date"),
            [obstacle["code"] for obstacle in one.get("obstacles", [])],
        ]
        for one in answer["materials"]
    ]
    body = b64u_decode(answer["receipt"]["body"])
    return said, answer.get("notice"), body, answer["receipt"]
