"""`sealway document`: the files of certificates, up, down, listed, scrubbed and pruned."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final, Protocol

import typer

from hub.cli.code_notes import logged_code, tell_code
from hub.cli.preserve import preserve
from hub.cli.serve import ConfigOption, find_config
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    digest_of,
    in_folder,
    keep_receipt,
    next_step,
    request_id,
    show_list,
    shown_time,
    write,
    written,
)
from hub.cli.terminal import ExitCode, Terminal, UsageError
from hub.clock import now_us
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u
from hub.registry.v1 import documents_pb2 as pb
from hub.registry.v1 import documents_pb2_grpc

if TYPE_CHECKING:
    from hub.config import Config
    from hub.registry.scrub import ScrubReport
    from hub.storage.blobs import StoredBlob
    from hub.storage.copies import Progress

app = typer.Typer(no_args_is_help=True, help="Documents of certificates: PDF, OFD, scans.")

_CHUNK_BYTES: Final = 256 * 1024
_SECONDS: Final = 1800.0
_MEBIBYTE: Final = 1024 * 1024
# As hub.registry.scrub has it, which only who opens data loads.
_PRUNE_HOURS_MIN: Final = 24
_MEDIA_TYPES: Final = {
    ".pdf": "application/pdf",
    ".ofd": "application/ofd",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


@app.command()
def upload(
    certificate: Annotated[str, typer.Argument(help="authorities/{a}/certificates/{c}")],
    file: Annotated[Path, typer.Argument(help="The document.", exists=True, dir_okay=False)],
    version: Annotated[int, typer.Option(help="Version of the certificate that it shows.")],
    media_type: Annotated[
        str, typer.Option("--media-type", help="Otherwise as the file's ending says.")
    ] = "",
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    identifier: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a document on file with a version of a certificate of the own authority.

    Example: sealway document upload authorities/hz-market/certificates/0f3a… licence.pdf
    --version 1
    """
    terminal, call_id = Terminal(as_json), request_id(identifier)
    declared = media_type or _MEDIA_TYPES.get(file.suffix.lower(), "")
    if not declared:
        raise UsageError(
            f"{file.name}: say what it is with --media-type",
            f"{file.name}：请用 --media-type 说明文件类型",
        )
    header = pb.UploadDocumentRequest.Header(
        request_id=call_id,
        parent=certificate,
        version=version,
        media_type=declared,
        digest=digest_of(file),
    )
    with connected(profile) as client, _watched(terminal, "upload", "上传") as sent:
        stub = documents_pb2_grpc.DocumentServiceStub(client.channel)
        try:
            answer: pb.UploadDocumentResponse = client.send_stream(
                stub.UploadDocument, _requests(header, file, sent), seconds=_SECONDS
            )
        except HubError:
            terminal.say(
                f"To repeat the same upload: --request-id {call_id}",
                f"如需重试同一上传，请加上 --request-id {call_id}",
            )
            raise
    terminal.document(written(answer.document, answer.receipt))
    terminal.say(f"On file: {answer.document.name}", f"已入库：{answer.document.name}")
    keep_receipt(terminal, answer.receipt, receipt)


