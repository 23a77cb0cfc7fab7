"""A manifest compiled to functions: one record's cells in, one row or all its errors out.

Each distinct pair of column and declaration is converted once per record, however many members
use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeAlias

from connectors.faults import CellFaultError, RowError, from_violation, row_error
from connectors.manifest import CellSpec, LoadedManifest, SkipSpec
from connectors.normalise.amounts import parse_amount
from connectors.normalise.dates import parse_date
from connectors.normalise.text import clean, half_width, has_private_use, without_footnote
from connectors.sources.delimited import DelimitedFile, find_columns
from hub.domain.association import Association, Relation, judge_identifier
from hub.domain.certificate import Origin
from hub.domain.certificate_type import Sensitivity, fields_check
from hub.domain.holder import HOLDER_TYPES, Holder, may_hold, normalise_holder
from hub.domain.identifier import uscc_fault
from hub.domain.row import (
    HOLDERS_MAX,
    NUMBER_LENGTH_MAX,
    SOURCE_KEY_LENGTH_MAX,
    FieldValue,
    Op,
    Row,
    text_violation,
)
from hub.domain.ruling import Ruling
from hub.errors import HubError
from hub.proof.exchange.attestation import attested_digest

Convert: TypeAlias = Callable[[str, list[str]], FieldValue]
"""A cell's text and the list that takes the rules which changed it; raises CellFaultError."""

LONG_TERM: Final = "long_term"


@dataclass(frozen=True, slots=True)
class Mapped:
    """What became of one record: a row, a reason to skip it, or its errors; exactly one of them.

    `source_key` is the record's key as far as it could be read. `warnings` names rules that do not
    stop a row.
    """

    row: Row | None
    skipped: str | None
    errors: tuple[RowError, ...]
    source_key: str | None
    warnings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CellTrace:
    """One cell's way: member, column, text as read, value, and the rules that fired or failed."""

    member: str
    column: str
    raw: str
    value: FieldValue
    rules: tuple[str, ...]
    error: RowError | None
    personal: bool


@dataclass(frozen=True, slots=True)
class _Cell:
    """One conversion: where its text stands, how it is read, and which members take its value."""

    index: int
    column: str
    convert: Convert
    row_members: tuple[str, ...]
    fields: tuple[str, ...]


