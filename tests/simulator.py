"""A whole hub on loopback inside this process, and the people and systems that call it.

    folder = Path(".test/city")
    make_city(folder)  # once: PKI, keys, members, types, seals, a grant
    async with Simulator(copy_home(folder, other)) as hub:
        await hub.connector("hz-connector").deliver([licence(1), licence(2)])
        answer = await hub.platform("window-1").fetch(holder=company(1))

The hub is the product's own `hub.serving.Hub` on its real storage, keys and TLS; only the ports are
chosen by the system. Clients speak the generated API over mutual TLS, and `raw` sends whatever
bytes a test wants. Nothing here needs pytest.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import io
import json
import re
import secrets
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2
from sqlalchemy import select

from certs.keys import load_key, make_csr, new_key, new_passphrase_file, read_passphrase, save_key
from certs.pki import Pki
from connectors.profile import profile_text
from hub import server, upkeep
from hub.access.enrolment import Enrolment
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.cli.main import run as sealway
from hub.config import Config, load
from hub.domain.crypto import CryptoProfile
from hub.domain.holder import Holder
from hub.domain.identifier import (
    citizen_check_character,
    organisation_check_character,
    uscc_check_character,
)
from hub.domain.row import FieldValue, Op, Row, emit_row
from hub.domain.ruling import Ruling
from hub.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from hub.ledger.audit import AuditReport, audit
from hub.ledger.v1 import ledger_pb2_grpc
from hub.proof.encoding import b64u, b64u_decode, digest
from hub.proof.exchange import request as signed
from hub.proof.exchange.batch import BatchRoot, Purpose, row_leaf, sign_batch_root
from hub.proof.jose import LogHead, Signer, es256_signer
from hub.proof.log.merkle import root as merkle_root
from hub.proof.log.receipt import Answered, VerifiedReceipt, may_replace_head, verify_receipt
from hub.proof.log.row import row_digest
from hub.proof.officers.approval import Approval, Decision, intent_digest, sign_approval
from hub.proof.records.sd_jwt import Expectation, Presentation, verify_presentation
from hub.proof.trust import Trust, parse_trust
from hub.registry.store import LAST_BATCH
from hub.registry.v1 import (
    items_pb2,
    items_pb2_grpc,
    registry_pb2,
    registry_pb2_grpc,
    states_pb2_grpc,
)
from hub.seal.v1 import intents_pb2, intents_pb2_grpc, seal_pb2_grpc
from hub.serving import Hub
from hub.storage.schema import METADATA
from hub.storage.statements import question
from hub.v1 import common_pb2
from tests.chinese_font import FontAbsent, font_file

ROOT: Final = Path(__file__).resolve().parent.parent
ORIGIN: Final = "hub.test.example"
REGION: Final = "330000"
OFFICERS: Final = ("zhao", "qian", "sun")
DEFINER: Final = "11100000MB0143028R"
LICENCE: Final = f"{DEFINER}001"
PERMIT: Final = f"{DEFINER}002"
LICENCE_VCT: Final = f"https://{ORIGIN}/vct/{LICENCE}"
PERMIT_VCT: Final = f"https://{ORIGIN}/vct/{PERMIT}"
ITEM: Final = "331022003000"
BASIS: Final = "行政许可法 第三十一条"
MATTER: Final = "330000-2026-000017"
MANIFEST: Final = digest("the manifest of the tests")
GRANTED: Final = ("name", "credit_code", "scope", "address")
ASKED: Final = ("name", "scope")
FETCH: Final = "/hub.exchange.v1.ExchangeService/FetchCertificates"
INGEST: Final = "/hub.registry.v1.RegistryService/IngestBatches"
SIGNING_ROLES: Final = ("platform", "connector", "department", "converter")
DEADLINE_S: Final = 20.0
# One city serves a whole run of the suite, on however slow a machine.
APPROVAL_LIFE_S: Final = 6 * 3600

_CHANNEL: Final = (
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.max_send_message_length", 16 * 1024 * 1024),
    ("grpc.enable_retries", 0),
    # A connection of its own for each client, as separate processes would have.
    ("grpc.use_local_subchannel_pool", 1),
)
_ALL_ROWS: Final = {
    table.name: question(f"every row of {table.name}", select(table))
    for table in METADATA.sorted_tables
}

PERMIT_TYPE: Final = json.dumps(
    {
        "v": 1,
        "code": PERMIT,
        "type_version": 1,
        "name": "从业资格证",
        "name_en": "Qualification",
        "defining_authority": DEFINER,
        "holder_kind": "person",
        "validity": {"long_term": True, "years": [3]},
        "retention_class": "permanent",
        "fields": [
            {
                "name": name,
                "label": label,
                "type": "text",
                "required": required,
                "sensitivity": sensitivity,
                "rule": None,
                "order": order,
                "length_max": 100,
            }
            for order, (name, label, required, sensitivity) in enumerate(
                (("name", "姓名", True, "personal"), ("grade", "等级", False, "public")), start=1
            )
        ],
    },
    ensure_ascii=False,
).encode()


# ---- what the tests talk about ----


def credit_code(head: str, organisation: str) -> str:
    """A credit code with both check characters."""
    seventeen = head + organisation + organisation_check_character(organisation)
    return seventeen + uscc_check_character(seventeen)


def company(number: int) -> str:
    """The credit code of company `number`."""
    return credit_code("91330100", f"{number:08d}")


def citizen(number: int) -> str:
    """The citizen number of person `number`, at most 999."""
    seventeen = f"33010619900307{number:03d}"
    return seventeen + citizen_check_character(seventeen)


RULING: Final = Ruling("行政许可法 第六十九条", "杭市监罚〔2026〕12号", "2026-01-05")


def licence(number: int, /, op: Op = Op.ISSUE, **changes: Any) -> Row:
    """A row about the business licence of company `number`; `fields` adds to the usual ones."""
    code = company(number)
    fields: dict[str, FieldValue] = {
        "name": f"杭州示例{number}有限公司",
        "credit_code": code,
        "establish_date": "2001-01-01",
        "scope": "软件开发;批发、零售:机械设备",
        "address": f"浙江省杭州市示例路{number}号",
        "capital": "500万元人民币",
    }
    fields.update(changes.pop("fields", {}))
    row = Row(
        op=op,
        source_key=code,
        number=code,
        serial=None,
        issue_date="2001-01-01",
        valid_from="2001-01-01",
        valid_until=None,
        holders=(Holder("001", code),),
        fields=fields,
        ruling=RULING if op is Op.REVOKE else None,
    )
    return dataclasses.replace(row, **changes)


def permit(number: int, /, op: Op = Op.ISSUE, **changes: Any) -> Row:
    """A row about the qualification of person `number`: holder and name are personal."""
    fields: dict[str, FieldValue] = {"name": f"王示例{number}", "grade": "一级"}
    fields.update(changes.pop("fields", {}))
    row = Row(
        op=op,
        source_key=f"permit-{number}",
        number=f"浙资格{number:06d}",
        serial=None,
        issue_date="2020-01-01",
        valid_from="2020-01-01",
        valid_until=None,
        holders=(Holder("111", citizen(number)),),
        fields=fields,
        ruling=RULING if op is Op.REVOKE else None,
    )
    return dataclasses.replace(row, **changes)


class Refused(Exception):
    """A call that was refused, exactly as the wire carried it."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.status: str = error.code().name
        self.message: str = error.details() or ""
        self.reason = ""
        self.details: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.violations: list[tuple[str, str]] = []
        self.receipt: str | None = None
        self.retry_after_s: float | None = None
        for name, value in error.trailing_metadata() or ():
            if name == "grpc-status-details-bin":
                self._read(status_pb2.Status.FromString(value))
        super().__init__(f"{self.status} {self.reason}: {self.message}")

    @property
    def en(self) -> str:
        return self.texts.get("en", "")

    @property
    def zh(self) -> str:
        return self.texts.get("zh-CN", "")

    def _read(self, status: status_pb2.Status) -> None:
        info, text = error_details_pb2.ErrorInfo(), error_details_pb2.LocalizedMessage()
        bad, retry = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        receipt = common_pb2.Receipt()
        for detail in status.details:
            if detail.Unpack(info):
                self.reason, self.details = info.reason, dict(info.metadata)
            elif detail.Unpack(text):
                self.texts[text.locale] = text.message
            elif detail.Unpack(bad):
                self.violations = [(item.field, item.reason) for item in bad.field_violations]
            elif detail.Unpack(retry):
                self.retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
            elif detail.Unpack(receipt):
                self.receipt = receipt.json


