"""Sealed files on PostgreSQL: copies and originals of faces, and marked copies, as on SQLite."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.proof.exchange.request import CopyPurpose, RequestedCertificate, sign_request
from hub.proof.reasons import Verdict
from hub.registry.v1 import documents_pb2
from tests import pdf_documents
from tests.chinese_font import needs_font
from tests.exchange.faced import add_face, allow, make_seal
from tests.exchange.handed import RPC, digest_of, send
from tests.exchange.test_made_copies import OFD, PDF_TYPE, PURPOSE, verified
from tests.exchange.test_resealed_documents import USES, furnished, replace_key
from tests.registry.clerk import Clerk
from tests.seal.faces.samples import early_licence
from tests.simulator import (
    GRANTED,
    LICENCE_VCT,
    Platform,
    Refused,
    Simulator,
    furnish,
    licence,
    make_home,
    move_to,
    new_id,
)


async def _request(platform: Platform, identifier: str) -> tuple[str, str]:
    """The text and id of a request for a copy, signed once."""
    wanted = RequestedCertificate(LICENCE_VCT, (DOCUMENT_FIELD,), cert=identifier)
    purpose, request_id = CopyPurpose(PURPOSE, int(time.time()) + 86_400), new_id()
    claims = await platform.claims(rpc=RPC, certificates=(wanted,), jti=request_id, copy=purpose)
    return sign_request(claims, platform.signer), request_id


async def _begun(tmp_path: Path, postgresql_url: str) -> Path:
    """A home whose hub begins in an empty database."""
    font, home = needs_font(), tmp_path / "home"
    with ThreadPoolExecutor(1) as pool:
        pool.submit(make_home, home).result()
    with (home / "hub.toml").open("a") as file:
        file.write(f'\n[faces]\nfont = "{font}"\n')
    await move_to(home, postgresql_url)
    return home


async def test_files_are_made_once_and_given_again(tmp_path: Path, postgresql_url: str) -> None:
    """A marked copy before the type has a face; then copies in both formats and an original."""
    home = await _begun(tmp_path, postgresql_url)
    async with Simulator(home) as hub:
        assert hub.hub.database.engine == "postgresql"
        await furnish(hub)
        (row,) = (await hub.connector().deliver([licence(1)])).results
        clerk, brought = Clerk(hub.system("hz-department")), pdf_documents.page()
        await clerk.upload(row.certificate, [brought])
        await make_seal(hub)
        await allow(hub, "files", ["annotated-copy", "original"])
        await hub.officer().grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))
        marked = await send(hub.platform(), *await _request(hub.platform(), row.identifier))
        await add_face(hub, early_licence())
        requests = {
            kind: await _request(hub.platform(), row.identifier) for kind in (OFD, PDF_TYPE)
        }
        twice = await asyncio.gather(
            *[
                send(hub.platform(), *requests[kind], kind)
                for kind in (OFD, PDF_TYPE, OFD, PDF_TYPE)
            ]
        )
        again = [await send(hub.platform(), *requests[kind], kind) for kind in (OFD, PDF_TYPE)]
        sealing = documents_pb2.SealDocumentRequest(
            request_id=new_id(), parent=row.certificate, version=1, media_type=PDF_TYPE
        )
        original = await clerk.member.call(clerk.stub.SealDocument, sealing)

    async with Simulator(home) as hub:
        clerk = Clerk(hub.system("hz-department"))
        assert await clerk.member.call(clerk.stub.SealDocument, sealing) == original
        sealing.request_id = new_id()
        with pytest.raises(Refused) as caught:
            await clerk.member.call(clerk.stub.SealDocument, sealing)
        assert (await hub.audit()).findings == []

    assert caught.value.reason == "ALREADY_EXISTS"
    assert [one.data for one in twice] == [one.data for one in again] * 2
    assert original.document.digest != digest_of(brought)
    for came in (marked, *again):
        report = verified(hub, came.data)
        assert not [step for step in report.steps if step.verdict is Verdict.INVALID]


async def test_what_stolen_keys_sealed_is_made_anew(tmp_path: Path, postgresql_url: str) -> None:
    """Records and their twins are of another test; here a copy and an original of either format."""
    async with Simulator(await _begun(tmp_path, postgresql_url)) as hub:
        assert hub.hub.database.engine == "postgresql"
        await furnish(hub)
        found, clerk = await furnished(hub), Clerk(hub.system("hz-department"))
        for media_type, use in USES.items():
            request = documents_pb2.SealDocumentRequest(
                request_id=new_id(), parent=found.name, version=1, media_type=media_type
            )
            await clerk.member.call(clerk.stub.SealDocument, request)
            request_id, compact = reversed(await _request(hub.platform(), found.identifier))
            found.requests[media_type] = (request_id, compact)
            await found.copy(media_type)
            zhao, since = hub.officer(), int(time.time()) - 3_600
            stolen = {"key": found.keys[use], "since": since, "cause": "x"}
            await zhao.carry_out("key.compromise", stolen)
            await zhao.propose_kind(use, "key.reseal", {"key": found.keys[use]}, uses_max=10)
            for officer in ("qian", "sun"):
                await hub.officer(officer).approve(use)
            await replace_key(found, use)

            count, entries = await found.reseal(use)

            assert count == 2
            said = [one["data"] for one in entries if one["kind"] == "document.resealed"]
            assert {one.get("listing") for one in said} == {None, "listed"}
            assert (await found.reseal(use))[0] == 0
            made = [(await found.copy(media_type)).data, (await found.original(media_type))[1]]
            assert {digest_of(one) for one in made} == {one["digest"] for one in said}
            for data in made:
                report = verified(hub, data)
                assert not [step for step in report.steps if step.verdict is Verdict.INVALID]
        assert (await hub.audit()).findings == []
