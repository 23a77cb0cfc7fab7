"""Make a seal and put it in force."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography import x509

from hub.clock import Clock
from hub.domain import names
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.domain.seal_states import KeyState, SealState
from hub.errors import HubError, Reason
from hub.proof.encoding import b64, digest
from hub.proof.jose import thumbprint
from hub.proof.reasons import TEXTS, ProofError
from hub.proof.x509_chain import check_x509_chain, leaf_public_key, load_x509_chain, organisation
from hub.seal.algorithms import Subject
from hub.seal.ports import Authorities, Database, Recorder
from hub.seal.seal_keys import SealKeys, key_name
from hub.seal.seal_store import (
    INSERT_KEY,
    INSERT_SEAL,
    KEYS_PAGE,
    PUT_KEY,
    PUT_SEAL,
    SEAL_BY_NAME,
    Key,
    Seal,
    key_of,
    key_row,
    seal_of,
    seal_row,
    unchanged_key,
    unchanged_seal,
)
from hub.storage.changes import Answered, Call, Change, answered_before, record
from hub.storage.statements import ENTRY_INDEX, Check, Write

TITLE_MAX: Final = 200
SEAL_TYPE: Final = 1
FILES: Final = "files"
_KEYS_WATCHED_MAX: Final = 10_000


class SealView(NamedTuple):
    """A seal and the key that seals its records."""

    seal: Seal
    key: Key | None


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals of authorities. A key is made here and never leaves."""

    database: Database
    recorder: Recorder
    clock: Clock
    keys: SealKeys
    authorities: Authorities
    anchors: Sequence[x509.Certificate]

    async def get(self, name: str) -> SealView:
        """One seal. Raises HubError(SEAL_NOT_FOUND)."""
        row = await self.database.one(SEAL_BY_NAME, name)
        if row is None:
            raise HubError(Reason.SEAL_NOT_FOUND, name=name)
        return await self.view(seal_of(row))

    async def view(self, seal: Seal) -> SealView:
        """`seal` with the key that seals its records, or last did."""
        keys = await self.keys.of_seal(seal.name)
        records = [key for key in keys if key.use is KeyUse.RECORD]
        candidates = [key for key in records if key.state is KeyState.ACTIVE] or records
        return SealView(seal, candidates[-1] if candidates else None)

    async def expiries(self) -> list[tuple[str, int]]:
        """Name and end (microseconds) of the chain of every key in force; at most 10,000."""
        rows = await self.database.all(KEYS_PAGE, "", "", _KEYS_WATCHED_MAX)
        keys = [key for key in map(key_of, rows) if key.state is KeyState.ACTIVE]
        return [(key.seal or key.name, key.not_after_us or 0) for key in keys]

    async def create(
        self,
        call: Call,
        authority: str,
        seal_id: str,
        title: str,
        encode: Callable[[SealView], bytes],
    ) -> Answered:
        """Make a key for a new seal; it seals nothing before `activate`.

        Raises HubError: FIELD_INVALID, AUTHORITY_NOT_FOUND, ALREADY_EXISTS, ALGORITHM_RETIRED,
        KEY_UNAVAILABLE.
        """
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        names.check_id(seal_id, field="seal_id")
        if not 0 < len(title) <= TITLE_MAX or not title.isprintable():
            rule = f"1 to {TITLE_MAX} printable characters"
            raise HubError(Reason.FIELD_INVALID, field="title", rule=rule)
        facts = self.authorities.facts(authority)
        if facts is None:
            raise HubError(Reason.AUTHORITY_NOT_FOUND, name=authority)
        name = f"{authority}/seals/{seal_id}"
        if await self.database.one(SEAL_BY_NAME, name) is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=name)
        algorithm = KeyAlgorithm.ES256
        subject = Subject(title, facts.title, facts.uscc)
        made, home = await self.keys.make(FILES, algorithm, KeyUse.RECORD, subject)
        now = self.clock()
        seal = Seal(
            name=name,
            authority=authority,
            authority_uscc=facts.uscc,
            title=title,
            seal_type=SEAL_TYPE,
            state=SealState.APPLIED,
            state_entry=ENTRY_INDEX,
            version=0,
            create_time_us=now,
        )
        key = Key(
            name=key_name(made.public.kid),
            seal=name,
            authority_uscc=facts.uscc,
            use=KeyUse.RECORD,
            algorithm=algorithm,
            home=home.name,
            custody=home.custody,
            kid=made.public.kid,
            state=KeyState.REQUESTED,
            state_entry=ENTRY_INDEX,
            uses_max=0,
            x509_request=made.x509_request,
            x509_chain=(),
            not_before_us=None,
            not_after_us=None,
            create_time_us=now,
        )
        return await record(
            self.recorder,
            call,
            Change(
                kind="seal.created",
                data={
                    "seal": name,
                    "authority": facts.uscc,
                    "title": title,
                    "key_id": key.kid,
                    "custody": key.custody.value,
                    "x509_request": b64(key.x509_request),
                },
                writes=[Write(INSERT_SEAL, [seal_row(seal)]), Write(INSERT_KEY, [key_row(key)])],
                checks=[Check(SEAL_BY_NAME, (name,), None)],
                answer=encode(SealView(seal, key)),
            ),
        )

    async def activate(
        self,
        call: Call,
        name: str,
        x509_chain: tuple[bytes, ...],
        encode: Callable[[SealView], bytes],
    ) -> Answered:
        """Install the chain of a seal's record key, a renewed one as well.

        The leaf's key is the seal's, its organizationIdentifier the authority's credit code, it may
        sign, and it leads to a pinned anchor now. Raises HubError: SEAL_NOT_FOUND, X509_UNTRUSTED.
        """
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        seal, key = await self.get(name)
        if key is None:
            raise HubError(Reason.SEAL_KEY_NOT_FOUND, name=name)
        leaf = self._check_chain(key, x509_chain)
        now = self.clock()
        active = dataclasses.replace(
            key,
            state=KeyState.ACTIVE,
            state_entry=ENTRY_INDEX,
            x509_chain=x509_chain,
            not_before_us=int(leaf.not_valid_before_utc.timestamp()) * 1_000_000,
            not_after_us=int(leaf.not_valid_after_utc.timestamp()) * 1_000_000,
            activate_time_us=now,
        )
        made = dataclasses.replace(seal, state=SealState.ACTIVE, state_entry=ENTRY_INDEX)
        return await record(
            self.recorder,
            call,
            Change(
                kind="seal.activated",
                data={
                    "seal": name,
                    "key_id": key.kid,
                    "x509_chain": [b64(der) for der in x509_chain],
                    "x509_thumbprint": digest(x509_chain[0]),
                },
                writes=[Write(PUT_SEAL, [seal_row(made)]), Write(PUT_KEY, [key_row(active)])],
                checks=[unchanged_seal(seal), unchanged_key(key)],
                answer=encode(SealView(made, active)),
            ),
        )

    def _check_chain(self, key: Key, x509_chain: tuple[bytes, ...]) -> x509.Certificate:
        try:
            chain = load_x509_chain([b64(der) for der in x509_chain])
            if thumbprint(leaf_public_key(chain)) != key.kid:
                raise _untrusted("the key is not the one made for this seal")
            if organisation(chain[0]) != key.authority_uscc:
                raise _untrusted("organizationIdentifier is not the authority's credit code")
            check_x509_chain(chain, self.anchors, at=self.clock() // 1_000_000)
        except ProofError as error:
            raise _untrusted(TEXTS[error.reason].en) from error
        return chain[0]


def _untrusted(rule: str) -> HubError:
    return HubError(Reason.X509_UNTRUSTED, profile="seal", rule=rule)
