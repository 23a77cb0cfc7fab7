"""`sealway item`: service items (事项) and the materials that each needs."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connectors.client import HubClient, HubRefusedError
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    keep_receipt,
    plain,
    request_id,
    resource_name,
    show_list,
    show_one,
    shown_enum,
    type_name,
    write,
    written,
)
from hub.cli.terminal import Document, Terminal, UsageError
from hub.domain.service_item import from_json
from hub.domain.strict_json import emit, parse_object
from hub.errors import HubError, Reason, Violation
from hub.registry.v1 import items_pb2, items_pb2_grpc

if TYPE_CHECKING:
    from hub.cli import item_tables

# What one call takes; more items are several calls, each whole in itself.
PORTION_ITEMS: Final = 500
PORTION_BYTES: Final = 3_400_000
CHANGES_SHOWN_MAX: Final = 200
FAULTS_MAX: Final = 100

_NEW: Final = items_pb2.ItemChange.OUTCOME_NEW
_CHANGED: Final = items_pb2.ItemChange.OUTCOME_CHANGED
_INDEX: Final = re.compile(r"items\[(\d+)\]\.?")

app = typer.Typer(no_args_is_help=True, help="Service items and their materials.")

FileArgument = Annotated[
    Path,
    typer.Argument(help="A .json or .xlsx file, or a folder with items.csv and materials.csv."),
]


@dataclass(frozen=True, slots=True)
class Portion:
    """What goes in one call: documents as they are sent, and where they were read."""

    sources: Sequence[item_tables.Document]
    items: Sequence[bytes]


@app.command("import")
def import_items(
    file: FileArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    profile: ProfileOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what would change in the catalogue, then change it.

    Up to 500 items are one call, whole or not at all, under one log entry. What is applied is what
    was shown: an item that somebody else changed meanwhile is refused.

    Example: sealway item import items.xlsx
    """
    terminal = Terminal(as_json)
    portions = read_portions(file)
    with connected(profile) as client:
        changes = diff(terminal, client, portions)
        show_changes(terminal, changes)
        changed = sum(1 for change in changes if change.outcome in (_NEW, _CHANGED))
        entries: list[int] = []
        if changed:
            _confirm(terminal, yes=yes)
            entries = apply(terminal, client, portions, changes, request_id(repeat))
    terminal.document({"changes": [plain(change) for change in changes], "entries": entries})
    terminal.say(
        f"{changed} of {len(changes)} items written, log entries {entries}.",
        f"{len(changes)} 个事项中写入 {changed} 个，日志条目 {entries}。",
    )


@app.command("diff")
def diff_items(
    file: FileArgument, profile: ProfileOption = None, as_json: JsonOption = False
) -> None:
    """Show what an import would change; nothing is written.

    Example: sealway item diff items.xlsx --json
    """
    terminal = Terminal(as_json)
    portions = read_portions(file)
    with connected(profile) as client:
        changes = diff(terminal, client, portions)
    terminal.document({"changes": [plain(change) for change in changes]})
    show_changes(terminal, changes)


