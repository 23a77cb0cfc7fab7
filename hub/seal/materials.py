"""What an intent about a seal names by its digest: pictures, and electronic seals from outside.

They are put on file first, so that officers can look at exactly what they are asked to approve.
Nothing follows from a material that no intent names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.seal.electronic_seals import verified
from hub.seal.pictures import check_picture
from hub.seal.ports import Database, Recorder
from hub.seal.seal_store import (
    MATERIAL_BY_DIGEST,
    PUT_MATERIAL,
    Material,
    material_of,
    material_row,
)
from hub.storage.changes import Answered, Call, Change, read_and_change_once
from hub.storage.statements import Check, Write

ESL: Final = "ESL"
ESL_BYTES_MAX: Final = 1_048_576
READ_AT_ONCE: Final = 2
"""Others wait, and take no thread."""
_SEQUENCE: Final = b"\x30"


@dataclass(frozen=True, slots=True)
class Materials:
    """Pictures and electronic seals by the digest of their bytes."""

    database: Database
    recorder: Recorder
    clock: Clock
    _reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READ_AT_ONCE))

    async def get(self, material: str) -> Material:
        """What is on file under a digest. Raises HubError(MATERIAL_NOT_FOUND)."""
        return await find_material(self.database, material)

    async def add(self, call: Call, data: bytes, encode: Callable[[Material], bytes]) -> Answered:
        """Put a picture (PNG, SVG) or an electronic seal (SESeal of version 1, 4 or 5) on file,
        once its own checks hold; the same bytes again change nothing.

        Raises HubError: PICTURE_INVALID, ELECTRONIC_SEAL_INVALID, FIELD_INVALID.
        """
        async with self._reading:
            format = await asyncio.to_thread(format_of, data)
        material = Material(digest(data), format, data, self.clock())

        async def decide() -> Change:
            row = await self.database.one(MATERIAL_BY_DIGEST, material.digest)
            known = row is not None
            return Change(
                kind="seal_material.added",
                data={"material": material.digest, "format": material.format, "size": len(data)},
                writes=[] if known else [Write(PUT_MATERIAL, [material_row(material)])],
                checks=[Check(MATERIAL_BY_DIGEST, (material.digest,), row)],
                answer=encode(material),
            )

        return await read_and_change_once(self.recorder, call, decide)


async def find_material(database: Database, material: str) -> Material:
    """What is on file under a digest. Raises HubError(MATERIAL_NOT_FOUND)."""
    row = await database.one(MATERIAL_BY_DIGEST, material)
    if row is None:
        raise HubError(Reason.MATERIAL_NOT_FOUND, name=material)
    return material_of(row)


def format_of(data: bytes) -> str:
    """PNG, SVG or ESL, once the bytes were checked to be that. Raises as `Materials.add`."""
    if not data.startswith(_SEQUENCE):
        return check_picture(data).type.value
    if len(data) > ESL_BYTES_MAX:
        rule = f"at most {ESL_BYTES_MAX} bytes"
        raise HubError(Reason.FIELD_INVALID, field="data", rule=rule)
    verified(data)
    return ESL
