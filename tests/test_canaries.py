"""Secrets and personal data that are planted, and looked for wherever they must not be."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from certs.keys import load_key, read_passphrase
from hub.domain.row import Op, emit_row
from hub.proof.exchange.request import sign_request
from hub.proof.ofd.document import open_package
from hub.registry.v1 import holders_pb2, holders_pb2_grpc, registry_pb2
from hub.seal.v1 import faces_pb2, faces_pb2_grpc
from hub.storage.key_files import read_key_file
from tests.chinese_font import FontAbsent, font_file
from tests.seal.faces.samples import plain_face
from tests.simulator import (
    BASIS,
    FETCH,
    PERMIT,
    PERMIT_VCT,
    Member,
    Refused,
    Simulator,
    by_holder,
    citizen,
    copy_home,
    new_id,
    permit,
)

NUMBER, NAME = citizen(77), "欧阳示例金丝雀"
WRONG_NUMBER = citizen(78)[:-1] + ("0" if citizen(78)[-1] != "0" else "1")
LINKED_NUMBER = "H7700077007"
PERSONAL = {
    "citizen number": NUMBER,
    "number with a wrong check digit": WRONG_NUMBER,
    "number of another document": LINKED_NUMBER,
    "name": NAME,
}
KEY_PURPOSES = ("log", "token", "status", "key-encryption", "holder-index")


@dataclass
class Everything:
    """What the hub wrote, said and answered during the test, by file and by channel."""

    home: Path
    logs: str
    metrics: str
    refusals: list[str]
    printed: str

    def places(self) -> Iterator[tuple[str, bytes]]:
        """Every place with its bytes."""
        for file in sorted(self.home.rglob("*")):
            if file.is_file():
                yield str(file.relative_to(self.home)), file.read_bytes()
        yield "log output", self.logs.encode()
        yield "metrics", self.metrics.encode()
        yield "refusals", "\n".join(self.refusals).encode()
        yield "standard output", self.printed.encode()


@pytest_asyncio.fixture
async def hub(city: Path, tmp_path: Path) -> AsyncIterator[Simulator]:
    """A hub that is about to learn about a person."""
    async with Simulator(copy_home(city, tmp_path / "home")) as simulator:
        yield simulator


async def _live(hub: Simulator) -> list[str]:
    """Everything that happens to a person's certificate, and much that goes wrong with it."""
    fields = {"name": NAME}
    connector, platform = hub.connector(), hub.platform()
    await hub.officer().grant("permits", "window-1", ("name",), type_code=PERMIT)
    row = permit(77, fields=fields)
    wrong = emit_row(permit(78, fields=fields)).replace(citizen(78).encode(), WRONG_NUMBER.encode())
    delivered = await connector.deliver([row, wrong], vct=PERMIT_VCT)
    wanted = by_holder(NUMBER, ("name",), vct=PERMIT_VCT, holder_type="111")
    fetched = await platform.fetch(wanted)
    assert fetched.fields() == {"name": NAME, "holder_type": "111", "holder_number": NUMBER}
    said = []
    too_much = by_holder(NUMBER, ("name", "grade"), vct=PERMIT_VCT, holder_type="111")
    garbage = NUMBER.encode() + NAME.encode()
    claims = await platform.claims(certificates=(too_much,))
    compact = sign_request(claims, platform.signer)
    other = await platform.claims(certificates=(wanted,), matter=NUMBER, aud=NAME)
    auditor, department = hub.system("auditor-1"), hub.system("hz-department")
    holders = holders_pb2_grpc.HolderServiceStub(department.channel)
    linked = await department.call(
        holders.LinkHolderIdentifiers, _linking(delivered.results[0].certificate, "516")
    )
    assert linked.link.state == holders_pb2.HolderLink.STATE_LINKED
    search = registry_pb2.SearchCertificatesRequest(
        filter=registry_pb2.SearchCertificatesRequest.Filter(
            holder=registry_pb2.Holder(type="111", number=WRONG_NUMBER)
        )
    )
    for attempt in (
        platform.send(compact, claims.jti),
        platform.send(sign_request(other, platform.signer), other.jti),
        platform.raw(FETCH, garbage),
        auditor.call(auditor.registry.SearchCertificates, search),
        department.call(
            holders.LinkHolderIdentifiers, _linking(delivered.results[0].certificate, "111")
        ),
        connector.send_raw(garbage),
        *await _previews(department),
    ):
        with pytest.raises(Refused) as caught:
            await attempt
        said.append(f"{caught.value} {caught.value.details} {caught.value.zh}")
    await connector.deliver(
        [permit(77, Op.CHANGE, fields={**fields, "grade": "二级"})], vct=PERMIT_VCT
    )
    await connector.deliver([permit(77, Op.REVOKE, fields=fields)], vct=PERMIT_VCT)
    return said


