"""A department's signer: a real hub seals through it what stands in the outbox, nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from certs.keys import load_key, read_passphrase
from connectors import signer
from hub.clock import legal_day, now_us
from hub.config import load
from hub.domain.certificate import Custody
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.holder import Holder
from hub.domain.row import Row, emit_row, parse_row
from hub.errors import HubError, Reason
from hub.home import check_key_homes
from hub.proof.exchange.batch import sign_batch_root
from hub.proof.reasons import Verdict
from hub.registry.v1 import documents_pb2, registry_pb2
from hub.seal.homes.remote import RemoteSigner
from hub.seal.homes.signers import SignerHome
from hub.seal.v1 import seal_pb2
from hub.seal.v1 import signer_pb2 as pb
from tests.chinese_font import needs_font
from tests.connectors.department import CONNECTOR, Department
from tests.exchange.handed import fetch
from tests.exchange.test_made_copies import OFD, PDF_TYPE, SEAL, add_face, allow, verified, wanted
from tests.registry.clerk import Clerk
from tests.seal import life
from tests.seal.faces.samples import early_licence
from tests.simulator import (
    GRANTED,
    ORIGIN,
    REGION,
    Refused,
    Simulator,
    by_identifier,
    chain_digest,
    copy_home,
    licence,
    new_id,
    unencrypted,
)


@dataclass
class Sealing:
    """A hub whose department keeps its own key, and every request to sign that went there."""

    hub: Simulator
    department: Department
    requests: list[pb.SignRecords] = field(default_factory=list)

    @property
    def signer(self) -> RemoteSigner:
        home = self.hub.hub.seals.keys.homes["remote-market"]
        assert isinstance(home, SignerHome)
        assert isinstance(home.signer, RemoteSigner)
        return home.signer

    async def deliver(
        self, rows: list[Row], *, staged: Callable[[list[registry_pb2.Row]], Any] | None = None
    ) -> registry_pb2.IngestBatchesResponse:
        """Stage and send one batch; `staged` changes what the outbox holds of it."""
        connector = self.hub.connector()
        root, sent = await connector.batch(rows)
        root_jws = sign_batch_root(root, connector.signer)
        kept = sent if staged is None else staged(sent)
        if kept is not None:
            self.department.stage(root.seq, root.batch, root_jws, kept)
        answer = await connector.send(root_jws, sent)
        connector._chain = (root.seq, chain_digest(root_jws))
        return answer


def today(number: int, **changes: Any) -> Row:
    """A licence of today: what is older than its connector is only attested."""
    day = legal_day(now_us()).isoformat()
    return licence(number, **{"issue_date": day, "valid_from": day, **changes})


def equip(home: Path, department: Department) -> None:
    """TLS on both sides, the settings of the signer, and the section of the hub's configuration."""
    hub = Simulator(home)
    makers = (home / load(home / "hub.toml").tls.sm2_maker_ca).read_bytes()
    department.equip(
        hub.pki,
        home / "tls",
        {"origin": ORIGIN, "region": REGION, "log_key": hub.trust.log_keys[0]},
        makers,
    )
    with (home / "hub.toml").open("a") as file:
        file.write(
            f"""
[[seal.remote]]
name = "market"
address = "localhost:{department.port}"
ca = "tls/remote-ca.pem"
certificate = "tls/remote.pem"
key = "tls/remote.key"
timeout_s = 20
"""
        )


@pytest.fixture
async def sealing(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sealing]:
    """A furnished hub whose department has taken its key into its own hands."""
    home = copy_home(city, tmp_path / "home")
    department = Department.begin(tmp_path / "department")
    equip(home, department)
    department.start()
    requests: list[pb.SignRecords] = []
    sign = RemoteSigner.sign

    def keep(remote: RemoteSigner, request: pb.SignRecords) -> list[bytes]:
        requests.append(request)
        return sign(remote, request)

    monkeypatch.setattr(RemoteSigner, "sign", keep)
    try:
        async with Simulator(home) as hub:
            members = {
                "seal": "authorities/hz-market/seals/main",
                "use": "record",
                "algorithm": "ES256",
                "home": "remote-market",
            }
            made = await hub.officer().carry_out("key.generate", members)
            chain = hub.chain_for(made)
            await hub.officer().carry_out("key.rotate", {"key": made["key"], "x509_chain": chain})
            yield Sealing(hub, department, requests)
    finally:
        department.stop()