class RowMapper:
    """A manifest compiled for one open file; holds nothing between records."""

    def __init__(
        self,
        loaded: LoadedManifest,
        source: DelimitedFile,
        attestations: Mapping[str, str] | None = None,
    ) -> None:
        """`attestations` of scans go by `attested_digest`; without any, rows of scans come as they
        are to be attested. Raises HubError(SOURCE_LAYOUT) naming every mapped column that the file
        lacks.
        """
        self._is_scan = loaded.manifest.scan is not None
        self._attestations = attestations
        manifest = loaded.manifest
        self._type = loaded.certificate_type
        self._check_fields = fields_check(self._type)
        self._lifecycle = manifest.lifecycle
        self._long_term = manifest.row.valid_until == LONG_TERM
        columns = find_columns(source, _wanted(loaded))
        self._cells = _compile(loaded, columns)
        self._holders = tuple(
            (holder.type, columns[holder.source], holder.source, holder.split)
            for holder in manifest.holders
        )
        self._optional = frozenset(
            columns[holder.source] for holder in manifest.holders if holder.optional
        )
        self._empty = frozenset(manifest.empty)
        self._associated = tuple(
            (spec.relation, columns[spec.source], spec.source) for spec in manifest.associated
        )
        op_column = manifest.lifecycle.source
        self._op_index = None if op_column is None else columns[op_column]
        self._absent = dict.fromkeys(field.name for field in self._type.fields)
        self._personal_columns = _personal_columns(loaded, columns)

    def map(self, texts: list[str]) -> Mapped:
        """The row that a record's cells mean, a reason to skip it, or every error it has."""
        op = self._op(texts)
        if isinstance(op, SkipSpec):
            return Mapped(None, op.skip, (), None, ())
        members: dict[str, FieldValue] = {}
        fields: dict[str, FieldValue] = dict(self._absent)
        rules: list[tuple[str, str]] = []
        errors: list[RowError] = [op] if isinstance(op, RowError) else []
        failed: set[str] = set()
        for cell in self._cells:
            applied: list[str] = []
            value: FieldValue = None
            try:
                value = cell.convert(texts[cell.index], applied)
            except CellFaultError as fault:
                place = _places(cell)[0]
                errors.append(row_error(place, fault.rule, **fault.details))
                failed.update(cell.row_members, (f"fields.{name}" for name in cell.fields))
            for name in cell.row_members:
                members[name] = value
            for name in cell.fields:
                fields[name] = value
            for rule in applied:
                rules += [(name, rule) for name in cell.fields + cell.row_members]
        holders = self._read_holders(texts, rules, errors, needs_one=op is not Op.REVOKE)
        associated = self._read_associated(texts, rules)
        self._check_identifiers(members, associated, errors)
        for broken in self._check_fields(fields):
            if broken.field not in failed:
                errors.append(from_violation(broken))
        self._check_members(members, failed, errors)
        if op is Op.REVOKE and _ruling(members) is None:
            errors.append(row_error("ruling", "row.ruling"))
        key = members.get("source_key")
        source_key = key if isinstance(key, str) else None
        if errors:
            return Mapped(None, None, tuple(errors), source_key, ())
        assert isinstance(op, Op)
        row = _row(op, members, holders=holders, associated=associated, fields=fields, rules=rules)
        # What ends a certificate says nothing of the paper.
        if self._is_scan and op is not Op.REVOKE:
            row = replace(row, origin=Origin.SCAN)
            if self._attestations is not None:
                attestation = self._attestations.get(attested_digest(row))
                if attestation is None:
                    missing = row_error("attestation", "row.attestation_missing")
                    return Mapped(None, None, (missing,), source_key, ())
                row = replace(row, attestation=attestation)
        return Mapped(row, None, (), source_key, self._warnings(fields))

    def trace(self, texts: list[str]) -> tuple[CellTrace, ...]:
        """Each member's way from cell to value, for a person to compare."""
        traces: list[CellTrace] = []
        for cell in self._cells:
            applied: list[str] = []
            value: FieldValue = None
            error: RowError | None = None
            try:
                value = cell.convert(texts[cell.index], applied)
            except CellFaultError as fault:
                error = row_error(_places(cell)[0], fault.rule, **fault.details)
            personal = cell.index in self._personal_columns
            raw = texts[cell.index]
            for place in _places(cell):
                traces.append(
                    CellTrace(place, cell.column, raw, value, tuple(applied), error, personal)
                )
        for number, (type_code, text, column, index) in enumerate(self._holder_texts(texts)):
            noted: list[tuple[str, str]] = []
            errors: list[RowError] = []
            holder = _holder(type_code, text, number, noted, errors)
            traces.append(
                CellTrace(
                    f"holders[{number}]",
                    column,
                    text,
                    holder.number if holder else None,
                    tuple(rule for _, rule in noted),
                    errors[0] if errors else None,
                    index in self._personal_columns,
                )
            )
        return tuple(traces)

    def _op(self, texts: list[str]) -> Op | SkipSpec | RowError:
        if self._op_index is None:
            assert self._lifecycle.op is not None
            return self._lifecycle.op
        meant = self._lifecycle.values.get(texts[self._op_index].strip())
        return row_error("op", "lifecycle.unknown") if meant is None else meant

    def _read_holders(
        self,
        texts: list[str],
        rules: list[tuple[str, str]],
        errors: list[RowError],
        *,
        needs_one: bool,
    ) -> tuple[Holder, ...]:
        kind = self._type.holder_kind
        found: list[Holder] = []
        named = list(self._holder_texts(texts))
        if not named and needs_one and not self._type.may_be_unbound:
            errors.append(row_error("holders", "holder.missing"))
        for number, (type_code, text, _, _) in enumerate(named):
            holder = _holder(type_code, text, number, rules, errors)
            if holder is None:
                continue
            if not may_hold(kind, holder.type):
                errors.append(row_error(f"holders[{number}]", "holder.kind", kind=kind.value))
            found.append(holder)
        if len(found) > HOLDERS_MAX:
            errors.append(row_error("holders", "row.count", limit=HOLDERS_MAX))
        return tuple(found)

    def _holder_texts(self, texts: list[str]) -> Iterator[tuple[str, str, str, int]]:
        """Type, text, column and place of each holder that a record names."""
        for type_code, index, column, split in self._holders:
            parts = [texts[index]] if split is None else texts[index].split(split)
            for part in parts:
                if self._is_named(part, index, split):
                    yield type_code, part, column, index

    def _is_named(self, part: str, index: int, split: str | None) -> bool:
        """Whether a cell, or its part, means a holder: one that must be there always does."""
        if index in self._optional:
            cleaned = clean(part, [])
            return bool(cleaned) and cleaned not in self._empty
        return split is None or bool(part.strip())

    def _read_associated(
        self, texts: list[str], rules: list[tuple[str, str]]
    ) -> tuple[Association, ...]:
        found: list[Association] = []
        for relation, index, _ in self._associated:
            applied: list[str] = []
            cleaned = clean(texts[index], applied)
            identifier = half_width(cleaned)
            if not identifier or identifier in self._empty:
                continue
            if identifier != cleaned:
                applied.append("code.width")
            rules += [(f"associated[{len(found)}]", rule) for rule in applied]
            found.append(Association(relation, identifier))
        return tuple(found)

    def _check_identifiers(
        self,
        members: dict[str, FieldValue],
        associated: tuple[Association, ...],
        errors: list[RowError],
    ) -> None:
        """Identifiers that do not check, where the type takes no such."""
        named = [(f"associated[{number}].identifier", one) for number, one in enumerate(associated)]
        known_as = members.get("known_as")
        if known_as is not None:
            named.append(("known_as", Association(Relation.KNOWN_AS, str(known_as))))
        for place, one in named:
            fault = judge_identifier(one, self._type.code).fault
            if not self._type.takes_identifier(fault):
                errors.append(row_error(place, fault))

    def _check_members(
        self, members: dict[str, FieldValue], failed: set[str], errors: list[RowError]
    ) -> None:
        limits = {"source_key": SOURCE_KEY_LENGTH_MAX, "number": NUMBER_LENGTH_MAX}
        for name, limit in limits.items():
            if name in failed:
                continue
            if members[name] is None:
                errors.append(row_error(name, "value.required"))
                continue
            broken = text_violation(name, members[name], limit)
            if broken is not None:
                errors.append(from_violation(broken))
        if members["issue_date"] is None and "issue_date" not in failed:
            errors.append(row_error("issue_date", "value.required"))
        if self._long_term or "valid_until" in failed:
            return
        until, start = members["valid_until"], members.get("valid_from")
        if until is None:
            errors.append(row_error("valid_until", "validity.empty"))
        elif isinstance(start, str) and isinstance(until, str) and until < start:
            errors.append(row_error("valid_until", "row.validity"))

    def _warnings(self, fields: dict[str, FieldValue]) -> tuple[tuple[str, str], ...]:
        values = [value for value in fields.values() if isinstance(value, str)]
        # One look at all values is enough for nearly every row.
        if not has_private_use("".join(values)):
            return ()
        return tuple(
            (name, "text.private_use")
            for name, value in fields.items()
            if isinstance(value, str) and has_private_use(value)
        )


