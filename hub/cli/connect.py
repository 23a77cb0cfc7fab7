"""`sealway connect`: a department's legacy file, from a manifest to receipts.

Exit codes of `run`: 0 done · 2 manifest · 3 source unreachable · 4 not allowed, or a key · 5 layout
refused · 6 done, but rows are quarantined · 7 hub refused or away (the outbox keeps the rows) · 8
brake · 9 does not balance · 130 interrupted; run again to resume.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import typer

from connectors.attestations import append_attestations, read_attestations
from connectors.client import HubClient, HubRefusedError
from connectors.faults import RowError
from connectors.heads import read_trust
from connectors.manifest import (
    Finding,
    LoadedManifest,
    ManifestError,
    lint_manifest,
    load_manifest,
)
from connectors.mapping import CellTrace, RowMapper
from connectors.outbox import open_outbox, read_outbox
from connectors.quarantine import Quarantined, export
from connectors.run import ConnectorRun, Identity, RunReport, exit_code_of
from connectors.sources.delimited import Charset, open_delimited
from connectors.submit import GrpcSubmitter
from hub.cli.session import JsonOption, ProfileOption, find_profile, next_step
from hub.cli.terminal import Document, Terminal, UsageError, report_error
from hub.clock import now_us
from hub.domain.identifier import check_uscc
from hub.domain.row import Row
from hub.errors import HubError
from hub.proof.exchange.attestation import Subject, attested_digest, sign_attestation
from hub.proof.reasons import ProofError

app = typer.Typer(no_args_is_help=True, help="Connect a department's legacy system.")
quarantine = typer.Typer(no_args_is_help=True, help="Rows that did not pass, and why.")
app.add_typer(quarantine, name="quarantine")

LIST_MAX: Final = 10_000

ManifestArgument = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST", exists=True, dir_okay=False, help="The connector's manifest (YAML)."
    ),
]
FileOption = Annotated[
    Path | None,
    typer.Option("--file", help="Read this file; otherwise `source.path` of the manifest."),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="SEALWAY_CONNECT_STATE",
        help="Folder of the outbox; otherwise `outbox` beside the profile.",
    ),
]
AuthorityOption = Annotated[
    str | None,
    typer.Option(
        "--authority", metavar="USCC", help="The department; otherwise `connector.authority`."
    ),
]
RawOption = Annotated[
    bool,
    typer.Option("--raw", help="With the text as read; it may hold personal data."),
]


@app.command()
def lint(manifest: ManifestArgument, as_json: JsonOption = False) -> None:
    """Check a manifest against its certificate type, offline; every error with its line.

    Example: sealway connect lint deploy/connectors/business-licence-csv.yaml
    """
    terminal = Terminal(as_json)
    findings: Sequence[Finding] = ()
    try:
        loaded = lint_manifest(manifest)
    except ManifestError as error:
        findings = error.findings
    terminal.document(
        {
            "manifest": str(manifest),
            "valid": not findings,
            "findings": [
                {"line": one.line, "place": one.place, "en": one.rule.en, "zh": one.rule.zh}
                for one in findings
            ],
        }
    )
    for one in findings:
        place = f"{manifest}:{one.line}: " + (f"{one.place}: " if one.place else "")
        terminal.say(place + one.rule.en, place + one.rule.zh)
    if findings:
        raise typer.Exit(2)
    fields = len(loaded.manifest.fields)
    terminal.say(
        f"{manifest} holds: {fields} fields of {loaded.certificate_type.name}.",
        f"{manifest} 检查通过：映射《{loaded.certificate_type.name}》{fields} 个字段。",
    )
    next_step(terminal, f"sealway connect preview {manifest}")


@app.command()
def preview(
    manifest: ManifestArgument,
    file: FileOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many records.")] = 3,
    line: Annotated[int, typer.Option(min=2, help="Begin at this line of the file.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Show, cell by cell, what the source says, what it becomes, and by which rule. No network.

    Personal values are masked.

    Example: sealway connect preview business-licence-csv.yaml --file export.csv --limit 1
    """
    terminal = Terminal(as_json)
    loaded = load_manifest(manifest)
    source = open_delimited(file or loaded.source_path, loaded.format)
    path = loaded.attestations_path
    mapper = RowMapper(loaded, source, None if path is None else read_attestations(path))
    documents: list[Document] = []
    wanted = (record for record in source.records() if record.line >= line)
    for record in islice(wanted, limit):
        traces: tuple[CellTrace, ...] = ()
        errors: tuple[RowError, ...] = ()
        skipped: str | None = None
        fault = None if record.fault is None else record.fault.rule
        if record.cells is not None:
            mapped = mapper.map(record.cells)
            traces, errors, skipped = mapper.trace(record.cells), mapped.errors, mapped.skipped
        documents.append(
            {
                "line": record.line,
                "offset": record.offset,
                "fault": fault,
                "skipped": skipped,
                "cells": [_trace_document(one) for one in traces],
                "errors": [_error_document(one) for one in errors],
            }
        )
        _show_record(terminal, record.line, fault or skipped, traces, errors)
    terminal.document({"file": str(source.path), "records": documents})
    next_step(terminal, f"sealway connect run {manifest} --profile client.toml")


