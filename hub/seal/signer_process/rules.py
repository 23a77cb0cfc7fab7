"""What a signer demands of each kind of request before its key is used: one rule for one format.

Every rule ends in `Allowed`: the exact bytes that the key signs, and the use that they are of the
intent. What makes them is made again from the intent, or compared with it, in `hub.proof`; the hub
composes by the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from hub.domain.document import Reader
from hub.domain.face import CopyTerms, FaceFormat
from hub.domain.record import SealingOrder
from hub.domain.seal_key import FORMATS, KeyAlgorithm, KeyUse, key_name
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u
from hub.proof.jose import Keys
from hub.proof.log.receipt import LogTrust
from hub.proof.officers.approval import intent_digest
from hub.proof.officers.intent import Kind
from hub.proof.officers.roster import Approved, Roster
from hub.proof.officers.seal_kinds import (
    KEY_DESTROY,
    KEY_GENERATE,
    KEY_RESEAL,
    KEY_USES_MAX,
    KEYS_MAX,
    NEW_STATES,
    SEAL_APPLY,
    SEAL_MAKE,
    SEAL_RENEW,
)
from hub.proof.pdf.file import open_pdf
from hub.proof.reasons import ProofError
from hub.proof.records.batch import fold_records
from hub.proof.sealing.anew import RecordAnew, SealBefore, check_anew, read_recording, read_theft
from hub.proof.sealing.codes import check_code
from hub.proof.sealing.documents import (
    Document,
    DocumentOrder,
    OfdFile,
    PdfFile,
    check_ofd,
    check_pdf,
)
from hub.proof.sealing.listing import check_listing, file_entry
from hub.proof.sealing.records import (
    ApprovedIntent,
    check_approved,
    check_certified,
    check_rejected,
    open_batch,
    refused,
)
from hub.proof.sealing.seals import check_made
from hub.proof.x509.sm2 import X509
from hub.seal.documents.cms import CmsForm, filled
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.keys import SigningKey, header_segment
from hub.seal.signer_process.journal import OrderedKey
from hub.seal.v1 import signer_pb2 as pb

RECORDS_MAX: Final = 10_000
# Longer than what an intent says of a key: its kind has the limits.
_TEXT_MAX: Final = 64

SigningRequest: TypeAlias = (
    pb.SignRecords
    | pb.SignDocument
    | pb.SignFaceCode
    | pb.SignSeal
    | pb.SignRecordsAnew
    | pb.SignRecordListing
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be signed, once each: `inputs` in their order. They count as `count` uses of
    `counter`, of which there may be `uses_max`; `name` is the intent's. `seal` is the seal whose
    key it allows, "" for the hub's own; None where the key follows from what is signed."""

    inputs: Sequence[bytes] = field(repr=False)
    counter: str
    count: int
    uses_max: int
    name: str
    seal: str | None

    @classmethod
    def under(
        cls, approved: ApprovedIntent, inputs: Sequence[bytes], counter: str, count: int
    ) -> Allowed:
        """Under a standing intent, by a key of the seal that it names."""
        intent = approved.intent
        return cls(inputs, counter, count, intent.uses_max, approved.name, intent.seal)


class Signed(NamedTuple):
    """What a request was answered with, and the key that did."""

    key: SigningKey
    signature: bytes


def allow_records(
    asked: pb.SignRecords, approved: ApprovedIntent, key: SigningKey, keys: Keys, now: int
) -> Allowed:
    """Records, one by one or folded: the batch is the department's, and each record what may be
    signed for its row. `keys` are departments' keys.

    Raises HubError: INTENT_NOT_APPROVED with the rule, KEY_EXPIRED.
    """
    batch = open_batch(approved, _batch_order(asked.batch), key=key, keys=keys, now=now)
    rows = {record.row_index for record in asked.records}
    if not 0 < len(asked.records) <= RECORDS_MAX or len(rows) != len(asked.records):
        raise refused(approved.name, f"1 to {RECORDS_MAX} records, each of another row")
    for record in asked.records:
        batch.check_bytes(record.payload, record.disclosures, record.decoys, record.row_index)
    header = header_segment(key)
    inputs = [f"{header}.{b64u(one)}".encode() for one in _payloads(approved.name, asked)]
    return Allowed.under(
        approved, inputs, _record_counter(approved.digest, key), len(asked.records)
    )


