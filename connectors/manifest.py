"""The manifest: one YAML file that declares a source, its mapping and its limits.

Its bytes are named by digest in every batch root, so a certificate can be traced to the rules by
which its row was made. Scalars are read as text and typed by this model: `on`, `1_000` or
`2001-01-01` mean what they say. Unknown keys, duplicate keys and YAML references are refused.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from connectors.normalise.dates import DateForm
from connectors.sources.delimited import Charset, DelimitedFormat, Quoting
from hub.domain.association import ASSOCIATED_MAX, ASSOCIATIONS, Relation
from hub.domain.certificate_type import CertificateType, FieldType, from_json
from hub.domain.holder import HOLDER_TYPES
from hub.domain.identifier import uscc_fault
from hub.domain.row import Op
from hub.domain.rules import RULES
from hub.domain.schema_rules import MISSING, SchemaFault, schema_text
from hub.errors import HubError, Reason, Text
from hub.proof.encoding import digest

MANIFEST_BYTES_MAX: Final = 256 * 1024
TYPE_BYTES_MAX: Final = 256 * 1024

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"

_Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class ConnectorSection(_Section):
    """Who this connector is. `type_file` is relative to the manifest; `authority` is the credit
    code of the department, where the manifest is one department's own."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,62}$")]
    title: _Text
    authority: str | None = None
    type: Annotated[str, Field(pattern=r"^[0-9A-Z]{21}$")]
    type_version: Annotated[int, Field(ge=1, le=9999)]
    type_file: _Text

    @model_validator(mode="after")
    def _authority_is_valid(self) -> ConnectorSection:
        rule = None if self.authority is None else uscc_fault(self.authority)
        if rule is not None:
            raise SchemaFault(f"`authority`: {RULES[rule].en}", f"`authority`：{RULES[rule].zh}")
        return self


class SourceSection(_Section):
    """The file. `path` is relative to the manifest."""

    kind: Literal["delimited"]
    path: _Text
    charset: Charset
    separator: Annotated[str, Field(min_length=1, max_length=1)]
    quoting: Quoting
    final_newline: Literal["required", "optional"] = "required"
    line_bytes_max: Annotated[int, Field(ge=256, le=131_072)] = 65_536

    @model_validator(mode="after")
    def _separator_is_one(self) -> SourceSection:
        if self.separator in '"\\\r\n' or self.separator.isalnum():
            raise SchemaFault(
                "the separator is a quotation mark, backslash, line end or letter",
                "分隔符不能是引号、反斜杠、换行符、字母或数字",
            )
        return self


class CellSpec(_Section):
    """How one value comes out of one column: its form, and what is declared about it."""

    source: Annotated[_Text, Field(alias="from")]
    aliases: Annotated[tuple[_Text, ...], Field(max_length=16)] = ()
    kind: Annotated[
        Literal["text", "code", "uscc", "date", "validity", "amount", "integer"],
        Field(alias="as"),
    ]
    empty: Annotated[tuple[_Text, ...], Field(max_length=64)] | None = None
    formats: Annotated[tuple[DateForm, ...], Field(max_length=8)] = (DateForm.ISO,)
    long_term: Annotated[tuple[_Text, ...], Field(max_length=32)] = ()
    footnote: Annotated[str, Field(max_length=8)] = ""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    values: Annotated[dict[str, _Text], Field(max_length=1000)] | None = None

    @model_validator(mode="after")
    def _fits_kind(self) -> CellSpec:
        belongs = {
            "formats": ("date", "validity"),
            "long_term": ("validity",),
            "footnote": ("text",),
            "currency": ("amount",),
            "values": ("text", "code"),
        }
        for name, kinds in belongs.items():
            if name in self.model_fields_set and self.kind not in kinds:
                raise SchemaFault(
                    f"`{name}` belongs to {' and '.join(kinds)}, not to {self.kind}",
                    f"`{name}` 只用于 {'、'.join(kinds)}，不用于 {self.kind}",
                )
        if self.kind == "validity" and not self.long_term:
            raise SchemaFault(
                "`long_term` must list what the source writes for long term (长期)",
                "`long_term` 应列出来源系统中表示长期的写法",
            )
        return self


# How what a correction answers and a revocation rests on is read.
_REASONS: Final = {
    "objection": ("text", "code"),
    "legal_basis": ("text",),
    "document": ("text", "code"),
    "decision_date": ("date",),
}


