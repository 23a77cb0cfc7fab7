"""Judge one signed row: is it sound, and what is it about. Pure; runs in a thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

import orjson

from hub.domain.association import (
    Association,
    NamedIdentifier,
    Relation,
    judge_identifier,
)
from hub.domain.certificate import Conversion, Origin
from hub.domain.certificate_type import (
    CertificateType,
    FieldsCheck,
    Sensitivity,
    fields_check,
)
from hub.domain.holder import may_hold
from hub.domain.row import Op, Row, parse_row
from hub.domain.rules import violation
from hub.errors import HubError, Violation
from hub.registry.ports import HolderKeys

_NUMBER: Final = "number"


@dataclass(frozen=True, slots=True)
class SoundRow:
    """A row without fault, and the keyed hashes by which it is compared and found.

    `content_mac` covers everything of which a change makes a new version; `number` is empty where
    it is personal.
    """

    index: int
    row: Row = field(repr=False)
    number: str
    number_index: str
    content_mac: str
    holder_indexes: tuple[str, ...]
    source_time_us: int | None
    named: tuple[NamedIdentifier, ...] = ()
    # Who attests to a scan; None for what is no scan.
    conversion: Conversion | None = None


@dataclass(frozen=True, slots=True)
class FaultyRow:
    """A row with every rule it breaks."""

    index: int
    violations: tuple[Violation, ...]


def is_public(certificate_type: CertificateType) -> bool:
    """Whether no field of the type and no holder of it is personal."""
    return certificate_type.has_public_numbers and all(
        one.sensitivity is Sensitivity.PUBLIC for one in certificate_type.fields
    )


Attest: TypeAlias = Callable[[Row], Conversion]
"""Who attests to a scanned row; raises BrokenRuleError where nobody does who may."""


class BrokenRuleError(Exception):
    """A row breaks a rule that needs more to be judged than the row."""

    def __init__(self, violation: Violation) -> None:
        self.violation = violation
        super().__init__(violation.rule)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the rows of one type."""

    type: CertificateType
    keys: HolderKeys
    attest: Attest
    _check_fields: FieldsCheck = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_check_fields", fields_check(self.type))

    def __call__(self, index: int, data: bytes) -> SoundRow | FaultyRow:
        """The row in `data`, or all its faults."""
        try:
            row = parse_row(data)
        except HubError as error:
            return FaultyRow(index, error.violations)
        found = self._check_fields(row.fields) + self._holder_violations(row)
        named = self._named(row)
        if named:
            found += self._identifier_violations(row, named)
        if found:
            return FaultyRow(index, found)
        try:
            conversion = self.attest(row) if row.origin is Origin.SCAN else None
        except BrokenRuleError as error:
            return FaultyRow(index, (error.violation,))
        public = self.type.has_public_numbers
        return SoundRow(
            index=index,
            row=row,
            number=row.number if public else "",
            number_index=row.number
            if public
            else number_index(self.keys, self.type.code, row.number),
            content_mac=self.keys.content_digest(_content(row)),
            holder_indexes=tuple(
                [self.keys.holder_index(holder.type, holder.number) for holder in row.holders]
            ),
            source_time_us=_time_us(row.source_time),
            named=named,
            conversion=conversion,
        )

    def _named(self, row: Row) -> tuple[NamedIdentifier, ...]:
        if row.known_as is None and not row.associated:
            return ()
        own = () if row.known_as is None else (Association(Relation.KNOWN_AS, row.known_as),)
        return tuple([judge_identifier(one, self.type.code) for one in (*own, *row.associated)])

    def _identifier_violations(
        self, row: Row, named: tuple[NamedIdentifier, ...]
    ) -> tuple[Violation, ...]:
        """Every identifier that does not check, unless the type takes it as given."""
        places = ["known_as"] if row.known_as is not None else []
        places += [f"associated[{index}].identifier" for index in range(len(row.associated))]
        return tuple(
            [
                violation(place, one.fault)
                for place, one in zip(places, named, strict=True)
                if not self.type.takes_identifier(one.fault)
            ]
        )

    def _holder_violations(self, row: Row) -> tuple[Violation, ...]:
        kind = self.type.holder_kind
        # What ends needs no holder.
        if not row.holders and not self.type.may_be_unbound and row.op is not Op.REVOKE:
            return (violation("holders", "holder.missing"),)
        return tuple(
            [
                violation(f"holders[{index}].type", "holder.kind", kind=kind.value)
                for index, holder in enumerate(row.holders)
                if not may_hold(kind, holder.type)
            ]
        )


def number_index(keys: HolderKeys, type_code: str, number: str) -> str:
    """By what a number that may be personal is found. Holder types are digits: none is like it."""
    return keys.holder_index(f"{_NUMBER}:{type_code}", number)


def _content(row: Row) -> str:
    """One text for everything of which a change makes a new version."""
    content: list[object] = [
        row.number,
        row.issue_date,
        row.valid_from,
        row.valid_until,
        [(holder.type, holder.number) for holder in row.holders],
        {name: value for name, value in row.fields.items() if value is not None},
    ]
    # What says nothing more keeps the digest that it had before it could say more.
    if row.known_as is not None or row.associated:
        content.append([row.known_as, [[one.relation, one.identifier] for one in row.associated]])
    # Who attests may change; what was scanned and what was not are two versions.
    if row.origin is Origin.SCAN:
        content.append(row.origin)
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()


def _time_us(source_time: str | None) -> int | None:
    if source_time is None:
        return None
    return int(datetime.fromisoformat(source_time).timestamp() * 1_000_000)
