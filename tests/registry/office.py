"""Registry and seals on a real database and log: one authority, its seal, officers, a connector."""

from __future__ import annotations

import atexit
import base64
import datetime
import functools
import json
import os
import secrets
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select

from certs.pki import SM2_MAKER_CA, SM2_SEAL_CA, Pki
from hub.clock import now_us
from hub.domain.caller import Caller, Role
from hub.domain.certificate_type import (
    CertificateType,
    FaceField,
    FieldType,
    HolderKind,
    Sensitivity,
    Validity,
    to_json,
)
from hub.domain.crypto import CryptoProfile
from hub.domain.holder import Holder
from hub.domain.identifier import uscc_check_character
from hub.domain.row import FieldValue, Op, Row, emit_row
from hub.domain.ruling import Ruling
from hub.domain.seal_key import SEALING_DAYS, KeyUse
from hub.domain.seal_states import KeyState
from hub.ledger.checkpoints import FileHead, create_log
from hub.ledger.ports import Observer
from hub.ledger.recorder import Recorder, RecorderSettings
from hub.migrations.migrate import migrate
from hub.proof.encoding import Json, b64u, b64u_decode, digest, emit_json
from hub.proof.exchange.batch import BatchRoot, Purpose, row_leaf, sign_batch_root
from hub.proof.jose import (
    APPROVAL_TYP,
    BATCH_ROOT_TYP,
    STATUS_TYP,
    Algorithm,
    RegisteredKey,
    Signer,
    es256_signer,
)
from hub.proof.log.merkle import root as merkle_root
from hub.proof.officers.approval import Approval, Decision, intent_digest, sign_approval
from hub.proof.officers.roster import Officer as RosterOfficer
from hub.proof.officers.roster import Quorum, Roster
from hub.proof.officers.roster_changes import founded
from hub.proof.x509.sm2 import X509, parse_x509
from hub.registry.catalogue import Catalogue, PublishCertificateType
from hub.registry.decide import Outcome
from hub.registry.ingest import DeliveredRow, IngestBatch, Ingested
from hub.registry.read import CertificateReader
from hub.registry.search import SearchCertificates
from hub.registry.store import TURN
from hub.seal.algorithms import AlgorithmTable
from hub.seal.certified import Anchors
from hub.seal.decisions import Decisions
from hub.seal.ended_intents import EndedIntents
from hub.seal.homes.files import KeyFiles
from hub.seal.intents import Intents, IntentView, ProposedIntent
from hub.seal.materials import Materials
from hub.seal.operations import seal_operations
from hub.seal.ports import AuthorityFacts
from hub.seal.record_seals import RecordSeals, SealedBatch
from hub.seal.seal_keys import SealKeys
from hub.seal.seals import Seals, SealView
from hub.seal.signer import Signer as SealSigner
from hub.seal.standing_seals import StandingSeals
from hub.seal.status_lists import StatusLists
from hub.storage.aead import new_key
from hub.storage.changes import Answered, Call
from hub.storage.database import Database, open_database
from hub.storage.encryption import DataKeys, Keyring
from hub.storage.schema import METADATA
from hub.storage.statements import Check, question
from tests.ledger.logs import KEY

ORIGIN: Final = KEY.origin
REGION: Final = "330100"
USCC: Final = "113301000025123419"
AUTHORITY: Final = "authorities/market"
CONNECTOR: Final = "systems/connector-1"
DEFINER: Final = "11100000MB0143028R"
LICENCE: Final = f"{DEFINER}001"
PERMIT: Final = f"{DEFINER}002"
MANIFEST: Final = digest("the manifest")
RULING: Final = Ruling("行政许可法 第六十九条", "杭市监罚〔2026〕12号", "2026-01-05")
# A small PNG, all red.
PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76LAAAAFklEQVR4nGN8xiD0nwEPYMInOXwU"
    "AAALBgIHUKlE0wAAAABJRU5ErkJggg=="
)
OFFICERS: Final = ("officers/first", "officers/second", "officers/third")


