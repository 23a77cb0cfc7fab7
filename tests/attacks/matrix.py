"""Every way in which a request can name a certificate, asked about one of another department.

A *probe* is an RPC, a caller who may not see the other department's certificates, and one field of
the request that can name one. It is asked twice: about a certificate that is there, and about one
that never was. What the caller sees may not differ.

Fields are found in the service descriptors. A field that none of the tables below knows makes the
test fail: whoever adds it says here what it can name.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from hub import rpc
from hub.domain.association import Association, Relation
from hub.domain.caller import Role
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import Row
from hub.exchange.v1 import plan_pb2
from hub.policy import POLICY
from hub.proof.encoding import b64u
from hub.proof.exchange.batch import sign_batch_root
from hub.proof.exchange.plan_request import PLAN_RPC, sign_plan_request
from hub.proof.exchange.request import RequestedCertificate, sign_request
from hub.registry.v1 import facts_pb2, holders_pb2, objections_pb2, registry_pb2
from hub.storage.sqlite import Sqlite
from tests.exchange import plans
from tests.registry.clerk import PDF, Clerk
from tests.simulator import (
    BASIS,
    DEADLINE_S,
    FETCH,
    LICENCE,
    LICENCE_VCT,
    ROOT,
    Connector,
    Member,
    Platform,
    Refused,
    Simulator,
    bearer,
    by_holder,
    by_identifier,
    company,
    licence,
    new_id,
)

FETCH_DOCUMENT: Final = "/hub.exchange.v1.SharedDocumentService/FetchDocument"
_BIND: Final = "/hub.registry.v1.HolderService/BindCertificate"
VERIFY: Final = "/hub.exchange.v1.VerificationService/VerifyInformation"
OTHERS: Final = "authorities/nb-market"
OWN: Final = "authorities/hz-market"

CALLERS: Final = {
    Role.DEPARTMENT: "hz-department",
    Role.CONNECTOR: "hz-connector",
    Role.PLATFORM: "window-2",
    Role.MONITOR: "monitor-1",
    Role.CONVERTER: "hz-desk",
}
"""Who may see nothing of the other department. Officers and auditors may see everything."""

ENTITLED: Final = {
    Role.DEPARTMENT: "nb-department",
    Role.CONNECTOR: "nb-connector",
    Role.PLATFORM: "window-1",
}
"""Who may, under the same role: they must see a difference, or the probe reaches nothing."""


class Naming(Enum):
    """What a field of a request can name."""

    NOTHING = "no certificate"
    CERTIFICATE = "a certificate by its resource name"
    CERTIFICATE_AS_OWN = "the same, written as if it were the caller's own"
    NUMBER = "a certificate by its number"
    IDENTIFIER = "a certificate by its identifier"
    ASSOCIATED = "a certificate by an identifier that it goes back to"
    HOLDER = "a holder"
    SIGNED_HOLDER = "a holder, in a signed request"
    SIGNED_IDENTIFIER = "a certificate by its identifier, in a signed request"
    SIGNED_DOCUMENT = "a certificate by the digest of its document, in a signed request"
    ROWS = "a certificate by its number, in delivered rows"


_SIGNED: Final = (Naming.SIGNED_HOLDER, Naming.SIGNED_IDENTIFIER, Naming.SIGNED_DOCUMENT)
_EXPANDED: Final = {
    "certificate": (Naming.CERTIFICATE, Naming.CERTIFICATE_AS_OWN),
    "number": (Naming.NUMBER,),
    "identifier": (Naming.IDENTIFIER,),
    "associated": (Naming.ASSOCIATED,),
    "holder": (Naming.HOLDER,),
    "signed_request": (Naming.SIGNED_HOLDER, Naming.SIGNED_IDENTIFIER),
    "rows": (Naming.ROWS,),
}

# Fields that name no certificate in whatever request they stand.
_NAME_NOTHING: Final = frozenset(
    [
        "request_id",
        "page_token",
        "cause",
        "authority",
        "authority_id",
        "system_id",
        "seal_id",
        "intent_id",
        "kind",
        "members",
        "replaces",
        "grant_id",
        "recipient",
        "certificate_type",
        "certificate_types",
        # A place in a stream, sealed by the hub for its caller.
        "cursor",
        "fields",
        "service_items",
        "legal_basis",
        "metadata",
        "root_jws",
        "items",
        "media_type",
        "digest",
        "chunk",
        "etag",
        "document",
        "decision_date",
        "deciding_body",
        "certificate_types",
        "cursor",
        "facts",
        "decline_reason",
        # A fetch of the caller's own, by its request id.
        "fetch_request_id",
        "purpose",
        "statement",
        "answer",
        # An announcement, by an id that nobody can guess.
        "fact_change",
        # An identifier to be linked: kept as a hash, never looked for.
        "former",
        "effective_date",
        # How certificates of a type look, and made-up values to try it with.
        "template",
        "face_template",
        "values",
        "document_digest",
        # A file is judged by what stands in it; nothing that is on file is looked for.
        "revocation_lists",
        "twin",
        "required_algorithm",
        "record",
        "receipt",
        "requests",
        "system",
    ]
)
# What `name` and `parent` of a method mean that does not speak of certificates.
_OTHER_RESOURCES: Final = [
    "CertificateType",
    "FaceTemplate",
    "Authority",
    "Authoritie",
    "System",
    "Officer",
    "Item",
    "Seal",
    "Intent",
    "StatusList",
    "Grant",
    # By its own random id; tests/exchange/test_copies.py asks about those.
    "AnnotatedCopy",
    # Of an announcement, whose id stands in the name.
    "FollowUp",
    # By ids that nobody can guess.
    "Objection",
    "Notice",
    # Of a link, by an id that nobody can guess.
    "HolderIdentifier",
]


@dataclass(frozen=True)
class Target:
    """A certificate of the other department, or what looks exactly like one and is none."""

    name: str
    identifier: str
    number: str
    company_number: int

    @property
    def associated(self) -> str:
        """What it was renewed from, and no other certificate was."""
        return str(CertificateIdentifier.make(LICENCE, self.number, "OLD", 1))

    def document(self) -> bytes:
        """The bytes of its document, where it has one."""
        return PDF + b"%d" % self.company_number

    def as_own(self) -> str:
        """Its name, written as if it were the caller's own."""
        return self.name.replace(OTHERS, OWN)


