"""Assemble the rows that a decision and its seals come to. Pure; runs in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from hub.domain.certificate import State
from hub.domain.certificate_type import CertificateType, Sensitivity
from hub.domain.record import Record, SealedRecord, record_values
from hub.proof.encoding import digest
from hub.registry.association_store import INSERT_ASSOCIATION, association_rows
from hub.registry.decide import Decision, NewVersion
from hub.registry.feed_store import changes_write
from hub.registry.objection_store import PUT_OBJECTION, put_annotation
from hub.registry.ports import DataKey
from hub.registry.store import (
    BOUND,
    INSERT_CERTIFICATE,
    INSERT_SCAN,
    INSERT_VERSION,
    PUT_CERTIFICATE,
    PUT_HOLDER,
    PUT_VERSION,
    RELEASED,
    VersionRow,
    certificate_row,
)
from hub.registry.transition_store import INSERT_TRANSITION, put_confirmation
from hub.storage.statements import ENTRY_INDEX, Check, Row, Write


@dataclass(frozen=True, slots=True)
class Assembly:
    """What must be written, and what must still hold."""

    writes: tuple[Write, ...]
    checks: tuple[Check, ...]


def record_of(made: NewVersion, certificate_type: CertificateType, *, enrolled_on: str) -> Record:
    """What is sealed of a version: every field of its type, its holders, its documents (none yet).

    A version issued before the day `enrolled_on` is backfill: nobody sealed it when it was issued.
    """
    row = made.sound.row
    values = record_values(
        [(one.type, one.number) for one in row.holders],
        row.fields,
        [one.name for one in certificate_type.fields],
    )
    return Record(
        version_id=made.id,
        identifier=made.identifier,
        version=made.version,
        row_index=made.sound.index,
        backfill=row.issue_date < enrolled_on,
        in_force=made.state is State.ACTIVE,
        retention_class=certificate_type.retention_class,
        values=values,
    )


def key_ids(versions: Sequence[NewVersion], *, shared: str | None) -> dict[str, str]:
    """The data key's id for each version's id: `shared`, or one per holder or set of holders.

    A certificate without a holder number has a key of its own.
    """
    if shared is not None:
        return {made.id: shared for made in versions}
    ids = {}
    for made in versions:
        holders = sorted(set(made.sound.holder_indexes))
        if not holders:
            ids[made.id] = f"certificate:{made.certificate_id}"
        elif len(holders) == 1:
            ids[made.id] = f"holder:{holders[0]}"
        else:
            ids[made.id] = f"holders:{digest(' '.join(holders))}"
    return ids


def assemble(
    decision: Decision,
    sealed: Sequence[SealedRecord],
    keys: Mapping[str, DataKey],
    certificate_type: CertificateType,
    *,
    content_key_id: str,
    batch: str,
    now_us: int,
) -> list[Write]:
    """The rows of the registry's tables; `keys` go by version id."""
    public = [one.name for one in certificate_type.fields if one.sensitivity is Sensitivity.PUBLIC]
    versions: list[Row] = []
    associations: list[Row] = []
    scans: list[Row] = []
    for made, record in zip(decision.versions, sealed, strict=True):
        assert made.id == record.version_id, "seals answer in the order of the records"
        row, key = made.sound.row, keys[made.id]
        fields = {name: row.fields[name] for name in public if row.fields.get(name) is not None}
        versions.append(
            VersionRow(
                id=made.id,
                certificate_id=made.certificate_id,
                version=made.version,
                identifier=made.identifier,
                type_version=certificate_type.version,
                state=made.state.value,
                state_entry=ENTRY_INDEX,
                issue_date=row.issue_date,
                valid_from=row.valid_from or "",
                valid_until=row.valid_until or "",
                content_mac=made.sound.content_mac,
                content_key_id=content_key_id,
                public_fields=orjson.dumps(fields),
                disclosures=key.seal(record.disclosures, made.id.encode()),
                data_key_id=key.id,
                custody=record.custody.value,
                status_place=record.status_place,
                source_time_us=made.sound.source_time_us,
                batch=batch,
                row_index=made.sound.index,
                create_time_us=now_us,
                retention_class=certificate_type.retention_class,
            )
        )
        associations += association_rows(
            made.id, made.sound.named, certificate_type.retention_class
        )
        if made.sound.conversion is not None:
            conversion = made.sound.conversion
            scans.append(
                (
                    made.id,
                    conversion.officer,
                    conversion.attestation,
                    certificate_type.retention_class,
                )
            )
    created, changed = decision.created.values(), decision.changed.values()
    ended: list[Row] = list(decision.ended.values())
    transitions: list[Row] = list(decision.transitions)
    corrected: list[Row] = list(decision.corrected)
    writes = [
        (INSERT_CERTIFICATE, [certificate_row(one) for one in created]),
        (PUT_CERTIFICATE, [certificate_row(one) for one in changed]),
        (PUT_VERSION, ended),
        (INSERT_VERSION, versions),
        (INSERT_ASSOCIATION, associations),
        (INSERT_SCAN, scans),
        (PUT_HOLDER, _holder_rows(decision)),
        (INSERT_TRANSITION, transitions),
        (PUT_OBJECTION, corrected),
    ]
    assembled = [Write(statement, rows) for statement, rows in writes if rows]
    retention = certificate_type.retention_class
    assembled += [put_annotation(id, left, retention) for id, left in decision.objections.items()]
    assembled += [
        put_confirmation(
            id, is_gone=False, confirm_time_us=now_us, time_us=now_us, retention_class=retention
        )
        for id in sorted(decision.listed)
    ]
    if decision.changes:
        assembled.append(changes_write(decision.changes, now_us))
    return assembled


def _holder_rows(decision: Decision) -> list[Row]:
    """Bindings as the batch leaves them; one that was dropped and taken up again stays bound."""
    states: dict[tuple[str, str], Row] = {}
    for index, certificate in decision.released:
        states[index, certificate.id] = (
            index,
            certificate.type_code,
            certificate.id,
            certificate.holder_key_id,
            RELEASED,
            certificate.retention_class,
        )
    for certificate in (*decision.created.values(), *decision.changed.values()):
        if certificate.id in decision.kept:
            continue
        for index in certificate.holder_indexes:
            states[index, certificate.id] = (
                index,
                certificate.type_code,
                certificate.id,
                certificate.holder_key_id,
                BOUND,
                certificate.retention_class,
            )
    return list(states.values())
