"""Addresses from which a document can be taken, once and soon, by whoever asked for them.

In the memory of one process and bounded; a restart ends all. An address names nothing and was made
without asking the hub: rights, purpose and state are judged when somebody comes, who is then in the
log.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from connectors.facade.codes import FacadeRefusedError, Kind
from connectors.facade.config import Account
from hub.domain.strict_json import Json

ADDRESSES_MAX: Final = 10_000
ADDRESSES_PER_ACCOUNT_MAX: Final = 100
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Promised:
    """What an address leads to: a call that `account` made from `peer`, to be done later."""

    account: Account
    peer: str
    data: Mapping[str, Json] = field(repr=False)
    end_s: float


@dataclass(slots=True)
class Addresses:
    """Addresses that were given out and not yet used. `clock` counts seconds, never back."""

    clock: Callable[[], float]
    _promised: OrderedDict[bytes, Promised] = field(default_factory=OrderedDict)

    def make(self, account: Account, peer: str, data: Mapping[str, Json], lifetime_s: float) -> str:
        """The secret part of a fresh address; the oldest of many ends."""
        mine = [key for key, one in self._promised.items() if one.account is account]
        for key in mine[: max(0, len(mine) - ADDRESSES_PER_ACCOUNT_MAX + 1)]:
            del self._promised[key]
        if len(self._promised) >= ADDRESSES_MAX:
            self._promised.popitem(last=False)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._promised[_key(token)] = Promised(account, peer, data, self.clock() + lifetime_s)
        return token

    def take(self, token: str, peer: str) -> Promised:
        """What an address leads to; it leads there no more. Raises FacadeRefusedError.

        Unknown, used, ended and given to somebody else are one answer.
        """
        promised = self._promised.get(_key(token))
        if promised is None or promised.peer != peer:
            raise _ended()
        del self._promised[_key(token)]
        if self.clock() >= promised.end_s:
            raise _ended()
        return promised

    def put_back(self, token: str, promised: Promised) -> None:
        """Nothing came of it through no fault of the caller's: the address still leads there."""
        self._promised[_key(token)] = promised


def _ended() -> FacadeRefusedError:
    return FacadeRefusedError(
        Kind.ABSENT,
        "ADDRESS_ENDED",
        "下载地址无效、已使用或已过期，请重新获取",
        "the address is unknown, used or has ended; ask for another",
    )


def _key(token: str) -> bytes:
    # Only what an address hashes to is kept, as of tokens.
    return sha256(token.encode()).digest()