async def _previews(member: Member) -> list[Awaitable[object]]:
    """A face with the name, and attempts that are refused; none where there is no font."""
    try:
        font_file()
    except FontAbsent:
        return []
    preview = await _preview(member, json.dumps({"name": NAME}))
    assert NAME in open_package(preview.content).files["Doc_0/Pages/Page_0/Content.xml"].decode()
    too_long = json.dumps({"name": NAME * 12})
    return [_preview(member, too_long), _preview(member, too_long[:-1])]


async def _preview(member: Member, values: str) -> faces_pb2.PreviewFaceResponse:
    """A sample of the face of a person's document with values that somebody typed in."""
    answer: faces_pb2.PreviewFaceResponse = await member.call(
        faces_pb2_grpc.FaceServiceStub(member.channel).PreviewFace,
        faces_pb2.PreviewFaceRequest(
            template=plain_face(PERMIT),
            values=values.encode(),
            format=faces_pb2.PreviewFaceRequest.FORMAT_OFD,
        ),
    )
    return answer


def _linking(certificate: str, holder_type: str) -> holders_pb2.LinkHolderIdentifiersRequest:
    """That the person has another document; what is no citizen number is refused as one."""
    return holders_pb2.LinkHolderIdentifiersRequest(
        request_id=new_id(),
        certificate=certificate,
        former=registry_pb2.Holder(type=holder_type, number=LINKED_NUMBER),
        kind=holders_pb2.HolderLink.KIND_PERMIT,
        effective_date="2026-01-05",
        document_digest="A" * 43,
        legal_basis=BASIS,
    )


@pytest_asyncio.fixture
async def everything(
    hub: Simulator,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Everything:
    """All of it after a life of a certificate, with every logger at its most talkative."""
    caplog.set_level(logging.DEBUG)
    refusals = await _live(hub)
    captured = capfd.readouterr()
    return Everything(
        hub.home,
        caplog.text,
        hub.hub.metrics_text().decode(),
        refusals,
        captured.out + captured.err,
    )


def _spellings(secret: str | bytes) -> Iterator[bytes]:
    """How a value may lie somewhere in clear."""
    data = secret.encode() if isinstance(secret, str) else secret
    yield data
    yield data.hex().encode()
    yield base64.b64encode(data).rstrip(b"=")
    yield base64.urlsafe_b64encode(data).rstrip(b"=")
    if isinstance(secret, str):
        yield secret.encode("utf-16-le")
        yield secret.encode("unicode_escape")


async def test_personal_data_lie_nowhere_in_clear(everything: Everything) -> None:
    """Not in the database and its journal, not in logs, metrics, refusals or on the terminal."""
    found = [
        (place, what)
        for place, data in everything.places()
        for what, secret in PERSONAL.items()
        for spelling in _spellings(secret)
        if spelling in data
    ]

    assert found == []


async def test_the_search_would_have_found_them(everything: Everything) -> None:
    """The same search finds what is kept in clear on purpose: the grade."""
    places = dict(everything.places())
    database = places["data/hub.db"] + places.get("data/hub.db-wal", b"")

    assert "二级".encode() in database
    assert everything.metrics
    assert any("REQUEST_INVALID" in text for text in everything.refusals)


async def test_keys_and_passphrases_lie_nowhere_but_in_their_own_files(
    hub: Simulator, everything: Everything
) -> None:
    """Raw key bytes stand in no file at all, a passphrase only in its own."""
    keys = hub.home / "keys"
    passphrase = (keys / "passphrase").read_bytes().strip()
    secrets: dict[str, bytes] = {
        purpose: read_key_file(keys / f"{purpose}.key", purpose=purpose, passphrase=passphrase)
        for purpose in KEY_PURPOSES
    }
    for member in ("officers/zhao", "systems/window-1", "systems/hz-connector"):
        folder = hub.home / member
        secret = read_passphrase(folder / "passphrase")
        secrets[f"{member}/passphrase"] = secret
        number = load_key(folder / "client.key", secret).private_numbers().private_value
        secrets[f"{member}/client.key"] = number.to_bytes(32)
    secrets["keys/passphrase"] = passphrase

    found = [
        (place, what)
        for place, data in everything.places()
        for what, secret in secrets.items()
        for spelling in _spellings(secret)
        if spelling in data and place != what
    ]

    assert found == []
    assert len(secrets) == len(KEY_PURPOSES) + 7


async def test_access_tokens_are_not_kept(hub: Simulator, everything: Everything) -> None:
    """A stolen backup opens no connection."""
    token = (await hub.platform().token()).encode()

    assert [place for place, data in everything.places() if token in data] == []
