"""What is done to keys of seals, each as an intent that officers approved (kinds `key.…`).

A key of use `ofd` enters force with the electronic seal that names its certificate, so `seal.make`
and `seal.renew` activate it, not the operations here.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain import names
from hub.domain.document import Reader
from hub.domain.seal_key import ALGORITHMS, KeyAlgorithm, KeyUse, key_name
from hub.domain.seal_states import KeyState, KeyVerb, SealState, key_step
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import b64, b64u, b64u_decode, digest, emit_json
from hub.proof.key_checks import key_digest
from hub.proof.officers.roster import Approved
from hub.proof.officers.seal_kinds import (
    CAUSE_MAX,
    CHAIN_MAX,
    KEY_USES_MAX,
    TITLE_MAX,
    X509_TEXT_MAX,
)
from hub.proof.reasons import ProofError
from hub.proof.sealing.records import Mandate
from hub.seal.algorithms import Subject
from hub.seal.certified import Anchors, Certified, certified
from hub.seal.key_entry_store import in_force_here, made_here
from hub.seal.keys import KeyOrder, MadeKey
from hub.seal.ports import Authorities, Database
from hub.seal.seal_keys import SealKeys
from hub.seal.seal_store import (
    INSERT_KEY,
    PUT_KEY,
    SEAL_BY_NAME,
    Key,
    Seal,
    key_row,
    seal_of,
    unchanged_in_force,
    unchanged_key,
    unchanged_seal,
)
from hub.storage.changes import Call, Change
from hub.storage.statements import ENTRY_INDEX, Check, Write

NAME_MAX: Final = 400
FILES: Final = "files"
_MADE_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class WantedKey:
    """A key to be made: for what, how, where, and how often it may sign (0: no limit)."""

    use: KeyUse
    algorithm: KeyAlgorithm
    home: str
    uses_max: int

    def members(self) -> dict[str, Json]:
        """As an intent says it."""
        said: dict[str, Json] = {
            "use": self.use.value,
            "algorithm": self.algorithm.value,
            "home": self.home,
        }
        return said | {"signatures_max": self.uses_max} if self.uses_max else said


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made, as it shall be recorded, and what trust files call it."""

    key: Key
    key_digest: str


@dataclass(frozen=True, slots=True)
class KeyMaker:
    """Makes the keys that intents order, each order once in the life of this process.

    An operation is decided again where something changed meanwhile, and a home keeps whatever it
    made: so what was made for an intent is kept until it is recorded.
    """

    keys: SealKeys
    clock: Clock
    _made: dict[tuple[str, int], MadeKey] = field(default_factory=dict, repr=False)

    async def make(
        self, approved: Approved, number: int, wanted: WantedKey, seal: str, subject: Subject
    ) -> NewKey:
        """Key `number` of an approved intent.

        Raises HubError: ALGORITHM_RETIRED, and what the home raises.
        """
        home = self.keys.home(wanted.home)
        made = self._made.get((approved.digest, number))
        if made is None:
            order = KeyOrder(Mandate.of(approved), number)
            made = await self.keys.make(home, wanted.algorithm, wanted.use, subject, order)
            if len(self._made) >= _MADE_MAX:
                self._made.clear()
            self._made[approved.digest, number] = made
        key = Key(
            name=key_name(made.public.kid),
            seal=seal,
            authority_uscc=subject.organization_identifier,
            use=wanted.use,
            algorithm=wanted.algorithm,
            home=home.name,
            custody=home.custody,
            kid=made.public.kid,
            state=KeyState.REQUESTED,
            state_entry=ENTRY_INDEX,
            uses_max=wanted.uses_max,
            x509_request=made.x509_request,
            x509_chain=(),
            not_before_us=None,
            not_after_us=None,
            create_time_us=self.clock(),
        )
        return NewKey(key, key_digest(made.public.spki))


