"""A disk that is full or cannot be written: nothing leaves, and work goes on when there is room."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.ledger.checkpoints import FileHead
from hub.registry.v1 import registry_pb2
from tests.faults.processes import (
    HubProcess,
    Journal,
    Launcher,
    audited,
    check_home,
    hub_process,
)
from tests.registry.clerk import PDF, Clerk
from tests.simulator import LICENCE, Refused, company, licence, new_id

# The external head, which never grows, and far below the database and its log file.
FILE_BYTES_MAX = 8192


def _unwritable_head(hub: HubProcess) -> Callable[[], None]:
    """The external head cannot be written; permissions would not bind root."""
    head = hub.home / "head" / "checkpoint"
    aside = head.rename(head.with_name("aside"))
    head.mkdir()

    def end() -> None:
        head.rmdir()
        aside.rename(head)

    return end


def _full_database(hub: HubProcess) -> Callable[[], None]:
    """Neither the database nor its log file may be written beyond a few bytes."""
    before = resource.prlimit(hub.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, before[1]))

    def end() -> None:
        resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, before)

    return end


async def _one(hub: HubProcess) -> str:
    """The name of the one certificate on file."""
    department = hub.system("hz-department")
    request = registry_pb2.SearchCertificatesRequest()
    request.filter.certificate_type = f"certificateTypes/{LICENCE.lower()}"
    found = await department.call(department.registry.SearchCertificates, request)
    (certificate,) = found.certificates
    return str(certificate.name)


@pytest.mark.parametrize("fail", [_unwritable_head, _full_database])
async def test_without_room_nothing_leaves_and_afterwards_each_call_has_one_effect(
    launcher: Launcher, home: Path, fail: Callable[[HubProcess], Callable[[], None]]
) -> None:
    """UNAVAILABLE with LOG_UNAVAILABLE for fetch and ingest, no receipt in it, the head where it
    was; with room again the same hub answers the same requests, and the audit is clean."""
    journal = Journal()
    async with hub_process(launcher, home) as hub:
        await hub.start()
        first = await journal.batch(hub.connector(), [licence(1)])
        await journal.deliver(hub.connector(), first)
        await journal.fetch(hub.platform(), await journal.ask(hub.platform(), company(1)))
        head = await FileHead(home / "head" / "checkpoint").read()
        asked = [await journal.ask(hub.platform(), company(1)) for _ in range(3)]
        delivery = await journal.batch(hub.connector(), [licence(2), licence(3)])
        clerk, parent, upload_id = Clerk(hub.system("hz-department")), await _one(hub), new_id()
        pid, repair = hub.pid, fail(hub)

        refusals = []
        for call in (
            *(journal.fetch(hub.platform(), one) for one in asked),
            journal.deliver(hub.connector(), delivery),
            # What was answered before is asked again: it is covered, but nothing can be recorded.
            journal.fetch(hub.platform(), await journal.ask(hub.platform(), company(1))),
        ):
            with pytest.raises(Refused) as refusal:
                await call
            refusals.append(refusal.value)

        with pytest.raises(Refused) as upload:
            await clerk.upload(parent, request_id=upload_id)

        assert (upload.value.status, upload.value.receipt) == ("UNAVAILABLE", None)
        # Its bytes come first; a disk that is full of the database is full of documents.
        assert upload.value.reason == (
            "BLOBS_UNAVAILABLE" if fail is _full_database else "LOG_UNAVAILABLE"
        )
        assert {(one.status, one.reason, one.receipt) for one in refusals} == {
            ("UNAVAILABLE", "LOG_UNAVAILABLE", None)
        }
        assert refusals[0].message == (
            "the log cannot be written, so nothing is answered. Repeat with the same request id."
        )
        repair()
        assert await FileHead(home / "head" / "checkpoint").read() == head
        for one in asked:
            await journal.fetch(hub.platform(), one)
        await journal.deliver(hub.connector(), delivery)
        # Where only the head could not be written, the entry was committed already.
        assert len(await clerk.listed(parent)) == (0 if fail is _full_database else 1)
        kept = (await clerk.upload(parent, request_id=upload_id)).document
        assert await clerk.listed(parent) == [kept]
        assert (await clerk.download(kept.name))[1] == PDF
        await journal.check(hub)
        assert hub.pid == pid
        assert (await hub.readiness())[0] == 200
        assert (await audited(home)).findings == []
    await check_home(home, journal)
