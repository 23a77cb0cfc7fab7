"""A connector's row: what a department says about one certificate, as bytes that are signed.

`emit_row` writes the bytes once; salt and leaf are computed over exactly these, and whoever reads
them later parses the same bytes (`docs/formats/row.md`). Members, in this order: v, op,
source_key, number, serial?, known_as?, origin?, attestation?, issue_date, valid_from?,
valid_until? (absent: long term), holders, associated?, fields, rules, source_time?, objection?
(`correct` only), ruling (`revoke`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NotRequired, TypeAlias, TypedDict, cast

from hub.domain.association import (
    ASSOCIATED_MAX,
    ASSOCIATIONS,
    NAMED_LENGTH_MAX,
    Association,
    Relation,
)
from hub.domain.certificate import Origin
from hub.domain.holder import Holder, holder_fault
from hub.domain.identifier import serial_fault
from hub.domain.rules import violation
from hub.domain.ruling import BASIS_LENGTH_MAX, DOCUMENT_LENGTH_MAX, Ruling
from hub.domain.strict_json import Json, NotStrictJsonError, emit, parse_object
from hub.errors import HubError, Reason, Violation

ROW_BYTES_MAX: Final = 64 * 1024
TEXT_LENGTH_MAX: Final = 4000
NUMBER_LENGTH_MAX: Final = 128
SOURCE_KEY_LENGTH_MAX: Final = 256
ATTESTATION_LENGTH_MAX: Final = 4096
HOLDERS_MAX: Final = 16
FIELDS_MAX: Final = 64
RULES_MAX: Final = 128

FieldValue: TypeAlias = bool | int | str | None


class Op(StrEnum):
    """What the department wants done with the certificate."""

    ISSUE = "issue"
    CHANGE = "change"
    CORRECT = "correct"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, normalised. Dates are ISO dates; `valid_until` None means long term.

    `rules` names each normalisation that changed a value: (field, rule).
    """

    op: Op
    source_key: str
    number: str
    serial: str | None
    issue_date: str
    valid_from: str | None
    valid_until: str | None
    holders: tuple[Holder, ...]
    fields: Mapping[str, FieldValue]
    rules: tuple[tuple[str, str], ...] = ()
    source_time: str | None = None
    # Under which identifier the department's own system issued it, as given.
    known_as: str | None = None
    associated: tuple[Association, ...] = ()
    # Resource name of the objection that a correction answers.
    objection: str | None = None
    # What a revocation rests on.
    ruling: Ruling | None = None
    # A scan carries the conversion officer's attestation, compact; nothing else does.
    origin: Origin = Origin.SYSTEM
    attestation: str | None = None


class _Members(TypedDict):
    """The members of a row once every one of them was checked."""

    v: int
    op: str
    source_key: str
    number: str
    serial: NotRequired[str]
    known_as: NotRequired[str]
    origin: NotRequired[str]
    attestation: NotRequired[str]
    issue_date: str
    valid_from: NotRequired[str]
    valid_until: NotRequired[str]
    holders: list[dict[str, str]]
    associated: NotRequired[list[dict[str, str]]]
    fields: dict[str, FieldValue]
    rules: list[list[str]]
    source_time: NotRequired[str]
    objection: NotRequired[str]
    ruling: NotRequired[dict[str, str]]


def emit_row(row: Row) -> bytes:
    """The bytes that are salted and signed. Writes what it is given; `parse_row` checks."""
    members: dict[str, Json] = {
        "v": 1,
        "op": row.op.value,
        "source_key": row.source_key,
        "number": row.number,
    }
    if row.serial is not None:
        members["serial"] = row.serial
    if row.known_as is not None:
        members["known_as"] = row.known_as
    if row.origin is not Origin.SYSTEM:
        members["origin"] = row.origin.value
    if row.attestation is not None:
        members["attestation"] = row.attestation
    members["issue_date"] = row.issue_date
    if row.valid_from is not None:
        members["valid_from"] = row.valid_from
    if row.valid_until is not None:
        members["valid_until"] = row.valid_until
    members["holders"] = [{"type": holder.type, "number": holder.number} for holder in row.holders]
    if row.associated:
        members["associated"] = [
            {"relation": one.relation.value, "identifier": one.identifier} for one in row.associated
        ]
    members["fields"] = dict(row.fields)
    members["rules"] = [[field, rule] for field, rule in row.rules]
    if row.source_time is not None:
        members["source_time"] = row.source_time
    if row.objection is not None:
        members["objection"] = row.objection
    if row.ruling is not None:
        members["ruling"] = {name: getattr(row.ruling, name) for name in _RULING}
    return emit(members)


