"""`sealway db`: the database as a whole: its schema, copies of it, and whether it fits together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hub.cli.serve import ConfigOption, find_config
from hub.cli.session import JsonOption, in_folder, next_step
from hub.cli.terminal import Document, ExitCode, Terminal, UsageError

if TYPE_CHECKING:
    from hub.copies import Manifest
    from hub.ledger.audit import AuditReport
    from hub.storage.copies import Progress


_CONFIG: Final = Path("hub.toml")
_URL_SCHEMES: Final = ("sqlite:///", "postgresql://")

app = typer.Typer(no_args_is_help=True, help="The database: schema, backup, restore, check, move.")


@app.command()
def migrate(
    config: ConfigOption = _CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would run; change nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the schema up to date, as every start of the hub does; all of it or nothing.

    Example: sealway db migrate --config HOME/hub.toml --dry-run
    """
    from hub import server  # noqa: PLC0415 - only who opens data pays for loading the server

    terminal = Terminal(as_json)
    found = asyncio.run(server.migrate_database(find_config(config), dry_run=dry_run))
    terminal.document(
        {
            "current": found.current,
            "target": found.target,
            "revisions": list(found.revisions),
            "dry_run": dry_run,
            "script": found.script if dry_run else None,
        }
    )
    if not found.revisions:
        terminal.say(
            f"Schema {found.target}: up to date, nothing to do.",
            f"数据库结构 {found.target}：已是最新，无需操作。",
        )
        return
    if dry_run and not as_json:
        typer.echo(found.script.strip())
    names = ", ".join(found.revisions)
    if dry_run:
        terminal.say(f"Would run: {names}. Nothing was changed.", f"将执行：{names}。未作更改。")
    else:
        terminal.say(f"Done: {names}.", f"已执行：{names}。")


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet.")],
    config: ConfigOption = _CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Copy database and log as they are at one moment into DIR. The hub may run.

    Keys, passphrases and the external head are not in it: keep those elsewhere; without
    keys/key-encryption.key the backup opens for nobody.

    Example: sealway db backup /backup/2026-11-26 --config HOME/hub.toml
    """
    from hub import copies  # noqa: PLC0415 - only who opens data pays for loading the server

    terminal, loaded = Terminal(as_json), find_config(config)
    if folder.exists():
        raise UsageError(
            f"{folder} is there already; name a new folder, backups are never overwritten",
            f"{folder} 已存在；请指定新的文件夹，备份不会被覆盖",
            see="sealway db backup",
        )
    with _watched(terminal, "backup", "备份") as progress:
        manifest = asyncio.run(copies.backup(loaded, folder, progress))
    terminal.document({"folder": str(folder), **_facts(manifest)})
    terminal.say(
        f"{folder}: {manifest.rows} rows of {len(manifest.tables)} tables, {manifest.bytes} bytes; "
        f"the log at {manifest.size} entries continues the external head. Keys are not in it.",
        f"{folder}：{len(manifest.tables)} 张表共 {manifest.rows} 行，{manifest.bytes} 字节；"
        f"日志含 {manifest.size} 个条目，与外部头连续。其中不含密钥。",
    )


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder made by backup.")],
    config: ConfigOption = _CONFIG,
    head_lost: Annotated[
        bool,
        typer.Option(
            "--head-lost",
            help="The external head is lost for good: begin it where the backup's stood. Nobody "
            "can tell then whether entries after the backup are missing. Refused by a head that "
            "is there.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a backup into the configured database, which must be empty, and audit it there.

    Checks every byte of the backup first. Refuses one that ends before the external head: what was
    acknowledged after it would be taken back. Exit code 1 where the audit has findings.

    Example: sealway db restore /backup/2026-11-26 --config HOME/hub.toml
    """
    from hub import copies  # noqa: PLC0415 - only who opens data pays for loading the server

    terminal, loaded = Terminal(as_json), find_config(config)
    report = _new_report()
    with _watched(terminal, "restore", "恢复") as progress:
        manifest = asyncio.run(
            copies.restore(loaded, folder, report, progress, head_is_lost=head_lost)
        )
    _tell_copied(terminal, manifest, report)
    next_step(terminal, f"sealway serve --config {in_folder(config)}")