def _row(
    op: Op,
    members: dict[str, FieldValue],
    *,
    holders: tuple[Holder, ...],
    associated: tuple[Association, ...],
    fields: dict[str, FieldValue],
    rules: list[tuple[str, str]],
) -> Row:
    until = members.get("valid_until")
    start = members.get("valid_from")
    known_as = members.get("known_as")
    objection = members.get("objection") if op is Op.CORRECT else None
    return Row(
        op=op,
        source_key=str(members["source_key"]),
        number=str(members["number"]),
        serial=None,
        issue_date=str(members["issue_date"]),
        valid_from=None if start is None else str(start),
        # LONG_TERM sorts after every date, and ends as no date.
        valid_until=None if until in (None, LONG_TERM) else str(until),
        holders=holders,
        fields=fields,
        rules=tuple(dict.fromkeys(rules)),
        known_as=None if known_as is None else str(known_as),
        associated=associated,
        objection=None if objection is None else str(objection),
        ruling=_ruling(members) if op is Op.REVOKE else None,
    )


def _ruling(members: dict[str, FieldValue]) -> Ruling | None:
    """What a revocation rests on; None where a part is missing."""
    basis, document, day = (
        members.get(name) for name in ("legal_basis", "document", "decision_date")
    )
    if basis is None or document is None or day is None:
        return None
    return Ruling(str(basis), str(document), str(day))


