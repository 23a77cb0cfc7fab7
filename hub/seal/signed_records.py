"""What a key has made of records, as the rows that keep it: its header once, and a signature for
each record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from hub.domain.seal_key import KeyAlgorithm
from hub.proof.encoding import digest
from hub.seal.keys import AnewWork, RecordWork, SigningKey, header_segment
from hub.storage.statements import Row


@dataclass(frozen=True, slots=True)
class SignedRecords:
    """What one key made of a work: for each record the payload it covers, and the signature."""

    key: SigningKey
    header: str
    signatures: Sequence[tuple[bytes, bytes]]

    @classmethod
    def of(cls, key: SigningKey, work: RecordWork | AnewWork, signatures: Sequence[bytes]) -> Self:
        """`signatures` are those of the payloads of `work`; one over folded records is each's."""
        signed = list(zip(work.payloads, signatures, strict=True))
        if work.fold is not None:
            signed *= len(work.records)
        return cls(key, header_segment(key), signed)

    @property
    def header_row(self) -> Row:
        """The row that keeps the header."""
        return header_row(self.key, self.header)

    def rows(self, places: Iterable[tuple[str, int, int, str]]) -> list[Row]:
        """The rows of the signatures. Of each record its version, list and place of its status, and
        retention class; the place stands in those of ES256 alone."""
        kid, algorithm, header_id = self.key.kid, self.key.algorithm, digest(self.header)
        is_twin = algorithm is not KeyAlgorithm.ES256
        return [
            (
                version_id,
                algorithm.value,
                kid,
                header_id,
                payload,
                signature,
                *((None, None) if is_twin else place),
                retention_class,
            )
            for (payload, signature), (version_id, *place, retention_class) in zip(
                self.signatures, places, strict=True
            )
        ]


def header_row(key: SigningKey, header: str) -> Row:
    """The row that keeps the header segment of a key."""
    return (digest(header), key.kid, key.algorithm.value, header, "seal")
