"""Selective disclosures of RFC 9901: one salted claim each, found again by its digest.

`process` is the general algorithm (nested objects, array elements, recursion) for SD-JWTs of other
issuers and for batches; our own records are flat and checked more strictly by
`hub.proof.records.sd_jwt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Final, NamedTuple

from hub.domain.strict_json import DEPTH_MAX
from hub.proof.encoding import Json, b64u, b64u_decode, b64u_each, digest, emit_json, parse_json
from hub.proof.reasons import ProofError, ProofReason

SALT_BYTES: Final = 16
DISCLOSURES_MAX: Final = 128

# Names are those of a few types; each is quoted once.
_quote: Final = lru_cache(maxsize=4096)(encode_basestring)


class Disclosure(NamedTuple):
    """One claim's disclosure; `text` is what is presented and hashed. Never shown in a repr."""

    name: str
    text: str

    def __repr__(self) -> str:
        return "Disclosure(***)"


def values_of(disclosures: Iterable[Sequence[str]]) -> dict[str, Json]:
    """What disclosures say, by name, from pairs of a name and the text that we made of it."""
    values = {}
    for name, text in disclosures:
        parts = parse_json(b64u_decode(text))
        assert isinstance(parts, list), "made by the hub: [salt, name, value]"
        values[name] = parts[2]
    return values


def make_disclosure(salt: bytes, name: str, value: Json) -> Disclosure:
    """The disclosure of one object member. Raises ProofError(JSON_MALFORMED) for a surrogate."""
    return make_disclosures([salt], {name: value})[0][0]


def make_disclosures(
    salts: Sequence[bytes], values: Mapping[str, Json]
) -> tuple[list[Disclosure], list[bytes]]:
    """The disclosures of an object's members, a salt for each, and their SHA-256.

    Raises as `make_disclosure`.
    """
    made, hashes = [], []
    try:
        for salt, (name, value) in zip(b64u_each(salts), values.items(), strict=True):
            # The common value is text: its C quoting is a third of the cost of the general encoder.
            if type(value) is str:
                json = f'["{salt}",{_quote(name)},{encode_basestring(value)}]'.encode()
            elif value is None:
                json = f'["{salt}",{_quote(name)},null]'.encode()
            else:
                json = emit_json([salt, name, value])
            text = b64u(json)
            made.append(Disclosure(name, text))
            hashes.append(sha256(text.encode()).digest())
    except UnicodeEncodeError as error:
        raise ProofError(ProofReason.JSON_MALFORMED, "lone surrogate") from error
    return made, hashes


def parse_disclosures(texts: Sequence[str]) -> dict[str, list[Json]]:
    """Digest to elements for each disclosure text, in the order given (step P6).

    Raises ProofError with a BASE64 or JSON reason, or DISCLOSURE_REPEATED.
    """
    found: dict[str, list[Json]] = {}
    for text in texts:
        elements = parse_json(b64u_decode(text))
        if not isinstance(elements, list):
            raise ProofError(ProofReason.JSON_MALFORMED, "not an array")
        key = digest(text)
        if key in found:
            raise ProofError(ProofReason.DISCLOSURE_REPEATED)
        found[key] = elements
    return found


def process(payload: Mapping[str, Json], texts: Sequence[str]) -> dict[str, Json]:
    """The payload with everything disclosed put in its place, `_sd` and `_sd_alg` removed.

    The general algorithm of RFC 9901 §7.1 over a payload already verified. Raises ProofError:
    SD_ALG, SD_MALFORMED, DIGEST_DUPLICATE, DISCLOSURE_SHAPE, DISCLOSURE_RESERVED_NAME,
    DISCLOSURE_NAME_CLASH, DISCLOSURE_UNREFERENCED, JSON_DEPTH, or a reason of `parse_disclosures`.
    """
    if len(texts) > DISCLOSURES_MAX:
        raise ProofError(ProofReason.TOO_LARGE)
    if payload.get("_sd_alg", "sha-256") != "sha-256":
        raise ProofError(ProofReason.SD_ALG)
    found = parse_disclosures(texts)
    walk = _Walk(found)
    top = {name: value for name, value in payload.items() if name != "_sd_alg"}
    processed = walk.object(top, DEPTH_MAX)
    # A disclosure whose parent is hidden was never reached and counts as unreferenced.
    if found.keys() - walk.met:
        raise ProofError(ProofReason.DISCLOSURE_UNREFERENCED)
    return processed


class _Walk:
    """One pass over a payload; `met` are the digests that stood anywhere in it."""

    def __init__(self, found: Mapping[str, list[Json]]) -> None:
        self._found = found
        self.met: set[str] = set()

    def object(self, source: Mapping[str, Json], depth_left: int) -> dict[str, Json]:
        if depth_left == 0:
            raise ProofError(ProofReason.JSON_DEPTH)
        if "_sd_alg" in source or "..." in source:
            raise ProofError(ProofReason.SD_MALFORMED)
        target = {
            name: self._value(value, depth_left - 1)
            for name, value in source.items()
            if name != "_sd"
        }
        digests = source.get("_sd", [])
        if not isinstance(digests, list):
            raise ProofError(ProofReason.SD_MALFORMED)
        for item in digests:
            elements = self._meet(item)
            if elements is None:
                continue
            name, value = member(elements)
            if name in target:
                raise ProofError(ProofReason.DISCLOSURE_NAME_CLASH)
            target[name] = self._value(value, depth_left - 1)
        return target

    def _array(self, source: list[Json], depth_left: int) -> list[Json]:
        if depth_left == 0:
            raise ProofError(ProofReason.JSON_DEPTH)
        target: list[Json] = []
        for item in source:
            if not (isinstance(item, dict) and item.keys() == {"..."}):
                target.append(self._value(item, depth_left - 1))
                continue
            elements = self._meet(item["..."])
            if elements is None:
                continue
            if len(elements) != 2 or not isinstance(elements[0], str):
                raise ProofError(ProofReason.DISCLOSURE_SHAPE)
            target.append(self._value(elements[1], depth_left - 1))
        return target

    def _value(self, value: Json, depth_left: int) -> Json:
        if isinstance(value, dict):
            return self.object(value, depth_left)
        if isinstance(value, list):
            return self._array(value, depth_left)
        return value

    def _meet(self, item: Json) -> list[Json] | None:
        if not isinstance(item, str):
            raise ProofError(ProofReason.SD_MALFORMED)
        if item in self.met:
            raise ProofError(ProofReason.DIGEST_DUPLICATE)
        self.met.add(item)
        return self._found.get(item)


def member(elements: Sequence[Json]) -> tuple[str, Json]:
    """Name and value of an object member's disclosure.

    Raises ProofError(DISCLOSURE_SHAPE) or (DISCLOSURE_RESERVED_NAME).
    """
    if len(elements) != 3:
        raise ProofError(ProofReason.DISCLOSURE_SHAPE)
    salt, name, value = elements
    if not isinstance(salt, str) or not isinstance(name, str):
        raise ProofError(ProofReason.DISCLOSURE_SHAPE)
    if name in ("_sd", "..."):
        raise ProofError(ProofReason.DISCLOSURE_RESERVED_NAME)
    return name, value
