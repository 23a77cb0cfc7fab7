"""Records that name the sealed files of their version: `docs` (formats.md §4), docs/adr/0054.

A file shows the identifier that is drawn with the record, so the record is there first: once its
department has an original sealed, the record is sealed anew on the same version, with the digests
of all originals in place of the value that `docs` had. Nothing else in it changes but its time, its
intent and its key. Both are one entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain.certificate import Custody
from hub.domain.face import Listing
from hub.domain.seal_key import KeyAlgorithm, KeyUse, key_name
from hub.domain.seal_states import KeyState
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.proof.jose import RegisteredKey
from hub.proof.reasons import ProofError
from hub.proof.sealing.anew import RecordAnew, SealBefore, claims_before, verify_before
from hub.proof.sealing.listing import adds_one_file, file_entry, payload_listing
from hub.seal.homes.signers import SignerHomeKey
from hub.seal.keys import ListingWork, header_segment
from hub.seal.ports import Database, SealedFile
from hub.seal.reseal.logged_seals import LoggedSeals
from hub.seal.seal_keys import SealKeys, UsableKey
from hub.seal.signed_records import header_row
from hub.seal.store import (
    INSERT_PAST_SIGNATURE,
    PUT_HEADER,
    PUT_PATH,
    PUT_SIGNATURE,
    RECORD_SEAL,
    SEAL_HEADER,
    SEAL_OF_VERSION,
    Sealed,
    StoredSeal,
    past_signature_rows,
    recorded_here,
    sealed_of,
)
from hub.storage.statements import Check, Write, text

_UNSHOWN: Final = ("", b"")


@dataclass(frozen=True, slots=True)
class Listed:
    """What came of it, and what must be recorded with it: nothing where nothing was listed."""

    which: Listing
    writes: Sequence[Write] = field(default=(), repr=False)
    checks: Sequence[Check] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ListFiles:
    """Seals records anew that name their files. Which files, and whether, is not asked here."""

    database: Database
    keys: SealKeys
    logged: LoggedSeals
    clock: Clock

    async def __call__(
        self,
        version_id: str,
        stored: int,
        sealed: SealedFile,
        name: str,
        docs: tuple[str, str],
        *,
        seal: str,
    ) -> Listed:
        """The record of a version that entry `stored` put on file, by the keys of `seal`, under the
        intent that the original `sealed` is sealed under: `docs` are the texts of that disclosure
        before, and as it shall be. `name` is whatever no other call for this version has: under it
        the seal before is kept.

        Raises HubError: DIGEST_MISMATCH for a record that does not verify, and what
        `SealKeys.usable`, the log and the key's home raise.
        """
        if not await self.keys.in_force(seal, KeyUse.RECORD, KeyAlgorithm.ES256):
            return Listed(Listing.NO_KEY)
        usable = await self.keys.usable(seal, KeyUse.RECORD, KeyAlgorithm.ES256, 1)
        twin = await self.keys.twin(usable, 1)
        signers = (usable,) if twin is None else (usable, twin)
        row = await self.database.one(SEAL_OF_VERSION, version_id)
        unchanged = await self.database.one(RECORD_SEAL, version_id)
        if row is None or unchanged is None:
            raise _wrong(version_id)
        was = sealed_of(row)
        try:
            seals = [(await self._header(one.header_id), one.signature) for one in was.seals]
            before = SealBefore(was.payload, was.path, tuple(seals))
            known = verify_before(before, set())
            claims, _ = claims_before(before)
            if claims.iss != usable.key.authority_uscc:
                return Listed(Listing.OTHER_ISSUER)
            if await self._is_stolen(known, usable):
                return Listed(Listing.COMPROMISED)
            if len(known) > len(signers):
                # Whoever asks for SM2 would miss the twin that the record has.
                return Listed(Listing.NO_KEY)
            if claims.custody not in (usable.signing.custody, Custody.ATTESTED):
                return Listed(Listing.OTHER_CUSTODY)
            payload = payload_listing(
                before,
                known,
                docs,
                iat=self.clock() // 1_000_000,
                intent=sealed.signed.mandate.name,
                algs=[one.key.algorithm.value for one in signers],
            )
            recording = _UNSHOWN
            away = [one.signing for one in signers if isinstance(one.signing, SignerHomeKey)]
            if away:
                # Only a signer apart from the hub is shown what the log has of it.
                found = await self.logged.recorded(was, stored)
                if found is None or not _can_sign(away, known, sealed, docs):
                    return Listed(Listing.ELSEWHERE)
                recording = found
        except ProofError as error:
            raise _wrong(version_id) from error
        record = RecordAnew(
            0, version_id, before, was.status_list, was.status_place, was.retention_class, payload
        )
        work = ListingWork(recording, record, docs, sealed.signed)
        writes = await asyncio.to_thread(_writes, was, work, signers, name)
        return Listed(
            Listing.LISTED,
            [*writes, *(write for one in signers for write in one.writes(1))],
            [
                Check(RECORD_SEAL, (version_id,), unchanged),
                *(check for one in signers for check in one.checks()),
            ],
        )

    async def _header(self, header_id: str) -> str:
        row = await self.database.one(SEAL_HEADER, header_id)
        return "" if row is None else text(row[0])

    async def _is_stolen(self, known: Sequence[RegisteredKey], usable: UsableKey) -> bool:
        """Whether a key of the record is declared stolen. Raises HubError(SEAL_KEY_NOT_FOUND) for
        one that the authority never had."""
        keys = [await self.keys.get(key_name(one.kid)) for one in known]
        for found, one in zip(keys, known, strict=True):
            if (found.kid, found.authority_uscc) != (one.kid, usable.key.authority_uscc):
                raise HubError(Reason.SEAL_KEY_NOT_FOUND, name=found.name)
        return any(found.state is KeyState.COMPROMISED for found in keys)


def _can_sign(
    away: Sequence[SignerHomeKey],
    known: Sequence[RegisteredKey],
    sealed: SealedFile,
    docs: tuple[str, str],
) -> bool:
    """Whether every key that a signer keeps can be shown what it demands (`check_listing`): it made
    the seal before and sealed the file, which is all that is new. Raises ProofError."""
    made = {one.kid for one in known}
    return all(one.kid in made and one.keeps(sealed.signed.key) for one in away) and adds_one_file(
        docs, file_entry(sealed.media_type, sealed.data)
    )


def _writes(
    sealed: Sealed, work: ListingWork, signers: Sequence[UsableKey], name: str
) -> list[Write]:
    """The seal in the place of `sealed`, which is kept; runs in a thread."""
    writes = [
        Write(INSERT_PAST_SIGNATURE, past_signature_rows((name, f"{name} SM2"), sealed)),
        recorded_here([sealed]),
    ]
    for usable in signers:
        key, header = usable.signing, header_segment(usable.signing)
        made = StoredSeal(key.algorithm.value, key.kid, digest(header), key.sign_listing(work))
        writes.append(Write(PUT_HEADER, [header_row(key, header)]))
        writes.append(Write(PUT_SIGNATURE, [sealed.row(made, work.record.payload)]))
    if sealed.path:
        path = (sealed.version_id, KeyAlgorithm.ES256.value, "", sealed.retention_class)
        writes.append(Write(PUT_PATH, [path]))
    return writes


def _wrong(version_id: str) -> HubError:
    return HubError(Reason.DIGEST_MISMATCH, what=f"record seal of version {version_id}")
