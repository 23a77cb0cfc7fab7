"""Whoever signs elsewhere is told what officers have ended, as the log says it (docs/adr/0060).

Every process of the hub reads that from the log for itself and tells its own signers, so it does
not matter which of them carried it out.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hub.errors import HubError, Reason
from hub.proof.sealing.records import Mandate
from hub.seal.ended_intents import Decided, EndedIntents
from hub.seal.ports import Database
from hub.seal.seal_keys import SealKeys
from hub.seal.store import INTENT_BY_NAME, intent_of

AGAIN_S: Final = 60
"""How long a signer that does not answer is left alone."""

_AWAY: Final = frozenset(
    {Reason.SIGNER_UNAVAILABLE, Reason.REMOTE_SIGNER_UNAVAILABLE, Reason.ROSTER_MISSING}
)
_LOG: Final = logging.getLogger("sealway.seal")


class _Notice(NamedTuple):
    mandate: Mandate
    rejection: str


@dataclass(slots=True)
class _Home:
    left: list[_Notice] = field(default_factory=list)
    not_before_us: int = 0


@dataclass(slots=True)
class TellSigners:
    """Tells each home of keys, in order."""

    database: Database
    keys: SealKeys
    ended: EndedIntents
    _homes: dict[str, _Home] = field(default_factory=dict)

    async def tell(self) -> None:
        """Tell what was read of the log since. A home that does not answer is told later, in the
        life of this process; what one refuses, because it is over by now, stands in the log."""
        for decided in self.ended.take_decided():
            notice = await self._notice(decided)
            if notice is not None:
                for name in self.keys.homes:
                    self._homes.setdefault(name, _Home()).left.append(notice)
        for name, home in self._homes.items():
            if home.left and home.not_before_us <= self.keys.clock():
                await self._tell(name, home)

    async def _notice(self, decided: Decided) -> _Notice | None:
        if not decided.rejection:
            mandate = Mandate(decided.intent, decided.bytes, decided.approvals)
            return _Notice(mandate, "")
        # The entry does not repeat the intent; another one would have another digest.
        row = await self.database.one(INTENT_BY_NAME, decided.intent)
        if row is None:
            return None
        return _Notice(Mandate(decided.intent, intent_of(row).bytes, ()), decided.rejection)

    async def _tell(self, name: str, home: _Home) -> None:
        while home.left:
            try:
                await self.keys.notice([name], *home.left[0])
            except HubError as error:
                event = "signer_away" if error.reason in _AWAY else "signer_refused_notice"
                _LOG.info(
                    '{"event":"%s","home":"%s","intent":"%s","reason":"%s"}',
                    event,
                    name,
                    home.left[0].mandate.name,
                    error.reason.value,
                )
                if error.reason in _AWAY:
                    home.not_before_us = self.keys.clock() + AGAIN_S * 1_000_000
                    return
            home.left.pop(0)