def _field(
    name: str,
    order: int,
    *,
    required: bool = False,
    type: FieldType = FieldType.TEXT,
    sensitivity: Sensitivity = Sensitivity.PUBLIC,
) -> FaceField:
    return FaceField(name, name, type, required, sensitivity, None, order, 4000)


LICENCE_TYPE: Final = CertificateType(
    code=LICENCE,
    version=1,
    name="营业执照",
    name_en="Business licence",
    defining_authority=DEFINER,
    holder_kind=HolderKind.ORGANISATION,
    validity=Validity(long_term=True, years=()),
    fields=(
        _field("name", 1, required=True),
        _field("kind", 2),
        _field("registered_capital", 3, type=FieldType.AMOUNT),
        _field("established", 4, type=FieldType.DATE),
        _field("scope", 5),
        _field("province", 6),
        _field("city", 7),
        _field("address", 8),
    ),
    retention_class="permanent",
)
PERMIT_TYPE: Final = CertificateType(
    code=PERMIT,
    version=1,
    name="从业资格证",
    name_en="Qualification",
    defining_authority=DEFINER,
    holder_kind=HolderKind.PERSON,
    validity=Validity(long_term=True, years=(3,)),
    fields=(
        _field("name", 1, required=True, sensitivity=Sensitivity.PERSONAL),
        _field("grade", 2),
    ),
    retention_class="permanent",
)


