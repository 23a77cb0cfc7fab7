"""What a department's signer demands beyond what every signer does: these are our own rows.

The checks before it (`hub.proof.sealing`) prove that records say what a signed batch says. Whoever
has the connector's signing key, or a batch that was meant for another day, passes them. Here each
record is compared with the outbox, the connector's memory of what it sent: the batch, its root,
every row byte for byte (so holders and all values), and the identifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.outbox import Outbox, SentBatch, SentRow, read_outbox
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import Row, parse_row
from hub.errors import HubError, Reason
from hub.proof.reasons import ProofError
from hub.proof.sd_jwt import parse_record_payload
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
        | pb.SignRecordsAnew,
    ) -> None:
        """What is asked for is our own. Raises HubError: as `_check_records`, and
        KEY_USAGE_REFUSED for what is compared with no outbox."""
        if not isinstance(asked, pb.SignRecords):
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=asked.key.key_id)
        self._check_records(asked)

    def _check_records(self, asked: pb.SignRecords) -> None:
        """Every row of the batch and every record in `asked` is one that we sent.

        1. A batch of this name is in an outbox. 2. Its root is the one that was signed here.
        3. Each row has our salt and our bytes. 4. Each record has an identifier that may be the
        row's. Raises HubError(OUTBOX_DIFFERS) with the batch, the position and the rule, and
        (KEY_UNAVAILABLE) where there is no outbox to compare with.
        """
        name, is_there = asked.batch.batch, False
        for connector in self.connectors:
            with read_outbox(self.folder, connector) as outbox:
                is_there = is_there or outbox is not None
                own = None if outbox is None else outbox.sent(name)
                if outbox is not None and own is not None:
                    _compare(asked, own, outbox)
                    return
        if not is_there:
            raise HubError(Reason.KEY_UNAVAILABLE, key="without an outbox to compare with")
        raise _differs(name, "-", "no batch of this name was sent")


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