@app.command()
def seal(
    certificate: Annotated[str, typer.Argument(help="authorities/{a}/certificates/{c}")],
    version: Annotated[int, typer.Option(help="Version of the certificate, which is in force.")],
    media_type: Annotated[
        str, typer.Option("--media-type", help="application/ofd or application/pdf.")
    ] = "application/ofd",
    leave_open: Annotated[
        bool, typer.Option("--open", help="Leave room for further seals (OFD).")
    ] = False,
    further: Annotated[
        bool,
        typer.Option("--further", help="Put another seal on the original on file (加盖, OFD)."),
    ] = False,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    identifier: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the original (原件) of a version: its face, sealed by the hub and put on file, once.

    It takes an approved face template, and a standing intent that names originals. An OFD that was
    left open takes further seals (`--further`), each under a standing intent that names those; the
    last, without `--open`, closes it.

    Example: sealway document seal authorities/hz-market/certificates/0f3a… --version 1
    """
    terminal = Terminal(as_json)
    request = pb.SealDocumentRequest(
        request_id=request_id(identifier),
        parent=certificate,
        version=version,
        media_type=media_type,
        open=leave_open,
        further=further,
    )
    with connected(profile) as client:
        stub = documents_pb2_grpc.DocumentServiceStub(client.channel)
        answer: pb.SealDocumentResponse = write(terminal, client, stub.SealDocument, request)
    terminal.document(written(answer.document, answer.receipt))
    terminal.say(
        f"Sealed and on file: {answer.document.name}", f"已用印并入库：{answer.document.name}"
    )
    tell_code(terminal, logged_code(answer.receipt.json))
    keep_receipt(terminal, answer.receipt, receipt)
    suffix = media_type.removeprefix("application/")
    if leave_open:
        terminal.say(
            "It is open: further seals are put on with --further; the last closes it.",
            "文件尚未锁定：可用 --further 加盖其他印章，最后一枚将锁定文件。",
        )
    next_step(terminal, f"sealway document download {answer.document.name} original.{suffix}")


@app.command()
def download(
    document: Annotated[str, typer.Argument(help="authorities/{a}/certificates/{c}/documents/{d}")],
    file: Annotated[Path, typer.Argument(help="Where to put it.", dir_okay=False)],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    identifier: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch a document; the file appears when all of it has come and its digest holds.

    Example: sealway document download authorities/hz-market/certificates/0f3a…/documents/77c1…
    licence.pdf
    """
    terminal = Terminal(as_json)
    request = pb.DownloadDocumentRequest(request_id=request_id(identifier), name=document)
    with (
        connected(profile) as client,
        beside(file) as (draft, path),
        _watched(terminal, "download", "下载") as came,
    ):
        stub = documents_pb2_grpc.DocumentServiceStub(client.channel)
        messages: Iterator[pb.DownloadDocumentResponse] = client.watch(
            stub.DownloadDocument, request, seconds=_SECONDS
        )
        header = next(messages).header
        hasher = hashlib.sha256()
        for message in messages:
            hasher.update(message.chunk)
            draft.write(message.chunk)
            came(len(message.chunk), header.document.size)
        if b64u(hasher.digest()) != header.document.digest:
            raise HubError(Reason.DIGEST_MISMATCH, what=document)
        draft.flush()
        path.replace(file)
    terminal.document({**written(header.document, header.receipt), "file": str(file)})
    terminal.say(f"Document: {file}", f"文件：{file}")
    keep_receipt(terminal, header.receipt, receipt)


app.command()(preserve)


@app.command("list")
def list_documents(
    certificate: Annotated[str, typer.Argument(help="authorities/{a}/certificates/{c}")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the documents of a certificate, all versions.

    Example: sealway document list authorities/hz-market/certificates/0f3a…
    """
    with connected(profile) as client:
        stub = documents_pb2_grpc.DocumentServiceStub(client.channel)

        def page(token: str) -> tuple[list[pb.Document], str]:
            answer: pb.ListDocumentsResponse = client.call(
                stub.ListDocuments,
                pb.ListDocumentsRequest(parent=certificate, page_size=PAGE_SIZE, page_token=token),
            )
            return list(answer.documents), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "documents",
        found,
        (
            ("name", "名称"),
            ("version", "版本"),
            ("type", "类型"),
            ("bytes", "字节"),
            ("created", "入库时间"),
        ),
        [
            (one.name, str(one.version), one.media_type, str(one.size), shown_time(one.create_time))
            for one in found
        ],
    )


@app.command()
def scrub(
    config: ConfigOption = Path("hub.toml"),
    rate: Annotated[
        int, typer.Option(min=1, max=10_000, help="Mebibytes read per second at most.")
    ] = 50,
    as_json: JsonOption = False,
) -> None:
    """Read every stored document again: digests, rows without bytes, bytes without row.

    Changes nothing and opens no key; the hub may run. Exit code 0 clean, 1 findings, 7 where the
    store is away.

    Example: sealway document scrub --config HOME/hub.toml --rate 20
    """
    terminal = Terminal(as_json)
    report = asyncio.run(_scrub(terminal, find_config(config), rate))
    terminal.document(
        {
            "documents": report.documents,
            "bytes": report.bytes,
            "blobs": report.blobs,
            "found": report.found,
            "findings": [asdict(one) for one in report.findings],
        }
    )
    terminal.say(
        f"{report.documents} documents and {report.blobs} blobs, {report.bytes} bytes read.",
        f"已检查 {report.documents} 份文件、{report.blobs} 个数据块，读取 {report.bytes} 字节。",
    )
    if not report.found:
        terminal.say("Clean: every document is whole.", "完好：所有文件均完整。")
        return
    terminal.table(
        (("fault", "问题"), ("name", "名称"), ("blob", "数据块")),
        [(one.fault.value, one.name, one.blob) for one in report.findings],
    )
    terminal.say(
        f"{report.found} findings. Damaged or missing: restore those bytes from a backup. Orphans "
        "belong to no document: sealway document prune.",
        f"发现 {report.found} 处问题。损坏或缺失的请从备份恢复；孤立数据块不属于任何文件，可用 "
        "sealway document prune 处理。",
    )
    raise typer.Exit(ExitCode.REFUSED)


@app.command()
def prune(
    config: ConfigOption = Path("hub.toml"),
    hours: Annotated[
        int,
        typer.Option(
            "--older-than-hours",
            min=_PRUNE_HOURS_MIN,
            help="Only bytes that have lain in the store for so long.",
        ),
    ] = 7 * 24,
    confirm: Annotated[
        int | None,
        typer.Option(
            "--confirm",
            metavar="NUMBER",
            min=1,
            help="Remove them, if there are exactly so many. Without it they are only listed.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List bytes in the store that belong to no document, and remove them when told how many.

    Uploads that ended half-way leave such bytes. The hub may run; not during a restore. Refused
    where the database is not the one that the external head covers. Exit code 1 where the number
    differs.

    Example: sealway document prune --config HOME/hub.toml --older-than-hours 48 --confirm 3
    """
    from hub import upkeep  # noqa: PLC0415 - only who opens data pays for loading the server

    terminal, loaded = Terminal(as_json), find_config(config)
    orphans = asyncio.run(upkeep.find_orphans(loaded, hours=hours))
    size = sum(one.size for one in orphans)
    removed: list[str] = []
    if confirm == len(orphans):
        with _watched_parts(terminal, "prune", "清理") as progress:
            gone = asyncio.run(upkeep.remove_orphans(loaded, orphans, progress))
        removed = [one.digest for one in gone]
    terminal.document(
        {
            "orphans": [{"blob": one.digest, "bytes": one.size} for one in orphans],
            "bytes": size,
            "removed": removed,
        }
    )
    if not orphans:
        terminal.say("Nothing to remove: all bytes belong to documents.", "没有无主数据块。")
    elif confirm is None:
        _show_orphans(terminal, orphans)
        terminal.say(
            f"{len(orphans)} that belong to no document, {size} bytes. Nothing was removed.",
            f"无主数据块 {len(orphans)} 个，共 {size} 字节。未作删除。",
        )
        next_step(
            terminal,
            f"sealway document prune --config {in_folder(config)} --older-than-hours {hours} "
            f"--confirm {len(orphans)}",
        )
    elif confirm == len(orphans):
        terminal.say(
            f"Removed: {len(removed)}, {size} bytes looked at.",
            f"已删除 {len(removed)} 个，检查共 {size} 字节。",
        )
    if confirm is not None and confirm != len(orphans):
        terminal.say(
            f"There are {len(orphans)}, not {confirm}: nothing was removed. List them again first.",
            f"现有 {len(orphans)} 个，而非 {confirm} 个：未作删除。请先重新列出。",
        )
        raise typer.Exit(ExitCode.REFUSED)


def _show_orphans(terminal: Terminal, orphans: Sequence[StoredBlob]) -> None:
    terminal.table(
        (("blob", "数据块"), ("bytes", "字节"), ("since", "存入时间")),
        [
            (
                one.digest,
                str(one.size),
                datetime.fromtimestamp(one.time_us / 1e6, UTC).isoformat(timespec="seconds"),
            )
            for one in orphans
        ],
    )


async def _scrub(terminal: Terminal, config: Config, rate: int) -> ScrubReport:
    # Only who opens data pays for loading server and storage.
    from hub import upkeep  # noqa: PLC0415
    from hub.registry import scrub as scrubbing  # noqa: PLC0415

    report = scrubbing.ScrubReport()
    async with upkeep.open_documents_for_scrub(config) as (database, blobs):
        steps = scrubbing.scrub(
            database, blobs, report, bytes_per_s=rate * _MEBIBYTE, now_us=now_us()
        )
        with terminal.progress("scrub", "检查", total=None) as bar:
            async for _ in steps:
                bar.update(bar.task_ids[0], completed=report.documents + report.blobs)
    return report


class _Sent(Protocol):
    """Told of each part that passed."""

    def __call__(self, size: int, total: int, /) -> None: ...


def _requests(
    header: pb.UploadDocumentRequest.Header, file: Path, sent: _Sent
) -> Iterator[pb.UploadDocumentRequest]:
    yield pb.UploadDocumentRequest(header=header)
    total = file.stat().st_size
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            yield pb.UploadDocumentRequest(chunk=chunk)
            sent(len(chunk), total)


@contextmanager
def _watched_parts(terminal: Terminal, en: str, zh: str) -> Iterator[Progress]:
    with terminal.progress(en, zh, total=None) as bar:
        yield lambda _part, done, total: bar.update(bar.task_ids[0], completed=done, total=total)


@contextmanager
def _watched(terminal: Terminal, en: str, zh: str) -> Iterator[_Sent]:
    with terminal.progress(en, zh, total=None) as bar:
        yield lambda size, total: bar.update(bar.task_ids[0], advance=size, total=total)


@contextmanager
def beside(file: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A draft in the folder of `file` that is gone afterwards, unless it took the file's place."""
    try:
        number, name = tempfile.mkstemp(dir=file.parent, prefix=".document-")
    except OSError as error:
        reason = error.strerror or "cannot be written"
        raise UsageError(
            f"{file} cannot be written: {reason}", f"无法写入 {file}：{reason}"
        ) from error
    try:
        with os.fdopen(number, "wb") as draft:
            yield draft, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
