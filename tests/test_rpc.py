"""The edge of every call: statuses, texts and what a refusal looks like on the wire."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from hub import rpc
from hub.access.v1 import access_pb2
from hub.errors import TEXTS, HubError, Reason, Violation
from hub.metrics import Metrics
from hub.v1 import common_pb2
from tests.conftest import ROOT
from tests.simulator import Refused

# The codes of google.rpc that an API like this one answers with; each tells a client what to do.
MEANT = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.INTERNAL,
}
_CHINESE = re.compile(r"[\u4e00-\u9fff]{2}")


def placeholders(template: str) -> set[str]:
    """The details that a text takes."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def raised() -> Iterator[tuple[str, Reason, set[str]]]:
    """Every place of the product that names a reason and its details literally."""
    for folder in ("hub", "certs", "connectors"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if found := _raised_by(node):
                    yield f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", *found


def _raised_by(node: ast.AST) -> tuple[Reason, set[str]] | None:
    if not isinstance(node, ast.Call) or not node.args:
        return None
    name, first = node.func, node.args[0]
    if not isinstance(name, ast.Name) or name.id != "HubError":
        return None
    if not isinstance(first, ast.Attribute) or first.attr not in Reason.__members__:
        return None
    keywords = {keyword.arg for keyword in node.keywords}
    if None in keywords:
        return None
    return Reason[first.attr], {keyword for keyword in keywords if keyword is not None}


RAISED = list(raised())


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_has_a_status_that_tells_a_client_what_to_do(reason: Reason) -> None:
    """The table is total, and no reason is answered as OK, CANCELLED or UNKNOWN."""
    assert rpc.status_of(reason) in MEANT


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.FIELD_INVALID, "INVALID_ARGUMENT"),
        (Reason.REQUEST_INVALID, "INVALID_ARGUMENT"),
        (Reason.BATCH_INVALID, "INVALID_ARGUMENT"),
        (Reason.TOKEN_EXPIRED, "UNAUTHENTICATED"),
        (Reason.PEER_UNKNOWN, "UNAUTHENTICATED"),
        (Reason.GRANT_MISSING, "PERMISSION_DENIED"),
        (Reason.ROLE_NOT_ALLOWED, "PERMISSION_DENIED"),
        (Reason.KEY_USAGE_REFUSED, "INVALID_ARGUMENT"),
        (Reason.GRANT_NOT_FOUND, "NOT_FOUND"),
        (Reason.REQUEST_ID_REUSED, "ALREADY_EXISTS"),
        (Reason.ANSWER_STALE, "FAILED_PRECONDITION"),
        (Reason.LOG_SEEN_AHEAD, "FAILED_PRECONDITION"),
        (Reason.DECISION_STALE, "ABORTED"),
        (Reason.RATE_LIMITED, "RESOURCE_EXHAUSTED"),
        (Reason.LOG_UNAVAILABLE, "UNAVAILABLE"),
        (Reason.DATABASE_UNAVAILABLE, "UNAVAILABLE"),
        (Reason.KEY_UNAVAILABLE, "UNAVAILABLE"),
        (Reason.DIGEST_MISMATCH, "DATA_LOSS"),
        (Reason.INTERNAL, "INTERNAL"),
    ],
)
def test_a_status_is_the_one_that_clients_were_promised(reason: Reason, status: str) -> None:
    """A client repeats by status: changing one changes what every client does."""
    assert rpc.status_of(reason).name == status


def test_the_table_names_no_reason_that_does_not_exist() -> None:
    """And none by its default."""
    assert set(rpc.STATUS) <= set(Reason)
    assert grpc.StatusCode.INVALID_ARGUMENT not in rpc.STATUS.values()


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_reads_as_a_sentence_in_both_languages(reason: Reason) -> None:
    """English and Chinese, with the same details, ended like sentences."""
    text = TEXTS[reason]

    assert placeholders(text.en) - {"en"} == placeholders(text.zh) - {"zh"}
    assert _CHINESE.search(text.zh)
    assert not _CHINESE.search(text.en)
    assert text.en.endswith((".", "}"))
    assert text.zh.endswith(("。", "}"))


@pytest.mark.parametrize(
    ("place", "reason", "details"),
    RAISED,
    ids=[f"{place.rpartition('/')[2]}" for place, _, _ in RAISED],
)
def test_every_detail_of_a_text_is_given_where_it_is_raised(
    place: str, reason: Reason, details: set[str]
) -> None:
    """Nobody reads a question mark where a name belongs."""
    text = TEXTS[reason]

    assert placeholders(text.en) | placeholders(text.zh) <= details, place


def test_the_places_above_were_found() -> None:
    """A search that finds nothing proves nothing."""
    assert len(RAISED) > 100


# ---- on the wire ----


class _Error(grpc.RpcError):
    """What a client of grpc.aio would see of a status."""

    def __init__(self, status: Message) -> None:
        self.status = status

    def code(self) -> grpc.StatusCode:
        return next(code for code in grpc.StatusCode if code.value[0] == self.status.code)

    def details(self) -> str:
        return str(self.status.message)

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return (("grpc-status-details-bin", self.status.SerializeToString()),)


def test_a_refusal_carries_reason_texts_fields_pause_and_receipt() -> None:
    """Everything a client needs, in the messages that google.rpc has for it."""
    refusal = HubError(
        Reason.FIELD_INVALID,
        violations=(
            Violation("grant.fields", "fields.count", "1 to 64 fields", "应为1至64个字段"),
        ),
        retry_after_s=1.5,
        receipt='{"v":1}',
        field="grant.fields",
        rule="1 to 64 fields",
    )

    status = rpc.encode_status(rpc.status_of(refusal.reason), refusal)

    read = Refused(_Error(status))  # type: ignore[arg-type]
    assert (read.status, read.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert read.details == {"field": "grant.fields", "rule": "1 to 64 fields"}
    assert read.texts == {"en": refusal.text("en"), "zh-CN": refusal.text("zh")}
    assert read.violations == [("grant.fields", "fields.count")]
    assert read.retry_after_s == 1.5
    assert read.receipt == '{"v":1}'
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "sealway"
    assert [detail.TypeName() for detail in status.details][
        -1
    ] == common_pb2.Receipt.DESCRIPTOR.full_name


def test_a_service_with_a_method_outside_the_policy_table_does_not_start() -> None:
    """Deny by default reaches to the start: a forgotten row is not an open door."""
    gate = rpc.Gate(None, None, Metrics())  # type: ignore[arg-type]
    descriptor = access_pb2.DESCRIPTOR.services_by_name["AccessService"]

    class Forgetful:
        """Answers everything, so only the table can refuse."""

        def __getattr__(self, name: str) -> object:
            return lambda request, context: None

    gate.handlers(descriptor, Forgetful())
    known = dict(rpc.policy.POLICY)
    assert known.pop("/hub.access.v1.AccessService/RevokeSystem")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rpc.policy, "POLICY", known)
        with pytest.raises(LookupError, match="RevokeSystem has no row in the policy table"):
            gate.handlers(descriptor, Forgetful())


def test_generated_code_is_where_the_guard_finds_its_messages() -> None:
    """Every proto file has its module; a service without one could not be guarded."""
    for proto in sorted((ROOT / "proto").rglob("*.proto")):
        module = Path(str(proto.relative_to(ROOT / "proto")).replace(".proto", "_pb2.py"))
        assert (ROOT / module).is_file(), module
