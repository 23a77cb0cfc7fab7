"""What a plan reads: one batched question for all pairs of holder and type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from hub.clock import legal_day
from hub.domain.certificate import State
from hub.domain.holder import Holder
from hub.domain.on_file import OnFile
from hub.domain.strict_json import Json
from hub.proof.encoding import b64u_decode, parse_json
from hub.registry.ports import Database, DataKey, DataKeys, HolderKeys
from hub.registry.store import (
    BOUND,
    ON_FILE_FOR_PLAN,
    PAIRS,
    REACHED_BY,
    REACHED_STATE,
    VERSION_STATE,
    objected_of,
    presence_of,
    trust_of,
)
from hub.storage.statements import Check, Row, blob, integer, text


@dataclass(frozen=True, slots=True)
class OnFileReader:
    """Says what is on file for those who may know it; whether they may is not asked here."""

    database: Database
    data_keys: DataKeys[DataKey]
    holder_keys: HolderKeys

    async def find(
        self, wanted: Mapping[tuple[Holder, str], frozenset[str]]
    ) -> dict[tuple[Holder, str], list[OnFile]]:
        """The newest versions for each (holder, type), newest issue first; `wanted` names the
        fields whose values matter.

        A value is decrypted only where its presence was asked and cannot be seen otherwise, and it
        goes no further than that. Raises HubError(KEY_UNAVAILABLE), (DIGEST_MISMATCH).
        """
        reached = await self._reached({self._index(holder) for holder, _ in wanted})
        # For whom a certificate under an identifier counts: one of those asked for, or several.
        readers: dict[tuple[str, str], list[tuple[Holder, str]]] = defaultdict(list)
        for holder, type_code in wanted:
            index = self._index(holder)
            for under in (index, *reached.get(index, ())):
                readers[under, type_code].append((holder, type_code))
        found: dict[tuple[Holder, str], dict[str, OnFile]] = defaultdict(dict)
        for values in _portions([value for pair in readers for value in pair], 2 * PAIRS):
            for row in await self.database.all(ON_FILE_FOR_PLAN, *values):
                under, type_code, version_id = text(row[0]), text(row[4]), text(row[1])
                for pair in readers[under, type_code]:
                    index = self._index(pair[0])
                    is_sealed = (under, row[21]) == (index, BOUND)
                    # One that names several identifiers of a holder counts once, by its own name.
                    if is_sealed or version_id not in found[pair]:
                        linked_to = "" if is_sealed else index
                        found[pair][version_id] = await self._on_file(row, wanted[pair], linked_to)
        return {
            pair: sorted(certificates.values(), key=_issue_date, reverse=True)
            for pair, certificates in found.items()
        }

    def unchanged(self, certificate: OnFile) -> Check:
        """That its version is still in the state on which a decision is based."""
        stored = (certificate.state.value, certificate.state_entry)
        if certificate.linked_to:
            return Check(REACHED_STATE, (certificate.linked_to, certificate.version_id), stored)
        return Check(VERSION_STATE, (certificate.version_id,), stored)

    async def _reached(self, indexes: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The other identifiers that are seen under each of `indexes`."""
        reached: dict[str, list[str]] = defaultdict(list)
        for portion in _portions(sorted(indexes), PAIRS):
            for row in await self.database.all(REACHED_BY, *portion):
                reached[text(row[0])].append(text(row[1]))
        return reached

    def _index(self, holder: Holder) -> str:
        return self.holder_keys.holder_index(holder.type, holder.number)

    async def _on_file(self, row: Row, fields: frozenset[str], linked_to: str) -> OnFile:
        issue_date = text(row[8])
        presence = presence_of(integer(row[12]), row[16:19])
        grade, origin = trust_of(row[11], row[20])
        return OnFile(
            version_id=text(row[1]),
            identifier=text(row[2]),
            version=integer(row[3]),
            type_code=text(row[4]),
            authority=text(row[5]),
            state=State(text(row[6])),
            state_entry=integer(row[7]),
            issue_date=issue_date,
            # Its department listed it on the day on which it sent this version, or said so later.
            confirm_date=max(issue_date, legal_day(presence.confirm_time_us).isoformat()),
            valid_from=text(row[9]),
            valid_until=text(row[10]),
            grade=grade,
            origin=origin,
            fields=await self._present(row, fields),
            is_gone=presence.is_gone,
            objected=frozenset(objected_of(row[19])),
            linked_to=linked_to,
        )

    async def _present(self, row: Row, fields: frozenset[str]) -> frozenset[str]:
        """Those of `fields` that have a value."""
        public: dict[str, Json] = orjson.loads(blob(row[13]))
        present = frozenset([name for name in fields if name in public])
        if present == fields:
            return present
        key = await self.data_keys.get(text(row[15]))
        return _with_value(orjson.loads(key.open(blob(row[14]), text(row[1]).encode())), fields)


def _portions(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """`values` in portions of exactly `size`; the last is filled up with its own last two."""
    for start in range(0, len(values), size):
        portion = list(values[start : start + size])
        while len(portion) < size:
            portion += portion[-2:]
        yield portion[:size]


def _issue_date(certificate: OnFile) -> str:
    return certificate.issue_date


def _with_value(disclosures: Iterable[Sequence[str]], fields: frozenset[str]) -> frozenset[str]:
    """A disclosure is `[salt, name, value]`; without a value it is null."""
    found = set()
    for name, disclosure in disclosures:
        if name in fields:
            parts = parse_json(b64u_decode(disclosure))
            assert isinstance(parts, list), "made by the hub"
            if parts[2] is not None:
                found.add(name)
    return frozenset(found)
