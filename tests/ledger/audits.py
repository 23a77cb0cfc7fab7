"""The audit as tests run it."""

from __future__ import annotations

from sqlalchemy import MetaData

from hub.clock import now_us
from hub.ledger.audit import AuditReport, audit
from hub.storage.encryption import DataKeys
from tests.ledger.logs import LEDGER_TABLES, THINGS, TRUST, Log


async def audited(log: Log) -> AuditReport:
    """The finished report on `log`."""
    metadata = MetaData()
    for table in (*LEDGER_TABLES, THINGS):
        table.to_metadata(metadata)
    report = AuditReport()
    keys = DataKeys(log.database, log.keyring, now_us)
    note = await log.head.read()
    async for _ in audit(
        log.database, keys, metadata=metadata, trust=TRUST, external_head=note, report=report
    ):
        pass
    return report
