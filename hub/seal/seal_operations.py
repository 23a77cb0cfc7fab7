"""What is done to seals, each as an intent that officers approved (kinds `seal.…`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.clock import Clock
from hub.domain import names
from hub.domain.document import Reader
from hub.domain.seal_key import KeyUse
from hub.domain.seal_states import KeyState, SealState, SealVerb, seal_step
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import digest, emit_json
from hub.proof.officers.intent import DIGEST
from hub.proof.officers.roster import Approved
from hub.proof.officers.seal_kinds import (
    CAUSE_MAX,
    KEYS_MAX,
    SEAL_TYPE_MAX,
    TITLE_MAX,
)
from hub.proof.sealing.records import Mandate
from hub.proof.ses import seal as ses
from hub.seal.certified import Anchors
from hub.seal.electronic_seals import imported, lawful
from hub.seal.key_entry_store import made_here
from hub.seal.key_operations import (
    NAME_MAX,
    KeyMaker,
    find_seal,
    key_facts,
    read_wanted_key,
    requested,
    retired,
    subject_of,
)
from hub.seal.materials import ESL, find_material
from hub.seal.ports import Authorities, Database
from hub.seal.seal_keys import SealKeys
from hub.seal.seal_store import (
    ELECTRONIC_SEAL,
    ELECTRONIC_SEAL_NUMBER,
    INSERT_ELECTRONIC_SEAL,
    INSERT_KEY,
    INSERT_SEAL,
    PUT_KEY,
    PUT_SEAL,
    SEAL_BY_NAME,
    SEALS_OF_AUTHORITY_PAGE,
    Seal,
    SealOrigin,
    electronic_seal_of,
    electronic_seal_row,
    key_row,
    seal_of,
    seal_row,
    unchanged_key,
    unchanged_seal,
)
from hub.storage.changes import Call, Change
from hub.storage.statements import ENTRY_INDEX, Check, Write

SEALS_MAX: Final = 1_000
"""Seals of one authority at most, as many as a change of it ends."""


@dataclass(frozen=True, slots=True)
class ApplySeal:
    """`seal.apply`: a new seal with the keys that its certificates are asked for."""

    database: Database
    maker: KeyMaker
    authorities: Authorities
    clock: Clock
    types: frozenset[int]

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `seal` (its name to be), `title`, `seal_type` and `keys` (`use`, `algorithm`,
        `home`, `signatures_max`).

        Raises HubError: FIELD_INVALID, NAME_MALFORMED, AUTHORITY_NOT_FOUND, ALREADY_EXISTS,
        ALGORITHM_RETIRED, ALGORITHM_NOT_HERE.
        """
        reader = Reader(members, "", [])
        name, title = reader.text("seal", NAME_MAX), reader.text("title", TITLE_MAX)
        seal_type = reader.integer("seal_type", 0, SEAL_TYPE_MAX)
        wanted = []
        for member in reader.objects("keys", KEYS_MAX):
            wanted.append(read_wanted_key(member))
            member.end()
        if not wanted:
            reader.fault("keys", "member.missing")
        reader.end()
        reader.check()
        if len({(one.use, one.algorithm) for one in wanted}) < len(wanted):
            reader.fault("keys", "member.repeated")
        if any(one.use is KeyUse.MAKER for one in wanted):
            reader.fault("keys", "member.kind", kind="record, ofd, pdf")
        reader.check()
        if not title.isprintable():
            # What turns the direction of writing would show officers another title.
            raise HubError(Reason.FIELD_INVALID, field="title", rule="printable characters only")
        if seal_type not in self.types:
            rule = f"one of: {', '.join(map(str, sorted(self.types)))}"
            raise HubError(Reason.FIELD_INVALID, field="seal_type", rule=rule)
        for one in wanted:
            self.maker.keys.check_makeable(one.home, one.algorithm, one.use)
        facts = self.authorities.facts(_authority_of(name))
        if facts is None:
            raise HubError(Reason.AUTHORITY_NOT_FOUND, name=_authority_of(name))
        if await self.database.one(SEAL_BY_NAME, name) is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=name)
        return {
            "seal": name,
            "authority": facts.uscc,
            "title": title,
            "seal_type": seal_type,
            "keys": [one.members() for one in wanted],
        }

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Make the keys and record them with the seal; the answer holds their requests."""
        intent = approved.intent
        name, title = intent.text("seal"), intent.text("title")
        authority = _authority_of(name)
        subject = subject_of(self.authorities, authority, title)
        if subject.organization_identifier != intent.text("authority"):
            raise HubError(Reason.AUTHORITY_NOT_FOUND, name=authority)
        if await self.database.one(SEAL_BY_NAME, name) is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=name)
        reader = Reader(intent.members, "", [])
        wanted = [read_wanted_key(one) for one in reader.objects("keys", KEYS_MAX)]
        made = [
            await self.maker.make(approved, number, one, name, subject)
            for number, one in enumerate(wanted)
        ]
        keys = [one.key for one in made]
        seal = Seal(
            name=name,
            authority=authority,
            authority_uscc=subject.organization_identifier,
            title=title,
            seal_type=reader.integer("seal_type", 0, SEAL_TYPE_MAX),
            state=SealState.APPLIED,
            state_entry=ENTRY_INDEX,
            version=0,
            create_time_us=self.clock(),
        )
        return Change(
            kind="seal.applied",
            data={
                "seal": name,
                "authority": seal.authority_uscc,
                "title": title,
                "seal_type": seal.seal_type,
                "keys": [key_facts(one) for one in made],
            },
            writes=[
                Write(INSERT_SEAL, [seal_row(seal)]),
                Write(INSERT_KEY, [key_row(key) for key in keys]),
                made_here(keys),
            ],
            checks=[Check(SEAL_BY_NAME, (name,), None)],
            answer=emit_json({"seal": name, "keys": [requested(key) for key in keys]}),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""


@dataclass(frozen=True, slots=True)
class ImportSeal:
    """`seal.import`: a lawful electronic seal from outside, kept byte for byte. One that is there
    already gets its successor; a seal made here is never replaced by one from outside."""

    database: Database
    authorities: Authorities
    anchors: Anchors
    clock: Clock

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `seal` (its name to be) and `digest` (of the electronic seal that was put on file).

        Raises HubError: FIELD_INVALID, AUTHORITY_NOT_FOUND, MATERIAL_NOT_FOUND, ALREADY_EXISTS for
        a number that is taken, TRANSITION_NOT_ALLOWED, ELECTRONIC_SEAL_INVALID.
        """
        reader = Reader(members, "", [])
        name = reader.text("seal", NAME_MAX)
        DIGEST.read(reader, "digest", optional=False)
        reader.end()
        reader.check()
        facts = self.authorities.facts(_authority_of(name))
        if facts is None:
            raise HubError(Reason.AUTHORITY_NOT_FOUND, name=_authority_of(name))
        read, _before = await self._read(name, str(members["digest"]))
        return {
            "seal": name,
            "authority": facts.uscc,
            "title": read.name,
            "seal_type": read.type,
            "number": read.number,
            "digest": members["digest"],
            "valid_from": int(read.valid_from_time.timestamp()),
            "valid_until": int(read.valid_to_time.timestamp()),
        }

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Record the seal as it came."""
        intent = approved.intent
        name = intent.text("seal")
        read, before = await self._read(name, intent.text("digest"))
        now = self.clock()
        seal = Seal(
            name=name,
            authority=_authority_of(name),
            authority_uscc=intent.text("authority"),
            title=read.name,
            seal_type=read.type,
            state=SealState.ACTIVE,
            state_entry=ENTRY_INDEX,
            version=1 if before is None else before.version + 1,
            create_time_us=now if before is None else before.create_time_us,
        )
        electronic = imported(name, seal.version, read, now)
        return Change(
            kind="seal.imported",
            data={
                "seal": name,
                "authority": seal.authority_uscc,
                "title": seal.title,
                "number": read.number,
                "version": seal.version,
                "format_version": read.version,
                "der_digest": digest(read.der),
            },
            writes=[
                Write(PUT_SEAL, [seal_row(seal)]),
                Write(INSERT_ELECTRONIC_SEAL, [electronic_seal_row(electronic)]),
            ],
            checks=[
                Check(SEAL_BY_NAME, (name,), None) if before is None else unchanged_seal(before),
                Check(ELECTRONIC_SEAL_NUMBER, (read.number,), None),
            ],
            answer=emit_json({"seal": name, "state": "active", "version": seal.version}),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""

    async def _read(self, name: str, material: str) -> tuple[ses.Seal, Seal | None]:
        """The electronic seal, lawful now, and the seal that it renews."""
        found = await find_material(self.database, material)
        if found.format != ESL:
            raise HubError(Reason.FIELD_INVALID, field="digest", rule="an electronic seal (.esl)")
        read = lawful(found.data, self.clock() // 1_000_000, self.anchors.makers)
        if await self.database.one(ELECTRONIC_SEAL_NUMBER, read.number) is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=read.number)
        row = await self.database.one(SEAL_BY_NAME, name)
        if row is None:
            return read, None
        before = seal_of(row)
        check_seal_step(before, SealVerb.IMPORT)
        newest = await self.database.one(ELECTRONIC_SEAL, name, before.version)
        if newest is None or electronic_seal_of(newest).origin is not SealOrigin.IMPORTED:
            raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state="made here")
        return read, before


@dataclass(frozen=True, slots=True)
class ChangeSeal:
    """`seal.suspend`, `seal.resume`, `seal.revoke` and `seal.end`. With the last two the keys of
    the seal sign nothing more either."""

    database: Database
    keys: SealKeys
    clock: Clock
    verb: SealVerb
    # Of the entry that says so.
    kind: str

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `seal` and `cause`. Raises HubError: FIELD_INVALID, SEAL_NOT_FOUND,
        TRANSITION_NOT_ALLOWED."""
        reader = Reader(members, "", [])
        name, cause = reader.text("seal", NAME_MAX), reader.text("cause", CAUSE_MAX)
        reader.end()
        reader.check()
        check_seal_step(await find_seal(self.database, name), self.verb)
        return {"seal": name, "cause": cause}

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Record the seal's new state."""
        seal = await find_seal(self.database, approved.intent.text("seal"))
        state = check_seal_step(seal, self.verb)
        if self.verb is SealVerb.RESUME:
            # Whoever signs elsewhere would refuse what is asked a moment later. Everything else it
            # is told from the log (`tell_signers.py`).
            keys = await self.keys.of_seal(seal.name)
            homes = {key.home for key in keys if key.state is KeyState.ACTIVE}
            await self.keys.notice(homes, Mandate.of(approved))
        writes, checks = await changed_seal(self.keys, seal, state, self.clock())
        return Change(
            kind=self.kind,
            data={"seal": seal.name, "cause": approved.intent.text("cause")},
            writes=writes,
            checks=checks,
            answer=emit_json({"seal": seal.name, "state": state.value}),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""


async def changed_seal(
    keys: SealKeys, seal: Seal, state: SealState, now_us: int
) -> tuple[list[Write], list[Check]]:
    """The seal in another state; one that has ended takes its active keys with it."""
    changed = dataclasses.replace(seal, state=state, state_entry=ENTRY_INDEX)
    writes, checks = [Write(PUT_SEAL, [seal_row(changed)])], [unchanged_seal(seal)]
    if state in (SealState.REVOKED, SealState.ENDED):
        active = [key for key in await keys.of_seal(seal.name) if key.state is KeyState.ACTIVE]
        if active:
            writes.append(Write(PUT_KEY, [key_row(retired(key, now_us)) for key in active]))
            checks += [unchanged_key(key) for key in active]
    return writes, checks


async def end_seals(
    database: Database, keys: SealKeys, authority: str, now_us: int
) -> tuple[list[Write], list[Check]]:
    """What ends the seals of an authority that is renamed or succeeded, in the entry that says so:
    a seal names the authority as it was. Its successor applies for its own."""
    writes: list[Write] = []
    checks: list[Check] = []
    for row in await database.all(SEALS_OF_AUTHORITY_PAGE, authority, "", SEALS_MAX):
        seal = seal_of(row)
        state = seal_step(SealVerb.END, seal.state)
        if state is not None:
            more, unchanged = await changed_seal(keys, seal, state, now_us)
            writes += more
            checks += unchanged
    return writes, checks


def check_seal_step(seal: Seal, verb: SealVerb) -> SealState:
    """Where `verb` leads the seal. Raises HubError(TRANSITION_NOT_ALLOWED)."""
    state = seal_step(verb, seal.state)
    if state is None:
        raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=seal.name, state=seal.state.value)
    return state


def _authority_of(seal_name: str) -> str:
    authority, _ = names.parse(seal_name, "authorities/{authority}/seals/{seal}")
    return f"authorities/{authority}"