def allow_document(
    asked: pb.SignDocument,
    approved: ApprovedIntent,
    key: SigningKey,
    makers: Sequence[X509],
    now: int,
) -> Allowed:
    """A face as OFD or PDF: file, intent and bytes are compared with each other. `makers` are the
    anchors of those who make electronic seals.

    Raises HubError: KEY_USAGE_REFUSED, INTENT_NOT_APPROVED with the rule, DOCUMENT_TOO_LARGE,
    KEY_EXPIRED.
    """
    if asked.format != FORMATS[key.use]:
        raise HubError(Reason.KEY_USAGE_REFUSED, kid=key.kid)
    document = _document(asked)
    if key.use is KeyUse.OFD:
        check_ofd(approved, document, key, makers=makers, now=now)
    else:
        check_pdf(approved, document, key, CmsForm.of(key), now=now)
    return Allowed.under(approved, [document.to_sign], approved.digest, 1)


def allow_face_code(
    asked: pb.SignFaceCode, approved: ApprovedIntent, key: SigningKey, now: int
) -> Allowed:
    """The code of a face that the intent allows to be sealed. An intent allows as many codes as it
    has uses: each stands on a file, which is a use of its own.

    Raises HubError: INTENT_NOT_APPROVED with the rule, KEY_EXPIRED.
    """
    check_certified(approved.name, approved.intent.authority, key, now=now)
    check_code(approved, _face_order(asked.order), asked.to_sign, stated=None, kid=key.kid, now=now)
    return Allowed.under(approved, [asked.to_sign], f"{approved.digest} code", 1)


def allow_seal(asked: pb.SignSeal, roster: Roster, key: SigningKey, now: int) -> Allowed:
    """An electronic seal, once: it is what the intent orders of this key, byte for byte.

    Raises HubError(INTENT_NOT_APPROVED) with the rule.
    """
    name = asked.intent_name
    approved = _ordered(asked, roster, now, (SEAL_MAKE, SEAL_RENEW), "to make a seal")
    check_made(name, approved.intent.members, asked.to_sign, maker_key=key_name(key.kid), now=now)
    # Seals are made with a key of the hub's own.
    return Allowed([asked.to_sign], approved.digest, 1, uses_max=1, name=name, seal="")


def check_ordered_key(asked: pb.MakeSignerKey, roster: Roster, now: int) -> OrderedKey:
    """Officers approved this very key.

    They call a department's home by the name that its signer gives it and what follows. Raises
    HubError(INTENT_NOT_APPROVED) with the rule.
    """
    approved = _ordered(asked, roster, now, (KEY_GENERATE, SEAL_APPLY), "to make a key")
    intent = approved.intent
    ordered, authority = Reader(intent.members, "", []), "authority_uscc"
    keys = [ordered]
    if intent.kind is SEAL_APPLY:
        keys, authority = ordered.objects("keys", KEYS_MAX), "authority"
    if not 0 <= asked.number < len(keys):
        raise refused(asked.intent_name, "it orders no such key")
    key = keys[asked.number]
    home = key.text("home", _TEXT_MAX)
    if asked.home not in (home, home.partition("-")[0]):
        raise refused(asked.intent_name, "it orders a key in another home")
    if (
        asked.use != key.text("use", _TEXT_MAX)
        or asked.algorithm != key.text("algorithm", _TEXT_MAX)
        or asked.common_name != intent.text("title")
        or asked.organization_identifier != intent.text(authority)
    ):
        raise refused(asked.intent_name, "it orders another key")
    has_limit = key.has("signatures_max")
    uses_max = key.integer("signatures_max", 1, KEY_USES_MAX) if has_limit else 0
    return OrderedKey(approved.digest, asked.number, intent.text("seal"), uses_max)


def check_destroyed(asked: pb.DestroySignerKey, roster: Roster, now: int) -> None:
    """Officers approved that this very key is destroyed. Raises HubError(INTENT_NOT_APPROVED) with
    the rule."""
    approved = _ordered(asked, roster, now, (KEY_DESTROY,), "to destroy a key")
    if approved.intent.text("key") != key_name(asked.key_id):
        raise refused(asked.intent_name, "it orders that another key is destroyed")