@dataclass(frozen=True)
class Probe:
    """One question that names a certificate."""

    path: str
    role: Role
    field: str
    naming: Naming

    @property
    def is_allowed(self) -> bool:
        """Whether the role may call at all."""
        return self.role in POLICY[self.path]

    def __str__(self) -> str:
        method = self.path.rpartition("/")[2]
        return f"{method}-{self.role.value}-{self.field}-{self.naming.name.lower()}"


@dataclass
class Seen:
    """Everything that a caller can tell an answer by, without what differs in each call."""

    status: str
    answer: Any
    trailers: list[str]
    questions: list[tuple[str, int]] = field(default_factory=list)


# ---- which fields there are ----


def _load_services() -> None:
    for proto in sorted((ROOT / "proto").rglob("*.proto")):
        module = ".".join(proto.relative_to(ROOT / "proto").with_suffix("").parts) + "_pb2"
        importlib.import_module(module)


def method_of(path: str) -> MethodDescriptor:
    """The descriptor of an RPC."""
    _, service, method = path.split("/")
    pool = descriptor_pool.Default()
    return pool.FindServiceByName(service).methods_by_name[method]


def _texts(message: Descriptor, prefix: str = "", above: tuple[str, ...] = ()) -> Iterator[str]:
    """Each field, by its path, that can hold a name; holders and rows as a whole."""
    for one in message.fields:
        nested = one.message_type
        if nested is None:
            if one.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
                yield prefix + one.name
        elif nested.name in ("Holder", "Row"):
            yield prefix + one.name
        elif nested.full_name not in above and not nested.full_name.startswith("google."):
            yield from _texts(nested, f"{prefix}{one.name}.", (*above, nested.full_name))


