"""What the commands that call a hub share: the profile, the pages of a list, receipts, names."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from certs.files import PRIVATE, write_replacing
from connectors.client import AccessToken, HubClient, HubRefusedError
from connectors.profile import Profile, load_profile
from hub.cli.terminal import Document, Terminal, UsageError
from hub.clock import CHINA
from hub.domain.names import check_id, check_request_id
from hub.errors import HubError
from hub.proof.encoding import b64u
from hub.v1 import common_pb2

PAGE_SIZE: Final = 1000

# A list at a terminal ends here; who wants more narrows the filter.
RESULTS_MAX: Final = 100_000

ProfileOption = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        envvar="SEALWAY_PROFILE",
        help="Client profile (TOML); otherwise ./client.toml.",
        rich_help_panel="Connection",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, errors included.")
]
ReceiptOption = Annotated[
    Path | None,
    typer.Option("--receipt", metavar="FILE", help="Save the receipt of the log entry here."),
]
RequestIdOption = Annotated[
    str | None,
    typer.Option(
        "--request-id",
        metavar="UUID",
        help="Repeat an earlier call under its id: it has one effect.",
    ),
]

# Longer texts inside a list are signatures and chains: a person is told that they are there.
ITEM_SHOWN_MAX: Final = 200

_REQUEST_ID: Final = "request_id"

MessageT = TypeVar("MessageT", bound=Message)
AnswerT = TypeVar("AnswerT")


def find_profile(path: Path | None) -> Profile:
    """The profile that was named, or `./client.toml`.

    Raises UsageError where there is none, HubError(FILE_UNREADABLE) where it is wrong.
    """
    file = path or Path("client.toml")
    if not file.is_file():
        raise UsageError(
            f"there is no client profile {file}. Name one: --profile FILE, or SEALWAY_PROFILE.",
            f"没有客户端配置 {file}。请用 --profile FILE 或环境变量 SEALWAY_PROFILE 指定。",
        )
    return load_profile(file)


@contextmanager
def connected(path: Path | None) -> Iterator[HubClient]:
    """A client under the profile that was named, closed afterwards."""
    with HubClient(find_profile(path)) as client:
        yield client


def all_pages(page: Callable[[str], tuple[Sequence[MessageT], str]]) -> list[MessageT]:
    """The results of every page; `page` takes a token and gives results and the next token.

    Raises UsageError beyond `RESULTS_MAX` results.
    """
    results: list[MessageT] = []
    token = ""
    while True:
        found, token = page(token)
        results.extend(found)
        if len(results) > RESULTS_MAX:
            raise UsageError(
                f"more than {RESULTS_MAX} results; narrow the filter",
                f"结果超过 {RESULTS_MAX} 条，请缩小筛选范围",
            )
        if not token:
            return results


def write(
    terminal: Terminal, client: HubClient, method: Callable[..., AnswerT], request: Message
) -> AnswerT:
    """As `HubClient.call`; where nobody decided, say under which id the call may be repeated."""
    identifier: str = getattr(request, _REQUEST_ID)
    return write_signed(terminal, client, method, lambda _token: request, identifier)


def write_signed(
    terminal: Terminal,
    client: HubClient,
    method: Callable[..., AnswerT],
    make: Callable[[AccessToken], Message],
    identifier: str,
) -> AnswerT:
    """As `HubClient.call_signed`, and `write` otherwise."""
    try:
        return client.call_signed(method, make)
    except HubRefusedError as refusal:
        if refusal.is_unavailable:
            repeat = f"--request-id {identifier}"
            terminal.say(
                f"Repeat the same command with: {repeat}", f"请用相同命令重试，并加上 {repeat}"
            )
        raise


def request_id(given: str | None) -> str:
    """The id that was given, or a fresh one. Raises HubError(REQUEST_ID_INVALID)."""
    return check_request_id(given) if given is not None else str(uuid.uuid4())


def new_id(text: str, *, option: str) -> str:
    """`text` as the id of something new. Raises UsageError."""
    try:
        return check_id(text, field=option)
    except HubError as error:
        raise UsageError(
            f"{option} {text}: write 3 to 63 of a-z, 0-9 and hyphen, not beginning with a hyphen",
            f"{option} {text}：应为 3 至 63 个字符（a-z、0-9、连字符），且不以连字符开头",
        ) from error


def resource_name(collection: str, text: str) -> str:
    """The full name of `text`, which may be an id or already the name."""
    return text if text.startswith(f"{collection}/") else f"{collection}/{text}"


def type_name(text: str) -> str:
    """The resource name of a certificate type, given by code in any letter case or by name."""
    return f"certificateTypes/{text.removeprefix('certificateTypes/').lower()}"


def moment(text: str, *, option: str, end_of_day: bool = False) -> Timestamp:
    """The time that `text` means: a day of China's calendar, or RFC 3339 with its zone.

    Raises UsageError.
    """
    try:
        if len(text) == len("2026-01-01"):
            clock = time(23, 59, 59) if end_of_day else time()
            meant = datetime.combine(date.fromisoformat(text), clock, CHINA)
        else:
            meant = datetime.fromisoformat(text)
        known = meant.tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise UsageError(
            f"{option} {text}: write a day, 2026-01-31, or a time with its zone, "
            "2026-01-31T08:00:00+08:00",
            f"{option} {text}：请写日期（2026-01-31），或带时区的时间（2026-01-31T08:00:00+08:00）",
        )
    stamp = Timestamp()
    stamp.FromDatetime(meant.astimezone(UTC))
    return stamp


def shown_time(stamp: Timestamp) -> str:
    """A time for people, in China's zone; empty where it is unset."""
    if not stamp.seconds:
        return ""
    return stamp.ToDatetime(tzinfo=UTC).astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def shown_enum(message: Message, field: str) -> str:
    """The value of an enum field in lower case, without the prefix of its enum."""
    kind = message.DESCRIPTOR.fields_by_name[field].enum_type
    assert kind is not None, "asked of enum fields only"
    name: str = kind.values_by_number[getattr(message, field)].name
    prefix: str = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return name.removeprefix(prefix).lower()