@dataclass(frozen=True)
class Fetched:
    """An answer that was verified as the command line does it."""

    response: exchange_pb2.FetchCertificatesResponse
    data: bytes
    verified: VerifiedReceipt
    presentations: tuple[Presentation | None, ...]

    @property
    def states(self) -> list[str]:
        return [entry.state for entry in self.verified.entry.certificates]

    def fields(self, number: int = 0) -> dict[str, Any]:
        """What certificate `number` of the answer discloses."""
        presentation = self.presentations[number]
        assert presentation is not None
        return dict(presentation.disclosed)


@dataclass(frozen=True)
class State:
    """Everything that is kept, as far as a comparison needs it."""

    tables: Mapping[str, frozenset[bytes]]
    size: int

    def domain(self) -> dict[str, frozenset[bytes]]:
        """All tables but those of the log itself."""
        return {name: rows for name, rows in self.tables.items() if not name.startswith("ledger_")}


# ---- those who call ----


M = TypeVar("M", bound="Member")


@dataclass
class Member:
    """One caller: a connection with a client certificate, a token, a signing or approval key."""

    hub: Simulator
    name: str
    signer: Signer
    channel: grpc.aio.Channel
    _token: tuple[str, int] = ("", 0)

    def __post_init__(self) -> None:
        self.access = access_pb2_grpc.AccessServiceStub(self.channel)
        self.registry = registry_pb2_grpc.RegistryServiceStub(self.channel)
        self.items = items_pb2_grpc.ItemServiceStub(self.channel)
        self.states = states_pb2_grpc.CertificateStateServiceStub(self.channel)
        self.seal = seal_pb2_grpc.SealServiceStub(self.channel)
        self.intents = intents_pb2_grpc.IntentServiceStub(self.channel)
        self.exchange = exchange_pb2_grpc.ExchangeServiceStub(self.channel)
        self.ledger = ledger_pb2_grpc.LedgerServiceStub(self.channel)

    async def token(self) -> str:
        """A token of this connection, fresh when the last one is about to end."""
        if time.time() > self._token[1] - 60:
            await self.new_token()
        return self._token[0]

    async def new_token(self) -> str:
        """A fresh token. Raises Refused."""
        try:
            answer = await self.access.CreateToken(
                access_pb2.CreateTokenRequest(), timeout=DEADLINE_S
            )
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from error
        self._token = (answer.access_token, answer.expire_time.seconds)
        return self._token[0]

    async def call(self, method: Any, request: Any, *, token: str | None = None) -> Any:
        """One call of a stub's method with this member's token, or another. Raises Refused."""
        metadata = bearer(await self.token() if token is None else token)
        try:
            return await method(request, metadata=metadata, timeout=DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from error

    async def raw(
        self,
        path: str,
        data: bytes,
        *,
        token: str | None = None,
        authorization: str | None = None,
    ) -> bytes:
        """The answer's bytes to `data`, sent to `path` as they are. Raises Refused.

        An empty `token` sends no authorization at all, `authorization` the whole header.
        """
        if authorization is None:
            token = await self.token() if token is None else token
            authorization = f"Bearer {token}" if token else ""
        metadata = (("authorization", authorization),) if authorization else None
        try:
            answer: bytes = await self.channel.unary_unary(path)(
                data, metadata=metadata, timeout=DEADLINE_S
            )
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from error
        return answer


class Officer(Member):
    """A security officer, and what officers set up."""

    async def add_authority(self, authority: str, uscc: str, title: str, region: str) -> None:
        name = access_pb2.DatedName(title=title, from_date="2019-01-01")
        await self.call(
            self.access.CreateAuthority,
            access_pb2.CreateAuthorityRequest(
                request_id=new_id(),
                authority_id=authority,
                authority=access_pb2.Authority(uscc=uscc, names=[name], region=region, level=3),
            ),
        )

    async def enrol(self, system: str, authority: str, role: str) -> None:
        """Keys for a system in its folder, its certificate, its enrolment."""
        folder = self.hub.home / "systems" / system
        enrolment = self.hub.equip(folder, system, signs=role in SIGNING_ROLES)
        await self.call(
            self.access.CreateSystem,
            access_pb2.CreateSystemRequest(
                request_id=new_id(),
                system_id=system,
                system=access_pb2.System(
                    authority=f"authorities/{authority}",
                    role=f"ROLE_{role.upper()}",
                ),
                enrolment=enrolment,
            ),
        )

    async def publish(self, metadata: bytes) -> None:
        """Publish a certificate type."""
        await self.call(
            self.registry.CreateCertificateType,
            registry_pb2.CreateCertificateTypeRequest(request_id=new_id(), metadata=metadata),
        )

    async def import_items(self, *documents: bytes) -> None:
        """Put service items into the catalogue."""
        await self.call(
            self.items.ImportItems,
            items_pb2.ImportItemsRequest(request_id=new_id(), items=documents),
        )

    async def end_catalogue(self, type_code: str, item: str) -> None:
        """Retire an item, and a type by way of its deprecation."""
        await self.call(
            self.items.RetireItem,
            items_pb2.RetireItemRequest(
                request_id=new_id(), name=f"items/{item.lower()}", cause="replaced"
            ),
        )
        named = {"name": f"certificateTypes/{type_code.lower()}", "cause": "replaced"}
        await self.call(
            self.registry.DeprecateCertificateType,
            registry_pb2.DeprecateCertificateTypeRequest(request_id=new_id(), **named),
        )
        await self.call(
            self.registry.RetireCertificateType,
            registry_pb2.RetireCertificateTypeRequest(request_id=new_id(), **named),
        )

    async def make_seal(self, authority: str, title: str, seal: str = "main") -> str:
        """An active seal of an authority, its record key in the hub's custody; its name."""
        name = f"authorities/{authority}/seals/{seal}"
        algorithms = ["ES256"]
        if self.hub.config.crypto.profile is CryptoProfile.GM:
            algorithms.append("SM2")
        keys = [{"use": "record", "algorithm": one} for one in algorithms]
        members = {"seal": name, "title": title, "seal_type": 1, "keys": keys}
        applied = await self.carry_out("seal.apply", members)
        certificates = [
            {"key": key["key"], "x509_chain": self.hub.chain_for(key)} for key in applied["keys"]
        ]
        await self.carry_out("seal.make", {"seal": name, "certificates": certificates})
        return name

    async def propose(
        self, intent: str, seal: str, type_code: str, *, uses_max: int = 1_000_000
    ) -> None:
        """Propose a standing intent that is in force for ten years."""
        members = {"seal": seal, "certificate_type": f"certificateTypes/{type_code.lower()}"}
        await self.propose_kind(intent, "standing-seal", members, uses_max=uses_max)

    async def propose_kind(
        self,
        intent: str,
        kind: str,
        members: Mapping[str, Any],
        *,
        uses_max: int = 1,
        days: int = 3650,
        replaces: str = "",
        now: int | None = None,
    ) -> None:
        """Propose an intent of any kind, in force since an hour ago."""
        now = int(time.time()) if now is None else now
        await self.call(
            self.intents.ProposeIntent,
            intents_pb2.ProposeIntentRequest(
                request_id=new_id(),
                intent_id=intent,
                kind=kind,
                members=json.dumps(members).encode(),
                start_time=Timestamp(seconds=now - 3600),
                expire_time=Timestamp(seconds=now + days * 86_400),
                uses_max=uses_max,
                replaces=replaces,
            ),
        )

    async def approve(self, intent: str, decision: Decision = Decision.APPROVE) -> str:
        """Sign a decision on an intent with the approval key; the state after it."""
        approval = await self.signed_approval(intent, decision)
        answer = await self.send_approval(intent, approval)
        return intents_pb2.Intent.State.Name(answer.intent.state).removeprefix("STATE_")

    async def send_approval(self, intent: str, approval: str) -> intents_pb2.ApproveIntentResponse:
        """An approval as it is. Raises Refused."""
        request = intents_pb2.ApproveIntentRequest(
            request_id=new_id(), name=f"intents/{intent}", approval=approval
        )
        answer: intents_pb2.ApproveIntentResponse = await self.call(
            self.intents.ApproveIntent, request
        )
        return answer

    async def signed_approval(
        self, intent: str, decision: Decision = Decision.APPROVE, **changes: Any
    ) -> str:
        """The decision as it would be sent; `changes` replace what it says."""
        challenge = await self.call(
            self.intents.CreateApprovalChallenge,
            intents_pb2.CreateApprovalChallengeRequest(intent=f"intents/{intent}"),
        )
        now = int(time.time())
        approval = Approval(
            origin=ORIGIN,
            region=REGION,
            officer=self.name,
            intent=intent_digest(challenge.intent_bytes),
            nonce=challenge.nonce,
            decision=decision,
            not_after=now + APPROVAL_LIFE_S,
            key_entry=challenge.key_entry,
            iat=now,
        )
        return sign_approval(dataclasses.replace(approval, **changes), self.signer)

    async def execute(self, intent: str, request_id: str = "") -> dict[str, Any]:
        """Carry out an approved intent; what came of it. Raises Refused."""
        answer = await self.call(
            self.intents.ExecuteIntent,
            intents_pb2.ExecuteIntentRequest(
                request_id=request_id or new_id(), name=f"intents/{intent}"
            ),
        )
        result: dict[str, Any] = json.loads(answer.result)
        return result

    async def withdraw(self, intent: str) -> None:
        """Take an own intent back."""
        await self.call(
            self.intents.WithdrawIntent,
            intents_pb2.WithdrawIntentRequest(request_id=new_id(), name=f"intents/{intent}"),
        )

    async def carry_out(
        self,
        kind: str,
        members: Mapping[str, Any],
        *,
        by: Sequence[str] = ("qian", "sun"),
        intent: str = "",
    ) -> dict[str, Any]:
        """Propose, have `by` approve, execute: one operation from end to end. Raises Refused."""
        intent = intent or f"intent-{secrets.token_hex(4)}"
        await self.propose_kind(intent, kind, members)
        for name in by:
            await self.hub.officer(name).approve(intent)
        return await self.execute(intent)

    async def grant(
        self,
        grant: str,
        recipient: str,
        fields: Sequence[str] = GRANTED,
        *,
        type_code: str = LICENCE,
        items: Sequence[str] = (ITEM,),
        consent: bool = False,
    ) -> None:
        """Grant fields of a type to a platform for ten years."""
        now = int(time.time())
        await self.call(
            self.exchange.CreateGrant,
            exchange_pb2.CreateGrantRequest(
                request_id=new_id(),
                grant_id=grant,
                grant=exchange_pb2.Grant(
                    recipient=f"systems/{recipient}",
                    certificate_type=f"certificateTypes/{type_code.lower()}",
                    fields=fields,
                    service_items=items,
                    consent_required=consent,
                    legal_basis=BASIS,
                    start_time=Timestamp(seconds=now - 3600),
                    expire_time=Timestamp(seconds=now + 10 * 365 * 86_400),
                ),
            ),
        )

    async def revoke_grant(self, grant: str) -> None:
        await self.call(
            self.exchange.RevokeGrant,
            exchange_pb2.RevokeGrantRequest(
                request_id=new_id(), name=f"grants/{grant}", cause="agreement ended"
            ),
        )

    async def revoke(self, system: str) -> None:
        await self.call(
            self.access.RevokeSystem,
            access_pb2.RevokeSystemRequest(
                request_id=new_id(), name=f"systems/{system}", cause="key lost"
            ),
        )


@dataclass
class Connector(Member):
    """A department's connector, with the chain of its batches."""

    authority_uscc: str = ""
    connector: str = "licences"
    _chain: tuple[int, str | None] | None = None

    async def deliver(
        self, rows: Sequence[Row | bytes], **changes: Any
    ) -> registry_pb2.IngestBatchesResponse:
        """One signed batch over `rows`, ingested; the chain moves on. Raises Refused."""
        root, delivered = await self.batch(rows, **changes)
        answer = await self.send(sign_batch_root(root, self.signer), delivered)
        self._chain = (root.seq, chain_digest(sign_batch_root(root, self.signer)))
        return answer

    async def batch(
        self, rows: Sequence[Row | bytes], **changes: Any
    ) -> tuple[BatchRoot, list[registry_pb2.Row]]:
        """The next root of the chain over `rows`, and the rows with fresh salts."""
        if self._chain is None:
            args = (self.name, self.connector, Purpose.ROW.value)
            last = await self.hub.hub.database.one(LAST_BATCH, *args)
            self._chain = (0, None) if last is None else (int(last[0] or 0), str(last[1]))
        seq, prev = self._chain
        delivered = [
            registry_pb2.Row(
                salt=secrets.token_bytes(32),
                row=row if isinstance(row, bytes) else emit_row(row),
            )
            for row in rows
        ]
        root = BatchRoot(
            purpose=Purpose.ROW,
            iss=self.name,
            aud=ORIGIN,
            region=REGION,
            authority=self.authority_uscc,
            connector=self.connector,
            batch=f"batch-{seq + 1}",
            seq=seq + 1,
            prev=prev,
            n=len(delivered),
            root=merkle_root([row_leaf(one.salt, one.row) for one in delivered]),
            vct=LICENCE_VCT,
            type_version=1,
            manifest=MANIFEST,
            iat=int(time.time()),
        )
        return dataclasses.replace(root, **changes), delivered

    async def send(
        self, root_jws: str, rows: Sequence[registry_pb2.Row], *, token: str | None = None
    ) -> registry_pb2.IngestBatchesResponse:
        """One batch on a stream of its own. Raises Refused."""
        request = registry_pb2.IngestBatchesRequest(root_jws=root_jws, rows=rows)
        return registry_pb2.IngestBatchesResponse.FromString(
            await self.send_raw(request.SerializeToString(), token=token)
        )

    async def send_raw(self, data: bytes, *, token: str | None = None) -> bytes:
        """The answer's bytes to one message of a stream of its own. Raises Refused."""
        metadata = bearer(await self.token() if token is None else token)
        stream = self.channel.stream_stream(INGEST)(
            _only(data), metadata=metadata, timeout=DEADLINE_S
        )
        try:
            answers = [answer async for answer in stream]
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from error
        assert len(answers) == 1
        return bytes(answers[0])


@dataclass
class Platform(Member):
    """An intake platform: signs requests, verifies answers, keeps the log's head."""

    head: LogHead | None = None
    sent: dict[str, list[str]] = field(default_factory=dict)

    async def claims(self, **changes: Any) -> signed.RequestClaims:
        """What a request for two fields of company 1's licence says; `changes` replace claims."""
        now = int(time.time())
        claims = signed.RequestClaims(
            iss=self.name,
            aud=ORIGIN,
            region=REGION,
            rpc=FETCH,
            jti=new_id(),
            iat=now,
            exp=now + signed.REQUEST_LIFE_MAX_S,
            ath=digest(await self.token()),
            certificates=(by_holder(company(1)),),
            service_item=ITEM,
            matter=MATTER,
            basis=BASIS,
            clerk="clerks/7",
            log=self.head,
        )
        return dataclasses.replace(claims, **changes)

    async def send(
        self, compact: str, request_id: str, *, token: str | None = None
    ) -> exchange_pb2.FetchCertificatesResponse:
        """Send a signed request, whatever it is; nothing is verified. Raises Refused."""
        return exchange_pb2.FetchCertificatesResponse.FromString(
            await self.send_raw(compact, request_id, token=token)
        )

    async def send_raw(
        self,
        compact: str,
        request_id: str,
        *,
        token: str | None = None,
        with_sm2_twin: bool = False,
    ) -> bytes:
        """As `send`; the answer's bytes."""
        request = exchange_pb2.FetchCertificatesRequest(
            request_id=request_id, signed_request=compact, with_sm2_twin=with_sm2_twin
        )
        self.sent.setdefault(request_id, []).append(compact)
        return await self.raw(FETCH, request.SerializeToString(), token=token)

    async def fetch(
        self,
        *wanted: signed.RequestedCertificate,
        holder: str | None = None,
        fields: Sequence[str] = ASKED,
        **changes: Any,
    ) -> Fetched:
        """Ask, and verify receipt and presentations. Raises Refused and ProofError."""
        if holder is not None:
            wanted = (by_holder(holder, fields),)
        if wanted:
            changes["certificates"] = wanted
        claims = await self.claims(**changes)
        compact = signed.sign_request(claims, self.signer)
        data = await self.send_raw(compact, claims.jti)
        fetched = self.verify(data, claims.jti)
        if may_replace_head(self.head, fetched.verified):
            self.head = fetched.verified.head
        return fetched

    def verify(self, data: bytes, request_id: str) -> Fetched:
        """An answer to what was sent under `request_id`, held against the pinned trust."""
        trust = self.hub.trust
        response = exchange_pb2.FetchCertificatesResponse.FromString(data)
        states = exchange_pb2.FetchedCertificate.State
        verified = verify_receipt(
            response.receipt.json.encode(),
            self.sent[request_id],
            self.name,
            [
                Answered(
                    states.Name(given.state).removeprefix("STATE_").lower(),
                    given.presentation or None,
                )
                for given in response.certificates
            ],
            trust.log,
        )
        triples = zip(
            response.certificates,
            verified.request.certificates,
            verified.entry.certificates,
            strict=True,
        )
        presentations = tuple(
            verify_presentation(
                given.presentation,
                Expectation(
                    origin=ORIGIN,
                    region=REGION,
                    vct=asked.vct,
                    fields=frozenset(asked.fields),
                    cert=logged.cert,
                    holder=(asked.holder.type, asked.holder.number) if asked.holder else None,
                    version=logged.version,
                ),
                keys=None,
                anchors=trust.seal_anchors,
                now=int(time.time()),
            )
            if given.presentation
            else None
            for given, asked, logged in triples
        )
        return Fetched(response, data, verified, presentations)


def by_holder(
    number: str,
    fields: Sequence[str] = ASKED,
    *,
    vct: str = LICENCE_VCT,
    holder_type: str = "001",
) -> signed.RequestedCertificate:
    """One certificate, asked for by its holder."""
    holder = signed.Holder(holder_type, number)
    return signed.RequestedCertificate(vct, tuple(fields), holder=holder)


def by_identifier(
    identifier: str, fields: Sequence[str] = ASKED, *, vct: str = LICENCE_VCT
) -> signed.RequestedCertificate:
    """One certificate, asked for by its identifier."""
    return signed.RequestedCertificate(vct, tuple(fields), cert=identifier)


def new_id() -> str:
    """A request id."""
    return str(uuid.uuid4())


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """Metadata that carries `token`."""
    return (("authorization", f"Bearer {token}"),)


def chain_digest(root_jws: str) -> str:
    """What the next root's `prev` must be."""
    return digest(root_jws.rpartition(".")[0])


async def _only(data: bytes) -> Any:
    yield data


# ---- the hub ----


class Simulator:
    """A hub that serves the home at `home` while the context is open."""

    def __init__(self, home: Path, **ledger: float) -> None:
        """`ledger` replaces settings of the configuration's section of that name."""
        self.home = home
        self.config = _configured(home, ledger)
        self.pki = Pki.open(home / "pki")
        self.trust: Trust = parse_trust((home / "trust.json").read_bytes())
        self.hub: Hub
        self._members: dict[tuple[type[Member], str], Member] = {}

    async def __aenter__(self) -> Self:
        self.hub = await server.open_hub(self.config)
        await self.hub.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for member in self._members.values():
            await member.channel.close()
        await self.hub.stop()

    @property
    def address(self) -> str:
        """Where gRPC is served."""
        return f"127.0.0.1:{self.hub.grpc_port}"

    def officer(self, name: str = "zhao", *, keys_of: str = "") -> Officer:
        """`keys_of` names the folder with the officer's newer keys."""
        if keys_of:
            self._members.pop((Officer, f"officers/{name}"), None)
        return self._member(Officer, f"officers/{name}", keys_of or None)

    def officer_key(self, name: str) -> ec.EllipticCurvePublicKey:
        """The approval key in an officer's folder."""
        folder = self.home / "officers" / name
        return load_key(
            folder / "approval.key", read_passphrase(folder / "passphrase")
        ).public_key()

    def platform(self, name: str = "window-1") -> Platform:
        return self._member(Platform, f"systems/{name}")

    def connector(self, name: str = "hz-connector") -> Connector:
        connector = self._member(Connector, f"systems/{name}")
        directory = self.hub.directory.current
        authority = directory.systems[connector.name].authority
        connector.authority_uscc = directory.authorities[authority].uscc
        return connector

    def system(self, name: str) -> Member:
        """A system of any role."""
        return self._member(Member, f"systems/{name}")

    def _member(self, kind: type[M], name: str, keys_of: str | None = None) -> M:
        found = self._members.get((kind, name))
        if not isinstance(found, kind):
            found = self._members[kind, name] = self.connect(kind, name, keys_of=keys_of)
        return found

    def connect(self, kind: type[M], name: str, *, keys_of: str | None = None) -> M:
        """A new client of its own connection; the caller closes it unless it came from above.

        `keys_of` names the folder, below the home, whose keys it uses.
        """
        folder = self.home / (keys_of or name)
        passphrase = read_passphrase(folder / "passphrase")
        signing = next(
            folder / file
            for file in ("signing.key", "approval.key", "client.key")
            if (folder / file).is_file()
        )
        return kind(
            self,
            name,
            es256_signer(load_key(signing, passphrase)),
            self.channel(
                load_key(folder / "client.key", passphrase), (folder / "client.pem").read_bytes()
            ),
        )

    def channel(
        self, key: ec.EllipticCurvePrivateKey | None = None, chain_pem: bytes | None = None
    ) -> grpc.aio.Channel:
        """A connection under a client certificate, or under none."""
        credentials = grpc.ssl_channel_credentials(
            self.pki.tls_anchor_pem,
            None if key is None else unencrypted(key),
            chain_pem,
        )
        return grpc.aio.secure_channel(self.address, credentials, options=_CHANNEL)

    def chain_for(self, key: Mapping[str, str]) -> list[str]:
        """The chain that the PKI issues for the request of a key that an operation made."""
        request = b64u_decode(key["x509_request"])
        subject = x509.load_der_x509_csr(request).subject
        title, organization, code = [
            str(subject.get_attributes_for_oid(attribute)[0].value)
            for attribute in (
                NameOID.COMMON_NAME,
                NameOID.ORGANIZATION_NAME,
                NameOID.ORGANIZATION_IDENTIFIER,
            )
        ]
        profile = "seal-maker" if key["use"] == "maker" else "seal"
        if profile == "seal" and key["algorithm"] == "SM2":
            profile = "sm2-seal"
        issued = self.pki.issue(
            profile,
            request,
            now=datetime.now(UTC),
            common_name=title,
            organization=organization,
            organization_identifier=code,
        )
        return [b64u(der) for der in issued.chain_der]

    def equip(
        self, folder: Path, name: str, *, signs: bool = True, officer: bool = False
    ) -> access_pb2.Enrolment:
        """Keys and certificate of a system in the new `folder`, or of an officer; what proves the
        keys."""
        folder.mkdir(parents=True, mode=0o700)
        new_passphrase_file(folder / "passphrase")
        passphrase = read_passphrase(folder / "passphrase")
        client, signing = new_key(), new_key()
        save_key(folder / "client.key", client, passphrase)
        save_key(folder / f"{'approval' if officer else 'signing'}.key", signing, passphrase)
        requests = [_der(make_csr(key, name)) for key in (client, signing)]
        issued = self.pki.issue(
            "officer" if officer else "system-client",
            requests[0],
            now=datetime.now(UTC),
            common_name=name,
        )
        (folder / "client.pem").write_bytes(issued.chain_pem)
        return access_pb2.Enrolment(
            x509_certificate=issued.der,
            x509_request=requests[0],
            signing_request=requests[1] if signs else b"",
        )

    def profile(self, name: str) -> Path:
        """The client profile of `systems/…` or `officers/…` for the command line, as of now."""
        folder = self.home / name
        (folder / "ca.pem").write_bytes(self.pki.tls_anchor_pem)
        (folder / "trust.json").write_bytes((self.home / "trust.json").read_bytes())
        signing = "approval.key" if name.startswith("officers/") else "signing.key"
        text = profile_text(
            {
                "address": self.address,
                "origin": ORIGIN,
                "region": REGION,
                "ca": "ca.pem",
                "certificate": "client.pem",
                "key": "client.key",
                "trust": "trust.json",
            },
            {"name": name, "signing_key": signing, "passphrase_file": "passphrase"},
        )
        (folder / "client.toml").write_text(text)
        return folder / "client.toml"

    # -- what is kept --

    @property
    def size(self) -> int:
        """Entries of the log."""
        return self.hub.recorder.head().size

    async def state(self) -> State:
        """The digest of every row of every table."""
        tables = {}
        async with self.hub.database.snapshot() as kept:
            for name, statement in _ALL_ROWS.items():
                found: set[bytes] = set()
                async for rows in kept.scan(statement):
                    found.update(row_digest(tuple(row)) for row in rows)
                tables[name] = frozenset(found)
        return State(tables, self.size)

    async def entries(self, first: int = 0) -> list[dict[str, Any]]:
        """The bodies of the entries from `first` on, opened with the evidence keys."""
        proofs = self.hub.recorder.proofs
        return [json.loads((await proofs.opened(i)).body) for i in range(first, self.size)]

    async def audit(self) -> AuditReport:
        """Everything recomputed from what is kept; the hub may serve meanwhile."""
        report = AuditReport()
        async with upkeep.open_ledger_for_audit(self.config) as opened:
            async for _ in audit(
                opened.database,
                opened.data_keys,
                metadata=opened.metadata,
                trust=opened.trust,
                external_head=opened.external_head,
                report=report,
            ):
                pass
        return report

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics, by its name with labels."""
        found = {}
        for line in self.hub.metrics_text().decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found


def unencrypted(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PEM for gRPC, which takes nothing else; it stays in memory."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def thumbprint_of(chain_pem: bytes) -> str:
    """The thumbprint of the first certificate of a chain."""
    leaf = x509.load_pem_x509_certificates(chain_pem)[0]
    der = leaf.public_bytes(serialization.Encoding.DER)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


# ---- homes ----


def make_home(folder: Path, *options: str) -> None:
    """A hub's home by `sealway init`: PKI, keys, database, log, three officers. Takes seconds.

    Needs a thread without a running event loop.
    """
    arguments = ["init", str(folder), "--origin", ORIGIN, "--region", REGION]
    arguments += ["--port", "0", "--http-port", "0", *options]
    for officer in OFFICERS:
        arguments += ["--officer", officer]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = sealway([*arguments, "--json"])
    if code != 0:
        raise RuntimeError(f"sealway init ended with {code}")


def make_city(folder: Path, *options: str) -> None:
    """As `make_home`, furnished (see `furnish`). Needs a thread without a running event loop."""
    make_home(folder, *options)
    # Whoever draws faces asks for the font by himself, and is told why there is none.
    with contextlib.suppress(FontAbsent), (folder / "hub.toml").open("a") as file:
        file.write(f'\n[faces]\nfont = "{font_file()}"\n')

    async def make() -> None:
        async with Simulator(folder) as hub:
            await furnish(hub)

    asyncio.run(make())


def copy_home(source: Path, target: Path) -> Path:
    """A copy of the home of a hub that is not running; `target` must not exist."""
    shutil.copytree(source, target)
    return target


async def move_to(home: Path, database_url: str) -> None:
    """Let a home made by `make_home` begin anew in the empty database at `database_url`."""
    file = home / "hub.toml"
    # The first one: that of the database stands before that of the documents.
    text = re.sub(r'(?m)^url = ".*"$', f'url = "{database_url}"', file.read_text(), count=1)
    file.write_text(text)
    shutil.rmtree(home / "data", ignore_errors=True)
    shutil.rmtree(home / "head", ignore_errors=True)
    officers = {}
    for name in OFFICERS:
        folder = home / "officers" / name
        leaf = x509.load_pem_x509_certificates((folder / "client.pem").read_bytes())[0]
        officers[name] = Enrolment(
            leaf.public_bytes(serialization.Encoding.DER),
            _der((folder / "client.csr").read_bytes()),
            _der((folder / "approval.csr").read_bytes()),
        )
    await upkeep.create_home(load(file), officers)


async def furnish(hub: Simulator) -> None:
    """Two departments, a service hall, a system of every role, types, seals, intents, a grant.

    hz-market and nb-market issue business licences through hz-connector and nb-connector, hz-market
    also a qualification of persons; window-1 may have GRANTED of licences, window-2 nothing.
    """
    zhao = hub.officer("zhao")
    for authority, title, region in AUTHORITIES:
        await zhao.add_authority(authority, USCC[authority], title, region)
    for system, authority, role in SYSTEMS:
        await zhao.enrol(system, authority, role)
    await zhao.publish((ROOT / "deploy" / "types" / "business-licence.json").read_bytes())
    await zhao.publish(PERMIT_TYPE)
    for intent, authority, title, codes in (
        ("hz", "hz-market", "杭州市市场监督管理局", (LICENCE, PERMIT)),
        ("nb", "nb-market", "宁波市市场监督管理局", (LICENCE,)),
    ):
        seal = await zhao.make_seal(authority, title)
        for code in codes:
            name = f"{intent}-{code[-3:]}"
            await zhao.propose(name, seal, code)
            for other in ("qian", "sun"):
                await hub.officer(other).approve(name)
    await zhao.grant("licence-to-window", "window-1")


USCC: Final = {
    "hz-market": credit_code("11330100", "00251234"),
    "nb-market": credit_code("11330200", "00292345"),
    "service-hall": credit_code("12330000", "00268888"),
}
AUTHORITIES: Final = (
    ("hz-market", "杭州市市场监督管理局", "330100"),
    ("nb-market", "宁波市市场监督管理局", "330200"),
    ("service-hall", "浙江省政务服务中心", "330000"),
)
SYSTEMS: Final = (
    ("hz-connector", "hz-market", "connector"),
    ("nb-connector", "nb-market", "connector"),
    ("hz-department", "hz-market", "department"),
    ("nb-department", "nb-market", "department"),
    ("window-1", "service-hall", "platform"),
    ("window-2", "service-hall", "platform"),
    ("auditor-1", "service-hall", "auditor"),
    ("monitor-1", "service-hall", "monitor"),
    ("hz-desk", "hz-market", "converter"),
)


def _configured(home: Path, ledger: Mapping[str, float]) -> Config:
    """The home's configuration; no heartbeat gets between a test and its entries."""
    config = load(home / "hub.toml")
    section = config.ledger.model_copy(update={"heartbeat_s": 3600, "window_ms": 1.0, **ledger})
    return config.model_copy(update={"ledger": section})


def _der(csr_pem: bytes) -> bytes:
    return x509.load_pem_x509_csr(csr_pem).public_bytes(serialization.Encoding.DER)
