"""Make a seal and put it in force."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from hub.clock import Clock
from hub.domain import names
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.encoding import b64, digest
from hub.proof.jose import thumbprint
from hub.proof.reasons import TEXTS, ProofError
from hub.proof.x509_chain import check_x509_chain, leaf_public_key, load_x509_chain, organisation
from hub.seal.algorithms import AlgorithmTable, Subject
from hub.seal.keys import KeyHome
from hub.seal.ports import Authorities, Database, Recorder
from hub.seal.store import (
    INSERT_SEAL,
    PUT_SEAL,
    SEAL_BY_NAME,
    SEALS_PAGE,
    Seal,
    SealState,
    seal_of,
    seal_row,
    unchanged_seal,
)
from hub.storage.changes import Answered, Call, Change, answered_before, record
from hub.storage.statements import ENTRY_INDEX, Check, Write

TITLE_MAX: Final = 200
_SEALS_WATCHED_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals of authorities. A key is made here and never leaves."""

    database: Database
    recorder: Recorder
    clock: Clock
    keys: KeyHome
    algorithms: AlgorithmTable
    authorities: Authorities
    anchors: Sequence[x509.Certificate]

    async def get(self, name: str) -> Seal:
        """One seal. Raises HubError(SEAL_NOT_FOUND)."""
        row = await self.database.one(SEAL_BY_NAME, name)
        if row is None:
            raise HubError(Reason.SEAL_NOT_FOUND, name=name)
        return seal_of(row)

    async def expiries(self) -> list[tuple[str, int]]:
        """Name and end (microseconds) of the chain of every seal in force; at most 10,000."""
        rows = await self.database.all(SEALS_PAGE, "", _SEALS_WATCHED_MAX)
        seals = [seal_of(row) for row in rows]
        return [(one.name, one.expire_time_us) for one in seals if one.expire_time_us is not None]

    async def create(
        self, call: Call, authority: str, seal_id: str, title: str, encode: Callable[[Seal], bytes]
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
        self.algorithms.check(algorithm, self.clock())
        subject = Subject(title, facts.title, facts.uscc)
        made = await asyncio.to_thread(self.keys.create, algorithm, KeyUse.RECORD, subject)
        seal = Seal(
            name=name,
            authority=authority,
            authority_uscc=facts.uscc,
            title=title,
            state=SealState.REQUESTED,
            state_entry=ENTRY_INDEX,
            key_id=made.public.kid,
            algorithm=algorithm.value,
            custody=self.keys.custody,
            x509_request=made.x509_request,
            x509_chain=(),
            create_time_us=self.clock(),
            expire_time_us=None,
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
                    "key_id": seal.key_id,
                    "custody": seal.custody.value,
                    "x509_request": b64(seal.x509_request),
                },
                writes=[Write(INSERT_SEAL, [seal_row(seal)])],
                checks=[Check(SEAL_BY_NAME, (name,), None)],
                answer=encode(seal),
            ),
        )

    async def activate(
        self,
        call: Call,
        name: str,
        x509_chain: tuple[bytes, ...],
        encode: Callable[[Seal], bytes],
    ) -> Answered:
        """Install the chain of a seal's key, a renewed one as well.

        The leaf's key is the seal's, its organizationIdentifier the authority's credit code, it may
        sign, and it leads to a pinned anchor now. Raises HubError: SEAL_NOT_FOUND, X509_UNTRUSTED.
        """
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        seal = await self.get(name)
        leaf = self._check_chain(seal, x509_chain)
        active = dataclasses.replace(
            seal,
            state=SealState.ACTIVE,
            state_entry=ENTRY_INDEX,
            x509_chain=x509_chain,
            expire_time_us=int(leaf.not_valid_after_utc.timestamp()) * 1_000_000,
        )
        return await record(
            self.recorder,
            call,
            Change(
                kind="seal.activated",
                data={
                    "seal": name,
                    "key_id": seal.key_id,
                    "x509_chain": [b64(der) for der in x509_chain],
                    "x509_thumbprint": digest(x509_chain[0]),
                },
                writes=[Write(PUT_SEAL, [seal_row(active)])],
                checks=[unchanged_seal(seal)],
                answer=encode(active),
            ),
        )

    def _check_chain(self, seal: Seal, x509_chain: tuple[bytes, ...]) -> x509.Certificate:
        try:
            chain = load_x509_chain([b64(der) for der in x509_chain])
            if thumbprint(leaf_public_key(chain)) != seal.key_id:
                raise _untrusted("the key is not the one made for this seal")
            if organisation(chain[0]) != seal.authority_uscc:
                raise _untrusted("organizationIdentifier is not the authority's credit code")
            check_x509_chain(chain, self.anchors, at=self.clock() // 1_000_000)
        except ProofError as error:
            raise _untrusted(TEXTS[error.reason].en) from error
        return chain[0]


def _untrusted(rule: str) -> HubError:
    return HubError(Reason.X509_UNTRUSTED, profile="seal", rule=rule)
