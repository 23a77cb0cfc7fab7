"""What a signer demands before it seals records, wherever it runs (formats.md §8).

A record's bytes follow from four things: the intent that officers approved, the batch that the
department signed, its row, and the little that whoever composes records may choose (`Chosen`: the
salts, the place of the status, the time). `CheckedBatch.payload` makes the bytes from these and
from nothing else; it is the one place that says which bytes may be signed. The hub signs what it
returns. A signer that is given bytes reads from them what was chosen (`read_chosen`), makes them
again, and compares: no byte of what it signs is left unexplained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Protocol

from cryptography import x509

from hub.domain.certificate import Conversion, Custody, Origin
from hub.domain.identifier import IDENTIFIER_ROOT
from hub.domain.record import SealingOrder, record_values
from hub.domain.row import Row, parse_row
from hub.domain.seal_key import KeyAlgorithm
from hub.errors import HubError, Reason
from hub.proof.encoding import Json, b64u, b64u_each
from hub.proof.exchange.attestation import Subject, attested_digest, verify_attestation
from hub.proof.exchange.batch import Purpose, row_leaf, verify_batch_root
from hub.proof.jose import Keys, integer, string
from hub.proof.log.merkle import root as merkle_root
from hub.proof.officers.approval import Decision
from hub.proof.officers.intent import Intent, parse_intent
from hub.proof.officers.intent_kinds import KINDS, STANDING_SEAL
from hub.proof.officers.roster import Approved, Roster, check_approval, verify_approved
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.disclosure import member, parse_disclosures
from hub.proof.records.sd_jwt import (
    DECOY_BYTES,
    RecordClaims,
    Source,
    StatusReference,
    parse_record_payload,
    record_payload,
)
from hub.proof.thumbprints import key_thumbprint
from hub.proof.x509.chain import UNREADABLE
from hub.proof.x509.sm2 import parse_x509

SKEW_S: Final = 30
"""How far the time in a record may be from the signer's."""

# A department that signs with a key of its own delegates nothing.
_DELEGATED: Final = (Custody.HUB_FILE, Custody.HUB_HSM)

# What equals values of other types, or may hold what does.
_MANY_EQUALS: Final = frozenset({bool, int, float, list, dict})
_BESIDE_FIELDS: Final = frozenset({"holders", "holder_type", "holder_number", "docs"})


@dataclass(frozen=True, slots=True)
class StandingIntent:
    """What an intent's bytes say: "seal what this authority submits for this type".

    `authority` is its credit code; times are seconds, `not_after` excluded; `manifest` is the
    digest of the only manifest allowed, None for any of the authority's; `documents` are the kinds
    of files that may be made of the certificates' faces (`hub.domain.face.FileKind`).
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
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mandate:
    """What allows signatures: an intent's exact bytes with the texts of its approvals."""

    name: str
    intent: bytes
    approvals: tuple[str, ...]

    @classmethod
    def of(cls, approved: Approved) -> Mandate:
        """What officers approved, called by its digest."""
        return cls(approved.digest, approved.data, approved.approvals)


@dataclass(frozen=True, slots=True)
class ApprovedIntent:
    """An intent whose approvals were verified; `until` (seconds) is the first of all ends."""

    name: str
    intent: StandingIntent
    digest: str
    until: int


def approve_standing(
    name: str, intent: bytes, approvals: Sequence[str], roster: Roster, *, now: int
) -> ApprovedIntent:
    """The standing intent in `intent`, once as many officers as the roster demands approved it.

    Raises HubError(INTENT_NOT_APPROVED) with the rule.
    """
    approved = check_approved(name, intent, approvals, roster, now=now)
    standing = standing_intent(name, approved.intent)
    return ApprovedIntent(name, standing, approved.digest, approved.until)


def check_approved(
    name: str, intent: bytes, approvals: Sequence[str], roster: Roster, *, now: int
) -> Approved:
    """The intent in `intent`, of whatever kind, once as many officers as the roster demands
    approved it. Raises HubError(INTENT_NOT_APPROVED) with the rule."""
    try:
        return verify_approved(intent, approvals, roster, KINDS, now=now)
    except ProofError as error:
        raise refused(name, error.rule) from error


