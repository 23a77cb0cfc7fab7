"""A caller that cannot sign gets what its account and the hub's grants allow, with proof."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from hub.proof.exchange.answer_receipt import verify_verification_receipt
from hub.proof.log.receipt import parse_receipt
from hub.proof.reasons import Verdict
from hub.proof.reports.report import Kind as ProofKind
from hub.proof.run import Evidence
from hub.proof.trust import parse_trust
from hub.proof.verify import verify
from tests.facade.conftest import ALL, CAUSE, SECRET, FacadeProcess, Portal, holder, person
from tests.hub_process import HubProcess
from tests.simulator import GRANTED, ITEM, LICENCE, PERMIT, citizen, company

pytestmark = pytest.mark.xdist_group("facade")

ME = "systems/window-1"
SCOPE = "软件开发;批发、零售:机械设备"


def surface(answer: dict[str, Any], number: int = 0) -> dict[str, Any]:
    """The face of one certificate of an answer, by the names of the fields."""
    shown = answer["data"]["certData"][number]["surface"]
    return {item["columnName"]: item["value"] for item in shown}


def body_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The log entry that the answer's receipt opens."""
    receipt = json.dumps(answer["data"]["proof"]["answer"]["receipt"]).encode()
    return dict(json.loads(parse_receipt(receipt).body))


def identifier_of(portal: Portal, number: int) -> str:
    answer = portal.call("getDataByHolder", **holder(number))
    (identifier,) = answer["data"]["certificateIdentifiers"]
    return str(identifier)


# -- What is served --------------------------------------------------------------------------------


def test_the_data_of_a_holder_come_in_the_standards_shape(portal: Portal) -> None:
    """Fields of the account and of the grant, labels of the type, and nothing made up."""
    answer = portal.call("queryCertInfoByHolderCode", **holder(1))

    assert answer["head"]["status"] == 0
    assert surface(answer) == {
        "name": "杭州示例1有限公司",
        "credit_code": company(1),
        "scope": SCOPE,
        "address": "浙江省杭州市示例路1号",
    }
    (data,) = answer["data"]["certData"]
    assert data["certificateHolderCode"] == company(1)
    assert data["certificateTypeCode"] == LICENCE
    assert data["certificateType"] == "营业执照"
    assert [item["name"] for item in data["surface"]][:2] == ["名称", "统一社会信用代码"]
    assert "certificateNumber" not in data


def test_answer_and_ledger_say_who_signed_and_for_whom(portal: Portal) -> None:
    """The system under its own name, the account beside it, and the purpose by its digest."""
    answer = portal.call("queryCertInfoByHolderCode", businessCode="B-2026-17", **holder(2))

    assert answer["head"]["actingSystem"] == ME
    assert answer["head"]["onBehalfOf"] == "accounts/portal"
    entry = body_of(answer)
    assert entry["caller"] == ME
    assert entry["act"].startswith("accounts/portal/causes/")
    assert (entry["service_item"], entry["matter"]) == (ITEM, "B-2026-17")


def test_what_came_back_verifies_offline(portal: Portal, hub_process: HubProcess) -> None:
    """With the trust file alone, by the same tool as any answer of the hub."""
    answer = portal.call("queryCertInfoByHolderCode", **holder(3))

    proof = answer["data"]["proof"]
    trust = parse_trust((hub_process.home / "trust.json").read_bytes())
    evidence = Evidence(now=int(time.time()), requests=(proof["request"],), system=ME)
    report = verify(json.dumps(proof["answer"]).encode(), ProofKind.ANSWER, trust, evidence)
    assert [step for step in report.steps if step.verdict is Verdict.INVALID] == []
    assert any(step.verdict is Verdict.VALID for step in report.steps)


def test_by_identifier_and_by_code_the_same_certificate_comes(portal: Portal) -> None:
    """The holder was not named, so it is not told; a code that was only read says so."""
    identifier = identifier_of(portal, 4)

    by_name = portal.call("queryCertInfo", certIdentifier=identifier)
    by_code = portal.call("queryCertInfoByQRcode", qrcode=f"https://v.example/?z={identifier}")

    assert surface(by_name) == surface(by_code)
    assert "certificateHolderCode" not in by_name["data"]["certData"][0]
    assert by_code["data"]["qrcodeVerified"] is False


def test_what_stands_under_a_linked_identifier_comes_without_it(portal: Portal) -> None:
    """By its identifier, as the hub wants it; the number that nobody said stays unsaid."""
    (identifier,) = portal.call("getDataByHolder", **holder(13))["data"]["certificateIdentifiers"]
    answer = portal.call("queryCertInfoByHolderCode", **holder(13))

    (data,) = answer["data"]["certData"]
    assert data["certificateIdentifier"] == identifier
    assert surface(answer)["name"] == "杭州示例12有限公司"
    assert "certificateHolderCode" not in data