@dataclass(frozen=True, slots=True)
class GenerateKey:
    """`key.generate`: another key of a seal, or one of the hub's own that makes seals."""

    database: Database
    maker: KeyMaker
    authorities: Authorities

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `use`, `algorithm`, `home` and `signatures_max`, and either `seal`, or for the
        hub's own key `authority` and `title`.

        Raises HubError: FIELD_INVALID, SEAL_NOT_FOUND, AUTHORITY_NOT_FOUND, TRANSITION_NOT_ALLOWED
        for a seal that has ended, ALGORITHM_RETIRED, ALGORITHM_NOT_HERE.
        """
        reader = Reader(members, "", [])
        wanted = read_wanted_key(reader)
        seal_name = reader.text("seal", NAME_MAX, optional=True)
        authority = reader.text("authority", NAME_MAX, optional=bool(seal_name))
        title = reader.text("title", TITLE_MAX, optional=bool(seal_name))
        if (wanted.use is KeyUse.MAKER) == bool(seal_name):
            reader.fault("seal", "member.missing" if not seal_name else "member.unknown")
        reader.end()
        reader.check()
        self.maker.keys.check_makeable(wanted.home, wanted.algorithm, wanted.use)
        said = wanted.members()
        if seal_name:
            seal = await find_seal(self.database, seal_name)
            _check_open(seal)
            said["seal"] = seal_name
            authority, title = seal.authority, seal.title
        uscc = subject_of(self.authorities, authority, title).organization_identifier
        return {"authority": authority, "authority_uscc": uscc, "title": title, **said}

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Make the key and record it; the answer holds the request for its certificate."""
        intent = approved.intent
        checks: list[Check] = []
        seal_name = intent.text("seal")
        if seal_name:
            seal = await find_seal(self.database, seal_name)
            _check_open(seal)
            checks.append(unchanged_seal(seal))
        wanted = _wanted(intent.members)
        authority = intent.text("authority")
        subject = subject_of(self.authorities, authority, intent.text("title"))
        if subject.organization_identifier != intent.text("authority_uscc"):
            raise HubError(Reason.AUTHORITY_NOT_FOUND, name=authority)
        new = await self.maker.make(approved, 0, wanted, seal_name, subject)
        return Change(
            kind="key.generated",
            data={"seal": seal_name, **key_facts(new)},
            writes=[Write(INSERT_KEY, [key_row(new.key)]), made_here([new.key])],
            checks=checks,
            answer=emit_json(requested(new.key)),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""


@dataclass(frozen=True, slots=True)
class InstallChain:
    """`key.activate` and `key.rotate`: an X.509 chain puts a key in force.

    Activated is the only key of its seal, use and algorithm, or the one in force gets a renewed
    certificate; rotated, it takes over from the one in force in the same entry.
    """

    database: Database
    keys: SealKeys
    clock: Clock
    anchors: Anchors
    rotates: bool

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `key` and `x509_chain` (DER in base64url, leaf first, without the root).

        Raises HubError: FIELD_INVALID, SEAL_KEY_NOT_FOUND, TRANSITION_NOT_ALLOWED, KEY_NOT_ACTIVE
        where there is none to take over from, X509_UNTRUSTED.
        """
        reader = Reader(members, "", [])
        name = reader.text("key", NAME_MAX)
        chain = reader.texts("x509_chain", CHAIN_MAX, X509_TEXT_MAX)
        reader.end()
        reader.check()
        key, replaced, _certified = await self._decided(name, chain)
        said: dict[str, Json] = {"key": name}
        if key.seal:
            said["seal"] = key.seal
        said |= {"use": key.use.value, "algorithm": key.algorithm.value}
        if replaced is not None:
            said["replaced"] = replaced.name
        return said | {"x509_chain": [*chain]}

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Put the key in force; with `key.rotate` the one before signs nothing more."""
        intent = approved.intent
        name = intent.text("key")
        key, replaced, chain = await self._decided(name, read_texts(intent.members, "x509_chain"))
        if (replaced.name if replaced else "") != intent.text("replaced"):
            raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state="replaced otherwise")
        active = activated(key, chain, self.clock())
        before = replaced or (key if key.state is KeyState.ACTIVE else None)
        writes = [key_row(active)]
        checks = [unchanged_key(key), unchanged_in_force(key, before.name if before else None)]
        if replaced is not None:
            writes.append(key_row(retired(replaced, self.clock())))
            checks.append(unchanged_key(replaced))
        if key.seal:
            checks.append(unchanged_seal(await find_seal(self.database, key.seal)))
        return Change(
            kind="key.rotated" if self.rotates else "key.activated",
            data={
                "key": name,
                "seal": key.seal,
                "key_id": key.kid,
                "x509_chain": [b64(der) for der in chain.x509_chain],
                "x509_thumbprint": digest(chain.x509_chain[0]),
                **({"replaced": replaced.name} if replaced is not None else {}),
            },
            writes=[Write(PUT_KEY, writes), in_force_here([active])],
            checks=checks,
            answer=emit_json({"key": name, "state": active.state.value}),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""

    async def _decided(
        self, name: str, chain: tuple[str, ...]
    ) -> tuple[Key, Key | None, Certified]:
        """The key, the one that it takes over from, and its chain as it was accepted."""
        key = await self.keys.get(name)
        verb = KeyVerb.ROTATE if self.rotates else KeyVerb.ACTIVATE
        check_key_step(key, verb)
        if key.use is KeyUse.OFD:
            rule = "a key that seals OFD enters force with its electronic seal: seal.renew"
            raise HubError(Reason.FIELD_INVALID, field="key", rule=rule)
        if key.seal:
            seal = await find_seal(self.database, key.seal)
            if seal.state not in (SealState.ACTIVE, SealState.SUSPENDED):
                raise HubError(
                    Reason.TRANSITION_NOT_ALLOWED, name=seal.name, state=seal.state.value
                )
        in_force = await self.keys.in_force(key.seal, key.use, key.algorithm)
        others = [one for one in in_force if one.name != key.name]
        if self.rotates and not others:
            raise HubError(
                Reason.KEY_NOT_ACTIVE, seal=key.seal or "-", use=key.use, algorithm=key.algorithm
            )
        if others and not self.rotates:
            rule = (
                f"{others[0].name} is in force for this use; let the new key take over: key.rotate"
            )
            raise HubError(Reason.FIELD_INVALID, field="key", rule=rule)
        accepted = certified(key, decoded_chain(chain), self.anchors, self.clock())
        return key, others[0] if self.rotates else None, accepted


@dataclass(frozen=True, slots=True)
class EndKey:
    """`key.retire` and `key.destroy`: a key signs nothing more, or is gone."""

    keys: SealKeys
    clock: Clock
    destroys: bool

    @property
    def _verb(self) -> KeyVerb:
        return KeyVerb.DESTROY if self.destroys else KeyVerb.RETIRE

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `key` and `cause`. Raises HubError: FIELD_INVALID, SEAL_KEY_NOT_FOUND,
        TRANSITION_NOT_ALLOWED."""
        reader = Reader(members, "", [])
        name, cause = reader.text("key", NAME_MAX), reader.text("cause", CAUSE_MAX)
        reader.end()
        reader.check()
        check_key_step(await self.keys.get(name), self._verb)
        return {"key": name, "cause": cause}

    async def execute(self, _: Call, approved: Approved) -> Change:
        """End the key. It is destroyed before that is recorded: an entry that says so is true, and
        who was interrupted executes again."""
        key = await self.keys.get(approved.intent.text("key"))
        check_key_step(key, self._verb)
        now = self.clock()
        ended = retired(key, now)
        if self.destroys:
            home = self.keys.home(key.home)
            await asyncio.to_thread(home.destroy, key.kid, Mandate.of(approved))
            ended = dataclasses.replace(
                key, state=KeyState.DESTROYED, state_entry=ENTRY_INDEX, destroy_time_us=now
            )
        self.keys.forget(key)
        return Change(
            kind="key.destroyed" if self.destroys else "key.retired",
            data={"key": key.name, "seal": key.seal, "key_id": key.kid},
            writes=[Write(PUT_KEY, [key_row(ended)])],
            checks=[unchanged_key(key)],
            answer=emit_json({"key": key.name, "state": ended.state.value}),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""


# -- What seals' own operations share with these ---------------------------------------------------


def read_wanted_key(reader: Reader) -> WantedKey:
    """A key to be made: `use`, `algorithm`, `home` (else encrypted files), `signatures_max`."""
    use = reader.choice("use", KeyUse)
    algorithm = reader.choice("algorithm", KeyAlgorithm)
    home = reader.text("home", 64, optional=True) or FILES
    uses_max = (
        reader.integer("signatures_max", 1, KEY_USES_MAX) if reader.has("signatures_max") else 0
    )
    if algorithm not in ALGORITHMS[use]:
        known = ", ".join(sorted(ALGORITHMS[use]))
        reader.fault("algorithm", "member.kind", kind=known)
    return WantedKey(use, algorithm, home, uses_max)


def _wanted(members: Mapping[str, Json]) -> WantedKey:
    reader = Reader(members, "", [])
    wanted = read_wanted_key(reader)
    reader.check()
    return wanted


def read_texts(members: Mapping[str, Json], name: str) -> tuple[str, ...]:
    """A list of texts of an intent that was read before."""
    value = members[name]
    assert isinstance(value, list), "the kind says so"
    return tuple(str(one) for one in value)


def decoded_chain(chain: tuple[str, ...]) -> tuple[bytes, ...]:
    """DER of a chain in base64url. Raises HubError(FIELD_INVALID)."""
    try:
        return tuple(b64u_decode(one) for one in chain)
    except ProofError as error:
        rule = "DER in base64url without padding"
        raise HubError(Reason.FIELD_INVALID, field="x509_chain", rule=rule) from error


async def find_seal(database: Database, name: str) -> Seal:
    """The seal of this name. Raises HubError: NAME_MALFORMED, SEAL_NOT_FOUND."""
    names.parse(name, "authorities/{authority}/seals/{seal}")
    row = await database.one(SEAL_BY_NAME, name)
    if row is None:
        raise HubError(Reason.SEAL_NOT_FOUND, name=name)
    return seal_of(row)


def subject_of(authorities: Authorities, authority: str, common_name: str) -> Subject:
    """Whom the certificate of an authority's key names. Raises HubError(AUTHORITY_NOT_FOUND)."""
    facts = authorities.facts(authority)
    if facts is None:
        raise HubError(Reason.AUTHORITY_NOT_FOUND, name=authority)
    return Subject(common_name, facts.title, facts.uscc)


def check_key_step(key: Key, verb: KeyVerb) -> KeyState:
    """Where `verb` leads the key. Raises HubError(TRANSITION_NOT_ALLOWED)."""
    state = key_step(verb, key.state)
    if state is None:
        raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=key.name, state=key.state.value)
    return state