class RowSection(_Section):
    """The members of a row that are not on the face."""

    source_key: CellSpec
    number: CellSpec
    issue_date: CellSpec
    valid_from: CellSpec | None = None
    valid_until: CellSpec | Literal["long_term"]
    known_as: CellSpec | None = None
    # Of a correction: the name of the objection that it answers.
    objection: CellSpec | None = None
    # Of a revocation, which is refused without them.
    legal_basis: CellSpec | None = None
    document: CellSpec | None = None
    decision_date: CellSpec | None = None


class HolderSpec(_Section):
    """One holder of each row; with `split` as many as the cell names, set apart by it, or none;
    with `optional` none where the cell is empty."""

    type: Annotated[str, Field(pattern=r"^[0-9]{3}$")]
    source: Annotated[_Text, Field(alias="from")]
    split: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _known(self) -> HolderSpec:
        if self.type not in HOLDER_TYPES:
            raise SchemaFault(RULES["holder.type"].en, RULES["holder.type"].zh)
        return self


class AssociatedSpec(_Section):
    """A column with the identifier of a certificate that a row goes back to, or with nothing."""

    relation: Relation
    source: Annotated[_Text, Field(alias="from")]

    @model_validator(mode="after")
    def _goes_back(self) -> AssociatedSpec:
        if self.relation not in ASSOCIATIONS:
            raise SchemaFault(
                "`relation` is one of " + ", ".join(ASSOCIATIONS),
                "`relation` 应为 " + "、".join(ASSOCIATIONS) + " 之一",
            )
        return self


class SkipSpec(_Section):
    """Rows of this kind are read and left out, with the reason given."""

    skip: _Text


class LifecycleSection(_Section):
    """What a row asks for: always the same, or by the value of a column."""

    op: Op | None = None
    source: Annotated[_Text | None, Field(alias="from")] = None
    values: Annotated[dict[str, Op | SkipSpec], Field(max_length=100)] = {}

    @model_validator(mode="after")
    def _one_way(self) -> LifecycleSection:
        if (self.op is None) != (self.source is not None and bool(self.values)):
            raise SchemaFault(
                "give either `op`, or `from` with `values`", "应给出 `op`，或 `from` 与 `values`"
            )
        return self


class ScanSection(_Section):
    """The source holds what was read from scanned paper; `attestations`, relative to the manifest,
    is the file of the conversion officer's attestations."""

    attestations: _Text


class BrakeSection(_Section):
    """When a run stops by itself: share of bad rows among at least `after` rows of a window."""

    ratio: Annotated[float, Field(gt=0, le=1)] = 0.05
    after: Annotated[int, Field(ge=1, le=100_000)] = 200


class Manifest(_Section):
    """A whole manifest."""

    manifest: Literal["1"]
    connector: ConnectorSection
    source: SourceSection
    empty: Annotated[tuple[_Text, ...], Field(max_length=64)] = ()
    row: RowSection
    holders: Annotated[tuple[HolderSpec, ...], Field(max_length=16)]
    associated: Annotated[tuple[AssociatedSpec, ...], Field(max_length=ASSOCIATED_MAX)] = ()
    scan: ScanSection | None = None
    lifecycle: LifecycleSection
    fields: Annotated[dict[str, CellSpec], Field(min_length=1, max_length=64)]
    brake: BrakeSection = BrakeSection()


@dataclass(frozen=True, slots=True)
class Finding:
    """One error of a manifest: where, and which rule."""

    line: int
    place: str
    rule: Text


@dataclass(frozen=True, slots=True)
class LoadedManifest:
    """A manifest that holds, with its type. `digest` is over its exact bytes."""

    manifest: Manifest
    certificate_type: CertificateType
    digest: str
    folder: Path

    @property
    def source_path(self) -> Path:
        """The source file; a relative path counts from the manifest."""
        return self.folder / self.manifest.source.path

    @property
    def attestations_path(self) -> Path | None:
        """Where attestations stand; None where nothing was scanned."""
        scan = self.manifest.scan
        return None if scan is None else self.folder / scan.attestations

    @property
    def format(self) -> DelimitedFormat:
        """The declared form of the file."""
        source = self.manifest.source
        return DelimitedFormat(
            source.charset,
            source.separator,
            source.quoting,
            source.line_bytes_max,
            source.final_newline == "required",
        )