def parse_row(data: bytes) -> Row:
    """The row in `data`, or every rule it breaks.

    Raises HubError(ROW_INVALID) with all violations: sizes, unknown or missing members, kinds of
    values, control characters, dates, holders. What its certificate type demands of the fields is
    `certificate_type.check_fields`.
    """
    if len(data) > ROW_BYTES_MAX:
        raise _invalid([violation("row", "row.size", limit=ROW_BYTES_MAX)])
    try:
        members = parse_object(data)
    except NotStrictJsonError as error:
        raise _invalid([violation("row", "json.malformed", detail=str(error))]) from error
    found = _member_violations(members)
    if found:
        raise _invalid(found)
    found = _value_violations(members)
    if found:
        raise _invalid(found)
    return _row(members)


def text_violation(field: str, value: Json, limit: int) -> Violation | None:
    """The first rule of plain text that `value` breaks: kind, emptiness, length, controls."""
    if not isinstance(value, str):
        return violation(field, "value.text")
    if not value:
        return violation(field, "value.empty")
    if len(value) > limit:
        return violation(field, "value.length", limit=limit)
    # What is printable holds no control character, and is told at a tenth of the cost.
    if not value.isprintable() and _CONTROL.search(value):
        return violation(field, "value.control")
    return None


def date_violation(field: str, value: Json) -> Violation | None:
    """Whether `value` is a date that exists, written YYYY-MM-DD."""
    if not isinstance(value, str) or len(value) != 10 or not _is_date(value):
        return violation(field, "value.date")
    return None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    # `fromisoformat` also takes week dates of ten characters.
    return text[4] == "-" and text[7] == "-"


def _member_violations(members: Mapping[str, Json]) -> list[Violation]:
    """Members that are unknown, missing or of the wrong kind."""
    found = [violation(name[:64], "member.unknown") for name in members if name not in _KINDS]
    for name, (kind, required) in _KINDS.items():
        if name not in members:
            if required:
                found.append(violation(name, "member.missing"))
        elif type(members[name]) is not kind:
            found.append(violation(name, "member.kind", kind=_KIND_NAMES[kind]))
    return found


def _value_violations(members: Mapping[str, Json]) -> list[Violation]:
    found: list[Violation | None] = []
    if members["v"] != 1:
        found.append(violation("v", "row.version"))
    if members["op"] not in _OPS:
        found.append(violation("op", "row.op", known=", ".join(Op)))
    found.append(text_violation("source_key", members["source_key"], SOURCE_KEY_LENGTH_MAX))
    found.append(text_violation("number", members["number"], NUMBER_LENGTH_MAX))
    serial = members.get("serial")
    if isinstance(serial, str) and serial_fault(serial) is not None:
        found.append(violation("serial", "row.serial"))
    if "known_as" in members:
        found.append(text_violation("known_as", members["known_as"], NAMED_LENGTH_MAX))
    if "origin" in members or "attestation" in members:
        found += _origin_violations(members)
    if "associated" in members:
        found += _associated_violations(members["associated"])
    found += _date_violations(members)
    found += _holder_violations(members["holders"])
    found += _field_violations(members["fields"])
    found += _rule_violations(members["rules"])
    if "source_time" in members:
        found.append(_source_time_violation(members["source_time"]))
    found += _reason_violations(members)
    return [one for one in found if one is not None]