def namings(path: str, named: str) -> tuple[Naming, ...] | None:
    """What this field of this RPC can name; None where nobody said."""
    last = named.rpartition(".")[2]
    if path == PLAN_RPC and last == "signed_request":
        # A plan names whose materials are meant, never which certificate.
        return (Naming.SIGNED_HOLDER,)
    if path == FETCH_DOCUMENT and last == "signed_request":
        return (Naming.SIGNED_IDENTIFIER,)
    if path == VERIFY and last == "signed_request":
        return (*_EXPANDED[last], Naming.SIGNED_DOCUMENT)
    if path == _BIND and last == "holder":
        # Whom a certificate shall be bound to: kept as a hash, never looked for.
        return (Naming.NOTHING,)
    if last in _EXPANDED:
        return _EXPANDED[last]
    if last in _NAME_NOTHING:
        return (Naming.NOTHING,)
    method = path.rpartition("/")[2]
    if last in ("name", "parent"):
        singular = method.removesuffix("s")
        if any(singular.endswith(resource) for resource in _OTHER_RESOURCES):
            return (Naming.NOTHING,)
        if method == "DownloadDocument":
            # A document by its own random id; tests/registry/test_documents.py asks about those.
            return (Naming.NOTHING,)
        if "Certificate" in method or "Document" in method:
            return _EXPANDED["certificate"]
    # `grant.name` and the like: a resource inside of the request to make or change it.
    if last == "name" and "." in named:
        return (Naming.NOTHING,)
    return None


def probes() -> tuple[list[Probe], list[str]]:
    """All probes, and the fields of which nobody said what they can name."""
    _load_services()
    found, unknown = [], []
    for path in POLICY:
        roles = [role for role in CALLERS if role in POLICY[path]]
        for named in _texts(method_of(path).input_type):
            meant = namings(path, named)
            if meant is None:
                # What only those may call who see everything can tell them nothing new.
                if roles:
                    unknown.append(f"{path} {named}")
                continue
            found += [
                Probe(path, role, named, one)
                for one in meant
                if one is not Naming.NOTHING
                for role in CALLERS
            ]
    return found, unknown


# ---- asking ----


def _complete_upload(message: Any) -> None:
    header = message.header
    header.request_id, header.version = new_id(), 1
    header.media_type, header.digest = "application/pdf", "A" * 43


def _complete_sealing(message: Any) -> None:
    message.version, message.media_type = 1, "application/ofd"


def _with_ruling(message: Any) -> None:
    message.etag = "read from nowhere"
    message.ruling.legal_basis, message.ruling.document = "行政许可法", "12号"
    message.ruling.decision_date, message.ruling.deciding_body = "2026-01-05", "法院"
    if "Deregister" in message.DESCRIPTOR.name:
        message.ruling.cause = message.ruling.CAUSE_OTHER


def _gone(message: Any) -> None:
    message.presence = registry_pb2.PRESENCE_GONE


def _announcing(message: Any) -> None:
    message.facts.append("address")
    message.legal_basis = BASIS


def _objecting(message: Any) -> None:
    message.fields.append("name")
    message.party = objections_pb2.Objection.PARTY_HOLDER
    message.statement = "与登记不符"


def _linking(message: Any) -> None:
    """Comes as far as the certificate and no further: a passport is no company."""
    message.former.type, message.former.number = "414", "E12345678"
    message.kind = holders_pb2.HolderLink.KIND_RENAME
    message.effective_date, message.document_digest = "2026-01-05", "A" * 43
    message.legal_basis = BASIS