def plain(message: Message) -> dict[str, Document]:
    """`message` as JSON (proto3 mapping, names as in the API); unset fields with their default."""
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def show_list(
    terminal: Terminal,
    key: str,
    messages: Sequence[Message],
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str]],
) -> None:
    """A list as a table, or as the document `{key: […]}`; says so where it is empty."""
    terminal.document({key: [plain(message) for message in messages]})
    if not messages:
        terminal.say("Nothing on file.", "没有记录。")
        return
    terminal.table(columns, rows)


def show_one(
    terminal: Terminal, message: Message, extra: Mapping[str, Document] | None = None
) -> None:
    """One resource, field by field; `extra` replaces or adds members."""
    members = {**plain(message), **(extra or {})}
    terminal.document(members)
    terminal.table(
        (("field", "字段"), ("value", "值")),
        [
            (name, shown_value(value))
            for name, value in members.items()
            if value not in ("", [], None)
        ],
    )


def keep_receipt(terminal: Terminal, receipt: common_pb2.Receipt, file: Path | None) -> None:
    """Save the receipt byte for byte where a file was named, and say which entry it proves."""
    terminal.say(f"Log entry {receipt.entry}.", f"日志条目 {receipt.entry}。")
    if file is not None:
        save(file, receipt.json.encode(), mode=PRIVATE)
        terminal.say(f"Receipt: {file}", f"回执：{file}")


def written(message: Message, receipt: common_pb2.Receipt) -> dict[str, Document]:
    """The document of a write: the resource as it is now, and the entry that says so."""
    return {**plain(message), "receipt": receipt.json, "entry": receipt.entry}


def save(file: Path, data: bytes, *, mode: int) -> None:
    """Write `data` whole or not at all. Raises UsageError where the folder cannot take it."""
    try:
        write_replacing(file, data, mode=mode)
    except OSError as error:
        reason = error.strerror or "cannot be written"
        raise UsageError(
            f"{file} cannot be written: {reason}", f"无法写入 {file}：{reason}"
        ) from error


def next_step(terminal: Terminal, command: str) -> None:
    """What usually follows, ready to be copied."""
    terminal.say(f"Next: {command}", f"下一步：{command}")


def in_folder(file: Path) -> str:
    """`file` as a person would write it from here."""
    relative = os.path.relpath(file)
    return relative if len(relative) < len(str(file)) else str(file)


def shown_value(value: Document) -> str:
    """A value for people: one item or member per line, without what only programs read."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return "\n".join(_item(item) for item in value)
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_item(inner)}" for name, inner in value.items())
    return json.dumps(value, ensure_ascii=False)


def _item(value: Document) -> str:
    if isinstance(value, str):
        return value if len(value) <= ITEM_SHOWN_MAX else f"({len(value)} characters: --json)"
    if isinstance(value, Sequence):
        return f"[{'; '.join(_item(item) for item in value)}]"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_item(inner)}" for name, inner in value.items())
    return json.dumps(value, ensure_ascii=False)


def digest_of(file: Path | None) -> str:
    """The digest of a file's bytes, base64url; "" for no file. Raises UsageError."""
    if file is None:
        return ""
    try:
        with file.open("rb") as stream:
            return b64u(hashlib.file_digest(stream, "sha256").digest())
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise UsageError(
            f"{file} cannot be read: {reason}", f"无法读取 {file}：{reason}"
        ) from error
