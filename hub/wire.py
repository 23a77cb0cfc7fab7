"""What every service says alike: whose call it is and what makes two the same; times, receipts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from hub.domain import names
from hub.domain.caller import Caller
from hub.proof.encoding import digest
from hub.storage.changes import Call
from hub.v1 import common_pb2


class Request(Protocol):
    """A message that asks for a change."""

    @property
    def request_id(self) -> str: ...
    def SerializeToString(self, *, deterministic: bool) -> bytes: ...  # noqa: N802 - protobuf's


def call(
    caller: Caller, rpc: str, request: Request, keyed: Callable[[str], str] | None = None
) -> Call:
    """One call that writes; a repetition under its id must say the same.

    `keyed` hashes what is compared, for requests that say what a plain digest would let be guessed.
    Raises HubError(FIELD_INVALID) for an id that is no UUID.
    """
    content = digest(request.SerializeToString(deterministic=True))
    if keyed is not None:
        content = keyed(content)
    return Call(caller, names.check_request_id(request.request_id), rpc, content)


class Proven(Protocol):
    """An answer with the receipt of its entry; a mere check has neither."""

    @property
    def receipt(self) -> str: ...
    @property
    def entry(self) -> int | None: ...


def receipt(answered: Proven) -> common_pb2.Receipt:
    """The message of a receipt."""
    return common_pb2.Receipt(json=answered.receipt, entry=answered.entry)


def timestamp(time_us: int) -> Timestamp:
    """The message of a time in microseconds since 1970 UTC."""
    return Timestamp(seconds=time_us // 1_000_000, nanos=time_us % 1_000_000 * 1000)
