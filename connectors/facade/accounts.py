"""Who calls: accounts with hashed secrets, and tokens that soon end.

Everything is in the memory of one process and bounded. A restart ends all tokens.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from typing import Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from connectors.facade.codes import FacadeRefusedError, Kind
from connectors.facade.config import Account
from hub.proof.encoding import b64u, b64u_decode

TOKENS_MAX: Final = 10_000
TOKENS_PER_ACCOUNT_MAX: Final = 8
FAILURES_MAX: Final = 10
FAILURES_S: Final = 300.0
PEERS_MAX: Final = 10_000
_SECRET_BYTES: Final = 32
_SALT_BYTES: Final = 16


def new_secret() -> tuple[str, str]:
    """A fresh secret, and the hash that is kept of it."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    return secret, hash_secret(secret, secrets.token_bytes(_SALT_BYTES))


def hash_secret(secret: str, salt: bytes) -> str:
    """What the configuration holds: `scrypt:salt:hash`. Takes some 50 ms on purpose."""
    # N and r cost 16 MiB: a stolen file is tried slowly.
    derived = Scrypt(salt=salt, length=32, n=2**14, r=8, p=1).derive(secret.encode())
    return f"scrypt:{b64u(salt)}:{b64u(derived)}"


# Hashed where the key is unknown, so that the time does not tell who has an account.
_NOBODY: Final = hash_secret("nobody", bytes(_SALT_BYTES))


@dataclass(slots=True)
class _Count:
    """How often something happened since a time."""

    since_s: float
    times: int = 0


@dataclass(slots=True)
class Accounts:
    """Admits callers. `clock` counts seconds and never goes back."""

    accounts: Iterable[Account]
    token_lifetime_s: int
    clock: Callable[[], float]
    _by_key: dict[str, Account] = field(init=False)
    _tokens: OrderedDict[bytes, tuple[Account, str, float]] = field(default_factory=OrderedDict)
    _failures: OrderedDict[str, _Count] = field(default_factory=OrderedDict)
    _calls: dict[str, _Count] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_key = {account.app_key: account for account in self.accounts}

    def check_secret(self, app_key: str, secret: str, peer: str) -> Account:
        """The account of `app_key`. Slow: run it in a thread. Raises FacadeRefusedError.

        Unknown key, wrong secret and wrong address are one answer, in the same time.
        """
        self._check_failures(peer)
        account = self._by_key.get(app_key)
        kept = account.secret if account is not None else _NOBODY
        salt = b64u_decode(kept.split(":")[1])
        right = hmac.compare_digest(hash_secret(secret, salt), kept)
        if account is None or not right or not _may_come_from(account, peer):
            self._count_failure(peer)
            raise _identity("ACCOUNT_REFUSED", "账号、密钥或来源地址不符", "key, secret or address")
        return account

    def new_token(self, account: Account, peer: str) -> str:
        """A token of `account` for calls from `peer`; the oldest of many ends."""
        mine = [key for key, (owner, _, _) in self._tokens.items() if owner is account]
        for key in mine[: max(0, len(mine) - TOKENS_PER_ACCOUNT_MAX + 1)]:
            del self._tokens[key]
        if len(self._tokens) >= TOKENS_MAX:
            self._tokens.popitem(last=False)
        token = secrets.token_urlsafe(_SECRET_BYTES)
        self._tokens[_key(token)] = (account, peer, self.clock() + self.token_lifetime_s)
        return token

    def check_token(self, access_id: str, token: str, peer: str) -> Account:
        """The account of a token that is good, for its own key and address only.

        Raises FacadeRefusedError.
        """
        account, bound_to, end_s = self._tokens.get(_key(token), (None, "", 0.0))
        if account is None or account.app_key != access_id or bound_to != peer:
            raise _identity("TOKEN_REFUSED", "令牌无效，请重新获取", "the token is not yours")
        if self.clock() >= end_s:
            del self._tokens[_key(token)]
            raise _identity("TOKEN_EXPIRED", "令牌已过期，请重新获取", "the token has ended")
        return account

    def count_call(self, account: Account) -> None:
        """One call of `account`. Raises FacadeRefusedError beyond its calls per minute."""
        count = self._calls.get(account.id)
        if count is None or self.clock() - count.since_s >= 60:
            count = self._calls[account.id] = _Count(self.clock())
        if count.times >= account.calls_per_minute_max:
            raise limited()
        count.times += 1

    def _check_failures(self, peer: str) -> None:
        count = self._failures.get(peer)
        if count is None:
            return
        if self.clock() - count.since_s >= FAILURES_S:
            del self._failures[peer]
        elif count.times >= FAILURES_MAX:
            raise limited()

    def _count_failure(self, peer: str) -> None:
        if peer not in self._failures and len(self._failures) >= PEERS_MAX:
            self._failures.popitem(last=False)
        self._failures.setdefault(peer, _Count(self.clock())).times += 1


def limited() -> FacadeRefusedError:
    """Too many calls, by whatever bound."""
    return FacadeRefusedError(
        Kind.LIMITED,
        "RATE_LIMITED",
        "接口访问数量已达到峰值，请稍后再试",
        "too many calls; wait a minute, then repeat",
    )


def _key(token: str) -> bytes:
    # Only what a token hashes to is kept: a dump of the memory's index opens nothing.
    return sha256(token.encode()).digest()


def _may_come_from(account: Account, peer: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in account.networks)


def _identity(reason: str, zh: str, en: str) -> FacadeRefusedError:
    return FacadeRefusedError(Kind.IDENTITY, reason, f"身份验证不通过：{zh}", f"refused: {en}")