@app.command("export")
def export_items(
    file: Annotated[
        Path, typer.Argument(help="A .json or .xlsx file, or a folder for two CSV files.")
    ],
    authority: Annotated[str, typer.Option(help="Only items of this credit code.")] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the items in their newest versions to a file, to be edited and imported again.

    Retired items are left out.

    Example: sealway item export items.xlsx
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        found = _listed(client, items_pb2.ListItemsRequest.Filter(authority=authority))
    from hub.cli import item_tables  # noqa: PLC0415 - loads two libraries for spreadsheets

    active = [item for item in found if item.state == items_pb2.Item.STATE_ACTIVE]
    try:
        item_tables.write(
            file,
            [parse_object(item.document) for item in active],
            chinese=terminal.language == "zh",
        )
    except OSError as error:
        reason = error.strerror or "cannot be written"
        raise UsageError(f"{file}: {reason}", f"{file} 无法写入：{reason}") from error
    terminal.document({"file": str(file), "items": len(active)})
    terminal.say(f"{len(active)} items: {file}", f"{len(active)} 个事项：{file}")


@app.command("list")
def list_items(
    authority: Annotated[str, typer.Option(help="Only items of this credit code.")] = "",
    certificate_type: Annotated[
        str, typer.Option("--type", help="Only items with a material of this type.")
    ] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the items in their newest versions.

    Example: sealway item list --type 11100000MB0143028R001
    """
    narrow = items_pb2.ListItemsRequest.Filter(
        authority=authority,
        certificate_type=type_name(certificate_type) if certificate_type else "",
    )
    with connected(profile) as client:
        found = _listed(client, narrow)
    show_list(
        Terminal(as_json),
        "items",
        found,
        (("code", "事项编码"), ("version", "版本"), ("title", "名称"), ("state", "状态")),
        [(one.code, str(one.version), one.title, shown_enum(one, "state")) for one in found],
    )


@app.command()
def show(
    item: Annotated[str, typer.Argument(help="Code or name.")],
    version: Annotated[int, typer.Option(min=0, help="0 means the newest.")] = 0,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one item with its document.

    Example: sealway item show DEMO-RESTAURANT
    """
    with connected(profile) as client:
        stub = items_pb2_grpc.ItemServiceStub(client.channel)
        answer: items_pb2.GetItemResponse = client.call(
            stub.GetItem, items_pb2.GetItemRequest(name=item_name(item), version=version)
        )
    show_one(Terminal(as_json), answer.item, _with_document(answer.item))


@app.command()
def retire(
    item: Annotated[str, typer.Argument(help="Code or name.")],
    cause: Annotated[str, typer.Option(help="Why; kept in the log, no personal data.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """End an item for good: no new matter is planned by it.

    Example: sealway item retire DEMO-RESTAURANT --cause "merged with another item"
    """
    terminal = Terminal(as_json)
    request = items_pb2.RetireItemRequest(
        request_id=request_id(repeat), name=item_name(item), cause=cause
    )
    with connected(profile) as client:
        stub = items_pb2_grpc.ItemServiceStub(client.channel)
        answer: items_pb2.RetireItemResponse = write(terminal, client, stub.RetireItem, request)
    terminal.document({**written(answer.item, answer.receipt), **_with_document(answer.item)})
    terminal.say(f"Retired {answer.item.name}.", f"已废止 {answer.item.name}。")
    keep_receipt(terminal, answer.receipt, receipt)


def item_name(text: str) -> str:
    """The resource name of an item, given by code in any letter case or by name."""
    return resource_name("items", text.lower())


def read_portions(path: Path) -> list[Portion]:
    """The items of `path` as calls take them, each checked here first.

    Raises UsageError, HubError(FIELD_INVALID) that name where in the file each fault stands.
    """
    from hub.cli import item_tables  # noqa: PLC0415 - loads two libraries for spreadsheets

    documents = item_tables.read(path)
    found: list[Violation] = []
    for document in documents:
        try:
            from_json(emit(document.members))
        except HubError as error:
            found += [_located(document, one.field, one) for one in error.violations]
    _refuse(found)
    return list(_portions(documents))


def diff(
    terminal: Terminal, client: HubClient, portions: Sequence[Portion]
) -> list[items_pb2.ItemChange]:
    """What would become of each item; nothing is written."""
    changes: list[items_pb2.ItemChange] = []
    for portion in portions:
        request = items_pb2.ImportItemsRequest(
            request_id=str(uuid.uuid4()), items=portion.items, validate_only=True
        )
        changes += _import(terminal, client, portion, request).changes
    return changes


def apply(
    terminal: Terminal,
    client: HubClient,
    portions: Sequence[Portion],
    changes: Sequence[items_pb2.ItemChange],
    identifier: str,
) -> list[int]:
    """Write what `diff` said, each item upon the version that it was compared with.

    Returns the log entries.
    """
    entries: list[int] = []
    rest = list(changes)
    for number, portion in enumerate(portions):
        items = []
        for source in portion.sources:
            change = rest.pop(0)
            base = change.version - 1 if change.outcome == _CHANGED else change.version
            items.append(emit({**source.members, "version": base}))
        # Each call has its own id, and the same one when the command is repeated.
        portion_id = identifier if number == 0 else _derived(identifier, number)
        request = items_pb2.ImportItemsRequest(request_id=portion_id, items=items)
        entries.append(_import(terminal, client, portion, request).receipt.entry)
    return entries


def show_changes(terminal: Terminal, changes: Sequence[items_pb2.ItemChange]) -> None:
    """How many are new, changed and unchanged, and every member that differs."""
    counts = Counter(change.outcome for change in changes)
    new, changed = counts[_NEW], counts[_CHANGED]
    same = len(changes) - new - changed
    rows = [(one.code, one.title, "", "", "") for one in changes if one.outcome == _NEW]
    rows += [
        (one.code, one.title, member.place, member.before, member.after)
        for one in changes
        if one.outcome == _CHANGED
        for member in one.members
    ]
    columns = (
        ("item", "事项"),
        ("title", "名称"),
        ("member", "内容项"),
        ("on file", "现有"),
        ("becomes", "改为"),
    )
    if rows:
        terminal.table(columns, rows[:CHANGES_SHOWN_MAX])
    if len(rows) > CHANGES_SHOWN_MAX:
        terminal.say(
            f"{len(rows) - CHANGES_SHOWN_MAX} more: --json shows all of them.",
            f"另有 {len(rows) - CHANGES_SHOWN_MAX} 项，可用 --json 查看全部。",
        )
    terminal.say(
        f"{new} new, {changed} changed, {same} unchanged.",
        f"新增 {new}，变更 {changed}，未变 {same}。",
    )


def _portions(documents: Sequence[item_tables.Document]) -> Iterator[Portion]:
    sources: list[item_tables.Document] = []
    items: list[bytes] = []
    size = 0
    for document in documents:
        data = emit(document.members)
        # The version that is added later, and what the message itself needs.
        weight = len(data) + 64
        if items and (len(items) == PORTION_ITEMS or size + weight > PORTION_BYTES):
            yield Portion(sources, items)
            sources, items, size = [], [], 0
        sources.append(document)
        items.append(data)
        size += weight
    if items:
        yield Portion(sources, items)


def _import(
    terminal: Terminal,
    client: HubClient,
    portion: Portion,
    request: items_pb2.ImportItemsRequest,
) -> items_pb2.ImportItemsResponse:
    """One call; a refusal names where in the file each fault stands."""
    stub = items_pb2_grpc.ItemServiceStub(client.channel)
    try:
        answer: items_pb2.ImportItemsResponse = write(terminal, client, stub.ImportItems, request)
    except HubRefusedError as refusal:
        found = []
        for one in refusal.violations:
            inner = _INDEX.match(one.field)
            if inner is None:
                raise
            source = portion.sources[int(inner[1])]
            found.append(_located(source, one.field[inner.end() :], one))
        _refuse(found)
        raise
    return answer


def _located(document: item_tables.Document, place: str, one: Violation) -> Violation:
    return Violation(document.where(place), one.rule, one.en, one.zh)


def _refuse(found: Sequence[Violation]) -> None:
    if found:
        raise HubError(
            Reason.FIELD_INVALID,
            violations=tuple(found[:FAULTS_MAX]),
            field=found[0].field,
            rule=found[0].rule,
        )


def _derived(identifier: str, number: int) -> str:
    return str(uuid.uuid5(uuid.UUID(identifier), str(number)))


def _confirm(terminal: Terminal, *, yes: bool) -> None:
    if yes:
        return
    if terminal.as_json:
        raise UsageError("--json does not ask: add --yes", "--json 不询问：请加 --yes")
    if not typer.confirm(terminal.choose("Write this?", "确认写入？")):
        raise typer.Exit(1)


def _listed(client: HubClient, narrow: items_pb2.ListItemsRequest.Filter) -> list[items_pb2.Item]:
    stub = items_pb2_grpc.ItemServiceStub(client.channel)

    def page(token: str) -> tuple[list[items_pb2.Item], str]:
        answer: items_pb2.ListItemsResponse = client.call(
            stub.ListItems,
            items_pb2.ListItemsRequest(page_size=PAGE_SIZE, page_token=token, filter=narrow),
        )
        return list(answer.items), answer.next_page_token

    return all_pages(page)


def _with_document(item: items_pb2.Item) -> dict[str, Document]:
    """The document as text: base64 says nothing to a reader."""
    return {"document": item.document.decode("utf-8", "replace")}