class Notice(NamedTuple):
    """A decision of officers: the state of a key, a seal or an intent (its digest) since `time`
    (seconds), when the last of them signed."""

    name: str
    state: str
    time: int


def read_notice(asked: pb.SignerNotice, roster: Roster, now: int) -> Notice:
    """What officers have decided: with a rejection the intent is ended. Raises
    HubError(INTENT_NOT_APPROVED) with the rule."""
    if asked.rejection:
        name, data = asked.intent_name, asked.intent
        time = check_rejected(name, data, asked.rejection, roster, now=now)
        return Notice(b64u(intent_digest(data)), "rejected", time)
    approved = _ordered(asked, roster, now, tuple(NEW_STATES), "that ends or resumes anything")
    member, state = NEW_STATES[approved.intent.kind]
    return Notice(approved.intent.text(member), state, approved.time)


def allow_anew(
    asked: pb.SignRecordsAnew, roster: Roster, key: SigningKey, log: LogTrust, now: int
) -> Allowed:
    """Records anew that a stolen key has sealed: the log recorded their seals before it recorded
    the theft, and the new bytes follow from the old ones. `log` is the pinned one.

    Raises HubError: INTENT_NOT_APPROVED with the rule, KEY_EXPIRED.
    """
    name = asked.intent_name
    approved = _ordered(asked, roster, now, (KEY_RESEAL,), "to seal anew")
    versions = {record.version_id for record in asked.records}
    if not 0 < len(asked.records) <= RECORDS_MAX or len(versions) != len(asked.records):
        raise refused(name, f"1 to {RECORDS_MAX} records, each of another version")
    verified: set[tuple[str, bytes, bytes]] = set()
    try:
        theft = read_theft(asked.declaration, log)
        if (theft.key, theft.seal) != (approved.intent.text("key"), approved.intent.text("seal")):
            raise refused(name, "another key was declared stolen")
        recordings = [read_recording(one.receipt, one.writes, log) for one in asked.entries]
        authorities = {
            check_anew(
                name,
                _record_anew(record, asked.headers),
                theft,
                recordings,
                verified,
                custody=key.custody,
                algorithm=key.algorithm,
                now=now,
            )
            for record in asked.records
        }
    except (ProofError, IndexError) as error:
        rule = error.reason.value if isinstance(error, ProofError) else "no such header"
        raise refused(name, f"what is sealed anew does not verify: {rule}") from error
    for authority in authorities:
        check_certified(name, authority, key, now=now)
    header = header_segment(key)
    return Allowed(
        inputs=[f"{header}.{b64u(one)}".encode() for one in _payloads(name, asked)],
        counter=_record_counter(approved.digest, key),
        count=len(asked.records),
        uses_max=approved.intent.uses_max,
        name=name,
        seal=approved.intent.text("seal"),
    )


def allow_listing(
    asked: pb.SignRecordListing,
    approved: ApprovedIntent,
    key: SigningKey,
    signed: Signed,
    *,
    log: LogTrust,
    now: int,
) -> Allowed:
    """A record that names a file: the one that follows from `asked.document` as it was `signed`.
    `log` is the pinned one.

    An intent allows as many as it has uses: each names a file, which is a use of its own. Raises
    HubError: INTENT_NOT_APPROVED with the rule, KEY_EXPIRED.
    """
    if asked.document.intent != asked.intent:
        raise refused(approved.name, "the file was sealed under another intent")
    document = _document(asked.document)
    data = _sealed_file(document, signed, asked.time_stamp)
    form = FaceFormat.OFD if signed.key.use is KeyUse.OFD else FaceFormat.PDF
    try:
        check_listing(
            approved,
            _record_anew(asked.record, asked.headers),
            (asked.docs_before, asked.docs),
            read_recording(asked.entry.receipt, asked.entry.writes, log),
            file=file_entry(form.value, data),
            order=document.order,
            key=key,
            now=now,
        )
    except (ProofError, IndexError) as error:
        rule = error.rule if isinstance(error, ProofError) else "no such header"
        raise refused(approved.name, f"what is sealed anew does not verify: {rule}") from error
    return Allowed(
        inputs=[f"{header_segment(key)}.{b64u(asked.record.payload)}".encode()],
        counter=f"{_record_counter(approved.digest, key)} docs",
        count=1,
        uses_max=approved.intent.uses_max,
        name=approved.name,
        # The record keeps the key that sealed it before, whichever seal the file was given.
        seal=None,
    )


