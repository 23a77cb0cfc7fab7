"""Pages of lists: how many rows, and where the next page begins."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from hub.clock import Clock
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, b64u_decode
from hub.proof.reasons import ProofError
from hub.storage.encryption import KeyedDigest

PAGE_SIZE_DEFAULT: Final = 50
PAGE_SIZE_MAX: Final = 1000
# A page ends before its message grows too large for a client that kept gRPC's default.
PAGE_BYTES_MAX: Final = 2_000_000
TOKEN_AGE_MAX_S: Final = 24 * 60 * 60

_TOKEN_CHARACTERS_MAX: Final = 2000
_TAG_BYTES: Final = 16
_TIME_BYTES: Final = 8

T = TypeVar("T")


def page_size(asked: int) -> int:
    """How many rows a page holds: 0 means 50, above 1000 means 1000.

    Raises HubError(PAGE_SIZE_INVALID) for a negative number.
    """
    if asked < 0:
        raise HubError(Reason.PAGE_SIZE_INVALID, field="page_size", value=asked)
    return min(asked or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)


def fitting(rows: Sequence[T], size: int, bytes_of: Callable[[T], int]) -> Sequence[T]:
    """The first of `rows` that make a page: at most `size`, and at most PAGE_BYTES_MAX together,
    but always one where there is one."""
    total = 0
    for count, row in enumerate(rows[:size]):
        total += bytes_of(row)
        if count and total > PAGE_BYTES_MAX:
            return rows[:count]
    return rows[:size]


class PageTokens:
    """Opaque tokens that name the last row of a page, bound to method and filter."""

    def __init__(self, digest: KeyedDigest, clock: Clock) -> None:
        self._digest = digest
        self._clock = clock

    def make(self, after: str, scope: str) -> str:
        """A token for the page after `after`; `scope` names the method and the filter."""
        time = (self._clock() // 1_000_000).to_bytes(_TIME_BYTES, "big")
        content = time + after.encode()
        return b64u(self._tag(content, scope) + content)

    def read(self, token: str, scope: str) -> str:
        """The `after` of a token made for the same scope in the last 24 hours; empty for none.

        Raises HubError(PAGE_TOKEN_INVALID).
        """
        if not token:
            return ""
        if len(token) > _TOKEN_CHARACTERS_MAX:
            raise HubError(Reason.PAGE_TOKEN_INVALID, field="page_token")
        try:
            data = b64u_decode(token)
        except ProofError as error:
            raise HubError(Reason.PAGE_TOKEN_INVALID, field="page_token") from error
        tag, content = data[:_TAG_BYTES], data[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(content, scope)):
            raise HubError(Reason.PAGE_TOKEN_INVALID, field="page_token")
        age_s = self._clock() // 1_000_000 - int.from_bytes(content[:_TIME_BYTES], "big")
        if age_s > TOKEN_AGE_MAX_S:
            raise HubError(Reason.PAGE_TOKEN_INVALID, field="page_token")
        return content[_TIME_BYTES:].decode()

    def _tag(self, content: bytes, scope: str) -> bytes:
        # The scope is hashed first, so that no content can imitate the border between the two.
        scoped = hashlib.sha256(scope.encode()).digest()
        return self._digest(b"sealway/page-token/v1\x00" + scoped + content)[:_TAG_BYTES]
