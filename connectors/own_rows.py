"""What a department's signer demands beyond what every signer does: these are our own rows.

The checks before it (`hub.proof.sealing.records`) prove that records say what a signed batch says.
Whoever has the connector's signing key, or a batch that was meant for another day, passes them.
Here each record is compared with the outbox, the connector's memory of what it sent: the batch, its
root, every row byte for byte (so holders and all values), and the identifier. Files and codes of
faces are compared with the row whose identifier they have (`own_faces.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.outbox import Outbox, SentBatch, SentRow, read_outbox
from connectors.own_faces import code_of, difference_of_code, difference_of_face, facts_of
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import Op, Row, parse_row
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u
from hub.proof.exchange.batch import row_leaf
from hub.proof.reasons import ProofError
from hub.proof.records.sd_jwt import RecordClaims, parse_record_payload
from hub.seal.v1 import signer_pb2 as pb


@dataclass(frozen=True, slots=True)
class OwnRows:
    """The outboxes of a department's connectors. Any thread may call."""

    folder: Path
    connectors: Sequence[str]

    def check(
        self,
        asked: pb.SignRecords
        | pb.SignDocument
        | pb.SignFaceCode
        | pb.SignSeal
        | pb.SignRecordsAnew
        | pb.SignRecordListing,
    ) -> None:
        """What is asked for is our own. Raises HubError: OUTBOX_DIFFERS with the rule,
        KEY_UNAVAILABLE where there is no outbox to compare with, KEY_USAGE_REFUSED for what can be
        compared with none."""
        match asked:
            case pb.SignRecords():
                self._check_records(asked)
            case pb.SignDocument() | pb.SignFaceCode():
                self._check_face(asked)
            case pb.SignRecordsAnew():
                self._check_anew(asked)
            case pb.SignRecordListing():
                # This key made the seal before, and this signer sealed the file: each was compared
                # with its row then, and nothing else is new.
                return
            case _:
                raise HubError(Reason.KEY_USAGE_REFUSED, kid=asked.key.key_id)

    def _check_face(self, asked: pb.SignDocument | pb.SignFaceCode) -> None:
        """A file or code says what a row says that we sent, and to which the hub gave this very
        identifier (`own_faces.py`)."""
        rows: list[Row] = []
        outboxes = 0
        for connector in self.connectors:
            with read_outbox(self.folder, connector) as outbox:
                if outbox is not None:
                    outboxes += 1
                    rows += map(parse_row, outbox.sent_as(asked.order.identifier))
        if not outboxes:
            raise HubError(Reason.KEY_UNAVAILABLE, key="without an outbox to compare with")
        # A revocation has the identifier of what it ends, and says nothing that a face shows.
        row = next((row for row in rows if row.op is not Op.REVOKE), None)
        if row is None:
            raise _differs("-", "-", "no row with the identifier of the face was sent")
        rule = _difference_of(row, asked)
        if rule is not None:
            raise _differs("-", "-", rule)

    def _check_records(self, asked: pb.SignRecords) -> None:
        """Every row of the batch and every record in `asked` is one that we sent.

        1. A batch of this name is in an outbox. 2. Its root is the one that was signed here.
        3. Each row has our salt and our bytes. 4. Each record has an identifier that may be the
        row's. A difference is named with the batch and the position.
        """
        with self._sent(asked.batch.batch) as (own, outbox):
            _compare(asked, own, outbox)

    def _check_anew(self, asked: pb.SignRecordsAnew) -> None:
        """Every record in `asked` is of a row that we sent, byte for byte, and of its certificate.
        That it says what it said before the theft the log proves (`hub.proof.sealing.anew`)."""
        batches: dict[str, list[RecordClaims]] = {}
        for record in asked.records:
            try:
                claims, _ = parse_record_payload(record.payload)
            except ProofError as error:
                raise _differs("-", "-", f"it is no record: {error.reason.value}") from error
            batches.setdefault(claims.src.batch, []).append(claims)
        for name, records in batches.items():
            with self._sent(name) as (own, outbox):
                for claims in records:
                    _compare_source(claims, own, outbox)

    @contextmanager
    def _sent(self, batch: str) -> Iterator[tuple[SentBatch, Outbox]]:
        """The batch of this name, and the outbox that it stands in."""
        is_there = False
        for connector in self.connectors:
            with read_outbox(self.folder, connector) as outbox:
                is_there = is_there or outbox is not None
                own = None if outbox is None else outbox.sent(batch)
                if outbox is not None and own is not None:
                    yield own, outbox
                    return
        if not is_there:
            raise HubError(Reason.KEY_UNAVAILABLE, key="without an outbox to compare with")
        raise _differs(batch, "-", "no batch of this name was sent")