def _ordered(
    asked: pb.MakeSignerKey
    | pb.DestroySignerKey
    | pb.SignerNotice
    | pb.SignSeal
    | pb.SignRecordsAnew,
    roster: Roster,
    now: int,
    kinds: Sequence[Kind],
    deed: str,
) -> Approved:
    """The approved intent that orders `deed`, in force at `now` (seconds)."""
    name = asked.intent_name or "-"
    if not asked.intent:
        raise refused(name, f"none was shown {deed}")
    approved = check_approved(name, asked.intent, asked.approvals, roster, now=now)
    if approved.intent.kind not in kinds or now >= approved.until:
        raise refused(name, f"it is no intent {deed}, or no longer in force")
    return approved


def _sealed_file(document: Document, signed: Signed, time_stamp: bytes) -> bytes:
    """The file that `document` became."""
    match document.file:
        case OfdFile(files, value_file, _):
            leaf, value = signed.key.x509_chain[0], signed.signature
            package = OfdPackage(files)
            return package.with_value(
                value_file, document.to_sign, leaf, value, time_stamp or None
            ).to_bytes()
        case PdfFile(data):
            (place,) = open_pdf(data)
            _, before, after, _ = place.byte_range
            form = CmsForm.of(signed.key)
            cms = form.assemble(document.to_sign, signed.signature, time_stamp)
            return filled((data[:before], data[after:]), after - before, cms)


def _record_counter(digest: str, key: SigningKey) -> str:
    """Twins are one record: each algorithm may sign as often as the intent allows."""
    return digest if key.algorithm is KeyAlgorithm.ES256 else f"{digest} SM2"


def _record_anew(record: pb.RecordAnew, headers: Sequence[str]) -> RecordAnew:
    """The record in the words of the checks."""
    seals = tuple([(headers[one.header], one.signature) for one in record.seals])
    return RecordAnew(
        recording=record.entry,
        version_id=record.version_id,
        before=SealBefore(record.before, record.path, seals),
        status_list=record.status_list,
        status_place=record.status_place,
        retention_class=record.retention_class,
        payload=record.payload,
    )


def _payloads(name: str, asked: pb.SignRecords | pb.SignRecordsAnew) -> list[bytes]:
    """What is signed: each record, or all of them folded, once each was found to be allowed."""
    payloads = [record.payload for record in asked.records]
    if not asked.seed:
        return payloads
    try:
        return [fold_records(payloads, asked.seed).payload]
    except ProofError as error:
        raise refused(name, f"the records cannot be folded: {error.reason.value}") from error


def _batch_order(batch: pb.SignedBatch) -> SealingOrder:
    """The batch in the words of the checks; whatever only the hub needs is left empty."""
    return SealingOrder(
        authority="",
        authority_uscc=batch.authority,
        type_code=batch.type_code,
        vct=batch.vct,
        type_version=batch.type_version,
        integrity=batch.integrity,
        digests_n=0,
        manifest=batch.manifest,
        batch=batch.batch,
        rows_n=len(batch.rows),
        root_jws=batch.root_jws,
        rows=[(row.salt, row.row) for row in batch.rows],
    )


def _document(asked: pb.SignDocument) -> Document:
    """The document in the words of the checks."""
    file: OfdFile | PdfFile = PdfFile(asked.pdf)
    if asked.WhichOneof("file") == "ofd":
        file = OfdFile(dict(asked.ofd.files), asked.ofd.value_file, asked.ofd.seal)
    return Document(_face_order(asked.order), file, asked.to_sign)


def _face_order(order: pb.FaceOrder) -> DocumentOrder:
    said = order.copy
    terms = CopyTerms(
        said.name,
        said.purpose,
        said.recipient,
        said.maker,
        said.made_time_us,
        said.expire_time_us,
    )
    return DocumentOrder(
        authority_uscc=order.authority,
        vct=order.vct,
        type_version=order.type_version,
        identifier=order.identifier,
        face=order.face,
        terms=terms if order.HasField("copy") else None,
        is_further=order.further,
    )