class ManifestError(Exception):
    """A manifest that does not hold, with every finding."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__(f"{len(findings)} findings")


def load_manifest(path: Path) -> LoadedManifest:
    """The manifest at `path`. Raises HubError(MANIFEST_INVALID) naming the first finding."""
    try:
        return lint_manifest(path)
    except ManifestError as error:
        first = error.findings[0]
        raise HubError(
            Reason.MANIFEST_INVALID,
            path=path.name,
            count=len(error.findings),
            line=first.line,
            rule=f"{first.place}: {first.rule.en}" if first.place else first.rule.en,
        ) from error


def lint_manifest(path: Path) -> LoadedManifest:
    """The manifest at `path`, fully checked against its certificate type, without network.

    Raises ManifestError with all findings and their lines, HubError(FILE_UNREADABLE).
    """
    data = _read(path, MANIFEST_BYTES_MAX, "manifest")
    tree, lines = _parse_yaml(data)
    try:
        manifest = Manifest.model_validate(tree)
    except ValidationError as error:
        raise ManifestError(_findings(error, lines)) from error
    certificate_type = _load_type(path.parent / manifest.connector.type_file, lines)
    found = _mismatches(manifest, certificate_type, lines)
    if found:
        raise ManifestError(tuple(sorted(found, key=lambda finding: finding.line)))
    return LoadedManifest(manifest, certificate_type, digest(data), path.parent)


def _mismatches(
    manifest: Manifest, certificate_type: CertificateType, lines: _Lines
) -> list[Finding]:
    """Where mapping and certificate type disagree."""
    found: list[Finding] = []
    connector = manifest.connector
    if connector.type != certificate_type.code:
        code = certificate_type.code
        rule = Text(f"the type file describes {code}", f"类型文件描述的是 {code}")
        found.append(_finding(lines, ("connector", "type"), rule))
    if connector.type_version != certificate_type.version:
        version = certificate_type.version
        rule = Text(f"the type file describes version {version}", f"类型文件的版本为 {version}")
        found.append(_finding(lines, ("connector", "type_version"), rule))
    known = {field.name: field for field in certificate_type.fields}
    for name, cell in manifest.fields.items():
        field = known.get(name)
        if field is None:
            rule = Text(
                f"the certificate type has no such field; it has {', '.join(known)}",
                f"该证照类型没有此字段；已有字段：{'、'.join(known)}",
            )
            found.append(_finding(lines, ("fields", name), rule))
        elif cell.kind not in _KINDS[field.type]:
            takes = sorted(_KINDS[field.type])
            rule = Text(
                f"a field of type {field.type} takes `as: {' or '.join(takes) or 'nothing yet'}`",
                f"{field.type} 类型的字段应使用 `as: {'、'.join(takes) or '暂不支持'}`",
            )
            found.append(_finding(lines, ("fields", name, "as"), rule))
    for name, field in known.items():
        if field.required and name not in manifest.fields:
            rule = Text(f"the required field {name} is not mapped", f"必填字段 {name} 未映射")
            found.append(_finding(lines, ("fields",), rule))
    if manifest.row.issue_date.kind != "date":
        rule = Text("an issue date is a date", "签发日期应为日期")
        found.append(_finding(lines, ("row", "issue_date", "as"), rule))
    for name in ("source_key", "number"):
        cell = manifest.row.source_key if name == "source_key" else manifest.row.number
        if cell.kind not in ("text", "code", "uscc"):
            rule = Text("a key or number is text, code or uscc", "键和编号应为 text、code 或 uscc")
            found.append(_finding(lines, ("row", name, "as"), rule))
    until = manifest.row.valid_until
    if isinstance(until, CellSpec) and until.kind not in ("date", "validity"):
        rule = Text("the end of validity is a date or a validity", "有效期止应为 date 或 validity")
        found.append(_finding(lines, ("row", "valid_until", "as"), rule))
    known_as = manifest.row.known_as
    if known_as is not None and known_as.kind not in ("text", "code"):
        rule = Text("an identifier is code or text", "标识应为 code 或 text")
        found.append(_finding(lines, ("row", "known_as", "as"), rule))
    for name, kinds in _REASONS.items():
        spec = getattr(manifest.row, name)
        if spec is not None and spec.kind not in kinds:
            rule = Text(f"it is read as {' or '.join(kinds)}", f"应按 {'、'.join(kinds)} 读取")
            found.append(_finding(lines, ("row", name, "as"), rule))
    if not certificate_type.may_be_unbound and not any(
        not holder.optional for holder in manifest.holders
    ):
        rule = Text(
            "the certificate type allows no certificate without a holder: map one, not optional",
            "该证照类型不允许没有持证主体的证照：请映射一个，且不为可选",
        )
        found.append(_finding(lines, ("holders",), rule))
    if manifest.row.valid_from is not None and manifest.row.valid_from.kind != "date":
        rule = Text("it is a date", "应为日期")
        found.append(_finding(lines, ("row", "valid_from", "as"), rule))
    return found


def _load_type(path: Path, lines: _Lines) -> CertificateType:
    try:
        return from_json(_read(path, TYPE_BYTES_MAX, "certificate type"))
    except HubError as error:
        place = ("connector", "type_file")
        rule = Text(error.text("en"), error.text("zh"))
        raise ManifestError((_finding(lines, place, rule),)) from error


# YAML to text and lists, with the line of every place.

_Place: TypeAlias = tuple[str | int, ...]
_Lines: TypeAlias = dict[_Place, int]


def _parse_yaml(data: bytes) -> tuple[Tree, _Lines]:
    try:
        node = yaml.compose(data.decode("utf-8"), Loader=yaml.BaseLoader)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        rule = Text("the manifest is not UTF-8", "清单不是 UTF-8 编码")
        raise ManifestError((Finding(line, "", rule),)) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        rule = Text(f"not YAML: {error.problem}", f"不是 YAML：{error.problem}")
        raise ManifestError((Finding(line, "", rule),)) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ManifestError((Finding(1, "", Text("not YAML", "不是 YAML")),)) from error
    if node is None:
        raise ManifestError((Finding(1, "", Text("the manifest is empty", "清单为空")),))
    lines: _Lines = {}
    return _tree(node, (), lines, set()), lines


def _tree(node: yaml.Node, place: _Place, lines: _Lines, seen: set[int]) -> Tree:
    line = node.start_mark.line + 1
    lines.setdefault(place, line)
    # A node met twice is a reference: refused, since a few of them can describe gigabytes.
    if id(node) in seen:
        rule = Text("YAML references (&, *) are not allowed", "不允许使用 YAML 引用（&、*）")
        raise ManifestError((Finding(line, "", rule),))
    seen.add(id(node))
    if len(place) > 8:
        raise ManifestError((Finding(line, "", Text("nested too deep", "嵌套过深")),))
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_tree(item, (*place, index), lines, seen) for index, item in enumerate(node.value)]
    members: dict[str, Tree] = {}
    for key, value in node.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
        lines[(*place, name)] = key.start_mark.line + 1
        if not name or name in members:
            rule = Text("a key is not text", "键应为文本")
            if name:
                rule = Text(f"the key {name!r} stands twice", f"键 {name!r} 重复")
            raise ManifestError((Finding(key.start_mark.line + 1, name, rule),))
        members[name] = _tree(value, (*place, name), lines, seen)
    return members


def _findings(error: ValidationError, lines: _Lines) -> tuple[Finding, ...]:
    found = {
        _finding(lines, tuple(detail["loc"]), schema_text(detail))
        for detail in error.errors(include_url=False, include_input=False)
    }
    return tuple(sorted(found, key=lambda one: (one.line, one.place)))


def _finding(lines: _Lines, place: tuple[Hashable, ...], rule: Text) -> Finding:
    """A finding at the innermost part of `place` that stands in the file."""
    known: _Place = ()
    for part in place:
        if isinstance(part, str | int) and (*known, part) in lines:
            known = (*known, part)
    shown = ".".join(str(part) for part in known)
    missing = [str(part) for part in place[len(known) :]]
    if rule == MISSING and missing:
        rule = Text(f"`{missing[-1]}` {rule.en}", f"`{missing[-1]}` {rule.zh}")
    return Finding(lines.get(known, 1), shown, rule)


def _read(path: Path, bytes_max: int, what: str) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(bytes_max + 1)
    except OSError as error:
        rule = error.strerror or "cannot be read"
        raise HubError(Reason.FILE_UNREADABLE, what=what, path=path, rule=rule) from error
    if len(data) > bytes_max:
        rule = f"has more than {bytes_max} bytes"
        raise HubError(Reason.FILE_UNREADABLE, what=what, path=path, rule=rule)
    return data


# Which forms of a cell give a value of which field type.
_KINDS: Final[dict[FieldType, frozenset[str]]] = {
    FieldType.TEXT: frozenset({"text", "code", "uscc"}),
    FieldType.CODE: frozenset({"code", "uscc"}),
    FieldType.DATE: frozenset({"date"}),
    FieldType.AMOUNT: frozenset({"amount"}),
    FieldType.INTEGER: frozenset({"integer"}),
    FieldType.BOOLEAN: frozenset(),
}