def _difference_of(row: Row, asked: pb.SignDocument | pb.SignFaceCode) -> str | None:
    if isinstance(asked, pb.SignFaceCode):
        code = code_of(asked)
        return "the code cannot be read" if code is None else difference_of_code(row, code)
    facts = facts_of(asked)
    return "the file cannot be read" if facts is None else difference_of_face(row, facts)


def _compare(asked: pb.SignRecords, own: SentBatch, outbox: Outbox) -> None:
    name = asked.batch.batch
    if asked.batch.root_jws != own.root_jws:
        raise _differs(name, "-", "the signed root is another than the one that was sent")
    if len(asked.batch.rows) != len(own.rows):
        raise _differs(name, "-", f"{len(own.rows)} rows were sent")
    for at, (shown, sent) in enumerate(zip(asked.batch.rows, own.rows, strict=True)):
        if (shown.row, shown.salt) != (sent.row, sent.salt):
            raise _differs(name, at, _difference(shown.row, sent.row))
    for record in asked.records:
        at = record.row_index
        if not 0 <= at < len(own.rows):
            raise _differs(name, at, "no such row was sent")
        try:
            identifier = parse_record_payload(record.payload)[0].cert
        except ProofError as error:
            raise _differs(name, at, f"it is no record: {error.reason.value}") from error
        _check_identifier(name, at, own.rows[at], identifier, outbox)


def _compare_source(claims: RecordClaims, own: SentBatch, outbox: Outbox) -> None:
    name, at = claims.src.batch, claims.src.i
    if not 0 <= at < len(own.rows):
        raise _differs(name, at, "no such row was sent")
    sent = own.rows[at]
    if b64u(row_leaf(sent.salt, sent.row)) != claims.src.row:
        raise _differs(name, at, "the record is of another row")
    _check_identifier(name, at, sent, claims.cert, outbox)


def _check_identifier(name: str, at: int, sent: SentRow, text: str, outbox: Outbox) -> None:
    """The serial is the row's own where it has one. A certificate that we sent before keeps its
    identifier, but for the version."""
    row = parse_row(sent.row)
    try:
        identifier = CertificateIdentifier.parse(text)
    except HubError as error:
        raise _differs(name, at, "the identifier is none") from error
    if row.serial is not None and identifier.serial != row.serial:
        raise _differs(name, at, "the identifier has another serial")
    for before, given in outbox.given_identifiers(sent.source_key):
        if parse_row(before).number != row.number:
            continue
        if CertificateIdentifier.parse(given).first() != identifier.first():
            raise _differs(name, at, "the identifier is another certificate's")


def _difference(shown: bytes, sent: bytes) -> str:
    """The first thing in which two rows differ, by name only: values are personal data."""
    if shown == sent:
        return "another salt"
    try:
        other, own = parse_row(shown), parse_row(sent)
    except HubError:
        return "the row is none"
    if other.holders != own.holders:
        return "another holder"
    names = sorted(other.fields.keys() | own.fields.keys())
    for field in names:
        if other.fields.get(field) != own.fields.get(field):
            return f"another value of {field}"
    return _other_member(other, own)


def _other_member(other: Row, own: Row) -> str:
    for member in ("number", "serial", "issue_date", "valid_from", "valid_until", "op"):
        if getattr(other, member) != getattr(own, member):
            return f"another {member}"
    return "other bytes"


def _differs(batch: str, row: int | str, rule: str) -> HubError:
    return HubError(Reason.OUTBOX_DIFFERS, batch=batch, row=row, rule=rule)
