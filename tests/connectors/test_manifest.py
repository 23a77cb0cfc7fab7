"""Manifests: strict, with a line for every error."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from connectors.manifest import ManifestError, lint_manifest, load_manifest
from connectors.mapping import RowMapper
from connectors.sources.delimited import open_delimited
from hub.domain.association import Association, Relation
from hub.domain.certificate_type import from_json, to_json
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import emit_row, parse_row
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from tests.connectors.conftest import DEPLOY, GOOD, HEADER, Bench
from tests.fact_types import LISTING

# An example of the housing ministry, and a licence of the type that the bench maps to.
HOUSING = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
LICENCE_IDENTIFIER = str(
    CertificateIdentifier.make("11100000MB0143028R001", "113301000025123419", "A1", 2)
)


@pytest.mark.parametrize(
    "name",
    [
        "area-flood-scans.yaml",
        "business-licence-csv.yaml",
        "business-licence-gb18030.yaml",
        "fire-safety.yaml",
        "tobacco-licence.yaml",
    ],
)
def test_the_shipped_manifests_hold(name: str) -> None:
    """Linted against the shipped type; the digest is over the file's bytes."""
    path = DEPLOY / "connectors" / name

    assert lint_manifest(path).digest == digest(path.read_bytes())


@pytest.mark.parametrize(
    ("old", "new", "text", "rule"),
    [
        ("charset: utf-8", "charset: utf8", "charset", "should be"),
        ("quoting: csv", "quoting: csv\n  colour: red", "colour", "not known"),
        ("  quoting: csv\n", "", "source", "missing"),
        ('separator: ","', 'separator: "\\\\"', "source:", "separator"),
        (
            "as: date, formats: [iso]}\n  valid",
            "as: text, formats: [iso]}\n  valid",
            "issue_date",
            "belongs to",
        ),
        (
            "  kind: {from: 企业类型, as: text}",
            "  kind: {from: 企业类型, as: amount}",
            "企业类型",
            "takes",
        ),
        ("  name: {from", "  nom: {from", "nom:", "no such field"),
        ("R001\n", "R002\n", "type: 1110", "describes"),
        ("type_version: 1", "type_version: 2", "type_version", "version 1"),
        ('type: "001"', 'type: "002"', '"002"', "Annex A"),
        ("manifest: 1", "manifest: 2", "manifest: 2", "should be"),
        ("lifecycle: {op: issue}", "lifecycle: {from: 注册资金}", "lifecycle", "either"),
        ("  city: {", "  city: &a {", "city", "no error"),
        ("  id: business", "  id: x\n  id: business", "id: business", "twice"),
        (
            "valid_until: long_term",
            "valid_until: {from: 注册日期, as: validity}",
            "valid_until",
            "long_term",
        ),
        ("ratio: 0.05", "ratio: 7", "ratio", "1.0 or less"),
        (
            "lifecycle: {op: issue}",
            "associated: [{relation: known_as, from: 地区}]\nlifecycle: {op: issue}",
            "associated",
            "one of renewed_from",
        ),
    ],
)
def test_an_error_is_found_with_its_line(
    bench: Bench, change_manifest, *, old: str, new: str, text: str, rule: str
) -> None:
    """The line is the one where a person must write."""
    change_manifest(old, new)
    lines = bench.manifest.read_text().splitlines()
    if rule == "no error":
        lint_manifest(bench.manifest)
        return

    with pytest.raises(ManifestError) as refused:
        lint_manifest(bench.manifest)

    found = refused.value.findings
    assert any(text in lines[one.line - 1] and rule in one.rule.en for one in found), found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a: [",
        b"\xff",
        b"- 1",
        b"a: &x {b: 1}\nc: *x\n",
        b"[" * 5000,
        b"? [1]\n: 2\n",
    ],
)
def test_what_is_no_manifest_is_refused(bench: Bench, data: bytes) -> None:
    """References, too: a few of them can describe gigabytes."""
    bench.manifest.write_bytes(data)

    with pytest.raises(ManifestError):
        lint_manifest(bench.manifest)
    with pytest.raises(HubError) as refused:
        load_manifest(bench.manifest)
    assert refused.value.reason is Reason.MANIFEST_INVALID


def test_every_error_of_a_row_is_reported(bench: Bench) -> None:
    """Name missing, code wrong, date impossible, amount unknown: all at once, by member."""
    bench.write(",91350100M000100Y44,2001-02-30,N/A,五十万,零售,浙江,宁波,演示路1号")
    loaded = load_manifest(bench.manifest)
    source = open_delimited(loaded.source_path, loaded.format)
    (record,) = source.records()
    assert record.cells is not None

    mapped = RowMapper(loaded, source).map(record.cells)

    assert mapped.row is None
    assert {(error.field, error.rule) for error in mapped.errors} == {
        ("fields.credit_code", "uscc.check"),
        ("fields.establish_date", "date.not_real"),
        ("fields.capital_amount", "amount.form"),
        ("holders[0].number", "uscc.check"),
        ("fields.name", "value.required"),
    }
    assert all(error.en and error.zh and error.hint_en and error.hint_zh for error in mapped.errors)
    assert all("91350100M000100Y44" not in repr(error) for error in mapped.errors)