@app.command()
def run(
    manifest: ManifestArgument,
    profile: ProfileOption = None,
    file: FileOption = None,
    state: StateOption = None,
    authority: AuthorityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the source once, send what is new, keep the receipts, and account for every row.

    Whatever interrupts it, the same command resumes.

    Example: sealway connect run business-licence-csv.yaml --profile connector/client.toml
    """
    terminal = Terminal(as_json)
    try:
        report = _run(terminal, manifest, profile, file, state, authority)
    except ProofError as error:
        raise typer.Exit(report_error(error, as_json=as_json, exit_code=4)) from error
    except HubError as error:
        status = error.status if isinstance(error, HubRefusedError) else ""
        code = exit_code_of(error, status)
        raise typer.Exit(report_error(error, as_json=as_json, exit_code=code)) from error
    _show_report(terminal, report)
    if report.exit_code:
        next_step(terminal, f"sealway connect quarantine list {manifest}")
        raise typer.Exit(report.exit_code)
    next_step(terminal, "sealway certificate search --help")


@app.command()
def attest(
    manifest: ManifestArgument,
    profile: ProfileOption = None,
    file: FileOption = None,
    row: Annotated[
        list[str] | None,
        typer.Option("--row", help="Key of a record that was compared; may be repeated."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every record was compared with its original.")
    ] = False,
    authority: AuthorityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Attest that scans agree with the originals (与原件核对无误). No network.

    The profile is the conversion officer's, enrolled with `--role converter`. Without --row or
    --all it lists what is not attested yet.

    Example: sealway connect attest old-licences.yaml --row L-1987-003 --profile desk/client.toml
    """
    terminal = Terminal(as_json)
    loaded = load_manifest(manifest)
    path = loaded.attestations_path
    if path is None:
        raise UsageError(
            f"{manifest} is no manifest of scans: it has no `scan: {{attestations: FILE}}`",
            f"{manifest} 不是扫描件清单：缺少 `scan: {{attestations: 文件}}`",
        )
    waiting = _waiting(loaded, file, path)
    chosen = waiting if every else [one for one in waiting if one.source_key in (row or ())]
    unknown = set(row or ()) - {one.source_key for one in waiting}
    if unknown:
        raise UsageError(
            "not in the file, not sound, or attested already: " + ", ".join(sorted(unknown)),
            "文件中不存在、不合规或已签署：" + "、".join(sorted(unknown)),
        )
    if chosen:
        officer = find_profile(profile)
        uscc = _authority(loaded, authority)
        vct = f"https://{officer.origin}/vct/{loaded.certificate_type.code}"
        version, signer = loaded.certificate_type.version, officer.signer()
        made = [
            sign_attestation(
                Subject(officer.origin, officer.region, uscc, vct, version, attested_digest(one)),
                officer.name,
                now_us() // 1_000_000,
                signer,
            )
            for one in chosen
        ]
        append_attestations(path, made)
    left = [key for one in waiting if not every and (key := one.source_key) not in (row or ())]
    terminal.document({"attested": [one.source_key for one in chosen], "waiting": [*left]})
    terminal.say(
        f"{len(chosen)} attested, {len(left)} waiting.",
        f"已签署 {len(chosen)} 项，待核对 {len(left)} 项。",
    )
    if left:
        terminal.table((("not attested yet", "待核对"),), [(key,) for key in left[:LIST_MAX]])
        next_step(terminal, f"sealway connect attest {manifest} --row {left[0]}")
    else:
        next_step(terminal, f"sealway connect run {manifest}")


@app.command("sign-serve")
def sign_serve(
    settings: Annotated[
        Path, typer.Argument(metavar="SETTINGS", help="The signer's settings (TOML).")
    ],
    as_json: JsonOption = False,
) -> None:
    """Serve the department's own signer: it seals what stands in the outbox, and nothing else.

    SIGTERM and Ctrl-C stop it; what is being signed is finished. It says where once it serves: a
    line, or with --json {"port"}.

    Example: sealway connect sign-serve signer/signer.toml
    """
    from connectors.signer import SignerSettings, serve  # noqa: PLC0415 - only who signs loads it

    terminal = Terminal(as_json)

    def started(port: int) -> None:
        terminal.document({"port": port})
        if not as_json:
            terminal.say(
                f"The signer serves on port {port}. Ctrl-C stops it.",
                f"签名服务已在端口 {port} 运行，按 Ctrl-C 停止。",
            )
        sys.stdout.flush()

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        serve(SignerSettings.load(settings), ended, started)
    except (HubError, ProofError) as error:
        raise typer.Exit(report_error(error, as_json=as_json, exit_code=4)) from error


@quarantine.command("list")
def list_quarantined(
    manifest: ManifestArgument,
    profile: ProfileOption = None,
    state: StateOption = None,
    every: Annotated[bool, typer.Option("--all", help="Closed rows as well.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the rows that wait in quarantine, with the first error of each.

    Example: sealway connect quarantine list business-licence-csv.yaml
    """
    terminal = Terminal(as_json)
    loaded = load_manifest(manifest)
    found = _quarantined(loaded, profile, state, every=every)
    rows = export(found, _charset(loaded), show_raw=False)
    terminal.document({"rows": _documents(rows)})
    if not found:
        terminal.say("Quarantine is empty.", "隔离区为空。")
        return
    terminal.table(
        (
            ("id", "编号"),
            ("state", "状态"),
            ("line", "行"),
            ("seen", "次数"),
            ("errors", "错误数"),
            ("code", "代码"),
            ("field", "字段"),
            ("what is wrong", "问题"),
        ),
        [_line_of(terminal, one) for one in found],
    )
    next_step(terminal, f"sealway connect quarantine show {manifest} {found[0].id}")


@quarantine.command("show")
def show_quarantined(
    manifest: ManifestArgument,
    row: Annotated[int, typer.Argument(metavar="ID", help="Id from `quarantine list`.")],
    profile: ProfileOption = None,
    state: StateOption = None,
    raw: RawOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show one row with every error, and what to do about each.

    Example: sealway connect quarantine show business-licence-csv.yaml 3
    """
    terminal = Terminal(as_json)
    loaded = load_manifest(manifest)
    with read_outbox(_state(profile, state), loaded.manifest.connector.id) as outbox:
        found = None if outbox is None else outbox.quarantined_row(row)
    if found is None:
        raise UsageError(
            f"quarantine has no row {row}; see: sealway connect quarantine list {manifest}",
            f"隔离区没有编号 {row}，请运行：sealway connect quarantine list {manifest}",
        )
    (shown,) = _documents(export([found], _charset(loaded), show_raw=raw))
    terminal.document(shown)
    where = found.row
    if raw:
        text = where.raw.decode(_charset(loaded), "replace").rstrip()
        terminal.say(text, text)
    terminal.say(
        f"{where.file}, line {where.line}, byte {where.offset}; seen {found.sightings} times.",
        f"{where.file} 第 {where.line} 行（偏移 {where.offset}），共出现 {found.sightings} 次。",
    )
    terminal.table(
        (("code", "代码"), ("field", "字段"), ("what is wrong", "问题"), ("what to do", "处理")),
        [
            (
                error.code,
                error.field,
                terminal.choose(error.en, error.zh),
                terminal.choose(error.hint_en, error.hint_zh),
            )
            for error in where.errors
        ],
    )
    next_step(terminal, f"sealway connect run {manifest}")


@quarantine.command("export")
def export_quarantined(
    manifest: ManifestArgument,
    profile: ProfileOption = None,
    state: StateOption = None,
    every: Annotated[bool, typer.Option("--all", help="Closed rows as well.")] = False,
    raw: RawOption = False,
    _as_json: Annotated[
        bool, typer.Option("--json", help="As without: the output is one JSON document.")
    ] = True,
) -> None:
    """Write quarantine as one JSON document to standard output, every error of every row.

    Example: sealway connect quarantine export business-licence-csv.yaml > quarantine.json
    """
    loaded = load_manifest(manifest)
    found = _quarantined(loaded, profile, state, every=every)
    rows = export(found, _charset(loaded), show_raw=raw)
    Terminal(as_json=True).document(
        {"connector": loaded.manifest.connector.id, "rows": _documents(rows)}
    )


def _run(
    terminal: Terminal,
    manifest: Path,
    profile: Path | None,
    file: Path | None,
    state: Path | None,
    authority: str | None,
) -> RunReport:
    loaded = load_manifest(manifest)
    folder = _state(profile, state)
    source = open_delimited(file or loaded.source_path, loaded.format)
    name = source.path.name
    with HubClient(find_profile(profile)) as client:
        identity = _identity(client, loaded, authority)
        connector = loaded.manifest.connector.id
        with (
            open_outbox(folder, connector, identity.chain) as outbox,
            terminal.progress(f"Reading {name}", f"正在读取 {name}", total=source.size) as bar,
        ):
            task = bar.task_ids[0]
            once = ConnectorRun(
                loaded=loaded,
                identity=identity,
                outbox=outbox,
                submitter=GrpcSubmitter(client),
                now_us=now_us,
                watch=lambda done, _all: bar.update(task, completed=done),
            )
            return once(source)


def _waiting(loaded: LoadedManifest, file: Path | None, attestations: Path) -> list[Row]:
    """The rows of a source of scans that nobody attested to as they are now."""
    source = open_delimited(file or loaded.source_path, loaded.format)
    known = read_attestations(attestations)
    mapper = RowMapper(loaded, source)
    mapped = [mapper.map(record.cells) for record in source.records() if record.cells is not None]
    rows = [one.row for one in mapped if one.row is not None]
    return [row for row in rows if attested_digest(row) not in known]


def _authority(loaded: LoadedManifest, authority: str | None) -> str:
    """The department's credit code. Raises UsageError where nobody named it, or a wrong one."""
    uscc = authority or loaded.manifest.connector.authority
    if uscc is None:
        raise UsageError(
            "name the department by its credit code: --authority, or connector.authority in the "
            "manifest",
            "请用 --authority 或清单中的 connector.authority 指明部门的统一社会信用代码",
        )
    try:
        return check_uscc(uscc, field="--authority")
    except HubError as error:
        raise UsageError(error.text("en"), error.text("zh"), see="sealway connect run") from error


def _identity(client: HubClient, loaded: LoadedManifest, authority: str | None) -> Identity:
    """In whose name rows are signed. Raises UsageError where nobody named the department."""
    profile = client.profile
    return Identity(
        system=profile.name,
        authority=_authority(loaded, authority),
        origin=profile.origin,
        region=profile.region,
        signer=profile.signer(),
        trust=read_trust(profile).log,
    )


def _state(profile: Path | None, state: Path | None) -> Path:
    return state or find_profile(profile).folder / "outbox"


def _quarantined(
    loaded: LoadedManifest, profile: Path | None, state: Path | None, *, every: bool
) -> list[Quarantined]:
    with read_outbox(_state(profile, state), loaded.manifest.connector.id) as outbox:
        return [] if outbox is None else outbox.quarantined(all_states=every, limit=LIST_MAX)


def _charset(loaded: LoadedManifest) -> str:
    charset = loaded.manifest.source.charset
    return "utf-8" if charset is Charset.UTF_8_THEN_GB18030 else charset.value


def _documents(rows: Sequence[Mapping[str, Document]]) -> list[Document]:
    return [dict(row) for row in rows]


def _line_of(terminal: Terminal, one: Quarantined) -> tuple[str, ...]:
    first = one.row.errors[0]
    return (
        str(one.id),
        one.state.value,
        str(one.row.line),
        str(one.sightings),
        str(len(one.row.errors)),
        first.code,
        first.field,
        terminal.choose(first.en, first.zh),
    )


def _trace_document(trace: CellTrace) -> Document:
    return {
        "member": trace.member,
        "column": trace.column,
        "raw": _masked(trace.raw, trace),
        "value": trace.value if not isinstance(trace.value, str) else _masked(trace.value, trace),
        "rules": list(trace.rules),
        "error": None if trace.error is None else _error_document(trace.error),
    }


def _error_document(error: RowError) -> Document:
    return dict(asdict(error))


def _masked(text: str, trace: CellTrace) -> str:
    """Personal values keep their first and last characters only (connectors.md §3.5)."""
    if not trace.personal:
        return text
    if len(text) < 8:
        return "*" * len(text)
    return text[:3] + "*" * (len(text) - 5) + text[-2:]


def _show_record(
    terminal: Terminal,
    line: int,
    remark: str | None,
    traces: Sequence[CellTrace],
    errors: Sequence[RowError],
) -> None:
    suffix = f": {remark}" if remark else ""
    terminal.say(f"line {line}{suffix}", f"第 {line} 行{suffix}")
    if traces:
        terminal.table(
            (
                ("member", "成员"),
                ("column", "列"),
                ("raw", "原值"),
                ("value", "结果"),
                ("rule", "规则"),
            ),
            [
                (
                    one.member,
                    one.column,
                    _masked(one.raw, one)[:60],
                    _shown(one)[:60],
                    ", ".join(one.rules) if one.error is None else f"✘ {one.error.rule}",
                )
                for one in traces
            ],
        )
    for error in errors:
        terminal.say(
            f"  ✘ {error.code} {error.field}: {error.en}",
            f"  ✘ {error.code} {error.field}：{error.zh}",
        )


def _shown(trace: CellTrace) -> str:
    if trace.error is not None or trace.value is None:
        return "" if trace.error is not None else "∅"
    return _masked(str(trace.value), trace)


def _show_report(terminal: Terminal, report: RunReport) -> None:
    counts = report.counts
    terminal.document(report.members())
    terminal.say(
        f"Run {report.run[:8]}: {counts.read:,} read = {counts.accepted:,} accepted "
        f"({counts.new:,} new, {counts.changed:,} changed, {counts.corrected:,} corrected) + "
        f"{counts.unchanged:,} unchanged + {counts.quarantined:,} quarantined + "
        f"{counts.refused:,} refused + {counts.skipped:,} skipped. It balances.",
        f"运行 {report.run[:8]}：读取 {counts.read:,} = 受理 {counts.accepted:,}"
        f"（新 {counts.new:,}、变更 {counts.changed:,}、更正 {counts.corrected:,}）+ "
        f"未变 {counts.unchanged:,} + 隔离 {counts.quarantined:,} + 退回 {counts.refused:,} + "
        f"规则跳过 {counts.skipped:,}，对账一致。",
    )
    terminal.say(
        f"{report.receipts} receipts kept; {report.quarantine_open} rows wait in quarantine.",
        f"已保存回执 {report.receipts} 份；隔离区待处理 {report.quarantine_open} 行。",
    )
    for rule, times in report.warnings.items():
        terminal.say(f"  warning {rule}: {times}", f"  警告 {rule}：{times}")
