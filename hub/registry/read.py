"""What a disclosure reads: one indexed question per certificate, state judged now."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import orjson

from hub.clock import Clock, legal_day
from hub.domain.certificate import Grade, Origin, State, state_on
from hub.domain.holder import Holder
from hub.domain.strict_json import Json
from hub.proof.encoding import b64u_decode, parse_json
from hub.proof.records.disclosure import Disclosure
from hub.registry.ports import Database, DataKey, DataKeys, HolderKeys
from hub.registry.store import (
    BOUND,
    FOUND_BY_HOLDER,
    FOUND_BY_IDENTIFIER,
    REACHED_STATE,
    TRUST,
    VERSION_STATE,
    objected_of,
    trust_of,
)
from hub.storage.statements import Check, Row, blob, integer, text


class Everything(Container[str]):
    """Every name there is."""

    def __contains__(self, _name: object) -> bool:
        return True


@dataclass(slots=True, eq=False)  # Freezing would double the cost of making one.
class StoredCertificate:
    """One version on file, as far as a disclosure needs it."""

    version_id: str
    identifier: str
    version: int
    vct: str
    authority: str
    state: State
    state_entry: int
    # What is objected to now.
    objected: tuple[str, ...]
    check: Check
    # Its seal does not name the identifier by which it was found: another one of the holder, or
    # none, where the holder was found out later.
    is_linked: bool
    _data_keys: DataKeys[DataKey] = field(repr=False)
    _data_key_id: str
    _sealed: bytes = field(repr=False)

    async def disclosures(self, names: Container[str]) -> Sequence[Disclosure]:
        """The disclosures with these names in `_sd` order; decrypted when asked.

        Raises HubError(KEY_UNAVAILABLE) where the key was destroyed, (DIGEST_MISMATCH).
        """
        key = await self._data_keys.get(self._data_key_id)
        texts = orjson.loads(key.open(self._sealed, self.version_id.encode()))
        return [Disclosure(name, text) for name, text in texts if name in names]


@dataclass(frozen=True, slots=True)
class CertificateReader:
    """Finds certificates for those who may have them; whether they may is not asked here."""

    database: Database
    data_keys: DataKeys[DataKey]
    holder_keys: HolderKeys
    clock: Clock
    origin: str

    async def by_identifier(self, identifier: str) -> StoredCertificate | None:
        """The version with this identifier, its state judged now."""
        row = await self.database.one(FOUND_BY_IDENTIFIER, identifier)
        return None if row is None else self._certificate(row)

    async def sealed_holder(self, identifier: str) -> Holder | None:
        """The one holder whom the seal of this version names; None where it names several or none.

        Raises HubError(KEY_UNAVAILABLE), (DIGEST_MISMATCH).
        """
        stored = await self.by_identifier(identifier)
        assert stored is not None, "asked of versions on file only"
        values: dict[str, Json] = {}
        for one in await stored.disclosures(("holder_type", "holder_number")):
            parts = parse_json(b64u_decode(one.text))
            assert isinstance(parts, list), "made by the hub"
            values[one.name] = parts[2]
        kind, number = values.get("holder_type"), values.get("holder_number")
        return Holder(str(kind), str(number)) if kind and number else None

    async def by_holder(
        self, holder_type: str, number: str, vct: str
    ) -> Sequence[StoredCertificate]:
        """Newest versions of this type of the holder, links followed, newest issue first; at most
        20."""
        prefix = f"https://{self.origin}/vct/"
        if not vct.startswith(prefix):
            return ()
        index = self.holder_keys.holder_index(holder_type, number)
        found: dict[str, StoredCertificate] = {}
        for row in await self.database.all(FOUND_BY_HOLDER, index, vct[len(prefix) :]):
            # One that names several identifiers of the holder is counted once, by its own name.
            if row[-2:] == (index, BOUND):
                found[text(row[0])] = self._certificate(row[:-2])
            elif row[0] not in found:
                found[text(row[0])] = self._certificate(row[:-2], linked_to=index)
        return list(found.values())

    async def trust(self, version_id: str) -> tuple[Grade, Origin]:
        """How far a version on file can be trusted, and what it was made from."""
        row = await self.database.one(TRUST, version_id)
        assert row is not None, "asked of what was found"
        return trust_of(*row)

    def _certificate(self, row: Row, *, linked_to: str | None = None) -> StoredCertificate:
        (
            version_id,
            identifier,
            version,
            authority,
            type_code,
            state,
            state_entry,
            valid_from,
            valid_until,
            sealed,
            data_key_id,
            objected,
        ) = row
        today = legal_day(self.clock())
        stored = (state, state_entry)
        return StoredCertificate(
            version_id=text(version_id),
            identifier=text(identifier),
            version=integer(version),
            vct=f"https://{self.origin}/vct/{text(type_code)}",
            authority=text(authority),
            state=state_on(State(text(state)), text(valid_from), text(valid_until), today),
            state_entry=integer(state_entry),
            objected=objected_of(objected),
            check=Check(VERSION_STATE, (version_id,), stored)
            if linked_to is None
            else Check(REACHED_STATE, (linked_to, version_id), stored),
            is_linked=linked_to is not None,
            _data_keys=self.data_keys,
            _data_key_id=text(data_key_id),
            _sealed=blob(sealed),
        )