def test_a_missing_mapped_column_is_refused_before_anything_is_read(bench: Bench) -> None:
    """Layout drift: exit 5, nothing staged."""
    bench.file.write_bytes((HEADER.replace("注册地址", "地址") + "\r\n" + GOOD + "\r\n").encode())

    with pytest.raises(HubError) as refused:
        bench.run()

    assert refused.value.reason is Reason.SOURCE_LAYOUT
    assert "注册地址: missing" in refused.value.details["rule"]
    with bench.outbox() as outbox:
        assert outbox.counts("any").read == 0


def test_columns_may_change_order(bench: Bench) -> None:
    """Columns are found by name."""
    cells, names = GOOD.split(","), HEADER.split(",")
    lines = [",".join(reversed(one)) + "\r\n" for one in (names, cells)]
    bench.file.write_bytes("".join(lines).encode())

    assert bench.run().counts.new == 1


def test_lifecycle_by_column(bench: Bench, change_manifest) -> None:
    """A declared value acts or is skipped with its reason; an undeclared one is quarantined."""
    change_manifest(
        "lifecycle: {op: issue}",
        "lifecycle: {from: 企业类型, values: {A: issue, T: {skip: 测试数据}}}",
    )
    bench.write(*(GOOD.replace("N/A", value, 1) for value in ("A", "T", "X")))

    counts = bench.run().counts

    assert (counts.new, counts.skipped, counts.quarantined) == (1, 1, 1)


ASSOCIATED = """associated:
  - {relation: renewed_from, from: 注册地址}
  - {relation: changes, from: 所在省份}
lifecycle: {op: issue}"""


@pytest.mark.parametrize(
    ("known_as", "renewed_from", "errors"),
    [
        (f"１{LICENCE_IDENTIFIER[1:]}", HOUSING, []),
        ("N/A", "无", []),
        (
            HOUSING,
            f"{HOUSING[:-1]}V",
            [
                ("associated[0].identifier", "identifier.check"),
                ("known_as", "identifier.other_type"),
            ],
        ),
    ],
)
def test_identifiers_come_from_columns_and_are_checked_before_they_are_sent(
    bench: Bench, change_manifest, known_as: str, renewed_from: str, errors: list[tuple[str, str]]
) -> None:
    """Half-width, absent where the cell is empty, refused where they do not check."""
    change_manifest("lifecycle: {op: issue}", ASSOCIATED)
    change_manifest("holders:", "  known_as: {from: 企业类型, as: code}\nholders:")
    bench.write(
        GOOD.replace("N/A", known_as).replace("演示路1号", renewed_from).replace("浙江", "N/A", 1)
    )
    loaded = load_manifest(bench.manifest)
    source = open_delimited(loaded.source_path, loaded.format)
    (record,) = source.records()
    assert record.cells is not None

    mapped = RowMapper(loaded, source).map(record.cells)

    assert [(error.field, error.rule) for error in mapped.errors] == errors
    if errors:
        return
    assert mapped.row is not None
    if known_as == "N/A":
        assert (mapped.row.known_as, mapped.row.associated) == (None, ())
    else:
        assert mapped.row.known_as == LICENCE_IDENTIFIER
        assert mapped.row.associated == (Association(Relation.RENEWED_FROM, HOUSING),)
        assert ("known_as", "code.width") in mapped.row.rules


@pytest.mark.parametrize(
    ("cell", "errors"),
    [
        ("330106001002GB00003、330106001002gb00004、", []),
        ("无", [("holders[1].number", "holder.parcel")]),
        ("、".join(["330106001002GB00003"] * 16), [("holders", "row.count")]),
    ],
)
def test_a_cell_may_name_several_parcels(
    bench: Bench, change_manifest, cell: str, errors: list[tuple[str, str]]
) -> None:
    """Set apart as the manifest says; each of them is a holder of an area's assessment."""
    kind = bench.folder / "types" / "business-licence.json"
    kind.write_text(kind.read_text().replace('"organisation"', '"area"'))
    change_manifest(
        '  - {type: "001", from: 统一社会信用代码}',
        '  - {type: "901", from: 统一社会信用代码}\n  - {type: "902", from: 注册地址, split: 、}',
    )
    bench.write(GOOD.replace("演示路1号", cell))
    loaded = load_manifest(bench.manifest)
    source = open_delimited(loaded.source_path, loaded.format)
    (record,) = source.records()
    assert record.cells is not None
    mapper = RowMapper(loaded, source)

    mapped = mapper.map(record.cells)

    found = [(error.field, error.rule) for error in mapped.errors]
    # The address of the test's type is short; what is asked about here is the holder.
    assert [one for one in found if one[0] != "fields.address"] == errors
    if mapped.row is not None:
        assert [(one.type, one.number) for one in mapped.row.holders] == [
            ("901", "91350100M000100Y43"),
            ("902", "330106001002GB00003"),
            ("902", "330106001002GB00004"),
        ]
    members = [one.member for one in mapper.trace(record.cells)]
    assert members.count("holders[1]") == 1