def _holder(
    type_code: str,
    text: str,
    number: int,
    rules: list[tuple[str, str]],
    errors: list[RowError],
) -> Holder | None:
    try:
        holder, applied = normalise_holder(type_code, text)
    except HubError as error:
        errors.append(row_error(f"holders[{number}].number", error.details["rule"]))
        return None
    rules += [(f"holders[{number}]", rule) for rule in applied]
    return holder


def _wanted(loaded: LoadedManifest) -> list[tuple[str, tuple[str, ...]]]:
    manifest = loaded.manifest
    wanted: dict[str, tuple[str, ...]] = {}
    for _, _, spec in _declared(loaded):
        wanted[spec.source] = wanted.get(spec.source, ()) + spec.aliases
    for holder in manifest.holders:
        wanted.setdefault(holder.source, ())
    for associated in manifest.associated:
        wanted.setdefault(associated.source, ())
    if manifest.lifecycle.source is not None:
        wanted.setdefault(manifest.lifecycle.source, ())
    return list(wanted.items())


def _declared(loaded: LoadedManifest) -> list[tuple[str, bool, CellSpec]]:
    """(name, is a face field, declaration) of every mapped member."""
    row = loaded.manifest.row
    members = {
        "source_key": row.source_key,
        "number": row.number,
        "issue_date": row.issue_date,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "known_as": row.known_as,
        "objection": row.objection,
        "legal_basis": row.legal_basis,
        "document": row.document,
        "decision_date": row.decision_date,
    }
    found = [(name, False, spec) for name, spec in members.items() if isinstance(spec, CellSpec)]
    return found + [(name, True, spec) for name, spec in loaded.manifest.fields.items()]


def _personal_columns(loaded: LoadedManifest, columns: Mapping[str, int]) -> frozenset[int]:
    """Columns that feed a personal field or a natural holder, whatever else reads them."""
    personal = {
        field.name
        for field in loaded.certificate_type.fields
        if field.sensitivity is Sensitivity.PERSONAL
    }
    fields = loaded.manifest.fields.items()
    names = {spec.source for name, spec in fields if name in personal}
    holders = loaded.manifest.holders
    names |= {holder.source for holder in holders if HOLDER_TYPES[holder.type].natural}
    return frozenset(columns[name] for name in names)


def _compile(loaded: LoadedManifest, columns: Mapping[str, int]) -> tuple[_Cell, ...]:
    """One conversion for all members that read the same column in the same way."""
    grouped: dict[str, tuple[CellSpec, list[str], list[str]]] = {}
    for name, is_field, spec in _declared(loaded):
        _, members, fields = grouped.setdefault(spec.model_dump_json(), (spec, [], []))
        (fields if is_field else members).append(name)
    return tuple(
        _Cell(
            columns[spec.source],
            spec.source,
            _converter(spec, loaded.manifest.empty),
            tuple(members),
            tuple(fields),
        )
        for spec, members, fields in grouped.values()
    )


