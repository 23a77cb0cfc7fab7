"""Status lists: two bits per record version, published as one token (formats-jose.md §6).

Whoever cannot read a status knows nothing about it: every failure here is *cannot check*.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hub.proof.encoding import Json, b64u, b64u_decode, emit_json
from hub.proof.jose import (
    FORMAT_VERSION,
    JWS,
    STATUS_TYP,
    Keys,
    LogHead,
    Signer,
    check_equal,
    check_members,
    check_times,
    integer,
    log_head,
    open_jws,
    string,
)
from hub.proof.reasons import ProofError, ProofReason, Verdict

TOKEN_SIZE_MAX: Final = 1_048_576
LIST_BYTES_MAX: Final = 1_048_576
LIST_BYTES_MIN: Final = 32_768
TOKEN_LIFE_MAX_S: Final = 300
BITS: Final = 2

_REQUIRED: Final = frozenset(
    {"v", "iss", "sub", "origin", "region", "iat", "exp", "ttl", "status_list"}
)
_OPTIONAL: Final = frozenset({"log"})


class Status(IntEnum):
    """The status of one record version; superseded reads INVALID."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2


class StatusList:
    """The statuses of one list, in memory; a new list is all VALID."""

    __slots__ = ("_array",)

    def __init__(self, entries: int = LIST_BYTES_MIN * 4) -> None:
        """A list of `entries` places: a multiple of 4, from 2^17 to 2^22."""
        if entries % 4 or not LIST_BYTES_MIN <= entries // 4 <= LIST_BYTES_MAX:
            raise ProofError(ProofReason.STATUS_INDEX, "entries")
        self._array = bytearray(entries // 4)

    def __len__(self) -> int:
        """How many places the list has."""
        return len(self._array) * 4

    def get(self, index: int) -> Status:
        """The status at `index`. Raises ProofError(STATUS_INDEX)."""
        self._check(index)
        return _status(self._array, index)

    def set(self, index: int, status: Status) -> None:
        """Write the status at `index`. Raises ProofError(STATUS_INDEX)."""
        self._check(index)
        shift = (index & 3) * BITS
        rest = self._array[index >> 2] & ~(3 << shift)
        self._array[index >> 2] = rest | (status << shift)

    def compress(self) -> str:
        """`lst`: ZLIB, then base64url. Other libraries may give other bytes for the same list."""
        return b64u(zlib.compress(self._array, 9))

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise ProofError(ProofReason.STATUS_INDEX)


@dataclass(frozen=True, slots=True)
class StatusClaims:
    """What a status list token says besides the list. `uri` is where the list is published."""

    iss: str
    uri: str
    origin: str
    region: str
    iat: int
    exp: int
    ttl: int
    log: LogHead | None = None


@dataclass(frozen=True, slots=True)
class VerifiedStatusList:
    """An authentic list in force; `read_status` reads it."""

    claims: StatusClaims
    digest: str
    array: bytes


def sign_status_list(claims: StatusClaims, lst: str, signer: Signer) -> str:
    """The token's compact text; `lst` is from `StatusList.compress`."""
    payload: dict[str, Json] = {
        "v": FORMAT_VERSION,
        "iss": claims.iss,
        "sub": claims.uri,
        "origin": claims.origin,
        "region": claims.region,
        "iat": claims.iat,
        "exp": claims.exp,
        "ttl": claims.ttl,
        "status_list": {"bits": BITS, "lst": lst},
    }
    if claims.log is not None:
        payload["log"] = claims.log.claim()
    return signer.compact(STATUS_TYP, emit_json(payload))


def open_status_list(compact: str, keys: Keys) -> JWS:
    """An authentic status list token with the members of the format (step 1)."""
    with _cannot_check():
        jws = open_jws(compact, typ=STATUS_TYP, keys=keys, size_max=TOKEN_SIZE_MAX)
        check_members(jws.claims, _REQUIRED, _OPTIONAL)
        return jws


def verify_status_list(
    compact: str,
    *,
    keys: Keys,
    origin: str,
    region: str,
    uri: str,
    now: int,
    highest_iat: int | None,
) -> VerifiedStatusList:
    """Steps 1 to 6 of formats-jose.md §6. `highest_iat` is the highest seen so far for `uri`.

    Raises ProofError with the reason of the first failing step, always as *cannot check*.
    """
    with _cannot_check():
        jws = open_status_list(compact, keys)
        claims = jws.claims
        check_equal(
            claims,
            {
                "origin": (origin, ProofReason.ORIGIN_WRONG),
                "region": (region, ProofReason.REGION_WRONG),
                "sub": (uri, ProofReason.STATUS_URI_MISMATCH),
            },
        )
        iat, exp = check_times(claims, now=now, life_max_s=TOKEN_LIFE_MAX_S)
        if highest_iat is not None and iat < highest_iat:
            raise ProofError(ProofReason.STATUS_ROLLBACK)
        array = _inflate(claims["status_list"])
        said = StatusClaims(
            string(claims, "iss"),
            uri,
            origin,
            region,
            iat,
            exp,
            integer(claims, "ttl"),
            log_head(claims),
        )
        return VerifiedStatusList(said, jws.digest, array)


def read_status(verified: VerifiedStatusList, index: int) -> Status:
    """The status at `index` (step 7).

    Raises ProofError(CLAIM_INVALID), (STATUS_INDEX), or (STATUS_VALUE) for the value 3, which is
    never written; always as *cannot check*.
    """
    with _cannot_check():
        if index < 0:
            raise ProofError(ProofReason.CLAIM_INVALID, "idx")
        if index >= 4 * len(verified.array):
            raise ProofError(ProofReason.STATUS_INDEX)
        return _status(verified.array, index)


def _status(array: bytes | bytearray, index: int) -> Status:
    value = (array[index >> 2] >> ((index & 3) * BITS)) & 3
    if value == 3:
        raise ProofError(ProofReason.STATUS_VALUE)
    return Status(value)


def _inflate(value: Json) -> bytes:
    if not isinstance(value, dict) or value.keys() != {"bits", "lst"}:
        raise ProofError(ProofReason.STATUS_ENCODING)
    if type(value["bits"]) is not int or value["bits"] != BITS:
        raise ProofError(ProofReason.STATUS_BITS)
    lst = value["lst"]
    if not isinstance(lst, str):
        raise ProofError(ProofReason.STATUS_ENCODING)
    inflater = zlib.decompressobj()
    try:
        # One byte above the cap tells a full list from one that goes on.
        array = inflater.decompress(b64u_decode(lst), LIST_BYTES_MAX + 1)
    except (zlib.error, ProofError) as error:
        raise ProofError(ProofReason.STATUS_ENCODING) from error
    if len(array) > LIST_BYTES_MAX:
        raise ProofError(ProofReason.STATUS_TOO_LARGE)
    if not inflater.eof or inflater.unused_data:
        raise ProofError(ProofReason.STATUS_ENCODING)
    if len(array) < LIST_BYTES_MIN:
        raise ProofError(ProofReason.STATUS_TOO_SMALL)
    return array


@contextmanager
def _cannot_check() -> Iterator[None]:
    try:
        yield
    except ProofError as error:
        if error.verdict is Verdict.CANNOT_CHECK:
            raise
        raise ProofError(error.reason, error.detail, verdict=Verdict.CANNOT_CHECK) from error