def check_rejected(name: str, intent: bytes, rejection: str, roster: Roster, *, now: int) -> int:
    """When (seconds) an officer, who may decide now, has rejected the intent in `intent`, of
    whatever kind. Raises HubError(INTENT_NOT_APPROVED) with the rule."""
    try:
        said = check_approval(rejection, intent, parse_intent(intent, KINDS), roster, now)
    except ProofError as error:
        raise refused(name, error.rule) from error
    if said.decision is not Decision.REJECT:
        raise refused(name, "it was not rejected")
    return said.iat


def standing_intent(name: str, intent: Intent) -> StandingIntent:
    """What a standing intent says. Raises HubError(INTENT_NOT_APPROVED) for one of another kind."""
    if intent.kind != STANDING_SEAL:
        raise refused(name, "it is not a standing intent to seal records")
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
        documents=_texts(members.get("documents", [])),
    )


def _texts(value: Json) -> tuple[str, ...]:
    return tuple([str(one) for one in value]) if isinstance(value, list) else ()


@dataclass(slots=True)  # Freezing would multiply the cost of making one.
class Chosen:
    """What whoever composes a record may choose, and what it says its row says.

    `backfill` lowers the custody to *attested*: issued before its connector was enrolled. `sd` are
    the digests in their order, `values` all selectively disclosable claims, `algs` by what it is
    sealed: with SM2 a twin will stand beside.
    """

    row_index: int
    identifier: str
    version: int
    backfill: bool
    iat: int
    status: StatusReference
    sd: Sequence[str]
    values: Mapping[str, Json] = field(repr=False)
    algs: tuple[str, ...] = ("ES256",)