async def test_a_department_seals_its_own_rows(sealing: Sealing) -> None:
    """The key never was in the hub; the record says so (custody, grade A); a department that is
    away is UNAVAILABLE with nothing kept, and the same batch is sealed when it is back."""
    assert list((sealing.department.folder / "keys").glob("*.key"))
    delivered = await sealing.deliver([today(901), today(902)])

    fetched = await sealing.hub.platform().fetch(by_identifier(delivered.results[0].identifier))
    (presentation,) = fetched.presentations
    assert presentation is not None
    assert presentation.custody is Custody.DEPARTMENT
    assert sealing.department.journal("SELECT uses FROM uses") == [(2,)]

    sealing.department.stop()
    connector = sealing.hub.connector()
    root, rows = await connector.batch([today(903)])
    root_jws = sign_batch_root(root, connector.signer)
    sealing.department.stage(root.seq, root.batch, root_jws, rows)
    with pytest.raises(Refused) as caught:
        await connector.send(root_jws, rows)
    assert (caught.value.status, caught.value.reason) == (
        "UNAVAILABLE",
        "REMOTE_SIGNER_UNAVAILABLE",
    )

    await asyncio.to_thread(sealing.department.start)
    again = await connector.send(root_jws, rows)
    assert [row.outcome for row in again.results] == [1]
    assert sealing.department.journal("SELECT uses FROM uses") == [(3,)]


def _kept(change: Callable[[Row], Row]) -> Callable[[list[registry_pb2.Row]], Any]:
    """An outbox that holds another row than the one that was sent, changed back by `change`."""

    def staged(rows: list[registry_pb2.Row]) -> list[registry_pb2.Row]:
        own = emit_row(change(parse_row(rows[0].row)))
        return [registry_pb2.Row(salt=rows[0].salt, row=own), *rows[1:]]

    return staged


async def test_what_the_outbox_does_not_hold_is_refused(sealing: Sealing) -> None:
    """Each with its reason, though the batch is signed by the connector's own key: no such batch,
    other values, another holder, another number, another salt, fewer rows."""
    other = dataclasses.replace
    holder = Holder("001", "91330100MADEM0011P")

    def values(row: Row) -> Row:
        name = sorted(row.fields)[0]
        return other(row, fields={**row.fields, name: "其他"})

    cases: list[tuple[Any, str]] = [
        (lambda _rows: None, "no batch of this name was sent"),
        (_kept(values), "another value of "),
        (_kept(lambda row: other(row, holders=(holder,))), "another holder"),
        (_kept(lambda row: other(row, number="OTHER-1")), "another number"),
        (
            lambda rows: [registry_pb2.Row(salt=bytes(32), row=rows[0].row), *rows[1:]],
            "another salt",
        ),
        (lambda rows: rows[:1], "1 rows were sent"),
    ]
    await sealing.deliver([today(900)])
    used = sealing.department.journal("SELECT uses FROM uses")
    outbox = sealing.department.folder / "outbox" / f"{CONNECTOR}.sqlite"
    for staged, rule in cases:
        with pytest.raises(Refused) as caught:
            await sealing.deliver([today(911), today(912)], staged=staged)
        assert (caught.value.status, caught.value.reason) == (
            "FAILED_PRECONDITION",
            "OUTBOX_DIFFERS",
        ), (rule, caught.value)
        assert rule in str(caught.value.details), (rule, caught.value.details)
        with sqlite3.connect(outbox) as db:
            db.execute("DELETE FROM outbox WHERE seq > 1")
            db.execute("DELETE FROM batches WHERE seq > 1")
            db.execute("DELETE FROM pages WHERE seq > 1")
    assert sealing.department.journal("SELECT uses FROM uses") == used


async def test_a_certificate_keeps_its_identifier(sealing: Sealing) -> None:
    """A row that we sent before under another identifier is not sealed as this certificate."""
    first = await sealing.deliver([today(901)])
    other = await sealing.deliver([today(902)])
    sealing.department.settle(1, other.results[0].identifier)

    request = pb.SignRecords()
    request.CopyFrom(sealing.requests[0])
    request.request_id = str(uuid.uuid4())
    with pytest.raises(HubError) as caught:
        await asyncio.to_thread(sealing.signer.sign, request)

    assert caught.value.reason is Reason.OUTBOX_DIFFERS
    assert caught.value.details["rule"] == "the identifier is another certificate's"
    sealing.department.settle(1, first.results[0].identifier)
    assert len(await asyncio.to_thread(sealing.signer.sign, request)) == 1


