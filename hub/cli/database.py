"""`sealway db`: a hub's data as a whole: schema, copies, and whether everything fits together."""

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
_MEBIBYTE: Final = 1024 * 1024
# Where findings of the store of documents stand, in place of a table.
DOCUMENTS: Final = "documents"

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
    from hub import upkeep  # noqa: PLC0415 - only who opens data pays for loading the server

    terminal = Terminal(as_json)
    found = asyncio.run(upkeep.migrate_database(find_config(config), dry_run=dry_run))
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
    documents: Annotated[
        bool,
        typer.Option(
            "--documents/--no-documents",
            help="Whether the bytes of the documents are part of it. Leave them out where the "
            "store has copies of its own (replication, versions).",
        ),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Copy database, log and documents as they are at one moment into DIR. The hub may run.

    Keys, passphrases and the external head are not in it: keep those elsewhere; without
    keys/key-encryption.key the backup opens for nobody. Exit code 1 where documents are lacking:
    the store has no bytes, or others, and the backup names them.

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
        manifest = asyncio.run(copies.backup(loaded, folder, progress, with_documents=documents))
    terminal.document({"folder": str(folder), **_facts(manifest)})
    terminal.say(
        f"{folder}: {manifest.rows} rows of {len(manifest.tables)} tables, {manifest.bytes} bytes; "
        f"the log at {manifest.size} entries continues the external head. Keys are not in it.",
        f"{folder}：{len(manifest.tables)} 张表共 {manifest.rows} 行，{manifest.bytes} 字节；"
        f"日志含 {manifest.size} 个条目，与外部头连续。其中不含密钥。",
    )
    _tell_documents(terminal, manifest)
    next_step(terminal, f"sealway db restore {folder} --config {in_folder(config)}")
    _exit_lacking(manifest)


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
    """Put a backup into the configured database, which must be empty, and audit it there. Documents
    go into the configured store, which may hold others.

    Checks every byte of the backup first. Refuses one that ends before the external head: what was
    acknowledged after it would be taken back. Exit code 1 where the audit has findings, or
    documents are lacking.

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
    _tell_documents(terminal, manifest)
    next_step(terminal, f"sealway serve --config {in_folder(config)}")
    _exit_lacking(manifest)


@app.command()
def fsck(
    config: ConfigOption = _CONFIG,
    documents: Annotated[
        bool,
        typer.Option(
            "--documents/--no-documents",
            help="Whether every stored document is read, which takes its time.",
        ),
    ] = True,
    rate: Annotated[
        int, typer.Option(min=1, max=10_000, help="Mebibytes of documents read per second at most.")
    ] = 50,
    as_json: JsonOption = False,
) -> None:
    """Check that the data fit together: what one table names is in the other, what is unique is
    once; and the store has the bytes of every document, unchanged, and no others.

    Beyond the audit, which says whether rows are as the log wrote them. The hub may run. Exit code
    0 clean, 1 findings, 2 where something could not be checked, as with a store that is away.

    Example: sealway db fsck --config HOME/hub.toml
    """
    from hub import upkeep  # noqa: PLC0415 - only who opens data pays for loading the server

    terminal, loaded = Terminal(as_json), find_config(config)
    with _watched(terminal, "check", "检查") as progress:
        report, seen = asyncio.run(
            upkeep.check_database(
                loaded, progress, bytes_per_s=rate * _MEBIBYTE if documents else None
            )
        )
    terminal.document(
        {
            "rules": report.rules,
            "documents": seen.documents if seen is not None else None,
            "blobs": seen.blobs if seen is not None else None,
            "findings": [asdict(fault) for fault in report.faults],
            "unchecked": [asdict(fault) for fault in report.unchecked],
            "truncated": report.is_truncated,
        }
    )
    read = seen.documents if seen is not None else 0
    terminal.say(
        f"{report.rules} rules checked, {read} documents read.",
        f"已检查 {report.rules} 条规则，读取 {read} 份文件。",
    )
    found = [*report.faults, *report.unchecked]
    if not found:
        terminal.say("Clean: everything fits together.", "完好：各表相互一致。")
        return
    _table(terminal, [(fault.table, fault.key, fault.fault) for fault in found])
    if all(fault.table == DOCUMENTS for fault in found):
        terminal.say(
            f"{len(report.faults)} findings, {len(report.unchecked)} not checked, all of the store "
            "of documents; the tables fit together. Missing or damaged: copy those bytes from the "
            "folder documents of a backup, or from a copy of the store, under the same name. "
            "Nobody's: sealway document prune.",
            f"发现 {len(report.faults)} 处问题，{len(report.unchecked)} 项未能检查，均属文件存储；"
            "各表相互一致。缺失或损坏的请从备份的 documents 文件夹或存储的副本按原名复制回来；"
            "无主数据块可用 sealway document prune 处理。",
        )
        raise typer.Exit(ExitCode.REFUSED if report.faults else ExitCode.CANNOT_CHECK)
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
    """Copy all rows into an empty database of either engine, compare every row, audit it there.

    Documents stay in their store. No hub may run. The database that was configured stays as it is;
    hub.toml is not changed.

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
        "documents": asdict(manifest.documents) if manifest.documents is not None else None,
        "keys_included": False,
    }


def _tell_documents(terminal: Terminal, manifest: Manifest) -> None:
    """What became of the documents; each that is lacking by its name."""
    documents = manifest.documents
    if documents is None:
        terminal.say(
            "Documents are not part of it: the store needs copies of its own, and "
            "`sealway db fsck` says whether it has everything.",
            "其中不含文件：文件存储须有自己的副本；可用 sealway db fsck 检查是否齐全。",
        )
        return
    terminal.say(
        f"Documents: {documents.stored}, {documents.bytes} bytes.",
        f"文件：{documents.stored} 份，{documents.bytes} 字节。",
    )
    if not documents.lacking:
        return
    _table(terminal, [(DOCUMENTS, one.document, one.fault.value) for one in documents.lacking])
    terminal.say(
        f"{len(documents.lacking)} documents are lacking: the store did not have their bytes when "
        "the backup was made. Everything else is there. Find them in an older backup.",
        f"缺少 {len(documents.lacking)} 份文件：备份时文件存储中没有其完整字节。其余内容齐全，"
        "请从更早的备份中查找。",
    )


def _exit_lacking(manifest: Manifest) -> None:
    if manifest.documents is not None and manifest.documents.lacking:
        raise typer.Exit(ExitCode.REFUSED)


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