def check_order(approved: ApprovedIntent, order: SealingOrder, *, now: int) -> None:
    """`order` is what was approved, and approved still at `now` (seconds).

    Raises HubError(INTENT_NOT_APPROVED) with the rule.
    """
    intent = approved.intent
    if not intent.not_before <= now < approved.until:
        raise refused(approved.name, "the intent is not in force now")
    if (order.authority_uscc, order.vct, order.type_version) != (
        intent.authority,
        intent.vct,
        intent.type_version,
    ):
        raise refused(approved.name, "authority, type or type version differ")
    if not order.vct.endswith(f"/{order.type_code}"):
        raise refused(approved.name, "the type's code is not that of its address")
    if intent.manifest is not None and intent.manifest != order.manifest:
        raise refused(approved.name, "the batch was made under another manifest")


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A batch whose department signed exactly these rows, under an intent that allows it.

    Made by `open_batch`. `leaves` are the row leaves in base64url, `prefix` is how every identifier
    of the type begins; `custody` and `algorithm` are those of the key.
    """

    approved: ApprovedIntent
    order: SealingOrder
    leaves: Sequence[str]
    prefix: str
    custody: Custody
    algorithm: KeyAlgorithm
    keys: Keys
    now: int

    def payload(self, chosen: Chosen) -> bytes:
        """The bytes that seal the row with what was chosen.

        Raises HubError(INTENT_NOT_APPROVED) where values, identifier or time are not those that may
        be sealed, ProofError(CUSTODY_INVALID).
        """
        approved, order, intent = self.approved, self.order, self.approved.intent
        if not 0 <= chosen.row_index < len(self.leaves):
            raise refused(approved.name, "a record names no row of the batch")
        row = parse_row(order.rows[chosen.row_index][1])
        if not _says(chosen.values, row):
            raise refused(approved.name, "a record says other than the row it comes from")
        named = chosen.identifier.startswith(self.prefix)
        if not named or chosen.identifier[-6:-1] != f".{chosen.version:03d}.":
            raise refused(approved.name, "an identifier is of another type or version")
        if abs(chosen.iat - self.now) > SKEW_S:
            raise refused(approved.name, "a record is of another time")
        if self.algorithm.value not in chosen.algs:
            raise refused(approved.name, "a record does not name the algorithm that seals it")
        custody = Custody.ATTESTED if chosen.backfill else self.custody
        claims = RecordClaims(
            origin=intent.origin,
            region=intent.region,
            iss=intent.authority,
            vct=intent.vct,
            vct_integrity=order.integrity,
            type_version=intent.type_version,
            iat=chosen.iat,
            cert=chosen.identifier,
            version=chosen.version,
            status=chosen.status,
            custody=custody,
            src=Source(order.batch, chosen.row_index, order.rows_n, self.leaves[chosen.row_index]),
            delegation=approved.name if custody in _DELEGATED else None,
            attested_by=intent.authority if chosen.backfill else None,
            conversion=self._conversion(row),
            algs=chosen.algs,
        )
        return record_payload(claims, chosen.sd)

    def check_bytes(
        self, payload: bytes, disclosures: Sequence[str], decoys: bytes, row_index: int
    ) -> None:
        """`payload` is exactly what may be signed for this row, and hides nothing.

        Raises HubError(INTENT_NOT_APPROVED) with the rule.
        """
        try:
            again = self.payload(read_chosen(payload, disclosures, decoys, row_index))
        except ProofError as error:
            rule = f"the bytes are not a record: {error.reason.value}"
            raise refused(self.approved.name, rule) from error
        if again != payload:
            raise refused(self.approved.name, "the bytes say something that was not approved")

    def _conversion(self, row: Row) -> Conversion | None:
        """Who attests to a scan, with a key that the log proves; None for what is none."""
        if row.origin is not Origin.SCAN:
            return None
        assert row.attestation is not None, "a scan without attestation is no row"
        order, intent = self.order, self.approved.intent
        subject = Subject(
            intent.origin,
            intent.region,
            order.authority_uscc,
            order.vct,
            order.type_version,
            attested_digest(row),
        )
        try:
            return verify_attestation(row.attestation, subject, keys=self.keys, now=self.now)
        except ProofError as error:
            rule = f"a scan is not attested: {error.reason.value}"
            raise refused(self.approved.name, rule) from error


class CertifiedKey(Protocol):
    """What is looked at of the key that shall sign."""

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint of the public key."""
        ...

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The one algorithm of the key."""
        ...

    @property
    def custody(self) -> Custody:
        """In whose hands the key is."""
        ...

    @property
    def x509_chain(self) -> tuple[bytes, ...]:
        """DER, leaf first, without the root."""
        ...


def check_certified(name: str, authority: str, key: CertifiedKey, *, now: int) -> None:
    """`key` is certified at `now` (seconds) for the authority with this credit code, whose the
    intent `name` is.

    Raises HubError: INTENT_NOT_APPROVED with the rule, KEY_EXPIRED.
    """
    owner, kid, starts, ends = _leaf(key.x509_chain)
    if owner != authority or kid != key.kid:
        raise refused(name, "the key is not certified for the authority")
    if not starts <= now < ends:
        # What was sealed outside the certificate's life would verify nowhere.
        raise HubError(Reason.KEY_EXPIRED, key=key.kid)


def open_batch(
    approved: ApprovedIntent, order: SealingOrder, *, key: CertifiedKey, keys: Keys, now: int
) -> CheckedBatch:
    """The batch of `order`, once the department's signature was found to cover its rows and `key`
    to be the authority's.

    `keys` knows departments' keys. Raises HubError: INTENT_NOT_APPROVED with the rule, KEY_EXPIRED.
    """
    check_order(approved, order, now=now)
    check_certified(approved.name, approved.intent.authority, key, now=now)
    intent = approved.intent
    try:
        root = verify_batch_root(
            order.root_jws,
            keys=keys,
            origin=intent.origin,
            region=intent.region,
            purpose=Purpose.ROW,
            now=now,
        ).root
    except ProofError as error:
        rule = f"the batch does not verify: {error.reason.value}"
        raise refused(approved.name, rule) from error
    signed = (root.authority, root.vct, root.type_version, root.manifest, root.batch, root.n)
    if signed != (
        order.authority_uscc,
        order.vct,
        order.type_version,
        order.manifest,
        order.batch,
        order.rows_n,
    ):
        raise refused(approved.name, "the order is not what the department signed")
    leaves = [row_leaf(salt, row) for salt, row in order.rows]
    if len(leaves) != root.n or merkle_root(leaves) != root.root:
        raise refused(approved.name, "the rows are not those that the department signed")
    prefix = f"{IDENTIFIER_ROOT}.{order.type_code}."
    return CheckedBatch(
        approved, order, b64u_each(leaves), prefix, key.custody, key.algorithm, keys, now
    )


def read_chosen(
    payload: bytes, disclosures: Sequence[str], decoys: bytes, row_index: int
) -> Chosen:
    """What was chosen for a record, read strictly from its bytes; whether it may be sealed is not
    looked at.

    Every digest is that of a disclosure or of a decoy that is shown: one that is not could be a
    claim with another value, kept back to be shown later. Raises ProofError.
    """
    claims, sd = parse_record_payload(payload)
    hidden = set(sd) - _decoy_digests(decoys)
    values: dict[str, Json] = {}
    for at, elements in parse_disclosures(disclosures).items():
        name, value = member(elements)
        if at not in hidden or name in values:
            raise ProofError(ProofReason.DISCLOSURE_UNREFERENCED)
        hidden.discard(at)
        values[name] = value
    if hidden:
        raise ProofError(ProofReason.SD_MALFORMED, "a digest that nothing shown explains")
    return Chosen(
        row_index=row_index,
        identifier=claims.cert,
        version=claims.version,
        backfill=claims.custody is Custody.ATTESTED,
        iat=claims.iat,
        status=claims.status,
        sd=sd,
        values=values,
        algs=claims.algs,
    )


def _decoy_digests(decoys: bytes) -> set[str]:
    """The digests of decoys. Raises ProofError(SD_MALFORMED) for what might be a disclosure: one
    is text, of random bytes none is."""
    blocks = [decoys[at : at + DECOY_BYTES] for at in range(0, len(decoys), DECOY_BYTES)]
    if any(len(block) != DECOY_BYTES or block.isascii() for block in blocks):
        raise ProofError(ProofReason.SD_MALFORMED, "a decoy that is none")
    return {b64u(sha256(block).digest()) for block in blocks}


def refused(name: str, rule: str) -> HubError:
    """Nothing is sealed under the intent `name`, by this rule."""
    return HubError(Reason.INTENT_NOT_APPROVED, intent=name, rule=rule)


@lru_cache(maxsize=256)
def _leaf(chain: tuple[bytes, ...]) -> tuple[str, str, int, int]:
    """Organisation and thumbprint of the leaf, its first second and the one after its last; empty
    texts where there is no leaf that can be read."""
    try:
        leaf = parse_x509(chain[0])
        key: Any = leaf.key or x509.load_der_x509_certificate(chain[0]).public_key()
        kid = key_thumbprint(key)
    except (ProofError, IndexError, *UNREADABLE):
        return "", "", 0, 0
    return leaf.organization_identifier, kid, leaf.not_before, leaf.not_after + 1


def _says(values: Mapping[str, Json], row: Row) -> bool:
    """Whether `values` are what this signed row says: all its fields, and null for any other."""
    if not row.fields.keys() <= values.keys():
        return False
    signed = record_values(
        [(holder.type, holder.number) for holder in row.holders],
        row.fields,
        [name for name in values if name not in _BESIDE_FIELDS],
    )
    if signed != values:
        return False
    unlike_text = [name for name, value in signed.items() if type(value) in _MANY_EQUALS]
    return all(_same(signed[name], values[name]) for name in unlike_text)


def _same(left: Json, right: Json) -> bool:
    """Whether equal values are equal JSON too: in Python True equals 1, in a seal it does not."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return all(_same(value, right[name]) for name, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return all(map(_same, left, right))
    return True