@app.command()
def fsck(config: ConfigOption = _CONFIG, as_json: JsonOption = False) -> None:
    """Check that the tables fit together: what one names is in the other, what is unique is once.

    Beyond the audit, which says whether rows are as the log wrote them. The hub may run. Exit code
    0 clean, 1 findings, 2 where something could not be checked.

    Example: sealway db fsck --config HOME/hub.toml
    """
    from hub import server  # noqa: PLC0415 - only who opens data pays for loading the server

    terminal, loaded = Terminal(as_json), find_config(config)
    with _watched(terminal, "check", "检查") as progress:
        report = asyncio.run(server.check_database(loaded, progress))
    terminal.document(
        {
            "rules": report.rules,
            "findings": [asdict(fault) for fault in report.faults],
            "unchecked": [asdict(fault) for fault in report.unchecked],
            "truncated": report.is_truncated,
        }
    )
    terminal.say(f"{report.rules} rules checked.", f"已检查 {report.rules} 条规则。")
    found = [*report.faults, *report.unchecked]
    if not found:
        terminal.say("Clean: everything fits together.", "完好：各表相互一致。")
        return
    _table(terminal, [(fault.table, fault.key, fault.fault) for fault in found])
    terminal.say(
        f"{len(report.faults)} findings, {len(report.unchecked)} not checked. Stop the hub, keep "
        "the database as it is, run: sealway log audit, and restore a backup that is clean.",
        f"发现 {len(report.faults)} 处问题，{len(report.unchecked)} 项未能检查。请停止枢纽，"
        "原样保留数据库，执行 sealway log audit，并恢复完好的备份。",
    )
    raise typer.Exit(ExitCode.REFUSED if report.faults else ExitCode.CANNOT_CHECK)


@app.command()
def move(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="URL",
            help="Empty database: postgresql://USER@HOST/NAME or sqlite:////absolute/file.",
        ),
    ],
    config: ConfigOption = _CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Copy everything into an empty database of either engine, compare every row, audit it there.

    No hub may run. The database that was configured stays as it is; hub.toml is not changed.

    Example: sealway db move --to postgresql://sealway@db.internal/hub --config HOME/hub.toml
    """
    from hub import copies  # noqa: PLC0415 - only who opens data pays for loading the server

    terminal, loaded = Terminal(as_json), find_config(config)
    if not to.startswith(_URL_SCHEMES):
        raise UsageError(
            "--to begins with sqlite:/// or postgresql://",
            "--to 应以 sqlite:/// 或 postgresql:// 开头",
            see="sealway db move",
        )
    report = _new_report()
    with _watched(terminal, "move", "迁移") as progress:
        manifest = asyncio.run(copies.move(loaded, to, report, progress))
    _tell_copied(terminal, manifest, report)
    terminal.say(
        f"Next: set database.url in {in_folder(config)} to the new database, then start the hub.",
        f"下一步：将 {in_folder(config)} 中的 database.url 改为新数据库，然后启动枢纽。",
    )


def _new_report() -> AuditReport:
    from hub.ledger.audit import AuditReport  # noqa: PLC0415 - loads the storage

    return AuditReport()


def _facts(manifest: Manifest) -> dict[str, Document]:
    return {
        "origin": manifest.origin,
        "schema": manifest.schema,
        "size": manifest.size,
        "root": manifest.root,
        "last_time": manifest.last_time,
        "rows": manifest.rows,
        "bytes": manifest.bytes,
        "tables": {table.name: table.rows for table in manifest.tables},
        "keys_included": False,
    }


def _tell_copied(terminal: Terminal, manifest: Manifest, report: AuditReport) -> None:
    """What is in the database now, and what its audit found. Exits where it found something."""
    terminal.document(
        {
            **_facts(manifest),
            "findings": [asdict(finding) for finding in report.findings],
            "truncated": report.is_truncated,
        }
    )
    terminal.say(
        f"{manifest.rows} rows written and compared, {report.entries} entries of the log "
        f"recomputed, up to {manifest.last_time}.",
        f"已写入并比对 {manifest.rows} 行，已重新计算日志 {report.entries} 个条目，"
        f"截至 {manifest.last_time}。",
    )
    if report.is_clean:
        terminal.say("Clean: nothing was changed.", "完好：未发现改动。")
        return
    _table(terminal, [(each.table, each.key, each.fault) for each in report.findings])
    terminal.say(
        f"{len(report.findings)} findings: the copy is as faulty as what it was made of. Do not "
        "let a hub run on it.",
        f"发现 {len(report.findings)} 处问题：副本与其来源有同样的问题。请勿让枢纽使用它。",
    )
    raise typer.Exit(ExitCode.REFUSED)


def _table(terminal: Terminal, rows: Sequence[tuple[str, str, str]]) -> None:
    terminal.table((("table", "表"), ("key", "键"), ("fault", "问题")), rows)


@contextmanager
def _watched(terminal: Terminal, en: str, zh: str) -> Iterator[Progress]:
    with terminal.progress(en, zh, total=None) as bar:

        def show(part: str, done: int, total: int) -> None:
            bar.update(bar.task_ids[0], description=part, completed=done, total=total or None)

        yield show