async def test_a_department_seals_the_faces_of_its_own_rows(sealing: Sealing) -> None:
    """OFD, PDF and the codes on them, by keys that the hub never had; a face that says other than
    the row whose identifier it has, or of no row, is sealed by nobody."""
    needs_font()
    hub, department = sealing.hub, sealing.department
    delivered = await sealing.deliver([today(901)])
    identifier = delivered.results[0].identifier
    department.settle(1, identifier)
    zhao = hub.officer()
    maker = await life.maker_key(hub, zhao, "authorities/hz-market")
    wanted_keys = [
        {"use": use, "algorithm": algorithm, "home": "remote-market"}
        for use, algorithm in (
            ("record", "ES256"),
            ("ofd", "SM2"),
            ("pdf", "ES256"),
            ("face", "ES256"),
        )
    ]
    applied = {"seal": SEAL, "title": "印章", "seal_type": 1, "keys": wanted_keys}
    keys = (await zhao.carry_out("seal.apply", applied))["keys"]
    certificates = [{"key": one["key"], "x509_chain": hub.chain_for(one)} for one in keys]
    making = {"seal": SEAL, "certificates": certificates} | await life.form(zhao, maker)
    await zhao.carry_out("seal.make", making)
    await add_face(hub, early_licence())
    await allow(hub, "hz-documents", ["annotated-copy"])
    await zhao.grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))

    async def copy(media_type: str) -> bytes:
        came = await fetch(hub.platform(), identifier, media_type=media_type, copy=wanted())
        return came.data

    for media_type in (OFD, PDF_TYPE):
        report = verified(hub, await copy(media_type))
        assert {one.reason for one in report.steps if one.verdict is Verdict.INVALID} == set()
    files = "SELECT sum(uses) FROM uses WHERE intent NOT LIKE '% code'"
    sealed = department.journal(files)

    (own,) = sent_rows(department)
    holder = Holder("001", "91330100MADEM0011P")
    for change, rule in (
        (lambda row: dataclasses.replace(row, issue_date="2020-01-01"), "another ZZBFRQ"),
        (lambda row: dataclasses.replace(row, holders=(holder,)), "another CZZTDM"),
        (lambda row: dataclasses.replace(row, valid_until="2099-01-01"), "other days"),
        (lambda row: dataclasses.replace(row, fields={**row.fields, "name": "其他"}), "name"),
    ):
        _keep(department, emit_row(change(parse_row(own))), identifier)
        with pytest.raises(Refused) as caught:
            await copy(OFD)
        assert caught.value.reason == "OUTBOX_DIFFERS"
        assert rule in str(caught.value.details), caught.value.details
    _keep(department, own, "")
    with pytest.raises(Refused) as caught:
        await copy(OFD)
    assert "no row with the identifier" in str(caught.value.details)
    assert department.journal(files) == sealed
    _keep(department, own, identifier)
    assert await copy(OFD)

    # An original is named by its record: both are by keys of this signer, under one intent.
    await allow(hub, "hz-originals", ["original"])
    delivered = await sealing.deliver([today(902)])
    department.settle(2, delivered.results[0].identifier)
    clerk, size = Clerk(hub.system("hz-department")), hub.size
    for media_type in (OFD, PDF_TYPE):
        request = documents_pb2.SealDocumentRequest(
            request_id=new_id(),
            parent=delivered.results[0].certificate,
            version=1,
            media_type=media_type,
        )
        await clerk.member.call(clerk.stub.SealDocument, request)
    assert [one["data"]["listing"] for one in await hub.entries(size)] == ["listed"] * 2
    assert (await hub.audit()).findings == []


async def test_a_department_makes_no_electronic_seals(sealing: Sealing) -> None:
    """It has no row to compare them with; whoever asks for such a key there is told at once."""
    members = {
        "authority": "authorities/hz-market",
        "title": "制章",
        "use": "maker",
        "algorithm": "SM2",
        "home": "remote-market",
    }

    with pytest.raises(Refused) as caught:
        await sealing.hub.officer().propose_kind("maker", "key.generate", members)

    assert caught.value.reason == "FIELD_INVALID"
    assert "makes no electronic seals" in str(caught.value.details)