def _date_violations(members: Mapping[str, Json]) -> list[Violation | None]:
    names = [name for name in ("issue_date", "valid_from", "valid_until") if name in members]
    found = [date_violation(name, members[name]) for name in names]
    start, end = members.get("valid_from"), members.get("valid_until")
    # ISO dates sort as text.
    if isinstance(start, str) and isinstance(end, str) and not any(found) and end < start:
        found.append(violation("valid_until", "row.validity"))
    return found


def _holder_violations(holders: Json) -> list[Violation | None]:
    assert isinstance(holders, list)
    if len(holders) > HOLDERS_MAX:
        return [violation("holders", "row.count", limit=HOLDERS_MAX)]
    found: list[Violation | None] = []
    for index, holder in enumerate(holders):
        if not isinstance(holder, dict) or set(holder) != {"type", "number"}:
            found.append(violation(f"holders[{index}]", "member.kind", kind="{type, number}"))
            continue
        type_code, number = holder["type"], holder["number"]
        if not isinstance(type_code, str) or not isinstance(number, str):
            found.append(violation(f"holders[{index}]", "member.kind", kind="{type, number}"))
            continue
        rule = holder_fault(type_code, number)
        if rule is not None:
            part = "type" if rule == "holder.type" else "number"
            found.append(violation(f"holders[{index}].{part}", rule))
    return found


def _origin_violations(members: Mapping[str, Json]) -> list[Violation | None]:
    is_scan = "origin" in members
    if is_scan and members["origin"] != Origin.SCAN:
        return [violation("origin", "row.origin")]
    if is_scan and "attestation" not in members:
        return [violation("attestation", "row.attestation_missing")]
    if not is_scan:
        return [violation("attestation", "row.attestation_unwanted")]
    return [text_violation("attestation", members["attestation"], ATTESTATION_LENGTH_MAX)]


def _associated_violations(associated: Json) -> list[Violation | None]:
    assert isinstance(associated, list)
    if len(associated) > ASSOCIATED_MAX:
        return [violation("associated", "row.count", limit=ASSOCIATED_MAX)]
    found: list[Violation | None] = []
    seen = set()
    for index, one in enumerate(associated):
        place = f"associated[{index}]"
        if not isinstance(one, dict) or set(one) != {"relation", "identifier"}:
            found.append(violation(place, "member.kind", kind="{relation, identifier}"))
            continue
        relation, identifier = one["relation"], one["identifier"]
        if relation not in ASSOCIATIONS:
            known = ", ".join(ASSOCIATIONS)
            found.append(violation(f"{place}.relation", "row.relation", known=known))
        found.append(text_violation(f"{place}.identifier", identifier, NAMED_LENGTH_MAX))
        if (str(relation), str(identifier)) in seen:
            found.append(violation(place, "member.repeated"))
        seen.add((str(relation), str(identifier)))
    return found


def _field_violations(fields: Json) -> list[Violation | None]:
    assert isinstance(fields, dict)
    if len(fields) > FIELDS_MAX:
        return [violation("fields", "row.count", limit=FIELDS_MAX)]
    found: list[Violation | None] = []
    for name, value in fields.items():
        if not FIELD_NAME.fullmatch(name):
            found.append(violation("fields", "field.name"))
        elif isinstance(value, str):
            # Most texts are short and plain: told before a place is named that nobody reads.
            if not (0 < len(value) <= TEXT_LENGTH_MAX and value.isprintable()):
                found.append(text_violation(f"fields.{name}", value, TEXT_LENGTH_MAX))
        elif isinstance(value, list | dict):
            found.append(violation(f"fields.{name}", "value.text"))
    return found


def _rule_violations(rules: Json) -> list[Violation | None]:
    assert isinstance(rules, list)
    if len(rules) > RULES_MAX:
        return [violation("rules", "row.count", limit=RULES_MAX)]
    for rule in rules:
        texts = isinstance(rule, list) and len(rule) == 2
        if not texts or not all(isinstance(x, str) and _RULE.fullmatch(x) for x in rule):  # type: ignore[union-attr]
            return [violation("rules", "row.rules")]
    return []


