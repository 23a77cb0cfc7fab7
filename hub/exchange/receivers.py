"""Who was given what of a certificate, as the entries of the log say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from hub.domain.receiver import Received
from hub.domain.strict_json import Json
from hub.exchange.ports import Disclosures
from hub.proof.encoding import parse_object


@dataclass(frozen=True, slots=True)
class Receivers:
    """Reads the entries of fetches, verifications and documents, each proven to be in the log."""

    disclosures: Disclosures

    async def of(self, identifier: str) -> AsyncIterator[Received]:
        """What left of the version with this identifier, entry by entry, oldest first.

        Raises HubError(DIGEST_MISMATCH).
        """
        async for entry in self.disclosures.of(identifier):
            body = parse_object(entry.body)
            for fields in _fields(body, identifier):
                yield Received(entry.caller, entry.index, fields, is_named=_is_named(body))


def _fields(body: dict[str, Json], identifier: str) -> list[frozenset[str]]:
    """The fields of each answer about the version: of a fetch those given, of a verification those
    confirmed; a document stands for itself."""
    data = body.get("data")
    if isinstance(data, dict):
        return [_names(data["fields"])]
    certificates = body["certificates"]
    assert isinstance(certificates, list), "written by the hub"
    return [
        _names(one["fields"])
        for one in certificates
        if isinstance(one, dict) and one.get("cert") == identifier and "sd_hash" in one
    ]


def _is_named(body: dict[str, Json]) -> bool:
    """Whether the answer, or the question, names the version."""
    data = body.get("data")
    return body["kind"] == "fetch" or (isinstance(data, dict) and "cert" in data)


def _names(value: Json) -> frozenset[str]:
    assert isinstance(value, list), "written by the hub"
    return frozenset(str(name) for name in value)
