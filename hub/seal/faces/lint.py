"""Whether a template fits its type: what is wrong refuses it, what may go wrong is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from hub.domain.certificate_type import CertificateType, FaceField, FieldType
from hub.domain.rules import violation
from hub.errors import HubError, Reason, Violation
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import Face, lines_max
from hub.seal.faces.page import Box
from hub.seal.faces.template import DATES, FaceTemplate, PlacedField, Standing
from hub.seal.faces.writing import Way, may_write

# The widest character that a value of a kind may hold; codes are ASCII by custom.
_WIDE: Final = "国"
_WIDEST: Final[Mapping[FieldType, str]] = {FieldType.CODE: "W", FieldType.INTEGER: "0"}
_LENGTHS: Final[Mapping[FieldType, int]] = {FieldType.DATE: 11, FieldType.BOOLEAN: 1}
"""How long what is written of a kind gets at most, where its type's `length_max` says nothing."""


@dataclass(frozen=True, slots=True)
class Lint:
    """What a template breaks, and what it risks. Warnings are violations as well, of rules that
    refuse nothing."""

    violations: tuple[Violation, ...]
    warnings: tuple[Violation, ...]

    def check(self) -> None:
        """Raises HubError(FIELD_INVALID) with every violation."""
        if self.violations:
            first = self.violations[0]
            raise HubError(
                Reason.FIELD_INVALID,
                violations=self.violations,
                field=first.field,
                rule=first.rule,
            )


def lint(template: FaceTemplate, certificate_type: CertificateType, fonts: FaceFonts) -> Lint:
    """Compare `template` with the version of the type that it names.

    Raises HubError(FONT_GLYPH_MISSING) where its own texts cannot be set.
    """
    face = Face(template, certificate_type, fonts)
    fonts.check_characters({_WIDE, *_WIDEST.values()})
    found = [*_field_violations(template, certificate_type), *_overlaps(template)]
    for number, fixed in enumerate(template.texts):
        fonts.check_characters(fixed.text)
        if not face.fits(fixed.text, fixed.setting):
            found.append(violation(f"texts[{number}].box", "face.text_overflow"))
    if template.code.width < CODE_MIN_MM or template.code.height < CODE_MIN_MM:
        found.append(violation("code", "face.code_small", least=CODE_MIN_MM))
    return Lint(tuple(found), tuple(_risks(face)))


CODE_MIN_MM: Final = 25
"""A side below which the codes of docs/formats/qr-code.md are not read from paper any more."""


def _field_violations(
    template: FaceTemplate, certificate_type: CertificateType
) -> Iterator[Violation]:
    if template.type_code != certificate_type.code:
        yield violation("type", "face.type", code=certificate_type.code)
    if template.type_version != certificate_type.version:
        yield violation("type_version", "face.type_version", version=certificate_type.version)
    known = {one.name: one for one in certificate_type.fields}
    placed = {one.name for one in template.fields}
    for number, one in enumerate(template.fields):
        place = f"fields[{number}]"
        if one.name not in known and one.name not in tuple(Standing):
            yield violation(f"{place}.field", "face.unknown_field")
        elif one.way is not None and not _is_written(one, known.get(one.name)):
            yield violation(f"{place}.way", "face.way")
    for name, field in known.items():
        if field.required and name not in placed:
            yield violation("fields", "face.field_missing", name=name)
    for standing in _OBLIGATORY:
        if standing not in placed:
            yield violation("fields", "face.field_missing", name=standing.value)


# The face and the record name each other (formats.md §11); the version is part of the identifier.
_OBLIGATORY: Final = (Standing.IDENTIFIER, Standing.AUTHORITY, Standing.ISSUE_DATE)


def _is_written(placed: PlacedField, field: FaceField | None) -> bool:
    assert placed.way is not None, "asked of named ways only"
    if field is not None:
        return may_write(placed.way, field.type)
    is_date = Standing(placed.name) in DATES
    return placed.way is Way.TEXT or (is_date and may_write(placed.way, FieldType.DATE))


def _overlaps(template: FaceTemplate) -> Iterator[Violation]:
    """Texts, values and the code stand apart. Seals are put over name and day by custom, and
    frames and pictures lie behind; watermarks are made to cross everything."""
    boxes: list[tuple[str, Box]] = [("code", template.code)]
    boxes += [(f"texts[{n}].box", one.setting.box) for n, one in enumerate(template.texts)]
    boxes += [(f"fields[{n}].box", one.setting.box) for n, one in enumerate(template.fields)]
    for (first, one), (second, other) in combinations(boxes, 2):
        if one.overlaps(other):
            yield violation(second, "face.overlap", other=first)
    if template.code.overlaps(template.seal):
        yield violation("seal", "face.overlap", other="code")


def _risks(face: Face) -> Iterator[Violation]:
    """Fields whose longest value, all in wide characters, would not fit at the smallest size."""
    for number, placed in enumerate(face.template.fields):
        field = next((one for one in face.type.fields if one.name == placed.name), None)
        if field is None:
            continue
        longest = min(_LENGTHS.get(field.type, field.length_max), field.length_max)
        capacity = _capacity(face, placed, _WIDEST.get(field.type, _WIDE), longest)
        if capacity < longest:
            yield violation(
                f"fields[{number}].box",
                "face.may_overflow",
                name=placed.name,
                capacity=capacity,
                longest=longest,
            )


def _capacity(face: Face, placed: PlacedField, widest: str, longest: int) -> int:
    """How many of the widest character fit at the smallest size, up to `longest`."""
    setting = placed.setting
    size = setting.size_min
    advance = face.fonts.advance(widest) * size + setting.spacing
    in_line = int((setting.box.width + setting.spacing + 1e-6) / advance)
    return min(in_line * lines_max(setting.box.height, size), longest)