def _befallen(message: Any) -> None:
    """Comes as far as the certificate and no further: a company does not die."""
    message.event = facts_pb2.AnnounceHolderEventRequest.EVENT_DEATH
    message.document_digest, message.legal_basis = "A" * 43, BASIS


def _binding(message: Any) -> None:
    """Comes as far as the certificate and no further: it has a holder."""
    message.document_digest, message.legal_basis = "A" * 43, BASIS
    if message.DESCRIPTOR.name.startswith("Bind"):
        message.holder.type, message.holder.number = "414", "E12345678"


_STATES: Final = "/hub.registry.v1.CertificateStateService/"
_COMPLETED: Final[dict[str, Callable[[Any], None]]] = {
    **{
        f"{_STATES}{verb}Certificate": _with_ruling
        for verb in ("Suspend", "Resume", "Withdraw", "Annul", "Revoke", "Deregister", "Restore")
    },
    f"{_STATES}ConfirmCertificate": _gone,
    "/hub.registry.v1.DocumentService/UploadDocument": _complete_upload,
    "/hub.registry.v1.DocumentService/SealDocument": _complete_sealing,
    "/hub.registry.v1.FactService/AnnounceFactChange": _announcing,
    "/hub.registry.v1.FactService/AnnounceHolderEvent": _befallen,
    "/hub.registry.v1.ObjectionService/RaiseObjection": _objecting,
    "/hub.registry.v1.HolderService/LinkHolderIdentifiers": _linking,
    _BIND: _binding,
    "/hub.registry.v1.HolderService/UnbindCertificate": _binding,
}
"""Sets what an RPC needs besides the field that names a certificate, to come as far as looking."""


async def request_for(probe: Probe, member: Member, target: Target) -> bytes:
    """The request of a probe about `target`, as `member` sends it."""
    if probe.naming in _SIGNED:
        return await _signed(probe, member, target)
    if probe.naming is Naming.ROWS:
        return await _rows(member, target)
    message = message_factory.GetMessageClass(method_of(probe.path).input_type)()
    if "request_id" in message.DESCRIPTOR.fields_by_name:
        message.request_id = new_id()
    if probe.path in _COMPLETED:
        _COMPLETED[probe.path](message)
    *above, last = probe.field.split(".")
    inside = message
    for one in above:
        inside = getattr(inside, one)
    if probe.naming is Naming.HOLDER:
        holder = getattr(inside, last)
        holder.type, holder.number = "001", company(target.company_number)
    else:
        value = {
            Naming.CERTIFICATE: target.name,
            Naming.CERTIFICATE_AS_OWN: target.as_own(),
            Naming.NUMBER: target.number,
            Naming.IDENTIFIER: target.identifier,
            Naming.ASSOCIATED: target.associated,
        }[probe.naming]
        setattr(inside, last, value)
    data: bytes = message.SerializeToString()
    return data


async def _signed(probe: Probe, member: Member, target: Target) -> bytes:
    """A signed request; another caller than a platform is refused before anybody reads it."""
    if not isinstance(member, Platform):
        return b""
    if probe.path == PLAN_RPC:
        who = ("001", company(target.company_number))
        planned = await plans.claims(member, ("company", *who), ("applicant", *who))
        return plan_pb2.PlanMaterialsRequest(
            request_id=planned.jti, signed_request=sign_plan_request(planned, member.signer)
        ).SerializeToString()
    wanted: RequestedCertificate = (
        by_holder(company(target.company_number))
        if probe.naming is Naming.SIGNED_HOLDER
        else by_identifier(target.identifier)
    )
    if probe.path == FETCH_DOCUMENT:
        wanted = RequestedCertificate(LICENCE_VCT, (DOCUMENT_FIELD,), cert=target.identifier)
    if probe.naming is Naming.SIGNED_DOCUMENT:
        wanted = RequestedCertificate(LICENCE_VCT, (DOCUMENT_FIELD,))
    changes: dict[str, Any] = {"rpc": probe.path, "certificates": (wanted,)}
    if probe.naming is Naming.SIGNED_DOCUMENT:
        changes["values"] = {DOCUMENT_FIELD: b64u(sha256(target.document()).digest())}
    elif probe.path == VERIFY:
        row = licence(target.company_number)
        changes["values"] = {name: row.fields[name] for name in wanted.fields}
    elif probe.path not in (FETCH, FETCH_DOCUMENT):
        raise AssertionError(f"say here what a signed request of {probe.path} is made of")
    claims = await member.claims(**changes)
    message = message_factory.GetMessageClass(method_of(probe.path).input_type)()
    message.request_id = claims.jti
    message.signed_request = sign_request(claims, member.signer)
    data: bytes = message.SerializeToString()
    return data


