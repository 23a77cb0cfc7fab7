"""Make a seal and renew it: certificates put its keys in force, and with them its new form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain.document import Reader
from hub.domain.seal_key import KeyUse
from hub.domain.seal_states import KeyState, KeyVerb, SealState, SealVerb
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import b64, b64u, digest, emit_json
from hub.proof.officers.intent import DIGEST, SECONDS_MAX
from hub.proof.officers.roster import Approved
from hub.proof.officers.seal_kinds import (
    CHAIN_MAX,
    KEYS_MAX,
    NUMBER_MAX,
    SIDE_MM_MAX,
    X509_TEXT_MAX,
)
from hub.proof.sealing.records import Mandate
from hub.proof.sealing.seals import MAKING_MEMBERS, Order, moment_of
from hub.seal.certified import Anchors, Certified, certified
from hub.seal.electronic_seals import make
from hub.seal.key_entry_store import in_force_here
from hub.seal.key_operations import (
    NAME_MAX,
    activated,
    check_key_step,
    decoded_chain,
    find_seal,
    retired,
)
from hub.seal.materials import find_material
from hub.seal.ports import Database
from hub.seal.seal_keys import SealKeys, UsableKey
from hub.seal.seal_operations import check_seal_step
from hub.seal.seal_store import (
    ELECTRONIC_SEAL_NUMBER,
    INSERT_ELECTRONIC_SEAL,
    PUT_KEY,
    PUT_SEAL,
    ElectronicSeal,
    Key,
    Seal,
    electronic_seal_row,
    key_row,
    seal_row,
    unchanged_in_force,
    unchanged_key,
    unchanged_seal,
)
from hub.storage.changes import Call, Change
from hub.storage.statements import ENTRY_INDEX, Check, Write

_MADE_MAX: Final = 64


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
        }
        if any(reader.has(name) for name in MAKING_MEMBERS):
            prepared |= _read_making(reader, seal)
        reader.end()
        reader.check()
        installed = await self._installed(seal, certificates)
        installed += await self._staying(seal, installed)
        prepared["certificates"] = [
            {"key": one.key.name, "x509_chain": [b64u(der) for der in one.chain.x509_chain]}
            for one in installed
        ]
        signers = _signers(installed)
        order = Order.of(prepared)
        _check_form(order, signers)
        if order is not None:
            await self._check_number(order)
            picture = await find_material(self.database, order.picture)
            now = moment_of(self.clock() // 1_000_000)
            order.info(picture.format, picture.data, signers, now)
            await self.keys.maker(order.maker_key)
        return prepared

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Put keys and electronic seal in force, in one entry."""
        members = approved.intent.members
        seal = await find_seal(self.database, approved.intent.text("seal"))
        state = self._check_step(seal)
        installed = await self._installed(seal, read_certificates(Reader(members, "", [])))
        order, now = Order.of(members), self.clock()
        signers = _signers(installed)
        _check_form(order, signers)
        keys = [key_row(activated(one.key, one.chain, now)) for one in installed]
        keys += [key_row(retired(one.replaced, now)) for one in installed if one.replaced]
        writes = [Write(PUT_KEY, keys), in_force_here(one.key for one in installed)]
        checks = [unchanged_seal(seal), *_key_checks(installed)]
        data: dict[str, Json] = {"seal": seal.name, "certificates": _said_of(installed)}
        version = seal.version
        if order is not None:
            version += 1
            await self._check_number(order)
            maker = await self.keys.maker(order.maker_key)
            electronic = await self._make(approved, order, version, signers, maker)
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

    async def _staying(self, seal: Seal, installed: Sequence[_Installed]) -> list[_Installed]:
        """The keys in force of use ofd that nothing takes over from: the electronic form that is
        made anew names their certificates too, so officers approve these again."""
        touched = {one.key.algorithm for one in installed if one.key.use is KeyUse.OFD}
        return [
            _Installed(key, certified(key, key.x509_chain, self.anchors, self.clock()), None)
            for key in await self.keys.of_seal(seal.name)
            if key.use is KeyUse.OFD
            and key.state is KeyState.ACTIVE
            and key.algorithm not in touched
        ]

    async def _make(
        self,
        approved: Approved,
        order: Order,
        version: int,
        signers: Sequence[bytes],
        maker: UsableKey,
    ) -> ElectronicSeal:
        """Made once for an intent, which a signer process allows once: where the decision must be
        made again, the same is recorded."""
        made = self._made.get(approved.digest)
        if made is None:
            picture = await find_material(self.database, order.picture)
            made = await make(
                order,
                mandate=Mandate.of(approved),
                version=version,
                picture=picture,
                signers=signers,
                maker=maker,
                now_us=self.clock(),
            )
            if len(self._made) >= _MADE_MAX:
                self._made.clear()
            self._made[approved.digest] = made
        # The bytes say no version: that is the register's.
        return dataclasses.replace(made, version=version)

    async def _check_number(self, order: Order) -> None:
        if await self.database.one(ELECTRONIC_SEAL_NUMBER, order.number) is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=order.number)


def _signers(installed: Sequence[_Installed]) -> list[bytes]:
    """Who may sign OFD under the seal from then on: the leaf certificates of these keys."""
    return [one.chain.x509_chain[0] for one in installed if one.key.use is KeyUse.OFD]


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