def _places(cell: _Cell) -> list[str]:
    return [*(f"fields.{name}" for name in cell.fields), *cell.row_members]


def _converter(spec: CellSpec, empty_everywhere: tuple[str, ...]) -> Convert:
    """The function of one declaration: clean, recognise empty, then read by its kind."""
    empty = frozenset(empty_everywhere if spec.empty is None else spec.empty)
    read = _reader(spec)

    def convert(raw: str, rules: list[str]) -> FieldValue:
        text = clean(raw, rules)
        if not text:
            return None
        if text in empty:
            rules.append("empty.declared")
            return None
        return read(text, rules)

    return convert


def _reader(spec: CellSpec) -> Convert:
    forms, long_term = spec.formats, frozenset(spec.long_term)
    currency = spec.currency

    def text(raw: str, rules: list[str]) -> FieldValue:
        value = without_footnote(raw, spec.footnote, rules) if spec.footnote else raw
        return _from_table(value, spec.values, rules)

    def code(raw: str, rules: list[str]) -> FieldValue:
        if _FLOAT.search(raw):
            raise CellFaultError("code.float")
        value = half_width(raw)
        if value != raw:
            rules.append("code.width")
        return _from_table(value, spec.values, rules)

    def date(raw: str, rules: list[str]) -> FieldValue:
        return parse_date(raw, forms, rules)

    def validity(raw: str, rules: list[str]) -> FieldValue:
        if raw in long_term:
            rules.append("validity.long_term")
            return LONG_TERM
        return parse_date(raw, forms, rules)

    def amount(raw: str, rules: list[str]) -> FieldValue:
        return parse_amount(raw, currency, rules)

    readers: dict[str, Convert] = {
        "text": text,
        "code": code,
        "uscc": _uscc,
        "date": date,
        "validity": validity,
        "amount": amount,
        "integer": _integer,
    }
    read = readers[spec.kind]
    return _remembering(read) if spec.kind in ("date", "validity", "amount") else read


def _remembering(read: Convert) -> Convert:
    """`read`, which is pure, with its last values kept: registers repeat days and round sums."""

    @lru_cache(maxsize=1024)
    def once(raw: str) -> tuple[FieldValue, tuple[str, ...]]:
        rules: list[str] = []
        return read(raw, rules), tuple(rules)

    def convert(raw: str, rules: list[str]) -> FieldValue:
        value, applied = once(raw)
        rules += applied
        return value

    return convert


def _uscc(raw: str, rules: list[str]) -> FieldValue:
    code = half_width(raw)
    if code != raw:
        rules.append("uscc.width")
    upper = code.upper()
    if upper != code:
        rules.append("uscc.upper")
    rule = uscc_fault(upper)
    if rule is not None:
        raise CellFaultError("code.float" if _FLOAT.search(upper) else rule)
    return upper


def _integer(raw: str, rules: list[str]) -> FieldValue:
    digits = half_width(raw)
    if not _INTEGER.fullmatch(digits):
        raise CellFaultError("value.integer")
    if digits != raw:
        rules.append("integer.width")
    return int(digits)


def _from_table(value: str, table: Mapping[str, str] | None, rules: list[str]) -> FieldValue:
    if table is None:
        return value
    meant = table.get(value)
    if meant is None:
        raise CellFaultError("table.unknown")
    if meant != value:
        rules.append("table.value")
    return meant


# Excel's rendering of a long number, 3.302031990010113e+17: the last digits are gone.
_FLOAT: Final = re.compile(r"^[0-9]\.[0-9]+[eE]\+[0-9]{1,2}$")
_INTEGER: Final = re.compile(r"-?[0-9]{1,15}")