async def _rows(member: Member, target: Target) -> bytes:
    """A batch with one row about the certificate's number."""
    if not isinstance(member, Connector):
        return b""
    # Read anew: the chain may have moved on.
    member._chain = None
    root, rows = await member.batch([renewed(target.company_number)])
    request = registry_pb2.IngestBatchesRequest(
        root_jws=sign_batch_root(root, member.signer), rows=rows
    )
    return request.SerializeToString()


async def call(probe: Probe, member: Member, data: bytes) -> tuple[bytes, Any]:
    """One call: the answer's bytes and its trailing metadata. Raises grpc.aio.AioRpcError."""
    metadata = bearer(await member.token())
    method = method_of(probe.path)
    if method.server_streaming and not method.client_streaming:
        served = member.channel.unary_stream(probe.path)(
            data, metadata=metadata, timeout=DEADLINE_S
        )
        parts = [part async for part in served]
        # Read one after the other, they are the fields of one message.
        return b"".join(parts), await served.trailing_metadata()
    if not method.client_streaming:
        unary = member.channel.unary_unary(probe.path)(data, metadata=metadata, timeout=DEADLINE_S)
        return await unary, await unary.trailing_metadata()
    if not method.server_streaming:
        upload = member.channel.stream_unary(probe.path)(metadata=metadata, timeout=DEADLINE_S)
        with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
            # What is refused at once takes no message; the answer says why.
            await upload.write(data)
            await upload.done_writing()
        return await upload, await upload.trailing_metadata()
    stream = member.channel.stream_stream(probe.path)(metadata=metadata, timeout=DEADLINE_S)
    await stream.write(data)
    await stream.done_writing()
    answers = [answer async for answer in stream]
    if await stream.code() is not grpc.StatusCode.OK:
        raise AssertionError("a stream that fails raises")
    return b"".join(answers), await stream.trailing_metadata()


async def look(probe: Probe, member: Member, target: Target) -> Seen:
    """Ask, and note everything that can be told apart."""
    data = await request_for(probe, member, target)
    with questions_asked() as asked:
        try:
            answer, trailers = await call(probe, member, data)
        except grpc.aio.AioRpcError as error:
            refusal = Refused(error)
            said: Any = {name: value for name, value in vars(refusal).items() if name != "status"}
            said["receipt"] = refusal.receipt is not None
            names = [name for name, _ in error.trailing_metadata() or ()]
            return Seen(refusal.status, plain(said, target), names, list(asked))
    message: Message = message_factory.GetMessageClass(method_of(probe.path).output_type)()
    message.ParseFromString(answer)
    said = MessageToDict(message, preserving_proto_field_name=True)
    return Seen("OK", plain(said, target), [name for name, _ in trailers], list(asked))


