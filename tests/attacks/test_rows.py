"""Rows that are signed and wrong: each refused by itself, with every error named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.domain.row import Row, emit_row
from hub.registry.v1 import registry_pb2
from tests.simulator import PERMIT_VCT, Simulator, citizen, company, licence, permit

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED = registry_pb2.RowResult.OUTCOME_REFUSED
WRONG_CODE = company(50)[:-1] + ("0" if company(50)[-1] != "0" else "1")
WRONG_CITIZEN = citizen(5)[:-1] + ("0" if citizen(5)[-1] != "0" else "1")
# What a row may never touch when it is refused.
_CERTIFICATES = (
    "registry_certificates",
    "registry_versions",
    "registry_holders",
    "seal_signatures",
    "seal_status",
    "seal_intent_uses",
)


# What a department reads, word for word.
_SAYS = {
    (
        "uscc.check",
        "the last character does not fit the others (GB 32100); compare with the licence",
        "统一社会信用代码校验位不符（GB 32100），请核对证照原件",
    ),
    (
        "citizen.check",
        "the last character does not fit the others (GB 11643); compare with the document",
        "公民身份号码校验码不符（GB 11643），请核对证件原件",
    ),
    (
        "value.date",
        "the value should be a date that exists, as YYYY-MM-DD",
        "值应为真实存在的日期，格式 YYYY-MM-DD",
    ),
    (
        "value.control",
        "the text holds a NUL or another control character; remove it at the source",
        "文本含有 NUL 或其他控制字符，请在来源系统中清除",
    ),
    ("value.empty", "the text is empty", "文本为空"),
    ("value.required", "this field is required and has no value", "必填字段没有值"),
    ("value.unknown_field", "the certificate type has no such field", "该证照类型没有此字段"),
    ("value.text", "the value should be a text", "值应为文本"),
    (
        "value.amount",
        "the value should be a decimal number and a currency, such as 500000.00 CNY",
        "值应为十进制数和币种，例如 500000.00 CNY",
    ),
    (
        "holder.kind",
        "this certificate type is held by organisation only",
        "该证照类型的持证主体只能是 organisation（person 自然人、organisation 组织、area 区域）",
    ),
    ("row.validity", "the validity ends before it begins", "有效期截止日期早于起始日期"),
    ("row.version", "the format version is 1", "格式版本应为 1"),
    (
        "row.op",
        "the operation is one of issue, change, correct, revoke",
        "操作应为 issue, change, correct, revoke 之一",
    ),
    ("value.length", "the text has more than 4000 characters", "文本超过 4000 个字符"),
    ("value.length", "the text has more than 200 characters", "文本超过 200 个字符"),
    ("row.size", "a row has at most 65536 bytes", "一行数据最多 65536 字节"),
}


def _row(row: Row, changes: dict[str, Any]) -> bytes:
    """The bytes of `row` with other members, checked by nobody."""
    members = json.loads(emit_row(row))
    fields = {**members["fields"], **changes.get("fields", {})}
    return json.dumps({**members, **changes, "fields": fields}, ensure_ascii=False).encode()


def _holder(kind: str, number: str) -> dict[str, Any]:
    return {"holders": [{"type": kind, "number": number}]}


async def _refused_rows(
    hub: Simulator, rows: list[Any], **changes: Any
) -> registry_pb2.IngestBatchesResponse:
    """The answer to a batch all of whose rows are refused: one entry, no certificate touched."""
    before = await hub.state()

    answer = await hub.connector().deliver(rows, **changes)

    assert [result.outcome for result in answer.results] == [REFUSED] * len(rows)
    after = await hub.state()
    assert after.size == before.size + 1
    for table in _CERTIFICATES:
        assert after.tables[table] == before.tables[table], table
    (entry,) = await hub.entries(before.size)
    assert entry["kind"] == "ingest"
    assert entry["data"]["counts"]["refused"] == len(rows)
    for result in answer.results:
        assert (result.certificate, result.identifier) == ("", "")
        for error in result.errors:
            if error.reason == "json.malformed":
                assert error.en.startswith("not strict JSON: ")
                assert error.zh.startswith("不是严格的 JSON：")
            else:
                assert (error.reason, error.en, error.zh) in _SAYS
    return answer


def _errors(answer: registry_pb2.IngestBatchesResponse) -> list[list[tuple[str, str]]]:
    return [[(error.field, error.reason) for error in result.errors] for result in answer.results]


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"fields": {"credit_code": WRONG_CODE}}, [("fields.credit_code", "uscc.check")]),
        (_holder("001", WRONG_CODE), [("holders[0].number", "uscc.check")]),
        ({"fields": {"establish_date": "2001-02-30"}}, [("fields.establish_date", "value.date")]),
        ({"issue_date": "2023-02-29"}, [("issue_date", "value.date")]),
        ({"issue_date": "2001-1-1"}, [("issue_date", "value.date")]),
        ({"issue_date": "2001-W01-1"}, [("issue_date", "value.date")]),
        ({"fields": {"name": "长" * 10_000}}, [("fields.name", "value.length")]),
        ({"fields": {"name": "长" * 201}}, [("fields.name", "value.length")]),
        ({"fields": {"name": "a\x00b"}}, [("fields.name", "value.control")]),
        ({"fields": {"name": "a\x1bb"}}, [("fields.name", "value.control")]),
        ({"source_key": "\x00"}, [("source_key", "value.control")]),
        ({"fields": {"name": ""}}, [("fields.name", "value.empty")]),
        ({"fields": {"name": None}}, [("fields.name", "value.required")]),
        ({"fields": {"nickname": "x"}}, [("fields.nickname", "value.unknown_field")]),
        ({"fields": {"name": 7}}, [("fields.name", "value.text")]),
        ({"fields": {"capital_amount": "a lot"}}, [("fields.capital_amount", "value.amount")]),
        (_holder("111", citizen(1)), [("holders[0].type", "holder.kind")]),
        (
            {"valid_from": "2020-01-01", "valid_until": "2019-12-31"},
            [("valid_until", "row.validity")],
        ),
        (
            {"fields": {"name": None, "credit_code": WRONG_CODE, "establish_date": "1"}},
            [
                ("fields.credit_code", "uscc.check"),
                ("fields.establish_date", "value.date"),
                ("fields.name", "value.required"),
            ],
        ),
    ],
    ids=lambda value: "" if isinstance(value, list) else str(value)[:40].replace("\x00", "NUL"),
)
async def test_a_row_that_breaks_a_rule_is_refused_with_every_error_it_has(
    hub: Simulator, changes: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    """Wrong check digits, impossible dates, overlong and control characters, wrong kinds."""
    answer = await _refused_rows(hub, [_row(licence(51), changes)])

    assert sorted(_errors(answer)[0]) == errors


async def test_a_wrong_citizen_number_is_refused_and_not_repeated(hub: Simulator) -> None:
    """The error names field and rule, never the number."""
    row = _row(permit(5), _holder("111", WRONG_CITIZEN))

    answer = await _refused_rows(hub, [row], vct=PERMIT_VCT)

    assert _errors(answer) == [[("holders[0].number", "citizen.check")]]
    assert WRONG_CITIZEN not in str(answer)


_ROW = emit_row(licence(52))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "json.malformed"),
        (b"not JSON", "json.malformed"),
        (b"\xff\xfe", "json.malformed"),
        (_ROW[:-1], "json.malformed"),
        (_ROW.replace(b'{"v":1', b'{"v":1,"v":1', 1), "json.malformed"),
        (_ROW.replace(b'"v":1', b'"v":NaN', 1), "json.malformed"),
        (_ROW.replace(b'"v":1', b'"v":2', 1), "row.version"),
        (_ROW.replace(b'"op":"issue"', b'"op":"delete"', 1), "row.op"),
        (b"[" * 5_000, "json.malformed"),
        (_ROW + b" " * 70_000, "row.size"),
    ],
    ids=range(10),
)
async def test_bytes_that_are_no_row_are_refused(hub: Simulator, data: bytes, reason: str) -> None:
    """The signature covers bytes; what they say is judged strictly afterwards."""
    answer = await _refused_rows(hub, [data])

    assert reason in [rule for _, rule in _errors(answer)[0]]


async def test_good_rows_beside_a_bad_one_are_taken(hub: Simulator) -> None:
    """A row is refused, not its batch."""
    before = await hub.state()

    answer = await hub.connector().deliver(
        [licence(53), licence(54, issue_date="2001-02-30"), licence(55)]
    )

    new = registry_pb2.RowResult.OUTCOME_NEW
    assert [result.outcome for result in answer.results] == [new, REFUSED, new]
    after = await hub.state()
    assert after.size == before.size + 1
    assert len(after.tables["registry_versions"] - before.tables["registry_versions"]) == 2
