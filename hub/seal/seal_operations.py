"""What is done to seals, each as an intent that officers approved (kinds `seal.…`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain import names
from hub.domain.document import Reader
from hub.domain.seal_key import KeyUse
from hub.domain.seal_states import KeyState, KeyVerb, SealState, SealVerb, seal_step
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof import ses
from hub.proof.encoding import b64, digest, emit_json
from hub.proof.intent import DIGEST, SECONDS_MAX
from hub.proof.roster import Approved
from hub.proof.seal_kinds import (
    CAUSE_MAX,
    CHAIN_MAX,
    KEYS_MAX,
    NUMBER_MAX,
    SEAL_TYPE_MAX,
    SIDE_MM_MAX,
    TITLE_MAX,
    X509_TEXT_MAX,
)
from hub.seal.certified import Anchors, Certified, certified
from hub.seal.electronic_seals import MAKING_MEMBERS, Order, imported, make, moment_of, verified
from hub.seal.key_operations import (
    NAME_MAX,
    KeyMaker,
    activated,
    check_key_step,
    decoded_chain,
    find_seal,
    key_facts,
    read_wanted_key,
    requested,
    retired,
    subject_of,
)
from hub.seal.materials import ESL
from hub.seal.ports import Authorities, Database
from hub.seal.seal_keys import SealKeys, UsableKey
from hub.seal.seal_store import (
    ELECTRONIC_SEAL,
    ELECTRONIC_SEAL_NUMBER,
    INSERT_ELECTRONIC_SEAL,
    INSERT_KEY,
    INSERT_SEAL,
    MATERIAL_BY_DIGEST,
    PUT_KEY,
    PUT_SEAL,
    SEAL_BY_NAME,
    ElectronicSeal,
    Key,
    Material,
    Seal,
    SealOrigin,
    electronic_seal_of,
    electronic_seal_row,
    key_row,
    material_of,
    seal_of,
    seal_row,
    unchanged_in_force,
    unchanged_key,
    unchanged_seal,
)
from hub.storage.changes import Call, Change
from hub.storage.statements import ENTRY_INDEX, Check, Write

_MADE_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class ApplySeal:
    """`seal.apply`: a new seal with the keys that its certificates are asked for."""

    database: Database
    maker: KeyMaker
    authorities: Authorities
    clock: Clock

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
        if len({(one.use, one.algorithm) for one in wanted}) < len(wanted):
            reader.fault("keys", "member.repeated")
        if not wanted:
            reader.fault("keys", "member.missing")
        if any(one.use is KeyUse.MAKER for one in wanted):
            reader.fault("keys", "member.kind", kind="record, ofd, pdf")
        reader.end()
        reader.check()
        if not title.isprintable():
            # What turns the direction of writing would show officers another title.
            raise HubError(Reason.FIELD_INVALID, field="title", rule="printable characters only")
        for one in wanted:
            self.maker.keys.check_makeable(one.home, one.algorithm)
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
        keys = [
            await self.maker.make(approved.digest, number, one, name, subject)
            for number, one in enumerate(wanted)
        ]
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
                "keys": [key_facts(key) for key in keys],
            },
            writes=[
                Write(INSERT_SEAL, [seal_row(seal)]),
                Write(INSERT_KEY, [key_row(key) for key in keys]),
            ],
            checks=[Check(SEAL_BY_NAME, (name,), None)],
            answer=emit_json({"seal": name, "keys": [requested(key) for key in keys]}),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""


@dataclass(frozen=True, slots=True)
class _Installed:
    """A key with the chain that puts it in force, and the key that it takes over from."""

    key: Key
    chain: Certified
    replaced: Key | None


@dataclass(frozen=True, slots=True)
class MakeSeal:
    """`seal.make` and `seal.renew`: certificates put a seal's keys in force, and where it seals OFD
    its electronic form is made anew, because that lists the certificates of its signers."""

    database: Database
    keys: SealKeys
    clock: Clock
    anchors: Anchors
    verb: SealVerb
    _made: dict[str, ElectronicSeal] = field(default_factory=dict, repr=False)

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `seal`, `certificates` (`key`, `x509_chain`) and, for the electronic form, `number`,
        `picture` (digest), `width_mm`, `height_mm`, `valid_from`, `valid_until`, `maker_key`.

        Raises HubError: FIELD_INVALID, SEAL_NOT_FOUND, SEAL_KEY_NOT_FOUND, TRANSITION_NOT_ALLOWED,
        X509_UNTRUSTED, MATERIAL_NOT_FOUND, ALREADY_EXISTS for a number that is taken, and what the
        seal-maker's key refuses.
        """
        reader = Reader(members, "", [])
        seal = await find_seal(self.database, reader.text("seal", NAME_MAX))
        self._check_step(seal)
        certificates = read_certificates(reader)
        prepared: dict[str, Json] = {
            "seal": seal.name,
            "authority": seal.authority_uscc,
            "title": seal.title,
            "certificates": [
                {"key": key, "x509_chain": [*chain]} for key, chain in certificates.items()
            ],
        }
        if any(reader.has(name) for name in MAKING_MEMBERS):
            prepared |= _read_making(reader, seal)
        reader.end()
        reader.check()
        installed = await self._installed(seal, certificates)
        signers = await self._signers(seal, installed)
        order = Order.of(prepared)
        _check_form(order, signers)
        if order is not None:
            await self._check_number(order)
            picture = await find_material(self.database, order.picture)
            order.info(picture, signers, moment_of(self.clock() // 1_000_000))
            await self.keys.maker(order.maker_key)
        return prepared

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Put keys and electronic seal in force, in one entry."""
        members = approved.intent.members
        seal = await find_seal(self.database, approved.intent.text("seal"))
        state = self._check_step(seal)
        installed = await self._installed(seal, read_certificates(Reader(members, "", [])))
        order, now = Order.of(members), self.clock()
        signers = await self._signers(seal, installed)
        _check_form(order, signers)
        keys = [key_row(activated(one.key, one.chain, now)) for one in installed]
        keys += [key_row(retired(one.replaced, now)) for one in installed if one.replaced]
        writes, checks = [Write(PUT_KEY, keys)], [unchanged_seal(seal), *_key_checks(installed)]
        data: dict[str, Json] = {"seal": seal.name, "certificates": _said_of(installed)}
        version = seal.version
        if order is not None:
            version += 1
            await self._check_number(order)
            maker = await self.keys.maker(order.maker_key)
            electronic = await self._make(approved.digest, order, version, signers, maker)
            writes += [
                Write(INSERT_ELECTRONIC_SEAL, [electronic_seal_row(electronic)]),
                *maker.writes(1),
            ]
            checks += [*maker.checks(), Check(ELECTRONIC_SEAL_NUMBER, (order.number,), None)]
            data |= {
                "number": order.number,
                "version": version,
                "der_digest": digest(electronic.der),
            }
        changed = dataclasses.replace(seal, state=state, state_entry=ENTRY_INDEX, version=version)
        return Change(
            kind="seal.made" if self.verb is SealVerb.MAKE else "seal.renewed",
            data=data,
            writes=[Write(PUT_SEAL, [seal_row(changed)]), *writes],
            checks=checks,
            answer=emit_json({"seal": seal.name, "state": state.value, "version": version}),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""

    def _check_step(self, seal: Seal) -> SealState:
        return check_seal_step(seal, self.verb)

    async def _installed(
        self, seal: Seal, certificates: Mapping[str, tuple[str, ...]]
    ) -> list[_Installed]:
        """What the certificates put in force. Each use and algorithm occurs once."""
        found = []
        for name, chain in certificates.items():
            key = await self.keys.get(name)
            if key.seal != seal.name:
                raise HubError(Reason.SEAL_KEY_NOT_FOUND, name=name)
            check_key_step(key, KeyVerb.ACTIVATE)
            in_force = await self.keys.in_force(seal.name, key.use, key.algorithm)
            replaced = next((one for one in in_force if one.name != key.name), None)
            accepted = certified(key, decoded_chain(chain), self.anchors, self.clock())
            found.append(_Installed(key, accepted, replaced))
        if len({(one.key.use, one.key.algorithm) for one in found}) < len(found):
            rule = "one key for each use and algorithm"
            raise HubError(Reason.FIELD_INVALID, field="certificates", rule=rule)
        return found

    async def _signers(self, seal: Seal, installed: Sequence[_Installed]) -> list[bytes]:
        """Who may sign OFD under the seal from then on: the leaf certificates of its keys."""
        touched = {one.key.algorithm for one in installed if one.key.use is KeyUse.OFD}
        leaves = [one.chain.x509_chain[0] for one in installed if one.key.use is KeyUse.OFD]
        stay = [
            key.x509_chain[0]
            for key in await self.keys.of_seal(seal.name)
            if key.use is KeyUse.OFD
            and key.state is KeyState.ACTIVE
            and key.algorithm not in touched
        ]
        return leaves + stay

    async def _make(
        self, order_id: str, order: Order, version: int, signers: Sequence[bytes], maker: UsableKey
    ) -> ElectronicSeal:
        """Made once for an intent: where the decision must be made again, the same is recorded."""
        made = self._made.get(order_id)
        if made is None or made.version != version:
            picture = await find_material(self.database, order.picture)
            made = await make(
                order,
                version=version,
                picture=picture,
                signers=signers,
                maker=maker,
                now_us=self.clock(),
            )
            if len(self._made) >= _MADE_MAX:
                self._made.clear()
            self._made[order_id] = made
        return made

    async def _check_number(self, order: Order) -> None:
        if await self.database.one(ELECTRONIC_SEAL_NUMBER, order.number) is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=order.number)


@dataclass(frozen=True, slots=True)
class ImportSeal:
    """`seal.import`: a lawful electronic seal from outside, kept byte for byte. One that is there
    already gets its successor; a seal made here is never replaced by one from outside."""

    database: Database
    authorities: Authorities
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
        """The electronic seal, valid now, and the seal that it renews."""
        found = await find_material(self.database, material)
        if found.format != ESL:
            raise HubError(Reason.FIELD_INVALID, field="digest", rule="an electronic seal (.esl)")
        read = verified(found.data, self.clock() // 1_000_000)
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
        changed = dataclasses.replace(seal, state=state, state_entry=ENTRY_INDEX)
        writes, checks = [Write(PUT_SEAL, [seal_row(changed)])], [unchanged_seal(seal)]
        if state in (SealState.REVOKED, SealState.ENDED):
            active = [
                key for key in await self.keys.of_seal(seal.name) if key.state is KeyState.ACTIVE
            ]
            if active:
                rows = [key_row(retired(key, self.clock())) for key in active]
                writes.append(Write(PUT_KEY, rows))
                checks += [unchanged_key(key) for key in active]
        return Change(
            kind=self.kind,
            data={"seal": seal.name, "cause": approved.intent.text("cause")},
            writes=writes,
            checks=checks,
            answer=emit_json({"seal": seal.name, "state": state.value}),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""


def check_seal_step(seal: Seal, verb: SealVerb) -> SealState:
    """Where `verb` leads the seal. Raises HubError(TRANSITION_NOT_ALLOWED)."""
    state = seal_step(verb, seal.state)
    if state is None:
        raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=seal.name, state=seal.state.value)
    return state


async def find_material(database: Database, material: str) -> Material:
    """What was put on file under this digest. Raises HubError(MATERIAL_NOT_FOUND)."""
    row = await database.one(MATERIAL_BY_DIGEST, material)
    if row is None:
        raise HubError(Reason.MATERIAL_NOT_FOUND, name=material)
    return material_of(row)


def read_certificates(reader: Reader) -> dict[str, tuple[str, ...]]:
    """The chains (base64url) of `certificates` by the names of their keys."""
    found: dict[str, tuple[str, ...]] = {}
    for one in reader.objects("certificates", KEYS_MAX):
        name = one.text("key", NAME_MAX)
        if name in found:
            one.fault("key", "member.repeated")
        found[name] = one.texts("x509_chain", CHAIN_MAX, X509_TEXT_MAX)
        one.end()
    if not found:
        reader.fault("certificates", "member.missing")
    return found


def _read_making(reader: Reader, seal: Seal) -> dict[str, Json]:
    """The members about the electronic form; its type is the seal's."""
    members: dict[str, Json] = {
        "number": reader.text("number", NUMBER_MAX),
        "seal_type": seal.seal_type,
    }
    DIGEST.read(reader, "picture", optional=False)
    members["picture"] = reader.text("picture", 64)
    members["width_mm"] = reader.integer("width_mm", 1, SIDE_MM_MAX)
    members["height_mm"] = reader.integer("height_mm", 1, SIDE_MM_MAX)
    starts = reader.integer("valid_from", 0, SECONDS_MAX)
    ends = reader.integer("valid_until", 0, SECONDS_MAX)
    if starts >= ends:
        reader.fault("valid_until", "value.range", least=starts + 1, most=SECONDS_MAX)
    return members | {
        "valid_from": starts,
        "valid_until": ends,
        "maker_key": reader.text("maker_key", NAME_MAX),
    }


def _check_form(order: Order | None, signers: Sequence[bytes]) -> None:
    if (order is None) == bool(signers):
        rule = (
            "its electronic form must be made: number, picture, size, validity, maker_key"
            if signers
            else "leave it out: without a key of use ofd nobody could sign with an electronic seal"
        )
        raise HubError(Reason.FIELD_INVALID, field="number", rule=rule)


def _key_checks(installed: Sequence[_Installed]) -> list[Check]:
    checks = []
    for one in installed:
        before = one.replaced or (one.key if one.key.state is KeyState.ACTIVE else None)
        checks.append(unchanged_key(one.key))
        checks.append(unchanged_in_force(one.key, None if before is None else before.name))
        if one.replaced is not None:
            checks.append(unchanged_key(one.replaced))
    return checks


def _said_of(installed: Sequence[_Installed]) -> list[Json]:
    said: list[Json] = []
    for one in installed:
        members: dict[str, Json] = {
            "key": one.key.name,
            "key_id": one.key.kid,
            "x509_chain": [b64(der) for der in one.chain.x509_chain],
            "x509_thumbprint": digest(one.chain.x509_chain[0]),
        }
        said.append(members | ({"replaced": one.replaced.name} if one.replaced else {}))
    return said


def _authority_of(seal_name: str) -> str:
    authority, _ = names.parse(seal_name, "authorities/{authority}/seals/{seal}")
    return f"authorities/{authority}"
