"""A register of identities on a real database, with one officer and one authority."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.access.create_authority import create_authority
from hub.access.enrol_officer import enrol_officer
from hub.access.enrolment import ClientAuthorities, Enrolment
from hub.access.identity import Authority, DatedName, System
from hub.access.registrar import Outcome, Registrar
from hub.access.snapshot import Directory
from hub.access.store import AUTHORITIES, ENROLMENTS, OFFICERS, SYSTEMS, VERSION
from hub.access.systems import WantedSystem, create_system
from hub.access.tokens import Tokens
from hub.domain.caller import Caller, Role
from hub.domain.entry import Entry, Recorded, Remember, Remembered
from hub.ledger.recorder import Recorder
from hub.proof.encoding import digest
from hub.proof.jose import ACCESS_TYP, Algorithm, RegisteredKey, es256_signer
from hub.storage.changes import Call
from hub.storage.database import Database
from hub.storage.statements import Check, Write
from tests.access.members import NOW_US, Ca, Member, new_key
from tests.ledger.logs import create_tables, new_log

ORIGIN = "hub.hangzhou.example"
REGION = "330100"
USCC = "113301000025123419"


@dataclass
class Clock:
    """A clock that stands still until moved."""

    time_us: int = NOW_US

    def __call__(self) -> int:
        return self.time_us


@dataclass
class Listener:
    """The real recorder, and a list of what it recorded."""

    recorder: Recorder
    entries: list[Entry] = field(default_factory=list)

    async def record(
        self,
        entry: Entry,
        writes: Sequence[Write],
        checks: Sequence[Check],
        *,
        remember: Remember | None = None,
    ) -> Recorded:
        recorded = await self.recorder.record(entry, writes, checks, remember=remember)
        self.entries.append(entry)
        return recorded

    async def remembered(self, caller: str, request_id: str) -> Remembered | None:
        return await self.recorder.remembered(caller, request_id)

    async def receipt(self, index: int) -> str:
        return await self.recorder.receipt(index)


@dataclass
class Register:
    """Everything of access, the officer who works with it, and shorthands for calls."""

    database: Database
    recorder: Listener
    registrar: Registrar
    tokens: Tokens
    ca: Ca
    clock: Clock
    officer: Member
    token_key: object = field(repr=False, default=None)

    @property
    def directory(self) -> Directory:
        return self.registrar.directory

    def call(self, content: str = "", *, request_id: str = "", method: str = "/m") -> Call:
        entry = self.directory.officer("officers/first").enrolment_entry
        identity = request_id or str(uuid.uuid4())
        caller = Caller("officers/first", Role.OFFICER, "", "", entry, "", 0)
        return Call(caller, identity, method, digest(content or identity))

    async def enrol(
        self, system_id: str, member: Member | Enrolment, role: Role = Role.PLATFORM
    ) -> Outcome[System]:
        enrolment = member.enrolment() if isinstance(member, Member) else member
        wanted = WantedSystem("authorities/market", role, "")
        return await create_system(self.registrar, self.call(), system_id, wanted, enrolment)

    def token(self, member: Member) -> str:
        return self.tokens.create(member.thumbprint).access_token


def an_authority(uscc: str = USCC) -> Authority:
    names = (DatedName("杭州市市场监督管理局", "Market Supervision", "2019-01-01", ""),)
    return Authority("", uscc, names, REGION, 3, ())


@pytest.fixture
async def register(tmp_path: Path) -> AsyncIterator[Register]:
    log = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    await create_tables(log.database, (AUTHORITIES, SYSTEMS, OFFICERS, ENROLMENTS, VERSION))
    database, recorder = log.database, Listener(await log.started())
    ca, clock, key = Ca(), Clock(), new_key()
    directory = Directory(database)
    await directory.refresh()
    registrar = Registrar(
        directory, database, recorder, clock, ClientAuthorities((ca.certificate,))
    )
    signer = es256_signer(key)
    registered = RegisteredKey(signer.kid, Algorithm.ES256, ACCESS_TYP, ORIGIN, key.public_key())
    tokens = Tokens(directory, signer, registered, ORIGIN, REGION, clock)
    officer = Member(ca)
    made = Register(database, recorder, registrar, tokens, ca, clock, officer, key)
    await enrol_officer(registrar, str(uuid.uuid4()), "first", officer.enrolment())
    await create_authority(registrar, made.call(), "market", an_authority())
    yield made
    await recorder.recorder.close()
    await database.close()
