"""The signer: the only place where a seal key is used, and what it demands before.

It takes the approvals' own texts and verifies them against the officers' keys; what a database row
says about an intent counts for nothing. It signs no bytes from outside: payloads are built here,
clear claims from the approved intent, so that seal, authority, type and version agree with what the
officers read by construction (formats.md §8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from hub.clock import Clock
from hub.domain.certificate import Conversion, Custody, Origin
from hub.domain.record import Record, SealedRecord, SealingOrder, record_values
from hub.domain.row import Row, parse_row
from hub.errors import HubError, Reason
from hub.proof.attestation import Subject, attested_digest, verify_attestation
from hub.proof.batch import Purpose, row_leaf, verify_batch_root
from hub.proof.encoding import Json, b64u, b64u_each, digest
from hub.proof.intent import Intent
from hub.proof.intent_kinds import KINDS, STANDING_SEAL
from hub.proof.jose import SEAL_TYP, Keys, integer, string
from hub.proof.merkle import root as merkle_root
from hub.proof.reasons import ProofError
from hub.proof.roster import Roster, verify_approved
from hub.proof.sd_jwt import (
    Custody as ClaimedCustody,
)
from hub.proof.sd_jwt import (
    RecordClaims,
    Source,
    StatusReference,
    draw_digests,
    record_payload,
)
from hub.seal.keys import SigningKey, header_segment

CACHED_INTENTS_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class StandingIntent:
    """What an intent's bytes say: "seal what this authority submits for this type".

    `authority` is its credit code; times are seconds, `not_after` excluded; `manifest` is the
    digest of the only manifest allowed, None for any of the authority's.
    """

    origin: str
    region: str
    seal: str
    authority: str
    vct: str
    type_version: int
    manifest: str | None
    not_before: int
    not_after: int
    uses_max: int
    requester: str


@dataclass(frozen=True, slots=True)
class ApprovedIntent:
    """An intent whose approvals were verified here; `until` (seconds) is the first of all ends."""

    name: str
    intent: StandingIntent
    digest: str
    until: int


@dataclass(frozen=True, slots=True)
class Signature:
    """A record's signature as its parts are stored; the header is that of its key."""

    version_id: str
    payload: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """Seals records under approved intents. Any thread may call `seal`."""

    origin: str
    region: str
    clock: Clock
    roster: Callable[[], Roster]
    batch_key: Keys
    _approved: dict[str, ApprovedIntent] = field(default_factory=dict, repr=False)

    def approve(self, name: str, intent: bytes, approvals: Sequence[str]) -> ApprovedIntent:
        """The intent, once as many officers as the roster demands approved these very bytes.

        Verified once per roster, intent and set of approvals. An approval counts until its own
        `not_after`, and one rejection ends the intent. Raises HubError: INTENT_NOT_APPROVED with
        the rule, ROSTER_MISSING.
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
        if not known.intent.not_before <= now < known.until:
            raise _refused(name, "the intent is not in force now")
        return known

    def check(
        self, approved: ApprovedIntent, order: SealingOrder, count: int, uses_before: int
    ) -> None:
        """`count` more records of `order` are what was approved.

        Raises HubError(INTENT_NOT_APPROVED) with the rule, or (INTENT_EXHAUSTED).
        """
        intent = approved.intent
        now = self.clock() // 1_000_000
        if not intent.not_before <= now < approved.until:
            raise _refused(approved.name, "the intent is not in force now")
        if (order.authority_uscc, order.vct, order.type_version) != (
            intent.authority,
            intent.vct,
            intent.type_version,
        ):
            raise _refused(approved.name, "authority, type or type version differ")
        if intent.manifest is not None and intent.manifest != order.manifest:
            raise _refused(approved.name, "the batch was made under another manifest")
        if uses_before + count > intent.uses_max:
            raise HubError(
                Reason.INTENT_EXHAUSTED, intent=approved.name, left=intent.uses_max - uses_before
            )

    def seal(
        self,
        approved: ApprovedIntent,
        key: SigningKey,
        order: SealingOrder,
        records: Sequence[Record],
        *,
        places: Sequence[tuple[int, str]],
        uses_before: int,
    ) -> list[tuple[Signature, SealedRecord]]:
        """Seal `records` one by one; `places` are status index and uri of each.

        Raises HubError: INTENT_NOT_APPROVED where the order is not what was approved or the time is
        over, INTENT_EXHAUSTED, KEY_UNAVAILABLE.
        """
        self.check(approved, order, len(records), uses_before)
        leaves, conversions = self._check_batch(approved.name, order, records)
        now = self.clock() // 1_000_000
        header = header_segment(key)
        sealed = []
        for record, conversion, (index, uri) in zip(records, conversions, places, strict=True):
            custody = Custody.ATTESTED if record.backfill else key.custody
            digests = draw_digests(record.values, order.digests_n)
            claims = RecordClaims(
                origin=self.origin,
                region=self.region,
                iss=approved.intent.authority,
                vct=approved.intent.vct,
                vct_integrity=order.integrity,
                type_version=approved.intent.type_version,
                iat=now,
                cert=record.identifier,
                version=record.version,
                status=StatusReference(index, uri),
                custody=ClaimedCustody(custody.value),
                src=Source(order.batch, record.row_index, order.rows_n, leaves[record.row_index]),
                delegation=None if record.backfill else approved.name,
                attested_by=approved.intent.authority if record.backfill else None,
                conversion=conversion,
            )
            payload = record_payload(claims, digests.sd)
            signature = key.sign(f"{header}.{b64u(payload)}".encode(), SEAL_TYP)
            sealed.append(
                (
                    Signature(record.version_id, payload, signature),
                    SealedRecord(
                        record.version_id,
                        custody,
                        f"{uri.rpartition('/')[2]}/{index}",
                        orjson.dumps(list(map(tuple, digests.disclosures))),
                    ),
                )
            )
        return sealed

    def _check_batch(
        self, name: str, order: SealingOrder, records: Sequence[Record]
    ) -> tuple[list[str], list[Conversion | None]]:
        """The leaves of the batch (base64url), once the department's signature was found to cover
        them and each record to say exactly what its row says (formats.md §8); and who attests to
        each record that was made from a scan."""
        try:
            root = verify_batch_root(
                order.root_jws,
                keys=self.batch_key,
                origin=self.origin,
                region=self.region,
                purpose=Purpose.ROW,
                now=self.clock() // 1_000_000,
            ).root
        except ProofError as error:
            raise _refused(name, f"the batch does not verify: {error.reason.value}") from error
        signed = (root.authority, root.vct, root.type_version, root.manifest, root.batch, root.n)
        if signed != (
            order.authority_uscc,
            order.vct,
            order.type_version,
            order.manifest,
            order.batch,
            order.rows_n,
        ):
            raise _refused(name, "the order is not what the department signed")
        leaves = [row_leaf(salt, row) for salt, row in order.rows]
        if len(leaves) != root.n or merkle_root(leaves) != root.root:
            raise _refused(name, "the rows are not those that the department signed")
        conversions = []
        for record in records:
            row = parse_row(order.rows[record.row_index][1])
            if _canonical(record.values) != _canonical(_signed_values(row, record.values)):
                raise _refused(name, "a record says other than the row it comes from")
            conversions.append(self._conversion(name, order, row))
        return b64u_each(leaves), conversions

    def _conversion(self, name: str, order: SealingOrder, row: Row) -> Conversion | None:
        """Who attests to a scan, with a key that the log proves; None for what is none."""
        if row.origin is not Origin.SCAN:
            return None
        assert row.attestation is not None, "a scan without attestation is no row"
        subject = Subject(
            self.origin,
            self.region,
            order.authority_uscc,
            order.vct,
            order.type_version,
            attested_digest(row),
        )
        try:
            return verify_attestation(
                row.attestation, subject, keys=self.batch_key, now=self.clock() // 1_000_000
            )
        except ProofError as error:
            raise _refused(name, f"a scan is not attested: {error.reason.value}") from error

    def _verify(
        self, name: str, intent: bytes, approvals: Sequence[str], roster: Roster, now: int
    ) -> ApprovedIntent:
        if (roster.origin, roster.region) != (self.origin, self.region):
            raise _refused(name, "the roster is another hub's")
        try:
            approved = verify_approved(intent, approvals, roster, KINDS, now=now)
        except ProofError as error:
            detail = f" ({error.detail})" if error.detail else ""
            raise _refused(name, f"{error.reason.value}{detail}") from error
        return ApprovedIntent(
            name, standing_intent(name, approved.intent), approved.digest, approved.until
        )


def standing_intent(name: str, intent: Intent) -> StandingIntent:
    """What a standing intent says. Raises HubError(INTENT_NOT_APPROVED) for one of another kind."""
    if intent.kind != STANDING_SEAL:
        raise _refused(name, "it is not a standing intent to seal records")
    members = intent.members
    return StandingIntent(
        origin=intent.origin,
        region=intent.region,
        seal=string(members, "seal"),
        authority=string(members, "authority"),
        vct=string(members, "vct"),
        type_version=integer(members, "type_version", least=1),
        manifest=string(members, "manifest") if "manifest" in members else None,
        not_before=intent.not_before,
        not_after=intent.not_after,
        uses_max=intent.uses_max,
        requester=intent.requester,
    )


_BESIDE_FIELDS: Final = frozenset({"holders", "holder_type", "holder_number", "docs"})


def _signed_values(row: Row, names: Iterable[str]) -> dict[str, Json]:
    """What a record of this signed row may say, of fields by `names`."""
    return record_values(
        [(holder.type, holder.number) for holder in row.holders],
        row.fields,
        [name for name in names if name not in _BESIDE_FIELDS],
    )


def _canonical(values: Mapping[str, Json]) -> bytes:
    # In Python True equals 1; in what is sealed it does not.
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def _refused(name: str, rule: str) -> HubError:
    return HubError(Reason.INTENT_NOT_APPROVED, intent=name, rule=rule)