def uscc(number: int) -> str:
    """A valid credit code with a running number."""
    body = f"{number:08d}"
    total = sum(int(d) * w for d, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    first17 = f"91330100{body}{'0X987654321'[total % 11]}"
    return first17 + uscc_check_character(first17)


def licence(number: int, op: Op = Op.ISSUE, **changes: object) -> Row:
    """A row about the licence of company `number`."""
    code = uscc(number)
    fields: dict[str, FieldValue] = {
        "name": f"杭州示例{number}有限公司",
        "kind": "有限责任公司(自然人投资或控股)",
        "registered_capital": "5000000.00 CNY",
        "established": "2001-01-01",
        "scope": "软件开发;信息技术咨询服务;批发、零售:机械设备,五金交电,电子产品",
        "province": "浙江",
        "city": "杭州",
        "address": f"浙江省杭州市示例路{number}号",
    }
    fields.update(changes.pop("fields", {}))  # type: ignore[call-overload]
    values: dict[str, object] = {
        "op": op,
        "source_key": code,
        "number": code,
        "serial": None,
        "issue_date": "2001-01-01",
        "valid_from": "2001-01-01",
        "valid_until": None,
        "holders": (Holder("001", code),),
        "fields": fields,
        "ruling": RULING if op is Op.REVOKE else None,
    }
    return Row(**(values | changes))  # type: ignore[arg-type]


@dataclass
class Identities:
    """Who is known here; keys are added by the office."""

    keys: dict[str, RegisteredKey] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    enrolled: int = 0
    own_level: int = 3
    predecessors: tuple[str, ...] = ()
    current: bool = True
    definer: str | None = None

    def key(self, kid: str, /) -> RegisteredKey | None:
        return self.keys.get(kid)

    def check(self, caller: Caller) -> Check:
        return Check(TURN, ("nobody", "nothing"), None if self.current else (0,))

    def answers_for(self, caller: Caller, what: str, defining: str) -> bool:
        """Nobody has been succeeded here."""
        return caller.authority_uscc == defining

    def responsible(self, what: str, defining: str) -> str | None:
        """Nobody who defines types is registered here, unless a test says so."""
        return self.definer

    def authority_of(self, system: str) -> str | None:
        """Everybody is of this authority, unless somebody says otherwise."""
        return self.elsewhere.get(system, USCC)

    def kept(self, caller: Caller, type_code: str = "") -> tuple[str, ...]:
        """Nobody has been succeeded here, unless a test says so."""
        return (caller.authority, *self.predecessors)

    def keeper(self, authority: str, type_code: str) -> str | None:
        return authority

    def level(self, caller: Caller) -> int:
        return self.own_level

    def enrolled_us(self, system: str) -> int:
        return self.enrolled

    def key_entry(self, officer: str) -> int | None:
        return self.entries.get(officer)

    def facts(self, name: str) -> AuthorityFacts | None:
        return AuthorityFacts(USCC, "杭州市市场监督管理局") if name == AUTHORITY else None

    def enrol(self, owner: str, use: str) -> Signer:
        key = ec.generate_private_key(ec.SECP256R1())
        signer = es256_signer(key)
        self.keys[signer.kid] = RegisteredKey(
            signer.kid, Algorithm.ES256, use, owner, key.public_key()
        )
        self.entries[owner] = len(self.entries)
        return signer


@dataclass
class OfficeRosters:
    """The roster of this office's officers, as it was founded unless a test replaces it."""

    newest: Roster

    async def current(self) -> Roster:
        return self.newest

    def check(self) -> Check:
        return Check(TURN, ("nobody", "nothing"), None)


@dataclass
class Office:
    """Everything, and shorthands for what tests do with it."""

    database: Database
    recorder: Recorder
    identities: Identities
    catalogue: Catalogue
    publish: PublishCertificateType
    ingest: IngestBatch[SealedBatch]
    reader: CertificateReader
    search: SearchCertificates
    seals: Seals
    materials: Materials
    intents: Intents
    rosters: OfficeRosters
    record_seals: RecordSeals
    status_lists: StatusLists
    data_keys: DataKeys
    pki: Pki
    anchors: Sequence[x509.Certificate]
    connector: Signer
    officers: dict[str, Signer]
    status_key: RegisteredKey
    counted: list[dict[Outcome, int]]
    chain: dict[str, tuple[int, str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.decisions = Decisions(self.intents, self.identities)

    @property
    def caller(self) -> Caller:
        return Caller(CONNECTOR, Role.CONNECTOR, AUTHORITY, USCC, 1, "", 1)

    def officer(self, name: str) -> Caller:
        return Caller(name, Role.OFFICER, "", "", self.identities.entries[name], "", 1)

    def call(self, caller: str = OFFICERS[0], request_id: str = "", content: str = "") -> Call:
        request_id = request_id or str(uuid.uuid4())
        return Call(self.officer(caller), request_id, "/m", digest(content or request_id))

    async def publish_type(self, certificate_type: CertificateType) -> Answered:
        call = Call(self.officer(OFFICERS[0]), str(uuid.uuid4()), "/m", digest("x"))
        return await self.publish(
            call, to_json(certificate_type), lambda one: one.metadata, validate_only=False
        )

    async def make_seal(
        self, seal_id: str = "main", *, ofd: bool = False, sm2: bool = False
    ) -> SealView:
        """A seal that is active: keys made here, certificates issued by the PKI; with `ofd` in
        electronic form as well, with `sm2` for twins of records."""
        name = f"{AUTHORITY}/seals/{seal_id}"
        wanted = [{"use": "record", "algorithm": "ES256"}]
        if sm2:
            wanted.append({"use": "record", "algorithm": "SM2"})
        if ofd:
            wanted.append({"use": "ofd", "algorithm": "SM2"})
        applied = await self.carry_out(
            "seal.apply", {"seal": name, "title": "电子印章", "seal_type": 1, "keys": wanted}
        )
        members: dict[str, Any] = {
            "seal": name,
            "certificates": [
                {"key": key["key"], "x509_chain": self.chain_for(key)} for key in applied["keys"]
            ],
        }
        if ofd:
            members |= await self.electronic(f"{USCC}-{seal_id}")
        await self.carry_out("seal.make", members)
        return await self.seals.get(name)

    async def electronic(self, number: str) -> dict[str, Any]:
        """Members of `seal.make` and `seal.renew` about the electronic form."""
        now = now_us() // 1_000_000
        added = await self.materials.add(
            self.call(), PICTURE, lambda material: material.digest.encode()
        )
        return {
            "number": number,
            "picture": added.answer.decode(),
            "width_mm": 40,
            "height_mm": 40,
            "valid_from": now - 60,
            "valid_until": now + 365 * 86_400,
            "maker_key": await self.maker_key(),
        }

    async def maker_key(self) -> str:
        """The hub's own key that makes seals, made on the first call."""
        for view in await self.seals.key_page("", "", 1000):
            if view.key.use is KeyUse.MAKER and view.key.state is KeyState.ACTIVE:
                return view.key.name
        members = {"authority": AUTHORITY, "title": "制章", "use": "maker", "algorithm": "SM2"}
        made = await self.carry_out("key.generate", members)
        chain = self.chain_for(made)
        await self.carry_out("key.activate", {"key": made["key"], "x509_chain": chain})
        return str(made["key"])

    def chain_for(self, key: Mapping[str, str], pki: Pki | None = None) -> list[str]:
        """The chain that the PKI issues for the request of a key that an operation made."""
        profile = "seal-maker" if key["use"] == "maker" else "seal"
        if profile == "seal" and key["algorithm"] == "SM2":
            profile = "sm2-seal"
        issued = (pki or self.pki).issue(
            profile,
            b64u_decode(key["x509_request"]),
            now=datetime.datetime.now(datetime.UTC),
            common_name="seal",
            organization="market",
            organization_identifier=USCC,
        )
        return [b64u(der) for der in issued.chain_der]

    async def carry_out(self, kind: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """Propose as the first officer, have the others approve, execute; what came of it."""
        return await self.execute(await self.approved(kind, members))

    async def approved(self, kind: str, members: Mapping[str, Any]) -> str:
        """The name of an intent of `kind` that officers have approved."""
        now = now_us() // 1_000_000
        intent_id = f"intent-{secrets.token_hex(6)}"
        # The same bytes twice would be one intent.
        ends = now + 86_400 + secrets.randbelow(1_000_000)
        proposed = ProposedIntent(intent_id, kind, emit_json({**members}), now - 60, ends)
        await self.intents.propose(self.call(), proposed, _nothing)
        for officer in OFFICERS[1:]:
            await self.decide(officer, f"intents/{intent_id}")
        return f"intents/{intent_id}"

    async def execute(self, intent: str, call: Call | None = None) -> dict[str, Any]:
        """Execute an approved intent; what came of it."""
        answered = await self.intents.execute(
            call or self.call(), intent, lambda _view, result: result
        )
        result: dict[str, Any] = json.loads(answered.answer)
        return result

    async def propose(self, intent_id: str = "licences", **changes: object) -> IntentView:
        now = now_us() // 1_000_000
        code = str(changes.pop("type_code", LICENCE))
        members: dict[str, Json] = {
            "seal": f"{AUTHORITY}/seals/main",
            "certificate_type": f"certificateTypes/{code.lower()}",
        }
        if manifest := changes.pop("manifest", ""):
            members["manifest"] = str(manifest)
        values: dict[str, object] = {
            "intent_id": intent_id,
            "kind": "standing-seal",
            "members": emit_json(members),
            "not_before": now - 60,
            "not_after": now + 86_400,
            "uses_max": 1_000_000,
        }
        proposed = ProposedIntent(**(values | changes))  # type: ignore[arg-type]
        await self.intents.propose(self.call(), proposed, _nothing)
        return await self.intents.get(f"intents/{intent_id}")

    async def signed_approval(
        self,
        officer: str,
        name: str,
        decision: Decision = Decision.APPROVE,
        /,
        **changes: object,
    ) -> str:
        challenge = await self.decisions.challenge(officer, name)
        now = now_us() // 1_000_000
        values: dict[str, object] = {
            "origin": ORIGIN,
            "region": REGION,
            "officer": officer,
            "intent": intent_digest(challenge.intent_bytes),
            "nonce": challenge.nonce,
            "decision": decision,
            "not_after": now + 3600,
            "key_entry": challenge.key_entry,
            "iat": now,
        }
        return sign_approval(Approval(**(values | changes)), self.officers[officer])  # type: ignore[arg-type]

    async def decide(
        self, officer: str, name: str, decision: Decision = Decision.APPROVE
    ) -> Answered:
        approval = await self.signed_approval(officer, name, decision)
        return await self.decisions.decide(self.call(officer), name, approval, _nothing)

    async def open_for(self, *types: CertificateType, sm2: bool = False) -> None:
        """Types published, a seal active, an intent approved for each type."""
        await self.make_seal(sm2=sm2)
        for index, certificate_type in enumerate(types):
            await self.open_type(certificate_type, f"intent-{index}")

    async def open_type(self, certificate_type: CertificateType, intent_id: str) -> None:
        """A type, or its next version, published, and an intent approved for it."""
        await self.publish_type(certificate_type)
        await self.propose(intent_id, type_code=certificate_type.code)
        for officer in OFFICERS[1:]:
            await self.decide(officer, f"intents/{intent_id}")

    def root(
        self, rows: Sequence[bytes], **changes: object
    ) -> tuple[BatchRoot, list[DeliveredRow]]:
        """The next root of the connector's chain over `rows`, and the rows with their salts."""
        delivered = [DeliveredRow(os.urandom(32), row) for row in rows]
        connector = str(changes.get("connector", "licences"))
        seq, prev = self.chain.get(connector, (0, None))
        values: dict[str, object] = {
            "purpose": Purpose.ROW,
            "iss": CONNECTOR,
            "aud": ORIGIN,
            "region": REGION,
            "authority": USCC,
            "connector": connector,
            "batch": f"batch-{seq + 1}",
            "seq": seq + 1,
            "prev": prev,
            "n": len(rows),
            "root": merkle_root([row_leaf(one.salt, one.data) for one in delivered]),
            "vct": self.catalogue.vct(LICENCE),
            "type_version": 1,
            "manifest": MANIFEST,
            "iat": now_us() // 1_000_000,
        }
        return BatchRoot(**(values | changes)), delivered  # type: ignore[arg-type]

    async def deliver(self, rows: Sequence[Row | bytes], **changes: object) -> Ingested:
        """Sign and ingest one batch; the chain moves on when it is accepted."""
        data = [row if isinstance(row, bytes) else emit_row(row) for row in rows]
        root, delivered = self.root(data, **changes)
        compact = sign_batch_root(root, self.connector)
        ingested = await self.ingest(self.caller, compact, delivered)
        self.chain[root.connector] = (root.seq, digest(compact.rpartition(".")[0]))
        return ingested

    async def count(self, table: str) -> int:
        """Rows of a table."""
        statement = question("count", select(func.count()).select_from(METADATA.tables[table]))
        row = await self.database.one(statement)
        assert row is not None
        return int(row[0] or 0)


def _nothing(_: object) -> bytes:
    return b""


@asynccontextmanager
async def open_office(
    url: str, folder: Path, profile: CryptoProfile = CryptoProfile.INTERNATIONAL
) -> AsyncIterator[Office]:
    """A new office on the database at `url`; its log really runs."""
    database = await open_database(url)
    await migrate(database)
    keyring = Keyring(new_key(profile), secrets.token_bytes(32))
    data_keys = DataKeys(database, keyring, now_us)
    head = FileHead(folder / "head" / "checkpoint")
    await create_log(head, KEY)
    recorder = Recorder(
        database=database,
        data_keys=data_keys,
        head=head,
        key=KEY,
        clock=now_us,
        settings=RecorderSettings(REGION, window_s=0.001, heartbeat_s=3600.0),
        observer=Observer(),
    )
    await recorder.start()
    office = await _office(database, recorder, data_keys, keyring, folder)
    try:
        yield office
    finally:
        await recorder.close()
        await database.close()


async def _office(
    database: Database, recorder: Recorder, data_keys: DataKeys, keyring: Keyring, folder: Path
) -> Office:
    identities = Identities()
    identities.enrolled = now_us() - 20 * 365 * 86_400 * 1_000_000
    connector = identities.enrol(CONNECTOR, BATCH_ROOT_TYP)
    officers = {name: identities.enrol(name, APPROVAL_TYP) for name in OFFICERS}
    status = es256_signer(status_key := ec.generate_private_key(ec.SECP256R1()))
    pki = Pki.open(Path(shutil.copytree(_pristine_pki(), folder / "pki")))
    anchors = x509.load_pem_x509_certificates((folder / "pki/trust/seal.pem").read_bytes())
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("a passphrase of the tests\n")
    keys = KeyFiles(folder / "seals", passphrase)
    algorithms = AlgorithmTable(SEALING_DAYS)
    catalogue = Catalogue(database, ORIGIN)
    await catalogue.refresh()
    status_lists = StatusLists(ORIGIN, REGION, database, status, now_us, recorder.head)
    await status_lists.load()
    rosters = OfficeRosters(found_roster(identities))
    ended = EndedIntents(database, recorder, recorder.proofs, now_us)
    signer = SealSigner(ORIGIN, REGION, now_us, lambda: rosters.newest, identities.key, ended.state)
    seal_keys = SealKeys(database, {keys.name: keys}, algorithms, now_us)
    record_seals = RecordSeals(database, signer, seal_keys, status_lists, _nothing_to_prove)
    counted: list[dict[Outcome, int]] = []
    ingest = IngestBatch(
        origin=ORIGIN,
        region=REGION,
        clock=now_us,
        database=database,
        recorder=recorder,
        access=identities,
        catalogue=catalogue,
        seals=record_seals,
        holder_keys=keyring,
        data_keys=data_keys,
        observe=lambda counts: counted.append(dict(counts)),
        identify=_identify,
    )
    return Office(
        database=database,
        recorder=recorder,
        identities=identities,
        catalogue=catalogue,
        publish=PublishCertificateType(now_us, recorder, identities, catalogue),
        ingest=ingest,
        reader=CertificateReader(database, data_keys, keyring, now_us, ORIGIN),
        search=SearchCertificates(database, identities, catalogue, keyring),
        seals=Seals(database, seal_keys),
        materials=Materials(database, recorder, now_us),
        intents=Intents(
            origin=ORIGIN,
            region=REGION,
            database=database,
            recorder=recorder,
            clock=now_us,
            rosters=rosters,
            standing_seals=StandingSeals(ORIGIN, database, catalogue),
            operations=seal_operations(
                database,
                seal_keys,
                identities,
                Anchors(anchors, _sm2(pki, SM2_SEAL_CA), _sm2(pki, SM2_MAKER_CA)),
                now_us,
                types=frozenset({1, 2, 3, 4, 99}),
            ),
            ended=ended,
        ),
        rosters=rosters,
        record_seals=record_seals,
        status_lists=status_lists,
        data_keys=data_keys,
        pki=pki,
        anchors=anchors,
        connector=connector,
        officers=officers,
        status_key=RegisteredKey(
            status.kid, Algorithm.ES256, STATUS_TYP, ORIGIN, status_key.public_key()
        ),
        counted=counted,
    )


@functools.cache
def _pristine_pki() -> Path:
    """A PKI that nothing was issued from; its CAs take half a second, so once in a process."""
    folder = Path(tempfile.mkdtemp(prefix="sealway-pki-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Pki.init(folder / "pki", name="Test", now=datetime.datetime.now(datetime.UTC))
    return folder / "pki"


def _sm2(pki: Pki, ca: str) -> list[X509]:
    return [
        parse_x509(one.public_bytes(serialization.Encoding.DER))
        for one in x509.load_pem_x509_certificates(pki.sm2_anchor_pem(ca))
    ]


def found_roster(identities: Identities) -> Roster:
    """Number 0, of everybody here who has an approval key."""
    officers = [
        RosterOfficer(key.owner, key.public_key, digest(key.owner), 0)
        for key in identities.keys.values()
        if key.use == APPROVAL_TYP and key.public_key is not None
    ]
    return founded(ORIGIN, REGION, 0, officers, Quorum())


async def _identify() -> Caller:
    return Caller(CONNECTOR, Role.CONNECTOR, AUTHORITY, USCC, 1, "", 1)


async def _nothing_to_prove() -> None:
    """Keys here come from no log."""