def test_several_certificates_of_one_holder_all_come(portal: Portal) -> None:
    """The identifiers in one answer, the data in another."""
    listed = portal.call("getDataByHolder", **holder(9))["data"]["certificateIdentifiers"]
    answer = portal.call("queryCertInfoByHolderCode", **holder(9))

    assert len(set(listed)) == 2
    shown = {item["certificateIdentifier"] for item in answer["data"]["certData"]}
    assert shown == set(listed)


def test_the_dictionary_names_the_face(portal: Portal) -> None:
    """Every field of the type; no certificate is asked for, so there is no proof."""
    answer = portal.call("getCertRemarkInfo", certTypeCode=LICENCE)

    names = {item["columnName"]: item["name"] for item in answer["data"]["certRemark"]}
    assert names["scope"] == "经营范围"
    assert "proof" not in answer["data"]


@pytest.mark.parametrize(
    ("number", "stated", "result"),
    [
        (1, {"name": "杭州示例1有限公司", "scope": SCOPE}, 0),
        (1, {"名称": "杭州示例1有限公司"}, 0),
        (10, {"name": "杭州示例10有限公司"}, 3),
        (11, {"name": "杭州示例11有限公司"}, 3),
        (9, {"name": "杭州示例9有限公司"}, 4),
        (1, {}, 4),
        (1, {"name": ""}, 4),
        (2, {"name": "杭州示例1有限公司"}, 5),
        (77, {"name": "杭州示例77有限公司"}, 5),
    ],
)
def test_information_is_verified_with_the_usual_codes(
    portal: Portal, number: int, stated: dict[str, str], result: int
) -> None:
    """0 right, 3 ended, 4 not enough, 5 nothing such; of the certificate nothing comes back."""
    answer = portal.call("verifyCertInfo", **holder(number), certData=stated)

    assert (answer["head"]["status"], answer["data"]["result"]) == (0, result)
    assert set(answer["data"]) <= {"result", "resultMessage", "proof"}


def test_the_receipt_of_a_verification_holds_offline(
    portal: Portal, hub_process: HubProcess
) -> None:
    """Who was told what, under the log's key."""
    answer = portal.call("verifyCertInfo", **holder(5), certData={"name": "杭州示例5有限公司"})

    proof = answer["data"]["proof"]
    trust = parse_trust((hub_process.home / "trust.json").read_bytes())
    verified = verify_verification_receipt(
        json.dumps(proof["answer"]["receipt"]).encode(),
        [proof["request"]],
        ME,
        "in_force",
        trust.log,
    )
    assert verified.index == answer["head"]["logEntry"]
    assert body_of(answer)["data"]["act"].startswith("accounts/portal/causes/")


def test_known_addresses_of_another_platform_lead_to_the_same_operations(portal: Portal) -> None:
    """So a caller changes the host and nothing else."""
    portal.log_in()

    assert portal.call("/zzgx/zzcx", **holder(1))["head"]["status"] == 0
    assert portal.call("/zzgx/zzjs", **holder(1))["head"]["status"] == 0


# -- What is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [name for name in ALL if name != "getToken"])
def test_no_operation_is_served_without_a_purpose(portal: Portal, operation: str) -> None:
    """Not even where nothing would be asked of the hub."""
    answer = portal.call(operation, cause=None, **holder(1), certData={"name": "x"})

    assert (answer["head"]["status"], answer["head"]["reason"]) == (12, "USE_CAUSE_MISSING")
    assert answer["data"] == {}


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("", "USE_CAUSE_MISSING"),
        ("办事", "USE_CAUSE_INVALID"),
        ([], "USE_CAUSE_MISSING"),
        ({**CAUSE, "certificateCopyCause": " "}, "USE_CAUSE_MISSING"),
        ({**CAUSE, "certificateCopyCause": "长" * 201}, "USE_CAUSE_INVALID"),
        ({**CAUSE, "certificateCallCategory": "1"}, "USE_CAUSE_INVALID"),
        ({**CAUSE, "certificateEventCode": "331022' OR 1=1 --"}, "USE_CAUSE_INVALID"),
        ({**CAUSE, "certificateEventCode": 331022003000}, "USE_CAUSE_INVALID"),
        ({**CAUSE, "certificateEventCode": "999999999999"}, "ITEM_NOT_ALLOWED"),
    ],
)
def test_a_purpose_in_another_form_is_refused(portal: Portal, cause: Any, reason: str) -> None:
    """Every member is a short text, and the service item is one of the account's."""
    answer = portal.call("queryCertInfoByHolderCode", cause=cause, **holder(1))

    assert answer["head"]["reason"] == reason
    assert answer["head"]["status"] != 0
    assert answer["data"] == {}