OPTIONAL = '{type: "001", from: 地区, optional: true}'


@pytest.mark.parametrize(
    ("cell", "holders", "errors"),
    [
        ("", 0, []),
        ("N/A", 0, []),
        ("91350100M000100Y43", 1, []),
        ("91350100M000100Y4", 0, ["uscc.length"]),
    ],
)
def test_a_line_of_an_old_register_may_name_no_holder(
    bench: Bench, change_manifest, cell: str, holders: int, errors: list[str]
) -> None:
    """Where manifest and type say so; what is there is checked as ever."""
    kind = bench.folder / "types" / "business-licence.json"
    listing = dataclasses.replace(LISTING, may_be_unbound=True)
    kind.write_bytes(to_json(dataclasses.replace(from_json(kind.read_bytes()), listing=listing)))
    change_manifest('{type: "001", from: 统一社会信用代码}', OPTIONAL)
    bench.write(GOOD.replace("宁波", cell))
    loaded = load_manifest(bench.manifest)
    source = open_delimited(loaded.source_path, loaded.format)
    (record,) = source.records()
    assert record.cells is not None

    mapped = RowMapper(loaded, source).map(record.cells)

    assert [one.rule for one in mapped.errors] == errors
    if not errors:
        assert mapped.row is not None
        assert len(mapped.row.holders) == holders
        assert parse_row(emit_row(mapped.row)) == mapped.row


def test_a_type_that_wants_a_holder_wants_one_that_is_not_optional(
    bench: Bench, change_manifest
) -> None:
    """Said when the manifest is linted; and of a cell that may name several, row by row."""
    change_manifest('{type: "001", from: 统一社会信用代码}', OPTIONAL)
    with pytest.raises(ManifestError) as caught:
        lint_manifest(bench.manifest)
    (finding,) = caught.value.findings
    assert (finding.place, "without a holder" in finding.rule.en) == ("holders", True)

    change_manifest(OPTIONAL, '{type: "001", from: 地区, split: 、}')
    bench.write(GOOD.replace("宁波", ""))
    loaded = load_manifest(bench.manifest)
    source = open_delimited(loaded.source_path, loaded.format)
    (record,) = source.records()
    assert record.cells is not None
    (error,) = RowMapper(loaded, source).map(record.cells).errors
    assert (error.field, error.rule) == ("holders", "holder.missing")
    assert error.en and error.zh and error.hint_en and error.hint_zh


REASONS = """  objection: {from: 企业类型, as: text}
  legal_basis: {from: 企业类型, as: text}
  document: {from: 注册地址, as: text}
  decision_date: {from: 注册日期, as: date}
holders:"""


@pytest.mark.parametrize(
    ("op", "basis", "objection", "has_ruling", "errors"),
    [
        ("revoke", "行政许可法", None, True, []),
        ("revoke", "N/A", None, False, ["row.ruling"]),
        ("correct", "objections/0190", "objections/0190", False, []),
        ("correct", "N/A", None, False, []),
        ("issue", "行政许可法", None, False, []),
    ],
)
def test_a_revocation_has_its_ruling_and_a_correction_its_objection(
    bench: Bench,
    change_manifest,
    *,
    op: str,
    basis: str,
    objection: str | None,
    has_ruling: bool,
    errors: list[str],
) -> None:
    """From columns of the source; what belongs to another kind of row is left out."""
    change_manifest("lifecycle: {op: issue}", f"lifecycle: {{op: {op}}}")
    change_manifest("holders:", REASONS)
    bench.write(GOOD.replace("N/A", basis))
    loaded = load_manifest(bench.manifest)
    source = open_delimited(loaded.source_path, loaded.format)
    (record,) = source.records()
    assert record.cells is not None

    mapped = RowMapper(loaded, source).map(record.cells)

    assert [error.rule for error in mapped.errors] == errors
    if mapped.row is not None:
        assert (mapped.row.ruling is not None, mapped.row.objection) == (has_ruling, objection)


def test_paths_of_the_manifest_count_from_its_folder(bench: Bench) -> None:
    """Not from where the command is run."""
    assert load_manifest(bench.manifest).source_path == Path(
        bench.folder / "connectors" / "business-licence.csv"
    )
