"""The bytes of a row: one text per row, and everything else refused with all its faults."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.association import ASSOCIATIONS, Association
from hub.domain.certificate import Origin
from hub.domain.holder import Holder
from hub.domain.row import ROW_BYTES_MAX, Op, Row, emit_row, parse_row
from hub.domain.ruling import Ruling
from hub.errors import HubError, Reason

ROW = Row(
    op=Op.ISSUE,
    source_key="91350100M000100Y43",
    number="91350100M000100Y43",
    serial=None,
    issue_date="2001-01-01",
    valid_from=None,
    valid_until=None,
    holders=(Holder("001", "91350100M000100Y43"),),
    fields={"name": "示例（演示）有限公司", "capital": None, "size": 3, "branch": False},
    rules=(("credit_code", "uscc.upper"),),
)


RENEWED = {"relation": "renewed_from", "identifier": "x"}


def changed(**members: object) -> bytes:
    """The row's bytes with members replaced; None removes one."""
    value = json.loads(emit_row(ROW)) | members
    kept = {name: one for name, one in value.items() if one is not None}
    return json.dumps(kept, ensure_ascii=False).encode()


def test_the_text_of_a_row_is_fixed() -> None:
    """The signed bytes, member by member."""
    assert emit_row(ROW).decode() == (
        '{"v":1,"op":"issue","source_key":"91350100M000100Y43","number":"91350100M000100Y43",'
        '"issue_date":"2001-01-01","holders":[{"type":"001","number":"91350100M000100Y43"}],'
        '"fields":{"name":"示例（演示）有限公司","capital":null,"size":3,"branch":false},'
        '"rules":[["credit_code","uscc.upper"]]}'
    )


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn", "Cf"]),
    min_size=1,
    max_size=40,
)


def with_its_reason(row: Row) -> st.SearchStrategy[Row]:
    """A revocation with its ruling, a correction with or without the objection that it answers."""
    if row.op is Op.REVOKE:
        rulings = st.builds(Ruling, texts, texts, st.dates().map(str))
        return rulings.map(lambda ruling: dataclasses.replace(row, ruling=ruling))
    if row.op is Op.CORRECT:
        names = st.none() | st.from_regex(r"objections/[a-z0-9]{32}", fullmatch=True)
        return names.map(lambda name: dataclasses.replace(row, objection=name))
    return st.just(row)


@given(
    st.builds(
        Row,
        op=st.sampled_from(Op),
        source_key=texts,
        number=texts,
        serial=st.none() | st.text("0123456789ABC", min_size=1, max_size=64),
        issue_date=st.dates().map(str),
        valid_from=st.none(),
        valid_until=st.none() | st.dates().map(str),
        holders=st.lists(st.just(Holder("414", "E12345678")), max_size=3).map(tuple),
        fields=st.dictionaries(
            st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True),
            texts | st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1),
            max_size=5,
        ),
        rules=st.just((("name", "text.strip"),)),
        source_time=st.none() | st.just("2026-01-31T08:00:00+08:00"),
        known_as=st.none() | texts,
        origin=st.just(Origin.SCAN),
        attestation=texts,
        associated=st.lists(
            st.builds(Association, st.sampled_from(ASSOCIATIONS), texts), max_size=16, unique=True
        ).map(tuple),
    ).flatmap(with_its_reason)
)
def test_a_row_survives_its_bytes(row: Row) -> None:
    """parse_row(emit_row(row)) == row."""
    assert parse_row(emit_row(row)) == row


