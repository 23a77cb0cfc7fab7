"""What `sealway db fsck` checks, across all components: which tables name each other, and whether
the store has the bytes of every document that a row names.

No component knows another's tables, and no foreign key crosses a component, so this list stands
where everybody is known.
"""

from __future__ import annotations

from typing import Final

from hub.clock import now_us
from hub.ledger.store import READ_HEAD, decode_head
from hub.migrations.tables import METADATA
from hub.proof.encoding import b64u_decode
from hub.proof.log.merkle import EMPTY_ROOT
from hub.registry.scrub import Fault as DocumentFault
from hub.registry.scrub import ScrubReport, scrub
from hub.storage.blobs import BlobStore
from hub.storage.copies import Progress
from hub.storage.database import Database
from hub.storage.structure import (
    UNREADABLE,
    Fault,
    ListReference,
    Once,
    Reference,
    Rule,
    StructureReport,
    check_engine,
    check_rule,
    entry_rules,
)

RULES: Final[tuple[Rule, ...]] = (
    Reference("registry_versions", "certificate_id", "registry_certificates", "id"),
    Reference("registry_certificates", "current_version_id", "registry_versions", "id"),
    Reference("registry_certificates", "type_code", "registry_types", "code"),
    Reference("registry_certificates", "authority", "access_authorities", "name"),
    Reference("registry_holders", "certificate_id", "registry_certificates", "id"),
    ListReference(
        "registry_certificates",
        "holder_indexes",
        "registry_holders",
        "holder_index",
        "certificate_id",
    ),
    Reference("registry_associations", "version_id", "registry_versions", "id"),
    Reference("exchange_copies", "identifier", "registry_versions", "identifier"),
    Reference("registry_scans", "version_id", "registry_versions", "id"),
    Reference("registry_holder_links", "certificate_id", "registry_certificates", "id"),
    Reference("registry_follow_ups", "fact_change", "registry_fact_changes", "id"),
    Reference("registry_follow_ups", "certificate_id", "registry_certificates", "id"),
    Reference("registry_versions", "id", "seal_signatures", "version_id"),
    Reference("registry_versions", "data_key_id", "storage_data_keys", "id"),
    Reference("seal_signatures", "version_id", "registry_versions", "id"),
    Reference("seal_signatures", "header_id", "seal_headers", "header_id"),
    Reference("seal_past_signatures", "version_id", "registry_versions", "id"),
    Reference("seal_record_entries", "version_id", "registry_versions", "id"),
    Reference("seal_past_signatures", "header_id", "seal_headers", "header_id"),
    Reference("seal_status", "version_id", "registry_versions", "id"),
    Reference("seal_approvals", "intent", "seal_intents", "name"),
    Reference("seal_intent_uses", "intent", "seal_intents", "name"),
    Reference("seal_seals", "authority", "access_authorities", "name"),
    Reference("seal_key_uses", "key", "seal_keys", "name"),
    Reference("seal_compromises", "key", "seal_keys", "name"),
    Reference("seal_key_entries", "key", "seal_keys", "name"),
    Reference("seal_key_chains", "key", "seal_keys", "name"),
    Reference("seal_electronic_seals", "seal", "seal_seals", "name"),
    Reference("registry_documents", "version_id", "registry_versions", "id"),
    Reference("registry_documents", "certificate_id", "registry_certificates", "id"),
    Reference("registry_documents", "data_key_id", "storage_data_keys", "id"),
    Reference("access_systems", "authority", "access_authorities", "name"),
    Reference("ledger_entries", "data_key_id", "storage_data_keys", "id"),
    # Unique indexes hold these too, while they are whole.
    Once("registry_versions", ("identifier",)),
    Once("registry_versions", ("certificate_id", "version")),
    Once("registry_versions", ("status_place",)),
    Once("registry_certificates", ("number_index", "authority", "type_code")),
    Once("seal_signatures", ("status_list", "status_place")),
    Once("registry_documents", ("blob",)),
)

# Where a finding stands that the store of documents and not a table has.
_DOCUMENTS: Final = "documents"

_DOCUMENT_FAULTS: Final = {
    DocumentFault.MISSING: "the store has no bytes of it",
    DocumentFault.DAMAGED: "the store has other bytes under its digest",
    DocumentFault.ORPHAN: "bytes in the store that no document has",
}


async def check_structure(database: Database, report: StructureReport, progress: Progress) -> None:
    """Check every rule into `report`; a hub may run meanwhile, each rule sees one moment."""
    rules = (*RULES, *entry_rules(METADATA))
    async with database.snapshot() as snapshot:
        await check_engine(snapshot, database.engine, report)
    for done, rule in enumerate(rules):
        progress(rule.table, done, len(rules))
        # A snapshot for each: after a failed question PostgreSQL answers no other in it.
        async with database.snapshot() as snapshot:
            size, _ = decode_head(await snapshot.one(READ_HEAD, 1)) or (0, EMPTY_ROOT)
            await check_rule(snapshot, METADATA, rule, size, report)


async def check_documents(
    database: Database,
    blobs: BlobStore,
    report: StructureReport,
    progress: Progress,
    *,
    bytes_per_s: int,
) -> ScrubReport:
    """Read every stored document again, its faults into `report`; what was looked at.

    A store that is away, or a table that cannot be read, is noted as unchecked. A hub may run
    meanwhile.
    """
    report.rules += 1
    seen = ScrubReport()
    try:
        async for _ in scrub(database, blobs, seen, bytes_per_s=bytes_per_s, now_us=now_us()):
            progress(_DOCUMENTS, seen.documents + seen.blobs, 0)
    except UNREADABLE as error:
        report.unchecked.append(Fault(_DOCUMENTS, "", str(error)))
    for one in seen.findings:
        place = b64u_decode(one.blob).hex()
        fault = f"{_DOCUMENT_FAULTS[one.fault]}: {place[:2]}/{place}"
        report.faults.append(Fault(_DOCUMENTS, one.name, fault))
    report.is_truncated = report.is_truncated or seen.found > len(seen.findings)
    return seen