@pytest.mark.parametrize(
    ("operation", "data", "status", "reason"),
    [
        ("queryCertInfoByHolderCode", holder(90), 10, "CERTIFICATE_ABSENT"),
        ("queryCertInfoByHolderCode", holder(10), 22, "CERTIFICATE_EXPIRED"),
        ("queryCertInfoByHolderCode", holder(11), 21, "CERTIFICATE_REVOKED"),
        ("getDataByHolder", {**holder(1), "holderTypeCode": "777"}, 103, "HOLDER_INVALID"),
        ("getDataByHolder", {**holder(1), "holderCode": "1' OR '1'='1"}, 102, "FIELD_INVALID"),
        ("getDataByHolder", {**holder(1), "holderCode": "1" * 5000}, 102, "FIELD_INVALID"),
        ("getDataByHolder", {**holder(1), "holderCode": ["x"]}, 102, "FIELD_INVALID"),
        ("getDataByHolder", {**holder(1), "holderCode": ""}, 12, "FIELD_MISSING"),
        ("getDataByHolder", {**holder(1), "certTypeCode": "X"}, 113, "TYPE_CODE_INVALID"),
        (
            "getDataByHolder",
            {**holder(1), "certTypeCode": LICENCE[:18] + "009"},
            100,
            "TYPE_NOT_ALLOWED",
        ),
        ("queryCertInfo", {"certIdentifier": "1.2.156.3005.2.X"}, 102, "FIELD_INVALID"),
        ("queryCertInfoByQRcode", {"qrcode": "https://example/"}, 102, "FIELD_INVALID"),
        ("verifyCertInfo", {**holder(1), "certData": {"unknown": "x"}}, 102, "FIELD_INVALID"),
        ("verifyCertInfo", {**holder(1), "certData": {"name": ["x"]}}, 102, "FIELD_INVALID"),
        ("verifyCertInfo", {**holder(1), "certData": "not json"}, 102, "FIELD_INVALID"),
        ("verifyCertInfo", {**holder(1), "certData": {"capital": "1"}}, 100, "FIELD_NOT_ALLOWED"),
        ("getDataByHolder", {**holder(1), "businessCode": "王某某的事"}, 102, "FIELD_INVALID"),
        ("getDataByHolder", {**holder(1), "businessCode": citizen(5)}, 102, "FIELD_INVALID"),
    ],
)
def test_bad_input_gets_the_status_and_reason_of_its_fault(
    portal: Portal, operation: str, data: dict[str, Any], status: int, reason: str
) -> None:
    """In the dialect's codes, with a sentence in Chinese and in English, and without the value."""
    answer = portal.call(operation, **data)

    assert (answer["head"]["status"], answer["head"]["reason"]) == (status, reason)
    assert answer["head"]["message"] and answer["head"]["messageEn"]
    assert answer["data"] == {}
    for value in data.values():
        if isinstance(value, str) and len(value) > 12 and value not in (LICENCE, PERMIT):
            assert value not in json.dumps(answer, ensure_ascii=False)


def test_an_account_gets_less_than_the_system_that_signs_for_it(facade: FacadeProcess) -> None:
    """Operations, types and fields of its own, whatever the system's grants would give."""
    narrow = Portal(facade, "narrow")
    identifier = identifier_of(Portal(facade), 1)

    answer = narrow.call("queryCertInfo", certIdentifier=identifier)
    by_holder = narrow.call("queryCertInfoByHolderCode", **holder(1))
    verified = narrow.call("verifyCertInfo", **holder(1), certData={"scope": SCOPE})

    assert surface(answer) == {"name": "杭州示例1有限公司"}
    assert len(GRANTED) > 1
    assert by_holder["head"]["reason"] == "OPERATION_NOT_ALLOWED"
    assert verified["head"]["reason"] == "FIELD_NOT_ALLOWED"


def test_an_account_has_so_many_calls_a_minute(facade: FacadeProcess) -> None:
    """Those beyond are told to wait, whatever they ask."""
    narrow = Portal(facade, "narrow")

    reasons = [narrow.call("queryCertInfo")["head"]["reason"] for _ in range(60)]

    assert reasons[-1] == "RATE_LIMITED"
    assert Portal(facade).call("getCertRemarkInfo", certTypeCode=LICENCE)["head"]["status"] == 0