def _source_time_violation(value: Json) -> Violation | None:
    try:
        if isinstance(value, str) and 20 <= len(value) <= 32:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return None
    except ValueError:
        pass
    return violation("source_time", "row.source_time")


def _reason_violations(members: Mapping[str, Json]) -> list[Violation | None]:
    """What a correction answers, and what a revocation rests on."""
    found: list[Violation | None] = []
    if "objection" in members:
        named = members["objection"]
        if members["op"] != Op.CORRECT or not OBJECTION.fullmatch(str(named)):
            found.append(violation("objection", "row.objection"))
    ruling = members.get("ruling")
    if (ruling is not None) is not (members["op"] == Op.REVOKE):
        found.append(violation("ruling", "row.ruling"))
    elif isinstance(ruling, dict):
        if set(ruling) != set(_RULING):
            kind = f"{{{', '.join(_RULING)}}}"
            return [*found, violation("ruling", "member.kind", kind=kind)]
        found += [
            text_violation("ruling.legal_basis", ruling["legal_basis"], BASIS_LENGTH_MAX),
            text_violation("ruling.document", ruling["document"], DOCUMENT_LENGTH_MAX),
            date_violation("ruling.decision_date", ruling["decision_date"]),
        ]
    return found


def _row(members: Mapping[str, Json]) -> Row:
    """The checked members as a value; kinds are known by now."""
    known = cast("_Members", members)
    return Row(
        op=_OPS[known["op"]],
        source_key=known["source_key"],
        number=known["number"],
        serial=known.get("serial"),
        issue_date=known["issue_date"],
        valid_from=known.get("valid_from"),
        valid_until=known.get("valid_until"),
        holders=tuple([Holder(one["type"], one["number"]) for one in known["holders"]]),
        fields=known["fields"],
        rules=tuple([(field, rule) for field, rule in known["rules"]]),
        source_time=known.get("source_time"),
        objection=known.get("objection"),
        ruling=_ruling(known.get("ruling")),
        known_as=known.get("known_as"),
        origin=Origin.SCAN if "origin" in known else Origin.SYSTEM,
        attestation=known.get("attestation"),
        associated=_associated(known["associated"]) if "associated" in known else (),
    )


def _associated(members: Sequence[Mapping[str, str]]) -> tuple[Association, ...]:
    return tuple([Association(Relation(one["relation"]), one["identifier"]) for one in members])


def _ruling(members: Mapping[str, str] | None) -> Ruling | None:
    if members is None:
        return None
    return Ruling(members["legal_basis"], members["document"], members["decision_date"])


def _invalid(found: list[Violation]) -> HubError:
    first = found[0]
    return HubError(
        Reason.ROW_INVALID,
        violations=tuple(found),
        field=first.field,
        rule=first.rule,
        count=len(found),
    )


OBJECTION: Final = re.compile(r"objections/[a-z0-9][a-z0-9-]{2,62}")
_RULING: Final = ("legal_basis", "document", "decision_date")
FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_RULE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]]{0,127}")
_OPS: Final = {op.value: op for op in Op}
_KINDS: Final[dict[str, tuple[type, bool]]] = {
    "v": (int, True),
    "op": (str, True),
    "source_key": (str, True),
    "number": (str, True),
    "serial": (str, False),
    "known_as": (str, False),
    "origin": (str, False),
    "attestation": (str, False),
    "issue_date": (str, True),
    "valid_from": (str, False),
    "valid_until": (str, False),
    "holders": (list, True),
    "associated": (list, False),
    "fields": (dict, True),
    "rules": (list, True),
    "source_time": (str, False),
    "objection": (str, False),
    "ruling": (dict, False),
}
_KIND_NAMES: Final[dict[type, str]] = {
    int: "an integer",
    str: "a text",
    list: "a list",
    dict: "an object",
}