async def test_a_department_seals_its_own_rows_anew(sealing: Sealing) -> None:
    """After the theft of its key: each record is of a row in its outbox, under its identifier. What
    the outbox does not hold is not sealed, and nothing of that batch is."""
    hub, department, zhao = sealing.hub, sealing.department, sealing.hub.officer()
    answer = await sealing.deliver([today(901), today(902)])
    listed = await zhao.call(zhao.seal.ListKeys, seal_pb2.ListKeysRequest())
    (stolen,) = [one for one in listed.keys if one.home == "remote-market" and one.uses]
    since = int(time.time()) - 3_600
    await zhao.carry_out("key.compromise", {"key": stolen.name, "since": since, "cause": "x"})
    members = {
        "seal": stolen.seal,
        "use": "record",
        "algorithm": "ES256",
        "home": "remote-market",
    }
    made = await zhao.carry_out("key.generate", members)
    installed = {"key": made["key"], "x509_chain": hub.chain_for(made)}
    await zhao.carry_out("key.activate", installed)
    await zhao.propose_kind("anew", "key.reseal", {"key": stolen.name}, uses_max=10)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("anew")
    rows = sent_rows(department)
    outbox = department.folder / "outbox" / f"{CONNECTOR}.sqlite"
    used = department.journal("SELECT sum(uses) FROM uses")

    async def reseal() -> int:
        request = seal_pb2.ResealRecordsRequest(request_id=new_id(), intent="intents/anew")
        return int((await zhao.call(zhao.seal.ResealRecords, request)).records)

    for table, column, value, rule in (
        ("outbox", "row", rows[0], "the record is of another row"),
        ("outbox", "salt", bytes(32), "the record is of another row"),
        ("batches", "batch", "other", "no batch of this name was sent"),
    ):
        with sqlite3.connect(outbox) as db:
            kept = db.execute(f"SELECT {column}, rowid FROM {table}").fetchall()
            db.execute(f"UPDATE {table} SET {column} = ?", (value,))
        with pytest.raises(Refused) as caught:
            await reseal()
        assert caught.value.reason == "OUTBOX_DIFFERS"
        assert rule in str(caught.value.details)
        with sqlite3.connect(outbox) as db:
            db.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", kept)
    assert department.journal("SELECT sum(uses) FROM uses") == used

    assert await reseal() == 2

    assert sent_rows(department) == rows
    fetched = await hub.platform().fetch(by_identifier(answer.results[1].identifier))
    assert fetched.states == ["active"]
    (presentation,) = fetched.presentations
    assert presentation is not None
    assert presentation.custody is Custody.DEPARTMENT
    assert presentation.kid != stolen.key_id
    assert (await hub.audit()).findings == []


def sent_rows(department: Department) -> list[bytes]:
    """The rows in the outbox."""
    with sqlite3.connect(department.folder / "outbox" / f"{CONNECTOR}.sqlite") as outbox:
        return [row for (row,) in outbox.execute("SELECT row FROM outbox")]


def _keep(department: Department, row: bytes, identifier: str) -> None:
    """Have the outbox hold this row under this identifier."""
    with sqlite3.connect(department.folder / "outbox" / f"{CONNECTOR}.sqlite") as outbox:
        outbox.execute("UPDATE outbox SET row = ?, identifier = ?", (row, identifier))


async def test_killed_between_signature_and_answer_nothing_is_signed_twice(
    sealing: Sealing,
) -> None:
    """UNAVAILABLE; the use stays counted and is closed as lost; the repeated call seals anew."""
    department = sealing.department
    department.stop()
    department.program = "tests.connectors.dying_signer"
    await asyncio.to_thread(department.start)
    connector = sealing.hub.connector()
    root, rows = await connector.batch([today(901)])
    root_jws = sign_batch_root(root, connector.signer)
    department.stage(root.seq, root.batch, root_jws, rows)

    with pytest.raises(Refused) as caught:
        await connector.send(root_jws, rows)

    assert (caught.value.status, caught.value.reason) == (
        "UNAVAILABLE",
        "REMOTE_SIGNER_UNAVAILABLE",
    )
    assert department.journal("SELECT state, uses FROM requests") == [("signing", 1)]
    lost = sealing.requests[-1]
    assert sealing.signer.unsettled == {lost.request_id}

    department.stop()
    department.program = "connectors.signer"
    await asyncio.to_thread(department.start)
    answer = await connector.send(root_jws, rows)

    assert [row.outcome for row in answer.results] == [1]
    assert department.journal("SELECT state FROM requests ORDER BY number") == [
        ("lost",),
        ("signed",),
    ]
    assert department.journal("SELECT uses FROM uses") == [(2,)]
    with pytest.raises(HubError) as refused:
        await asyncio.to_thread(sealing.signer.sign, lost)
    assert refused.value.reason is Reason.SIGNING_INDETERMINATE