# -- Who calls -------------------------------------------------------------------------------------


def test_a_wrong_secret_an_unknown_key_and_a_wrong_address_are_one_answer(
    facade: FacadeProcess,
) -> None:
    """So nobody learns which accounts there are."""
    heads = []
    for key, secret in (("portal", "wrong"), ("nobody", SECRET), ("elsewhere", SECRET)):
        heads.append(Portal(facade, key).log_in(secret)["head"])

    assert heads[0] == heads[1] == heads[2]
    assert (heads[0]["status"], heads[0]["reason"]) == (11, "ACCOUNT_REFUSED")


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 129, "' OR 1=1 --"])
def test_a_token_that_was_not_given_opens_nothing(facade: FacadeProcess, token: str) -> None:
    """Neither a guess nor something else in its place."""
    head = {"accessId": "portal", "accessToken": token}
    answer = facade.post("/queryCertInfo", json.dumps({"head": head, "data": {}}).encode())[1]

    assert answer["head"]["reason"] in ("TOKEN_REFUSED", "FIELD_INVALID")
    assert answer["data"] == {}


def test_a_token_is_good_for_its_own_key_only(facade: FacadeProcess) -> None:
    """Another caller that has got hold of it is refused."""
    portal, narrow = Portal(facade), Portal(facade, "narrow")
    portal.log_in()
    narrow.token = portal.token

    assert narrow.call("queryCertInfo")["head"]["reason"] == "TOKEN_REFUSED"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"head":{},"data":{}}',
        b'{"head":{"accessId":"a"},"head":{"accessId":"portal"},"data":{}}',
        b'{"head":{"accessId":"portal","accessToken":1},"data":{}}',
        b"\xff\xfe",
        b'{"head":{"accessId":"portal"},"data":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_what_is_no_envelope_is_refused_in_one(facade: FacadeProcess, body: bytes) -> None:
    """Malformed, doubled, too deep: a status and a sentence, never a stack."""
    status, answer = facade.post("/queryCertInfo", body)

    assert status == 200
    assert answer["head"]["reason"] in ("FIELD_INVALID", "FIELD_MISSING")


def test_a_body_beyond_the_limit_is_not_read(facade: FacadeProcess) -> None:
    """413, and the facade goes on serving."""
    status, answer = facade.post("/queryCertInfo", b" " * 70_000)

    assert (status, answer["head"]["reason"]) == (413, "MESSAGE_TOO_LARGE")
    assert facade.post("/nothing", b"{}")[0] == 404
    assert Portal(facade).call("getCertRemarkInfo", certTypeCode=LICENCE)["head"]["status"] == 0


# -- What is written down --------------------------------------------------------------------------


def test_nothing_personal_stands_in_the_facades_log(facade: FacadeProcess) -> None:
    """Neither the number nor the name, asked rightly or wrongly; nor secret and token."""
    portal = Portal(facade)
    answer = portal.call("queryCertInfoByHolderCode", **person(1))
    assert surface(answer) == {"name": "王示例1"}
    portal.call("verifyCertInfo", **person(1), certData={"name": "王示例1", citizen(1): "x"})
    portal.call("queryCertInfo", certIdentifier=citizen(1))
    portal.call(citizen(1) and "queryCertInfoByQRcode", qrcode=f"王示例1 {citizen(1)}")
    facade.post("/queryCertInfo", f'{{"head": {citizen(1)} 王示例1'.encode())

    log = facade.log.read_bytes()

    for secret in (citizen(1), "王示例1", SECRET, portal.token):
        data = secret.encode()
        for spelling in (data, data.hex().encode(), base64.b64encode(data).rstrip(b"=")):
            assert spelling not in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith(b"{")]
    assert {"operation", "account", "peer", "status", "reason"} <= lines[-1].keys()
    assert any(line.get("account") == "accounts/portal" for line in lines)


def test_a_secret_in_clear_is_refused_and_not_repeated(tmp_path: Path) -> None:
    """What was written into the wrong place does not reach a terminal or a log."""
    from connectors.facade.config import load_facade
    from hub.errors import HubError

    file = tmp_path / "facade.toml"
    file.write_text('[[accounts]]\nid = "portal"\napp_key = "portal"\nsecret = "in-clear-77"\n')

    with pytest.raises(HubError) as refused:
        load_facade(file)

    assert refused.value.reason == "FACADE_INVALID"
    assert "accounts.0.secret" in str(refused.value)
    assert "in-clear-77" not in f"{refused.value!r} {refused.value.details}"
