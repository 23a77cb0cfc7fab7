"""Decide what becomes of each row of a batch, in the order of the rows. Pure; runs in a thread.

| on file      | row says the same | row says something else           | row revokes       |
|--------------|-------------------|-----------------------------------|-------------------|
| nothing      |                   | NEW                               | REFUSED           |
| active       | UNCHANGED         | CHANGED, or CORRECTED (`correct`) | CHANGED: revoked  |
| suspended    | UNCHANGED         | REFUSED                           | CHANGED: revoked  |
| revoked      | UNCHANGED         | REFUSED                           | UNCHANGED         |
| else ended   | UNCHANGED         | REFUSED                           | REFUSED           |

A correction may name an open objection to its certificate, which it closes; a revocation names its
ruling. What says the same is listed again, should its source not have listed it any more.
"Active" is what is stored: a certificate whose validity has ended may still be renewed. A row whose
source is older than what is on file is REFUSED, unless it says the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hub.clock import legal_day
from hub.domain.association import Relation
from hub.domain.certificate import TRANSITIONS, State, Verb
from hub.domain.identifier import VERSION_MAX, CertificateIdentifier
from hub.domain.objection import HOLDER_FIELD
from hub.domain.row import Op, Row
from hub.domain.rules import violation
from hub.domain.strict_json import Json
from hub.errors import Violation
from hub.registry.feed_store import Change, ChangeKind
from hub.registry.judge import FaultyRow, SoundRow
from hub.registry.objection_store import ObjectionRow, ObjectionState
from hub.registry.store import CertificateRow, VersionRow
from hub.registry.transition_store import TransitionRow
from hub.storage.statements import ENTRY_INDEX


class Outcome(StrEnum):
    """What became of a row."""

    NEW = "new"
    CHANGED = "changed"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowResult:
    """The answer for one row; `certificate` is a resource name, both empty when refused."""

    outcome: Outcome
    certificate: str = ""
    identifier: str = ""
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose certificates of which type a batch is about, and when (`time_us`) it is decided."""

    authority: str
    authority_uscc: str
    type_code: str
    retention_class: str
    key_id: str
    public_numbers: bool
    time_us: int
    # Which system delivers it.
    system: str
    # Under a retired type nothing new is issued; what is on file may still change or end.
    is_retired: bool = False


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is said of certificates on file: `objections` that are open, by certificate id, of those
    whose rows name one; `gone` are ids of those that their source did not list any more; `attached`
    are holders, by certificate id, whom no row named: somebody found them out."""

    objections: Mapping[str, tuple[ObjectionRow, ...]]
    gone: frozenset[str]
    # What the newest versions of the certificates in `objections` say, as far as it can be read.
    values: Mapping[str, Mapping[str, Json]]
    attached: Mapping[str, tuple[str, ...]]
    # Number indexes under which several of the authorities that were succeeded issued.
    ambiguous: frozenset[str] = frozenset()


@dataclass(slots=True)
class NewVersion:
    """A version that the batch makes. `state` is what it is when the batch ends."""

    id: str
    certificate_id: str
    version: int
    identifier: str
    sound: SoundRow
    state: State = State.ACTIVE


@dataclass(slots=True)
class _File:
    """A certificate as the rows so far leave it."""

    certificate: CertificateRow
    content_mac: str
    source_time_us: int | None
    version: int
    identifier: str
    state: State
    # Where the newest version stands: made by this batch, or stored before.
    made: NewVersion | None = None
    stored: VersionRow | None = None


@dataclass(slots=True)
class Decision:
    """What a batch comes to.

    `created` and `changed` are certificates as they are in the end; `ended` are stored versions in
    a new state; `released` are (holder index, certificate) that end; `changes` go on the feed.
    `transitions` are the revocations with their rulings, `corrected` the objections that are
    closed, `objections` those that are then left of a certificate, by its id, and `listed` the ids
    of certificates that their source lists again. `kept` are ids of those whose holders stay as
    they were found out.
    """

    results: list[RowResult] = field(default_factory=list)
    versions: list[NewVersion] = field(default_factory=list)
    created: dict[str, CertificateRow] = field(default_factory=dict)
    changed: dict[str, CertificateRow] = field(default_factory=dict)
    ended: dict[str, VersionRow] = field(default_factory=dict)
    released: list[tuple[str, CertificateRow]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    transitions: list[TransitionRow] = field(default_factory=list)
    corrected: list[ObjectionRow] = field(default_factory=list)
    objections: dict[str, tuple[ObjectionRow, ...]] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)


def decide(
    issuer: Issuer,
    rows: Sequence[SoundRow | FaultyRow],
    on_file: Mapping[str, tuple[CertificateRow, VersionRow]],
    serials: frozenset[str],
    goes_back_to: Mapping[str, frozenset[str]],
    *,
    remarks: Remarks,
) -> Decision:
    """What becomes of `rows`.

    `on_file` goes by number index; `serials` are those that are in use. `goes_back_to` says what
    the certificates that the rows name go back to themselves, and those again, all by first
    identifiers; what does not stand there could not be followed.
    """
    deciding = _Deciding(
        issuer,
        {
            number: _File(
                certificate,
                newest.content_mac,
                newest.source_time_us,
                newest.version,
                newest.identifier,
                State(newest.state),
                stored=newest,
            )
            for number, (certificate, newest) in on_file.items()
        },
        set(serials),
        dict(goes_back_to),
        remarks,
        f"{issuer.time_us // 1000:012x}",
    )
    for row in rows:
        if isinstance(row, FaultyRow):
            result = RowResult(Outcome.REFUSED, violations=row.violations)
        else:
            result = deciding.row(row)
        deciding.decision.results.append(result)
    return deciding.decision


@dataclass(slots=True)
class _Deciding:
    issuer: Issuer
    files: dict[str, _File]
    serials: set[str]
    goes_back_to: dict[str, frozenset[str]]
    remarks: Remarks
    time: str
    decision: Decision = field(default_factory=Decision)
    ids: int = 0

    def row(self, sound: SoundRow) -> RowResult:
        file = self.files.get(sound.number_index)
        row = sound.row
        if sound.number_index in self.remarks.ambiguous:
            return _refused("number", "row.predecessors")
        if row.ruling is not None and row.ruling.decision_date > self._today():
            return _refused("ruling.decision_date", "ruling.future")
        if file is None:
            if row.op is Op.REVOKE:
                return _refused("number", "row.not_on_file")
            if row.objection is not None:
                return _refused("objection", "row.objection_open")
            if self.issuer.is_retired:
                return _refused("number", "row.type_retired")
            return self._create(sound)
        if row.serial is not None and row.serial != file.certificate.serial:
            return _refused("serial", "row.serial_other")
        if row.op is Op.REVOKE:
            return self._revoke(file, sound)
        if sound.content_mac == file.content_mac:
            if file.certificate.id in self.remarks.gone:
                self.decision.listed.add(file.certificate.id)
            return _result(Outcome.UNCHANGED, file)
        if _is_older(sound, file):
            return _refused("source_time", "row.stale")
        if file.state is State.SUSPENDED:
            return _refused("op", "row.suspended")
        if (file.state, Verb.SUPERSEDE) not in TRANSITIONS:
            return _refused("op", "row.ended")
        if file.version >= VERSION_MAX:
            return _refused("number", "row.versions")
        broken = self._association_fault(sound, _next(file))
        if broken is not None:
            return _refused("associated", broken)
        if row.objection is not None:
            objection = self._objection(file, row.objection)
            if objection is None:
                return _refused("objection", "row.objection_open")
            if not self._corrects(file, sound, objection):
                return _refused("objection", "row.objection_unmet")
        return self._change(file, sound)

    def _create(self, sound: SoundRow) -> RowResult:
        issuer, serial = self.issuer, sound.row.serial
        certificate_id = self._new_id()
        if serial is None:
            serial = os.urandom(16).hex().upper()
        elif serial in self.serials:
            return _refused("serial", "row.serial_taken")
        own = CertificateIdentifier(issuer.type_code, issuer.authority_uscc, serial, 1)
        broken = self._association_fault(sound, own)
        if broken is not None:
            return _refused("associated", broken)
        self.serials.add(serial)
        made = self._make(sound, certificate_id, own)
        certificate = CertificateRow(
            id=certificate_id,
            authority=issuer.authority,
            type_code=issuer.type_code,
            number=sound.number,
            number_index=sound.number_index,
            number_key_id=None if issuer.public_numbers else issuer.key_id,
            serial=serial,
            current_version_id=made.id,
            holder_indexes=sound.holder_indexes,
            holder_key_id=issuer.key_id,
            retention_class=issuer.retention_class,
        )
        self.decision.created[certificate_id] = certificate
        file = _File(
            certificate,
            sound.content_mac,
            sound.source_time_us,
            1,
            made.identifier,
            State.ACTIVE,
            made=made,
        )
        self.files[sound.number_index] = file
        self._tell(ChangeKind.NEW, file, sound.row)
        return _result(Outcome.NEW, file)

    def _change(self, file: _File, sound: SoundRow) -> RowResult:
        old = file.certificate
        self._end(file, State.SUPERSEDED)
        replaced = file.identifier
        made = self._make(sound, old.id, _next(file))
        holder_indexes = self._holders(old, sound)
        certificate = old._replace(
            current_version_id=made.id,
            holder_indexes=holder_indexes,
            holder_key_id=self.issuer.key_id,
        )
        known = self.decision.created if old.id in self.decision.created else self.decision.changed
        known[old.id] = certificate
        for index in set(old.holder_indexes) - set(holder_indexes):
            self.decision.released.append((index, old))
        file.certificate, file.made, file.stored = certificate, made, None
        file.content_mac, file.source_time_us = sound.content_mac, sound.source_time_us
        file.version, file.identifier, file.state = made.version, made.identifier, State.ACTIVE
        corrected = sound.row.op is Op.CORRECT
        what = ChangeKind.CORRECTED if corrected else ChangeKind.CHANGED
        self._tell(what, file, sound.row, replaced, sound.row.objection or "")
        if sound.row.objection is not None:
            self._close(file, sound.row.objection)
        return _result(Outcome.CORRECTED if corrected else Outcome.CHANGED, file)

    def _holders(self, old: CertificateRow, sound: SoundRow) -> tuple[str, ...]:
        """Whom the row names; where it names nobody, whom somebody found out since."""
        attached = self.remarks.attached.get(old.id)
        if sound.holder_indexes or attached != old.holder_indexes:
            self.decision.kept.discard(old.id)
            return sound.holder_indexes
        self.decision.kept.add(old.id)
        return attached

    def _revoke(self, file: _File, sound: SoundRow) -> RowResult:
        if file.state is State.REVOKED:
            return _result(Outcome.UNCHANGED, file)
        if _is_older(sound, file):
            return _refused("source_time", "row.stale")
        if (file.state, Verb.REVOKE) not in TRANSITIONS:
            return _refused("op", "row.ended")
        ruling, before = sound.row.ruling, file.state
        assert ruling is not None, "a revocation without its ruling is no sound row"
        self._end(file, State.REVOKED)
        file.state = State.REVOKED
        self.decision.transitions.append(
            TransitionRow(
                file.certificate.id,
                ENTRY_INDEX,
                file.identifier,
                Verb.REVOKE.value,
                before.value,
                State.REVOKED.value,
                ruling.legal_basis,
                ruling.document,
                ruling.decision_date,
                "",
                "",
                self.issuer.authority,
                self.issuer.system,
                self.issuer.time_us,
                file.certificate.retention_class,
            )
        )
        # The version keeps the dates that it was made with, whatever this row says.
        self._tell(ChangeKind.STATE, file, file.made.sound.row if file.made else file.stored)
        return _result(Outcome.CHANGED, file)

    def _open(self, certificate_id: str) -> tuple[ObjectionRow, ...]:
        """The objections to a certificate that the rows so far leave open."""
        left = self.decision.objections.get(certificate_id)
        return self.remarks.objections.get(certificate_id, ()) if left is None else left

    def _objection(self, file: _File, name: str) -> ObjectionRow | None:
        found = [one for one in self._open(file.certificate.id) if one.name == name]
        return found[0] if found else None

    def _corrects(self, file: _File, sound: SoundRow, objection: ObjectionRow) -> bool:
        """Whether the row says otherwise of something that is objected to."""
        said: Mapping[str, Json] = self.remarks.values.get(file.certificate.id, {})
        if file.made is not None:
            said = file.made.sound.row.fields
        fields, names = sound.row.fields, objection.field_names
        has_other_holder = set(file.certificate.holder_indexes) != set(sound.holder_indexes)
        return (HOLDER_FIELD in names and has_other_holder) or any(
            fields.get(name) != said.get(name) for name in names if name != HOLDER_FIELD
        )

    def _close(self, file: _File, name: str) -> None:
        """The newest version of `file` corrects what the objection is about."""
        objection = self._objection(file, name)
        assert objection is not None, "looked for before the change"
        left = tuple(one for one in self._open(file.certificate.id) if one is not objection)
        self.decision.objections[file.certificate.id] = left
        self.decision.corrected.append(
            objection._replace(
                state=ObjectionState.CORRECTED.value,
                due_date="",
                correction=file.identifier,
                answer_time_us=self.issuer.time_us,
                entry=ENTRY_INDEX,
            )
        )

    def _today(self) -> str:
        return legal_day(self.issuer.time_us).isoformat()

    def _association_fault(self, sound: SoundRow, own: CertificateIdentifier) -> str | None:
        """The rule that what `sound` goes back to breaks, once `own` is its identifier.

        Where none is, later rows of the batch see what this one names.
        """
        first, names = str(own.first()), set()
        for one in sound.named:
            if one.relation is Relation.KNOWN_AS:
                continue
            if one.first != first:
                names.add(one.first)
            elif CertificateIdentifier.parse(one.identifier).version >= own.version:
                return "row.association_self"
        broken = _cycle_fault(first, names, self.goes_back_to)
        if broken is None:
            self.goes_back_to[first] = frozenset(names)
        return broken

    def _make(
        self, sound: SoundRow, certificate_id: str, identifier: CertificateIdentifier
    ) -> NewVersion:
        made = NewVersion(
            self._new_id(), certificate_id, identifier.version, str(identifier), sound
        )
        self.decision.versions.append(made)
        return made

    def _tell(
        self,
        what: ChangeKind,
        file: _File,
        dates: Row | VersionRow | None,
        replaces: str = "",
        reference: str = "",
    ) -> None:
        """Put what became of `file` on the feed."""
        assert dates is not None, "a certificate on file has a newest version"
        certificate = file.certificate
        self.decision.changes.append(
            Change(
                what,
                certificate.authority,
                certificate.type_code,
                certificate.id,
                file.identifier,
                file.version,
                file.state,
                dates.valid_from or "",
                dates.valid_until or "",
                certificate.holder_indexes,
                certificate.retention_class,
                replaces,
                reference,
            )
        )

    def _new_id(self) -> str:
        """An id that sorts by time, so that a growing table is written at its end (RFC 9562, 6.2).

        48 bits of milliseconds, 16 that count, 64 random ones; the log says when it was made
        anyway.
        """
        self.ids += 1
        return f"{self.time}{self.ids & 0xFFFF:04x}{os.urandom(8).hex()}"

    def _end(self, file: _File, state: State) -> None:
        """The newest version of `file` is `state` from this entry on."""
        if file.made is not None:
            file.made.state = state
            return
        stored = file.stored
        assert stored is not None, "a certificate on file has a newest version"
        self.decision.ended[stored.id] = stored._replace(state=state.value, state_entry=ENTRY_INDEX)


def _next(file: _File) -> CertificateIdentifier:
    """The identifier of its next version. It keeps the code of whoever issued the first one, though
    a successor makes it."""
    return CertificateIdentifier.parse(file.identifier).next_version()


def _cycle_fault(
    first: str, names: set[str], goes_back_to: Mapping[str, frozenset[str]]
) -> str | None:
    """Whether one gets from `names` to `first`, or farther than was followed."""
    seen, ahead = set(names), list(names)
    while ahead:
        named = ahead.pop()
        if named == first:
            return "row.association_cycle"
        further = goes_back_to.get(named)
        if further is None:
            return "row.association_chain"
        ahead += further - seen
        seen |= further
    return None


def _is_older(sound: SoundRow, file: _File) -> bool:
    return (
        sound.source_time_us is not None
        and file.source_time_us is not None
        and sound.source_time_us < file.source_time_us
    )


def _result(outcome: Outcome, file: _File) -> RowResult:
    certificate = file.certificate
    return RowResult(
        outcome, f"{certificate.authority}/certificates/{certificate.id}", file.identifier
    )


def _refused(member: str, rule: str) -> RowResult:
    return RowResult(Outcome.REFUSED, violations=(violation(member, rule),))