async def test_only_the_hub_is_answered_and_it_destroys_nothing(sealing: Sealing) -> None:
    """Another certificate of the same authority, none, and a call to destroy the key."""
    home = sealing.hub.hub.seals.keys.homes["remote-market"]
    keys = await asyncio.to_thread(home.health)
    with pytest.raises(HubError) as caught:
        await asyncio.to_thread(home.destroy, "x" * 43)
    assert caught.value.reason is Reason.KEY_USAGE_REFUSED
    assert (await asyncio.to_thread(home.health)) == keys and keys.count >= 1

    system = sealing.hub.home / "systems" / "window-1"
    place = sealing.signer.place
    stranger = RemoteSigner(
        type(place)(
            place.name, place.address, place.ca, system / "client.pem",
            _plain(sealing, system), place.timeout_s,
        ),
        ORIGIN, REGION, "", sealing.signer.evidence,
    )  # fmt: skip
    call = pb.SignerCall(check=pb.CheckSignerHome(home="remote"))
    with pytest.raises(HubError) as refused:
        await asyncio.to_thread(stranger.ask, call)
    assert refused.value.details["rule"] == "PERMISSION_DENIED"

    credentials = grpc.ssl_channel_credentials(sealing.hub.pki.tls_anchor_pem)
    async with grpc.aio.secure_channel(place.address, credentials) as channel:
        method = channel.unary_unary("/hub.seal.v1.RemoteSignerService/Answer")
        with pytest.raises(grpc.aio.AioRpcError) as nobody:
            await method(b"", timeout=5)
    assert nobody.value.code() is grpc.StatusCode.UNAVAILABLE


def _plain(sealing: Sealing, folder: Path) -> Path:
    path = folder / "plain.key"
    path.touch(mode=0o600)
    path.write_bytes(
        unencrypted(load_key(folder / "client.key", read_passphrase(folder / "passphrase")))
    )
    return path


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("[hub]", "[other]", "the table [hub] is missing"),
        ('folder = "signer"', "", "folder is missing"),
        ('folder = "signer"', 'folder = "signer"\nextra = 1', "extra is none of"),
        ('connectors = ["others", "licences"]', "connectors = [1]", "is not a list of texts"),
        ("[signer]", "[signer", "is not TOML"),
    ],
)
def test_settings_that_are_wrong_are_named(tmp_path: Path, old: str, new: str, rule: str) -> None:
    """Before anything is served."""
    path = tmp_path / "signer.toml"
    path.write_text(SETTINGS.replace(old, new))

    with pytest.raises(HubError) as caught:
        signer.SignerSettings.load(path)

    assert caught.value.reason is Reason.FILE_UNREADABLE
    assert rule in caught.value.details["rule"]


SETTINGS = """
[signer]
address = "127.0.0.1:0"
certificate = "server.pem"
key = "server.key"
client_ca = "ca.pem"
hub_keys = ["x"]
folder = "signer"
keys = "keys"
passphrase_file = "passphrase"
[hub]
origin = "hub.example"
region = "330100"
log_key = "k"
roster = "r"
[outbox]
folder = "outbox"
connectors = ["others", "licences"]
"""


def test_a_signer_of_one_hub_stays_its(tmp_path: Path) -> None:
    """Settings that were changed to another hub's do not serve on the same journal."""
    path = tmp_path / "signer.toml"
    path.write_text(SETTINGS)
    settings = signer.SignerSettings.load(path)
    settings.desk().journal.close()

    path.write_text(SETTINGS.replace("hub.example", "other.example"))
    with pytest.raises(HubError) as caught:
        signer.SignerSettings.load(path).desk()

    assert (caught.value.reason, caught.value.details["what"]) == (Reason.SIGNER_PINNED, "origin")


def test_a_signer_serves_from_the_command_line(city: Path, tmp_path: Path) -> None:
    """It says its port, is looked at by doctor, and ends at SIGTERM; settings that are none end it
    at once."""
    home = copy_home(city, tmp_path / "home")
    department = Department.begin(tmp_path / "department")
    folder = department.folder
    equip(home, department)
    program = Path(sys.executable).with_name("sealway")
    command = [program, "connect", "sign-serve", folder / "signer.toml", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            said = list(iter(process.stdout.readline, b"}\n"))
            assert json.loads(b"".join(said) + b"}") == {"port": department.port}
            checks = check_key_homes(load(home / "hub.toml"))
            assert checks["remote-market"]().count == 0
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()
    with pytest.raises(HubError) as away:
        checks["remote-market"]()
    assert away.value.reason is Reason.REMOTE_SIGNER_UNAVAILABLE

    (folder / "signer.toml").write_text("[signer]")
    ended = subprocess.run(command, capture_output=True, check=False)
    assert ended.returncode == 4
    assert json.loads(ended.stdout)["error"]["reason"] == "FILE_UNREADABLE"