@pytest.mark.parametrize(
    ("data", "field", "rule"),
    [
        (changed(extra=1), "extra", "member.unknown"),
        (changed(number=None), "number", "member.missing"),
        (changed(number=7), "number", "member.kind"),
        (changed(v=2), "v", "row.version"),
        (changed(v=True), "v", "member.kind"),
        (changed(op="delete"), "op", "row.op"),
        (changed(number="a\x00b"), "number", "value.control"),
        (changed(number="a\nb"), "number", "value.control"),
        (changed(number=""), "number", "value.empty"),
        (changed(issue_date="2001-02-30"), "issue_date", "value.date"),
        (changed(issue_date="20010101"), "issue_date", "value.date"),
        (changed(issue_date="2001-W01-1"), "issue_date", "value.date"),
        (changed(issue_date="２001-01-01"), "issue_date", "value.date"),
        (
            changed(valid_from="2002-01-02", valid_until="2002-01-01"),
            "valid_until",
            "row.validity",
        ),
        (changed(serial="a-b"), "serial", "row.serial"),
        (changed(holders=[{"type": "001", "number": "1"}]), "holders[0].number", "uscc.length"),
        (changed(holders=[{"type": "001"}]), "holders[0]", "member.kind"),
        (changed(holders=[{"type": "414", "number": "E12345"}] * 17), "holders", "row.count"),
        (changed(fields={"name": "长" * 10_000}), "fields.name", "value.length"),
        (changed(fields={"name": "a\x00"}), "fields.name", "value.control"),
        (changed(fields={"name": ["a"]}), "fields.name", "value.text"),
        (changed(fields={"_sd": "a"}), "fields", "field.name"),
        (changed(fields={f"f{i}": 1 for i in range(65)}), "fields", "row.count"),
        (changed(origin="system"), "origin", "row.origin"),
        (changed(origin="photo", attestation="x"), "origin", "row.origin"),
        (changed(origin="scan"), "attestation", "row.attestation_missing"),
        (changed(attestation="x"), "attestation", "row.attestation_unwanted"),
        (changed(origin="scan", attestation=""), "attestation", "value.empty"),
        (changed(origin="scan", attestation="x" * 4097), "attestation", "value.length"),
        (changed(known_as=""), "known_as", "value.empty"),
        (changed(known_as="9" * 129), "known_as", "value.length"),
        (changed(associated={}), "associated", "member.kind"),
        (changed(associated=[{"relation": "changes"}]), "associated[0]", "member.kind"),
        (changed(associated=[RENEWED] * 17), "associated", "row.count"),
        (changed(associated=[RENEWED] * 2), "associated[1]", "member.repeated"),
        (
            changed(associated=[RENEWED | {"relation": "known_as"}]),
            "associated[0].relation",
            "row.relation",
        ),
        (
            changed(associated=[RENEWED | {"relation": ["changes"]}]),
            "associated[0].relation",
            "row.relation",
        ),
        (
            changed(associated=[RENEWED | {"identifier": 7}]),
            "associated[0].identifier",
            "value.text",
        ),
        (changed(rules=[["a"]]), "rules", "row.rules"),
        (changed(source_time="2026-01-31T08:00:00"), "source_time", "row.source_time"),
        (b'{"v":1,"v":1}', "row", "json.malformed"),
        (b'{"v":1.0}', "row", "json.malformed"),
        (b'{"v":"\\ud800"}', "row", "json.malformed"),
        (b"\xef\xbb\xbf{}", "row", "json.malformed"),
        (b"[]", "row", "json.malformed"),
        (b"[" * 60_000, "row", "json.malformed"),
        (b"\xff", "row", "json.malformed"),
        (b" " * (ROW_BYTES_MAX + 1), "row", "row.size"),
    ],
)
def test_a_wrong_row_names_field_and_rule(data: bytes, field: str, rule: str) -> None:
    """Each fault alone gives exactly its violation."""
    with pytest.raises(HubError) as refused:
        parse_row(data)

    assert refused.value.reason is Reason.ROW_INVALID
    assert [(one.field, one.rule) for one in refused.value.violations] == [(field, rule)]


def test_all_faults_of_a_row_are_named_at_once() -> None:
    """Whoever corrects a row sees everything that is wrong with it."""
    data = changed(
        op="x", number="", issue_date="2001-13-01", holders=[{"type": "9", "number": "secret"}]
    )
    with pytest.raises(HubError) as refused:
        parse_row(data)

    rules = [one.rule for one in refused.value.violations]
    assert rules == ["row.op", "value.empty", "value.date", "holder.type"]
    assert "secret" not in str(refused.value) + repr(refused.value.violations)
