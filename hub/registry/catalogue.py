"""The catalogue of certificate types: published in versions, in memory for every decision."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain.caller import Caller, Role
from hub.domain.certificate_type import CertificateType, from_json
from hub.domain.rules import violation
from hub.errors import HubError, Reason
from hub.proof.encoding import b64
from hub.proof.records.sd_jwt import digests_of_type
from hub.registry.item_store import (
    PUBLISHED,
    STANDINGS_OF,
    Listed,
    ListState,
    Standing,
    put_standing,
    standing_of,
)
from hub.registry.ports import Access, Database, Recorder
from hub.registry.store import (
    ALL_TYPES,
    CATALOGUE_VERSION,
    INSERT_TYPE,
    put_catalogue,
    unchanged_catalogue,
)
from hub.storage.changes import Answered, Call, Change, change_once
from hub.storage.statements import ENTRY_INDEX, Check, Write

METADATA_BYTES_MAX: Final = 262_144

# Beside the type's fields, each record discloses its holder's type and number and its documents.
DISCLOSED_BESIDES: Final = 3


@dataclass(frozen=True, slots=True)
class PublishedType:
    """One version of a type. `metadata` are the bytes as received, served at `vct`; `integrity` is
    their digest as `vct#integrity` writes it."""

    type: CertificateType
    vct: str
    metadata: bytes = field(repr=False)
    integrity: str
    create_time_us: int

    @property
    def digests_n(self) -> int:
        """How many `_sd` digests each record of this type has."""
        return digests_of_type(len(self.type.fields) + DISCLOSED_BESIDES)


@dataclass(slots=True)
class Catalogue:
    """All published types in memory. `refresh` once before the first use."""

    database: Database
    origin: str
    version: int = -1
    _types: dict[tuple[str, int], PublishedType] = field(default_factory=dict)
    _newest: dict[str, PublishedType] = field(default_factory=dict)
    _standings: dict[str, Standing] = field(default_factory=dict)

    async def refresh(self) -> None:
        """Load what is in the database where its version is another than ours."""
        row = await self.database.one(CATALOGUE_VERSION, 1)
        version = int(row[0] or 0) if row else 0
        if version == self.version:
            return
        types: dict[tuple[str, int], PublishedType] = {}
        newest: dict[str, PublishedType] = {}
        async for rows in self.database.scan(ALL_TYPES):
            for code, number, metadata, integrity, create_time_us in rows:
                assert isinstance(number, int)
                assert isinstance(metadata, bytes)
                assert isinstance(create_time_us, int)
                published = PublishedType(
                    from_json(metadata),
                    self.vct(str(code)),
                    metadata,
                    str(integrity),
                    create_time_us,
                )
                types[str(code), number] = published
                newest[str(code)] = published
        standings: dict[str, Standing] = {}
        async for rows in self.database.scan(STANDINGS_OF, Listed.TYPE.value):
            standings.update(map(standing_of, rows))
        self._types, self._newest = types, newest
        self._standings, self.version = standings, version

    def vct(self, code: str) -> str:
        """The address of a type's document."""
        return f"https://{self.origin}/vct/{code}"

    def code_of(self, vct: str) -> str | None:
        """The code in an address of ours."""
        prefix = self.vct("")
        return vct[len(prefix) :] if vct.startswith(prefix) else None

    def find(self, code: str, version: int = 0) -> PublishedType | None:
        """A version of a type; 0 means the newest."""
        return self._types.get((code, version)) if version else self._newest.get(code)

    def metadata(self, code: str, version: int = 0) -> bytes | None:
        """The document that `vct#integrity` covers; version 0 means the newest."""
        published = self.find(code, version)
        return None if published is None else published.metadata

    def newest(self, code: str) -> CertificateType | None:
        """The newest version of the type with this code."""
        published = self._newest.get(code)
        return None if published is None else published.type

    def newest_version(self, code: str) -> int | None:
        """The number of the newest version of the type with this code."""
        published = self._newest.get(code)
        return None if published is None else published.type.version

    def standing(self, code: str) -> Standing:
        """Where the type stands: published, deprecated or retired."""
        return self._standings.get(code, PUBLISHED)

    def all(self) -> Sequence[PublishedType]:
        """The newest version of every type, in the order of their codes."""
        return [self._newest[code] for code in sorted(self._newest)]

    def check(self) -> Check:
        """That this snapshot is still the newest."""
        return unchanged_catalogue(self.version)


@dataclass(frozen=True, slots=True)
class PublishCertificateType:
    """Publish a type or its next version.

    1. The same call again gives the first answer. 2. The bytes are one strict type document, the
    caller an officer or of the defining authority, the version the next one. 3. Record.
    """

    clock: Clock
    recorder: Recorder
    access: Access
    catalogue: Catalogue

    async def __call__(
        self,
        call: Call,
        metadata: bytes,
        encode: Callable[[PublishedType], bytes],
        *,
        validate_only: bool,
    ) -> Answered:
        """Durable and in the catalogue when it returns. Raises HubError: FIELD_INVALID with every
        violation, AUTHORITY_NOT_ALLOWED, TRANSITION_NOT_ALLOWED, REQUEST_ID_REUSED,
        DECISION_STALE."""

        def decide() -> Change:
            published = self._check(call.caller, metadata)
            return self._change(call.caller, published, encode(published))

        return await change_once(
            self.recorder, call, decide, self.catalogue.refresh, validate_only=validate_only
        )

    def _change(self, caller: Caller, published: PublishedType, answer: bytes) -> Change:
        """Step 3. A new version of a deprecated type is published like any other."""
        code, version = published.type.code, published.type.version
        row = (
            code,
            version,
            published.metadata,
            published.integrity,
            ENTRY_INDEX,
            published.create_time_us,
            "registry",
        )
        writes = [Write(INSERT_TYPE, [row]), put_catalogue(self.catalogue.version + 1)]
        if self.catalogue.standing(code).state is not ListState.PUBLISHED:
            time_us = published.create_time_us
            writes.append(put_standing(Listed.TYPE, code, ListState.PUBLISHED, "", time_us))
        return Change(
            kind="type.published",
            data={"code": code, "version": version, "integrity": published.integrity},
            writes=writes,
            checks=(self.catalogue.check(), self.access.check(caller)),
            answer=answer,
        )

    def _check(self, caller: Caller, metadata: bytes) -> PublishedType:
        """Step 2."""
        if len(metadata) > METADATA_BYTES_MAX:
            rule = f"at most {METADATA_BYTES_MAX} bytes"
            raise HubError(Reason.FIELD_INVALID, field="metadata", rule=rule)
        certificate_type = from_json(metadata)
        defining = certificate_type.defining_authority
        may = self.access.answers_for(caller, certificate_type.code, defining)
        if caller.role is not Role.OFFICER and not may:
            raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=caller.authority)
        if self.catalogue.standing(certificate_type.code).state is ListState.RETIRED:
            name = f"certificateTypes/{certificate_type.code.lower()}"
            raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state="retired")
        newest = self.catalogue.newest_version(certificate_type.code) or 0
        if certificate_type.version != newest + 1:
            broken = violation("type_version", "type.next_version", next=newest + 1)
            raise HubError(
                Reason.FIELD_INVALID, violations=(broken,), field=broken.field, rule=broken.en
            )
        vct = self.catalogue.vct(certificate_type.code)
        return PublishedType(certificate_type, vct, metadata, integrity_of(metadata), self.clock())


def integrity_of(metadata: bytes) -> str:
    """`vct#integrity` of a type document (W3C Subresource Integrity)."""
    return f"sha256-{b64(hashlib.sha256(metadata).digest())}"
