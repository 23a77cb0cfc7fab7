"""Documents of certificates over real gRPC: up, down, refused, erased, scrubbed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from hub.errors import Reason
from hub.proof.encoding import b64u
from hub.registry.documents import CHUNK_BYTES_MAX, DOCUMENT_BYTES_MAX
from hub.registry.scrub import Fault, ScrubReport, scrub
from hub.registry.v1 import documents_pb2 as pb
from hub.registry.v1 import registry_pb2, registry_pb2_grpc
from hub.storage.blobs import S3Blobs
from hub.storage.s3 import Bucket
from tests.minio_server import MinioServer
from tests.registry.clerk import PDF, Clerk
from tests.simulator import (
    LICENCE,
    PERMIT,
    PERMIT_VCT,
    Refused,
    Simulator,
    bearer,
    copy_home,
    licence,
    new_id,
    permit,
)

MEBIBYTE = 1 << 20
BOTH_PROFILES = pytest.mark.parametrize("hub", ["city", "gm_city"], indirect=True)


@pytest.fixture
async def hub(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Simulator]:
    """A hub of the international profile; where the bytes themselves matter, of both."""
    city = request.getfixturevalue(getattr(request, "param", "city"))
    async with Simulator(copy_home(city, tmp_path / "home")) as opened:
        await opened.connector().deliver([licence(1)])
        await opened.connector().deliver([permit(1)], vct=PERMIT_VCT)
        yield opened


async def certificates(hub: Simulator) -> list[str]:
    """Names of the licence and the permit, in this order."""
    department = hub.system("hz-department")
    stub = registry_pb2_grpc.RegistryServiceStub(department.channel)
    names = []
    for code in (LICENCE, PERMIT):
        wanted = registry_pb2.SearchCertificatesRequest.Filter(
            certificate_type=f"certificateTypes/{code.lower()}"
        )
        found = await department.call(
            stub.SearchCertificates, registry_pb2.SearchCertificatesRequest(filter=wanted)
        )
        names.append(found.certificates[0].name)
    return names


def clerk(hub: Simulator, name: str = "hz-department") -> Clerk:
    return Clerk(hub.system(name))


def stored_files(hub: Simulator) -> list[Path]:
    return [one for one in (hub.home / "data" / "documents").rglob("*") if one.is_file()]


async def scrubbed(hub: Simulator, **changes: int) -> ScrubReport:
    report = ScrubReport()
    later_us = time.time_ns() // 1000 + 2 * 24 * 3_600_000_000
    options = {"bytes_per_s": 10**9, "now_us": later_us, **changes}
    async for _ in scrub(hub.hub.database, hub.hub.blobs, report, **options):
        pass
    return report


@BOTH_PROFILES
async def test_a_document_comes_back_with_receipts(hub: Simulator) -> None:
    """To its department and to an auditor; one entry for each time."""
    for parent in await certificates(hub):
        size = hub.size
        up = await clerk(hub).upload(parent, [PDF[:7], b"", PDF[7:]])

        assert hub.size == size + 1
        assert up.receipt.entry == up.document.entry
        assert await clerk(hub).listed(parent) == [up.document]
        for name in ("hz-department", "auditor-1"):
            header, data = await clerk(hub, name).download(up.document.name)
            assert data == PDF
            assert header.document == up.document
            assert header.receipt.json
    kinds = [entry["kind"] for entry in await hub.entries()]
    assert kinds[-3:] == ["document.uploaded", "document.downloaded", "document.downloaded"]
    assert not (await hub.audit()).findings


async def test_neither_rows_nor_files_show_what_a_document_says(hub: Simulator) -> None:
    """Nor its digest, by which a guess could be confirmed."""
    _, parent = await certificates(hub)
    secret = b"%PDF-" + b"a person's name" * 100

    up = await clerk(hub).upload(parent, [secret])

    database = b"".join(path.read_bytes() for path in (hub.home / "data").glob("hub.db*"))
    assert b"a person's name" not in database + stored_files(hub)[0].read_bytes()
    assert up.document.digest.encode() not in database


@BOTH_PROFILES
async def test_destroying_the_data_key_erases_the_document(hub: Simulator) -> None:
    """The bytes stay and are noise; the answer says so."""
    _, parent = await certificates(hub)
    up = await clerk(hub).upload(parent)
    with sqlite3.connect(hub.home / "data" / "hub.db") as database:
        (key,) = database.execute("SELECT data_key_id FROM registry_documents").fetchone()
        database.execute("UPDATE storage_data_keys SET wrapped = x'' WHERE id = ?", (key,))
    hub.hub.documents.data_keys.forget(key)  # type: ignore[attr-defined]

    with pytest.raises(Refused) as refused:
        await clerk(hub).download(up.document.name)

    assert key.startswith("holder:")
    assert refused.value.reason == Reason.KEY_UNAVAILABLE


async def test_a_repeated_upload_has_one_effect(hub: Simulator) -> None:
    """In turn or at once; other content under the id is refused."""
    parent, _ = await certificates(hub)
    call_id = new_id()
    first, second = await asyncio.gather(
        clerk(hub).upload(parent, request_id=call_id), clerk(hub).upload(parent, request_id=call_id)
    )
    size = hub.size
    third = await clerk(hub).upload(parent, request_id=call_id)

    assert first == second == third
    assert hub.size == size
    assert len(stored_files(hub)) == 1
    with pytest.raises(Refused) as refused:
        await clerk(hub).upload(parent, [PDF + b"x"], request_id=call_id)
    assert refused.value.reason == Reason.REQUEST_ID_REUSED


async def test_a_repeated_download_has_one_entry(hub: Simulator) -> None:
    """The bytes again, under the first receipt."""
    parent, _ = await certificates(hub)
    up = await clerk(hub).upload(parent)
    call_id = new_id()
    first = await clerk(hub).download(up.document.name, call_id)
    size = hub.size

    assert await clerk(hub).download(up.document.name, call_id) == first
    assert hub.size == size


async def test_the_same_document_twice_is_refused_and_its_bytes_go(hub: Simulator) -> None:
    """One version, one copy."""
    parent, _ = await certificates(hub)
    await clerk(hub).upload(parent)

    with pytest.raises(Refused) as refused:
        await clerk(hub).upload(parent)

    assert refused.value.reason == Reason.ALREADY_EXISTS
    assert len(stored_files(hub)) == 1


DIGEST = b64u(hashlib.sha256(b"another").digest())


BAD: Final[Sequence[tuple[dict[str, Any], list[bytes], Reason]]] = (
    ({"digest": DIGEST}, [PDF], Reason.DOCUMENT_DIGEST_WRONG),
    ({"digest": ""}, [PDF], Reason.FIELD_INVALID),
    ({"version": 0}, [PDF], Reason.FIELD_INVALID),
    ({"version": 2}, [PDF], Reason.CERTIFICATE_NOT_FOUND),
    ({"request_id": "x"}, [PDF], Reason.REQUEST_ID_INVALID),
    ({"parent": "certificates/a"}, [PDF], Reason.NAME_MALFORMED),
    ({"media_type": "image/png"}, [PDF], Reason.DOCUMENT_TYPE_REFUSED),
    ({"media_type": "text/html"}, [PDF], Reason.DOCUMENT_TYPE_REFUSED),
    ({}, [b"%PD"], Reason.DOCUMENT_TYPE_REFUSED),
    ({}, [], Reason.DOCUMENT_TYPE_REFUSED),
    ({}, [b"<html>" + PDF], Reason.DOCUMENT_TYPE_REFUSED),
    ({}, [PDF, bytes(CHUNK_BYTES_MAX + 1)], Reason.MESSAGE_TOO_LARGE),
)


async def test_bad_input_is_refused_and_nothing_is_half_stored(hub: Simulator) -> None:
    """Exact status and reason, no row, no file, one entry of the refusal."""
    parent, _ = await certificates(hub)
    for changes, chunks, reason in BAD:
        size = hub.size

        with pytest.raises(Refused) as refused:
            await clerk(hub).upload(**{"parent": parent, "chunks": chunks, **changes})

        absent = reason is Reason.CERTIFICATE_NOT_FOUND
        assert refused.value.reason == reason
        assert refused.value.status == ("NOT_FOUND" if absent else "INVALID_ARGUMENT")
        assert stored_files(hub) == []
        assert await clerk(hub).listed(parent) == []
        assert hub.size == size + 1
        assert (await hub.entries())[-1]["kind"] == "refusal"


async def test_messages_out_of_order_are_refused(hub: Simulator) -> None:
    """The header first and once."""
    parent, _ = await certificates(hub)
    header = pb.UploadDocumentRequest.Header(
        request_id=new_id(), parent=parent, version=1, media_type="application/pdf",
        digest=b64u(hashlib.sha256(PDF).digest()),
    )  # fmt: skip
    first, chunk = pb.UploadDocumentRequest(header=header), pb.UploadDocumentRequest(chunk=PDF)

    for messages in ([], [chunk], [pb.UploadDocumentRequest()], [first, chunk, first]):
        with pytest.raises(Refused) as refused:
            await clerk(hub).send(messages)
        assert refused.value.reason == Reason.FIELD_INVALID
    assert stored_files(hub) == []


async def test_a_document_beyond_the_limit_is_refused_while_it_comes(hub: Simulator) -> None:
    """Nothing of it is kept."""
    parent, _ = await certificates(hub)
    chunks = [b"%PDF-" + bytes(MEBIBYTE - 5), *[bytes(MEBIBYTE)] * (DOCUMENT_BYTES_MAX >> 20)]

    with pytest.raises(Refused) as refused:
        await clerk(hub).upload(parent, chunks)

    assert refused.value.reason == Reason.DOCUMENT_TOO_LARGE
    assert stored_files(hub) == []


async def test_an_upload_that_breaks_off_keeps_nothing(hub: Simulator) -> None:
    """A client that goes away in the middle."""
    parent, _ = await certificates(hub)
    one = clerk(hub)

    async def half() -> AsyncIterator[pb.UploadDocumentRequest]:
        yield pb.UploadDocumentRequest(
            header=pb.UploadDocumentRequest.Header(
                request_id=new_id(), parent=parent, version=1, media_type="application/pdf",
                digest=DIGEST,
            )
        )  # fmt: skip
        yield pb.UploadDocumentRequest(chunk=PDF)
        await asyncio.Event().wait()

    call = one.stub.UploadDocument(half(), metadata=bearer(await one.member.token()))
    await asyncio.sleep(0.3)
    call.cancel()  # type: ignore[attr-defined]
    await asyncio.sleep(0.5)

    assert stored_files(hub) == []
    assert await one.listed(parent) == []


async def test_another_department_learns_nothing(hub: Simulator) -> None:
    """Whether a certificate or document exists or not, the answer is the same."""
    parent, _ = await certificates(hub)
    up = await clerk(hub).upload(parent)
    other = clerk(hub, "nb-department")
    absent = parent[:-32] + "0" * 32

    texts = set()
    for name in (parent, absent):
        for attempt in (
            other.upload(name),
            other.listed(name),
            other.download(f"{name}/documents/{up.document.name[-32:]}"),
        ):
            with pytest.raises(Refused) as refused:
                await attempt
            texts.add((refused.value.status, refused.value.reason, refused.value.en))

    assert len(texts) == 1
    assert {text[1] for text in texts} == {Reason.AUTHORITY_NOT_ALLOWED}


@pytest.mark.parametrize("name", ["window-1", "hz-connector", "monitor-1"])
async def test_other_roles_reach_no_document(hub: Simulator, name: str) -> None:
    """Platforms get documents with the seals that prove them, not here."""
    parent, _ = await certificates(hub)
    up = await clerk(hub).upload(parent)

    for attempt in (clerk(hub, name).upload(parent), clerk(hub, name).download(up.document.name)):
        with pytest.raises(Refused) as refused:
            await attempt
        assert refused.value.reason == Reason.ROLE_NOT_ALLOWED


async def test_an_auditor_uploads_nothing(hub: Simulator) -> None:
    """Reading is not writing."""
    parent, _ = await certificates(hub)
    with pytest.raises(Refused) as refused:
        await clerk(hub, "auditor-1").upload(parent)

    assert refused.value.reason == Reason.ROLE_NOT_ALLOWED


@BOTH_PROFILES
async def test_changed_bytes_never_leave(hub: Simulator) -> None:
    """DATA_LOSS instead; the scrub names the document."""
    parent, _ = await certificates(hub)
    up = await clerk(hub).upload(parent)
    (file,) = stored_files(hub)
    data = bytearray(file.read_bytes())
    data[10] ^= 1
    file.write_bytes(data)

    with pytest.raises(Refused) as refused:
        await clerk(hub).download(up.document.name)

    assert (refused.value.status, refused.value.reason) == ("DATA_LOSS", Reason.DIGEST_MISMATCH)
    report = await scrubbed(hub)
    assert [(one.fault, one.name) for one in report.findings] == [(Fault.DAMAGED, up.document.name)]


async def test_lost_bytes_and_orphans_are_named(hub: Simulator) -> None:
    """Rows without bytes, bytes without row; young bytes may be an upload under way."""
    parent, _ = await certificates(hub)
    up = await clerk(hub).upload(parent)
    clean = await scrubbed(hub)
    (file,) = stored_files(hub)
    file.unlink()

    async def orphan() -> AsyncIterator[bytes]:
        yield b"nobody's"

    digest = await hub.hub.blobs.write(orphan())
    with pytest.raises(Refused) as refused:
        await clerk(hub).download(up.document.name)

    assert (clean.documents, clean.blobs, clean.found) == (1, 1, 0)
    assert (refused.value.status, refused.value.reason) == ("DATA_LOSS", Reason.BLOB_MISSING)
    found = [(one.fault, one.name) for one in (await scrubbed(hub)).findings]
    assert found == [(Fault.MISSING, up.document.name), (Fault.ORPHAN, digest)]
    young = await scrubbed(hub, now_us=time.time_ns() // 1000)
    assert [one.fault for one in young.findings] == [Fault.MISSING]


async def test_a_scrub_keeps_to_its_rate(hub: Simulator) -> None:
    """Reading everything must not starve who works."""
    parent, _ = await certificates(hub)
    await clerk(hub).upload(parent)
    began = time.monotonic()

    report = await scrubbed(hub, bytes_per_s=600_000)

    assert time.monotonic() - began >= report.bytes / 600_000 * 0.9


async def test_fifty_megabytes_pass_through_bounded_memory(hub: Simulator) -> None:
    """Up and down; the client of this test shares the process and its own part is counted in."""
    parent, _ = await certificates(hub)
    block = b"%PDF-" + os.urandom(MEBIBYTE - 5)
    await clerk(hub).upload(parent, [block])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one = clerk(hub)
    hasher = hashlib.sha256()
    for _ in range(50):
        hasher.update(block)

    async def messages() -> AsyncIterator[pb.UploadDocumentRequest]:
        yield pb.UploadDocumentRequest(
            header=pb.UploadDocumentRequest.Header(
                request_id=new_id(), parent=parent, version=1, media_type="application/pdf",
                digest=b64u(hasher.digest()),
            )
        )  # fmt: skip
        for _ in range(50):
            yield pb.UploadDocumentRequest(chunk=block)

    up = await one.stub.UploadDocument(  # type: ignore[misc]
        messages(), metadata=bearer(await one.member.token()), timeout=120
    )
    came, size = hashlib.sha256(), 0
    request = pb.DownloadDocumentRequest(request_id=new_id(), name=up.document.name)
    call = one.stub.DownloadDocument(request, metadata=bearer(await one.member.token()))
    async for message in call:  # type: ignore[attr-defined]
        came.update(message.chunk)
        size += len(message.chunk)

    assert (size, came.digest()) == (50 * MEBIBYTE, hasher.digest())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024


async def test_a_store_that_is_away_is_unavailable_and_comes_back(
    hub: Simulator, minio: MinioServer
) -> None:
    """Under the same request id, with one effect, and the log goes on meanwhile."""
    blobs = S3Blobs(Bucket(minio.settings(), minio.new_bucket()))
    object.__setattr__(hub.hub.documents, "blobs", blobs)
    parent, _ = await certificates(hub)
    call_id = new_id()
    minio.kill()
    try:
        with pytest.raises(Refused) as refused:
            await clerk(hub).upload(parent, request_id=call_id)
        assert len(await clerk(hub).listed(parent)) == 0
    finally:
        minio.start()

    up = await clerk(hub).upload(parent, request_id=call_id)

    assert (refused.value.status, refused.value.reason) == ("UNAVAILABLE", Reason.BLOBS_UNAVAILABLE)
    assert (await clerk(hub).download(up.document.name))[1] == PDF
    await blobs.close()