_ANY_ID: Final = (
    (re.compile(r"authorities/[a-z0-9-]+/certificates/[a-z0-9-]+"), "<certificate>"),
    (re.compile(r"1\.2\.156\.[0-9A-Z.]+"), "<identifier>"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<request>"),
)
# Places in the log and in a chain: each call has its own.
_PLACES: Final = frozenset({"entry", "state_entry", "seq", "batch"})


def plain(value: Any, target: Target) -> Any:
    """`value` without the ids in it, and without what was asked about."""
    if isinstance(value, dict):
        return {
            name: "<receipt>" if name == "receipt" and inner else plain(inner, target)
            for name, inner in value.items()
            if name not in _PLACES
        }
    if isinstance(value, list | tuple):
        return [plain(inner, target) for inner in value]
    if not isinstance(value, str):
        return value
    named_by = (target.name, target.as_own(), target.identifier, target.associated, target.number)
    for named in named_by:
        value = value.replace(named, "<asked>")
    for pattern, instead in _ANY_ID:
        value = pattern.sub(instead, value)
    return value


@contextlib.contextmanager
def questions_asked() -> Iterator[list[tuple[str, int]]]:
    """What the hub asks its database for the sake of calls, and how many rows each answer has.

    More rows take more time: what is equal here cannot be told by a clock.
    """
    asked: list[tuple[str, int]] = []
    every, single = Sqlite.all, Sqlite.one

    def note(statement: Any, rows: int) -> None:
        # The hub's own refreshing asks as well, and is no part of any call.
        if rpc._CALL.get(None) is not None:
            asked.append((statement.name, rows))

    async def noted_all(self: Sqlite, statement: Any, *args: Any) -> Any:
        rows = await every(self, statement, *args)
        note(statement, len(rows))
        return rows

    async def noted_one(self: Sqlite, statement: Any, *args: Any) -> Any:
        row = await single(self, statement, *args)
        note(statement, int(row is not None))
        return row

    Sqlite.all, Sqlite.one = noted_all, noted_one  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        Sqlite.all, Sqlite.one = every, single  # type: ignore[method-assign]


# ---- whom, and about what ----


def caller(hub: Simulator, name: str) -> Member:
    """A system as what it is."""
    kinds: dict[str, Callable[[str], Member]] = {
        "window-1": hub.platform,
        "window-2": hub.platform,
        "hz-connector": hub.connector,
        "nb-connector": hub.connector,
    }
    return kinds.get(name, hub.system)(name)


async def targets(hub: Simulator, first: int, count: int) -> list[tuple[Target, Target]]:
    """`count` certificates of the other department, each with its double that never was."""
    numbers = range(first, first + count)
    rows = [renewed(one) for one in numbers]
    answer = await hub.connector("nb-connector").deliver(rows)
    pairs = []
    for number, result in zip(numbers, answer.results, strict=True):
        there = Target(result.certificate, result.identifier, company(number), number)
        pairs.append((there, absent(there, number + 500_000)))
    return pairs


def renewed(number: int) -> Row:
    """The licence of a company, renewed from an older one."""
    old = str(CertificateIdentifier.make(LICENCE, company(number), "OLD", 1))
    return licence(number, associated=(Association(Relation.RENEWED_FROM, old),))


async def attach_documents(hub: Simulator, pairs: Iterable[tuple[Target, Target]]) -> None:
    """Give each certificate that is there its document."""
    clerk = Clerk(hub.system("nb-department"))
    for there, _ in pairs:
        await clerk.upload(there.name, [there.document()])


def absent(there: Target, number: int) -> Target:
    """What looks like `there` and is nothing."""
    parts = CertificateIdentifier.parse(there.identifier)
    serial = _turned(parts.serial)
    identifier = CertificateIdentifier.make(parts.type_code, parts.issuer, serial, parts.version)
    head, _, own = there.name.rpartition("/")
    return Target(f"{head}/{_turned(own)}", str(identifier), company(number), number)


def _turned(text: str) -> str:
    """Another text of the same characters in the same order of magnitude."""
    assert len(set(text)) > 1
    return text[1:] + text[:1] if text[1:] + text[:1] != text else text[::-1]
