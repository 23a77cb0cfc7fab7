"""The signer: what is demanded before a seal's key is used (formats.md §8).

It takes the approvals' own texts and verifies them against the roster of officers; what a database
row says about an intent counts for nothing. Which bytes may seal a record is said by
`hub.proof.sealing.records`: the hub composes them by its functions, a signer process checks by the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from hub.clock import Clock
from hub.domain.record import Record, SealingOrder
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.proof.jose import Keys
from hub.proof.officers.roster import Roster
from hub.proof.records.sd_jwt import StatusReference, draw_digests
from hub.proof.sealing.records import (
    ApprovedIntent,
    Chosen,
    approve_standing,
    check_order,
    open_batch,
    refused,
)
from hub.seal.keys import Composed, SigningKey

CACHED_INTENTS_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Signer:
    """Approves intents and composes what they allow to seal. Any thread may call."""

    origin: str
    region: str
    clock: Clock
    roster: Callable[[], Roster]
    batch_key: Keys
    # How the intent with a digest ended, as far as the log is at hand.
    ended: Callable[[str], str | None]
    _approved: dict[str, ApprovedIntent] = field(default_factory=dict, repr=False)

    def approve(self, name: str, intent: bytes, approvals: Sequence[str]) -> ApprovedIntent:
        """The intent, once as many officers as the roster demands approved these very bytes.

        Verified once per roster, intent and set of approvals. An approval counts until its own
        `not_after`, and one rejection ends the intent. Raises HubError: INTENT_NOT_APPROVED with
        the rule, INTENT_CLOSED, ROSTER_MISSING.
        """
        roster = self.roster()
        key = f"{roster.number} {name} {digest(intent)} {digest(chr(10).join(approvals))}"
        known = self._approved.get(key)
        now = self.clock() // 1_000_000
        if known is None:
            known = self._verify(name, intent, approvals, roster, now)
            if len(self._approved) >= CACHED_INTENTS_MAX:
                self._approved.clear()
            self._approved[key] = known
        state = self.ended(known.digest)
        if state is not None:
            raise HubError(Reason.INTENT_CLOSED, intent=name, state=state)
        if not known.intent.not_before <= now < known.until:
            raise refused(name, "the intent is not in force now")
        return known

    def check(
        self, approved: ApprovedIntent, order: SealingOrder, count: int, uses_before: int
    ) -> None:
        """`count` more records of `order` are what was approved.

        Raises HubError(INTENT_NOT_APPROVED) with the rule, or (INTENT_EXHAUSTED).
        """
        check_order(approved, order, now=self.clock() // 1_000_000)
        uses_max = approved.intent.uses_max
        if uses_before + count > uses_max:
            raise HubError(
                Reason.INTENT_EXHAUSTED, intent=approved.name, left=uses_max - uses_before
            )

    def compose(
        self,
        approved: ApprovedIntent,
        key: SigningKey,
        order: SealingOrder,
        records: Sequence[Record],
        places: Sequence[tuple[int, str]],
        *,
        algs: tuple[str, ...],
    ) -> list[Composed]:
        """The bytes that seal `records`; `places` are status index and uri of each, `algs` what
        they are sealed by: `key`'s algorithm, and that of its twin.

        Raises HubError: INTENT_NOT_APPROVED where they are not what was approved, KEY_EXPIRED.
        """
        now = self.clock() // 1_000_000
        batch = open_batch(approved, order, key=key, keys=self.batch_key, now=now)
        composed = []
        for record, (index, uri) in zip(records, places, strict=True):
            digests = draw_digests(record.values, order.digests_n)
            chosen = Chosen(
                row_index=record.row_index,
                identifier=record.identifier,
                version=record.version,
                backfill=record.backfill,
                iat=now,
                status=StatusReference(index, uri),
                sd=digests.sd,
                values=record.values,
                algs=algs,
            )
            disclosures = orjson.dumps(list(map(tuple, digests.disclosures)))
            composed.append(Composed(record, batch.payload(chosen), disclosures, digests.decoys))
        return composed

    def _verify(
        self, name: str, intent: bytes, approvals: Sequence[str], roster: Roster, now: int
    ) -> ApprovedIntent:
        if (roster.origin, roster.region) != (self.origin, self.region):
            raise refused(name, "the roster is another hub's")
        return approve_standing(name, intent, approvals, roster, now=now)


def more_telling(refusal: HubError, later: HubError) -> HubError:
    """What to answer after two intents were tried in vain: an intent that allows it and cannot be
    used now says what is wrong; one that allows something else says nothing."""
    return later if refusal.reason is Reason.INTENT_NOT_APPROVED else refusal