def activated(key: Key, chain: Certified, now_us: int) -> Key:
    """The key in force with its chain; one that was in force keeps the time since when."""
    return dataclasses.replace(
        key,
        state=KeyState.ACTIVE,
        state_entry=ENTRY_INDEX,
        x509_chain=chain.x509_chain,
        not_before_us=chain.not_before_us,
        not_after_us=chain.not_after_us,
        activate_time_us=key.activate_time_us or now_us,
    )


def retired(key: Key, now_us: int) -> Key:
    """The key that signs nothing more."""
    return dataclasses.replace(
        key, state=KeyState.RETIRED, state_entry=ENTRY_INDEX, retire_time_us=now_us
    )


def key_facts(new: NewKey) -> dict[str, Json]:
    """What the log says of a key that was made."""
    key = new.key
    return {
        "key": key.name,
        "key_id": key.kid,
        "key_digest": new.key_digest,
        "use": key.use.value,
        "algorithm": key.algorithm.value,
        "home": key.home,
        "custody": key.custody.value,
        "x509_request": b64(key.x509_request),
    }


def requested(key: Key) -> dict[str, Json]:
    """What whoever ordered a key is told: with the request the CA makes its certificate."""
    return {
        "key": key.name,
        "use": key.use.value,
        "algorithm": key.algorithm.value,
        "key_id": key.kid,
        "x509_request": b64u(key.x509_request),
    }


def _check_open(seal: Seal) -> None:
    if seal.state in (SealState.REVOKED, SealState.ENDED):
        raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=seal.name, state=seal.state.value)
