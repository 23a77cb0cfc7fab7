"""The signer process: a real hub seals through it, and what happens when it fails or is misused."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.clock import legal_day, now_us
from hub.domain.certificate import Custody
from hub.domain.seal_key import FORMATS, SEALING_DAYS, KeyAlgorithm, KeyUse, SealingDays, key_name
from hub.errors import HubError, Reason
from hub.home import signer_settings
from hub.proof.encoding import b64u, b64u_decode, emit_json, parse_object
from hub.seal.algorithms import AlgorithmTable, PublicKey, Subject
from hub.seal.homes.process import SignerProcess, check_home
from hub.seal.homes.signers import SignerHome
from hub.seal.keys import MadeKey, header_segment
from hub.seal.signer_process.desk import SignerDesk
from hub.seal.signer_process.journal import Journal
from hub.seal.signer_process.process import Settings
from hub.seal.signer_process.rules import SigningRequest
from hub.seal.signer_process.socket import (
    MESSAGE_BYTES_MAX,
    connect,
    listen,
    peer_uid,
    receive,
    send,
)
from hub.seal.v1 import signer_pb2 as pb
from tests import softhsm
from tests.proof import officers
from tests.seal.mandates import Mandates
from tests.simulator import (
    ORIGIN,
    REGION,
    Refused,
    Simulator,
    by_identifier,
    copy_home,
    licence,
)

PASSPHRASE = "a passphrase of canaries"


def with_process(home: Path, *lines: str) -> Path:
    """`home`, configured to sign in a process of its own."""
    text = (home / "hub.toml").read_text()
    (home / "hub.toml").write_text("\n".join((text, "[seal]", 'signer = "process"', *lines, "")))
    return home


@contextlib.contextmanager
def kept_requests() -> Iterator[list[Any]]:
    """Every request to sign that goes to a signer process meanwhile."""
    requests: list[Any] = []
    sign = SignerProcess.sign

    def keep(process: SignerProcess, request: SigningRequest) -> list[bytes]:
        requests.append(request)
        return sign(process, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SignerProcess, "sign", keep)
        yield requests


@dataclasses.dataclass
class Signing:
    """A hub with its signer process, and every request to sign that went to it."""

    hub: Simulator
    requests: list[pb.SignRecords]

    @property
    def process(self) -> SignerProcess:
        home = self.hub.hub.seals.keys.homes["files"]
        assert isinstance(home, SignerHome)
        return home.signer

    @property
    def folder(self) -> Path:
        return self.hub.home / "signer" / "0"

    def journal(self, question: str) -> list[Any]:
        """What the journal says."""
        with sqlite3.connect(f"file:{self.folder / 'journal.db'}?mode=ro", uri=True) as journal:
            return journal.execute(question).fetchall()

    def by_hand(self, **call: Any) -> pb.SignerAnswer:
        """An answer to whoever has the socket, not through the hub."""
        with connect(self.folder, 10.0) as connection:
            send(connection, pb.SignerCall(**call).SerializeToString())
            message = receive(connection)
        assert message is not None
        return pb.SignerAnswer.FromString(message)

    def again(self, change: Callable[[pb.SignRecords], None] = lambda _: None) -> pb.SignRecords:
        """The last request under a new id, changed."""
        request = pb.SignRecords()
        request.CopyFrom(self.requests[-1])
        request.request_id = str(uuid.uuid4())
        change(request)
        return request

    def refusal(self, change: Callable[[pb.SignRecords], None]) -> tuple[str, str]:
        """Reason and rule by which a changed request is refused; nothing of it is counted."""
        before = self.journal("SELECT sum(uses), (SELECT count(*) FROM requests) FROM uses")
        answer = self.by_hand(sign=self.again(change))
        assert answer.WhichOneof("answer") == "refused"
        assert self.journal("SELECT sum(uses), (SELECT count(*) FROM requests) FROM uses") == before
        return answer.refused.reason, answer.refused.details.get("rule", "")


@pytest.fixture
async def signing(city: Path, tmp_path: Path) -> AsyncIterator[Signing]:
    """A furnished hub whose keys only its signer process reads."""
    home = with_process(copy_home(city, tmp_path / "home"))
    with kept_requests() as requests:
        async with Simulator(home) as simulator:
            yield Signing(simulator, requests)


async def test_records_are_sealed_and_verify(signing: Signing) -> None:
    """From the department's rows to the platform's answer; uses counted, the key in one process."""
    delivered = await signing.hub.connector().deliver([licence(901), licence(902)])

    identifier = delivered.results[0].identifier
    fetched = await signing.hub.platform().fetch(by_identifier(identifier))
    assert fetched.states == ["active"]
    assert signing.journal("SELECT uses FROM uses") == [(2,)]
    assert signing.journal("SELECT state, uses FROM requests") == [("signed", 2)]
    assert signing.process.pid != os.getpid()


async def test_twins_are_sealed_by_the_process_and_counted_by_algorithm(signing: Signing) -> None:
    """Two records with two seals each: the intent allows either algorithm as many records."""
    zhao, seal = signing.hub.officer("zhao"), "authorities/hz-market/seals/main"
    wanted = {"seal": seal, "use": "record", "algorithm": "SM2"}
    made = await zhao.carry_out("key.generate", wanted)
    chain = signing.hub.chain_for(made)
    await zhao.carry_out("key.activate", {"key": made["key"], "x509_chain": chain})

    await signing.hub.connector().deliver([licence(901), licence(902)])

    uses = signing.journal("SELECT intent, uses FROM uses ORDER BY length(intent)")
    assert [count for _, count in uses] == [2, 2]
    assert uses[1][0] == f"{uses[0][0]} SM2"
    assert [one.key.algorithm for one in signing.requests] == ["ES256", "SM2"]
    ours, theirs = signing.requests
    assert [one.payload for one in ours.records] == [one.payload for one in theirs.records]


async def test_a_signer_that_was_killed_is_started_again(signing: Signing) -> None:
    """While nothing was on its way, nobody notices; what it was shown, it still knows."""
    await signing.hub.connector().deliver([licence(901)])
    first = signing.process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await asyncio.sleep(0.1)

    await signing.hub.connector().deliver([licence(902)])

    assert signing.process.pid not in (None, first)
    assert signing.journal("SELECT count(*) FROM roster") == [(1,)]


async def test_killed_between_signature_and_answer_nothing_is_signed_twice(
    signing: Signing,
) -> None:
    """UNAVAILABLE; the use stays counted and is closed as lost; the repeated call seals anew."""
    process, connector = signing.process, signing.hub.connector()
    await asyncio.to_thread(process.close)
    usual = process.command
    process.command = (sys.executable, "-m", "tests.seal.dying_signer")

    with pytest.raises(Refused) as caught:
        await connector.deliver([licence(901)])

    assert (caught.value.status, caught.value.reason) == ("UNAVAILABLE", "SIGNER_UNAVAILABLE")
    assert signing.journal("SELECT state, uses FROM requests") == [("signing", 1)]
    assert signing.journal("SELECT uses FROM uses") == [(1,)]
    lost = signing.requests[-1]

    process.command = usual
    await asyncio.sleep(max(0.0, process._not_before - process.monotonic()))
    delivered = await connector.deliver([licence(901)])

    assert [row.outcome for row in delivered.results] == [1]
    assert signing.journal("SELECT state FROM requests ORDER BY number") == [
        ("lost",),
        ("signed",),
    ]
    assert signing.journal("SELECT uses FROM uses") == [(2,)]
    answer = signing.by_hand(sign=lost)
    assert answer.refused.reason == Reason.SIGNING_INDETERMINATE
    assert process.unsettled == set()


async def test_a_request_is_signed_once_and_answered_alike(signing: Signing) -> None:
    """The same id and bytes: the first signatures, counted once. Other bytes: refused."""
    await signing.hub.connector().deliver([licence(901)])
    request = signing.requests[-1]

    first = signing.by_hand(sign=request).signatures.signatures
    second = signing.by_hand(sign=request).signatures.signatures
    other = pb.SignRecords()
    other.CopyFrom(request)
    other.batch.integrity += "x"

    assert list(first) == list(second)
    assert signing.journal("SELECT uses FROM uses") == [(1,)]
    assert signing.by_hand(sign=other).refused.reason == Reason.REQUEST_ID_REUSED


def _payload(member: str, value: Any) -> Callable[[pb.SignRecords], None]:
    def change(request: pb.SignRecords) -> None:
        said = parse_object(request.records[0].payload)
        request.records[0].payload = emit_json(said | {member: value})

    return change


def _set(**fields: Any) -> Callable[[pb.SignRecords], None]:
    def change(request: pb.SignRecords) -> None:
        for path, value in fields.items():
            *parents, name = path.split("__")
            target: Any = request
            for parent in parents:
                target = getattr(target, parent)
            setattr(target, name, value)

    return change


def _intent(member: str, value: Any) -> Callable[[pb.SignRecords], None]:
    def change(request: pb.SignRecords) -> None:
        request.intent = emit_json(parse_object(request.intent) | {member: value})

    return change


def _approvals(kept: int, *added: str) -> Callable[[pb.SignRecords], None]:
    def change(request: pb.SignRecords) -> None:
        texts = [*request.approvals[:kept], *added]
        del request.approvals[:]
        request.approvals.extend(texts)

    return change


def _records(change_records: Callable[[Any], None]) -> Callable[[pb.SignRecords], None]:
    return lambda request: change_records(request.records)


async def test_called_by_hand_it_signs_only_what_was_approved(signing: Signing) -> None:
    """Other bytes, another format, another intent, too few approvals, another key or batch."""
    await signing.hub.connector().deliver([licence(901), licence(902)])
    forged = signing.requests[-1].approvals[0][:-4] + "AAAA"
    approved = Reason.INTENT_NOT_APPROVED
    for change, reason, rule in (
        (_payload("iss", "91330100MADEM0011P"), approved, "was not approved"),
        (_payload("version", 2), approved, "another type or version"),
        (_records(lambda all: setattr(all[0], "payload", bytes(32))), approved, "not a record"),
        (_records(lambda all: setattr(all[0], "row_index", 7)), approved, "names no row"),
        (_records(lambda all: setattr(all[1], "row_index", 0)), approved, "of another row"),
        (_records(lambda all: all[0].disclosures.pop()), approved, "SD_MALFORMED"),
        (_records(lambda all: setattr(all[0], "decoys", b"")), approved, "SD_MALFORMED"),
        (_records(lambda all: all.__delitem__(slice(None))), approved, "of another row"),
        (_intent("uses_max", 2_000_000), approved, "QUORUM_NOT_REACHED"),
        (_intent("kind", "quorum.change"), approved, "INTENT_INVALID"),
        (_set(intent=b"{}"), approved, "INTENT_INVALID"),
        (_approvals(0), approved, "QUORUM_NOT_REACHED (0 of 2)"),
        (_approvals(1), approved, "QUORUM_NOT_REACHED (1 of 2)"),
        (_approvals(1, forged), approved, "QUORUM_NOT_REACHED (1 of 2"),
        (_set(batch__root_jws="e30.e30.AAAA"), approved, "the batch does not verify"),
        (_set(batch__authority="91330100MADEM0011P"), approved, "authority, type"),
        (_set(batch__type_code="1"), approved, "the type's code"),
        (_set(batch__integrity="sha256-other"), approved, "was not approved"),
        (_set(key__use="ofd"), Reason.KEY_USAGE_REFUSED, ""),
        (_set(key__use="other"), Reason.KEY_USAGE_REFUSED, ""),
        (_set(key__algorithm="ES999"), Reason.FIELD_INVALID, "a known one"),
        (_set(key__home="pkcs11"), Reason.KEY_UNAVAILABLE, ""),
        (_set(key__key_id="x" * 43), Reason.KEY_UNAVAILABLE, ""),
        (lambda request: request.key.x509_chain.pop(), approved, "not certified"),
    ):
        said = signing.refusal(change)
        assert said[0] == reason, (said, reason, rule)
        assert rule in said[1], (said, rule)

    assert signing.by_hand().refused.reason == Reason.FIELD_INVALID


async def test_a_key_that_was_rotated_in_between_signs_and_its_predecessor_does_not(
    signing: Signing,
) -> None:
    """An intent names the seal, not the key: the new key seals under it once it is certified for
    the authority, and a key that was destroyed or whose chain is another's seals nothing."""
    await signing.hub.connector().deliver([licence(901)])
    seal = {"seal": "authorities/hz-market/seals/main", "use": "record", "algorithm": "ES256"}
    made = await signing.hub.officer().carry_out("key.generate", seal)
    request = x509.load_der_x509_csr(b64u_decode(made["x509_request"]))
    public = PublicKey.from_spki(
        request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    kid = public.kid
    chain = [b64u_decode(one) for one in signing.hub.chain_for(made)]
    old = signing.requests[-1].key

    def rotated(request: pb.SignRecords) -> None:
        request.key.key_id = kid
        request.key.x509_chain[:] = chain

    said = signing.refusal(_set(key__key_id=kid))
    assert said == (Reason.INTENT_NOT_APPROVED, "the key is not certified for the authority")
    sealed = signing.again(rotated)
    (signature,) = signing.by_hand(sign=sealed).signatures.signatures

    header = header_segment(FilesKey(kid, tuple(chain)))
    public.verify(f"{header}.{b64u(sealed.records[0].payload)}".encode(), signature)
    # Whoever has the socket and no approvals makes and destroys nothing; officers do.
    make = pb.MakeSignerKey(home="files", algorithm="ES256", use="record", common_name="new")
    assert signing.by_hand(make=make).refused.reason == Reason.INTENT_NOT_APPROVED
    answer = signing.by_hand(destroy=pb.DestroySignerKey(home="files", key_id=old.key_id))
    assert answer.refused.reason == Reason.INTENT_NOT_APPROVED
    assert signing.by_hand(sign=signing.again()).WhichOneof("answer") == "signatures"
    ended = {"key": key_name(old.key_id), "cause": "rotated"}
    for kind in ("key.retire", "key.destroy"):
        await signing.hub.officer().carry_out(kind, ended)
    assert signing.refusal(lambda _: None)[0] == Reason.KEY_UNAVAILABLE


@dataclasses.dataclass
class FilesKey:
    """A key as its header names it."""

    kid: str
    x509_chain: tuple[bytes, ...]
    algorithm: KeyAlgorithm = KeyAlgorithm.ES256


@pytest.mark.parametrize("message", [b"", b"\xff\xff", bytes(32), b"\x0a"])
async def test_what_is_no_call_is_not_answered(signing: Signing, message: bytes) -> None:
    """The connection closes, or the call is refused; the next one is served."""
    with connect(signing.folder, 10.0) as connection:
        send(connection, message)
        answer = receive(connection)

    assert not answer or pb.SignerAnswer.FromString(answer).refused.reason == "FIELD_INVALID"
    with connect(signing.folder, 10.0) as connection:
        connection.sendall(b"\xff\xff\xff\xff")
        assert receive(connection) is None
    assert signing.by_hand(check=pb.CheckSignerHome(home="files")).home.custody == "hub-file"


async def test_what_it_believes_is_pinned_and_proven(signing: Signing) -> None:
    """Another hub, another log, a roster or a key that nothing proves: refused, and unchanged."""
    await signing.hub.connector().deliver([licence(901)])
    known = signing.by_hand(introduce=_introduction(signing)).known
    log_key = signing.process.log_key
    other = log_key[:-8] + "AAAAAAA="
    (link,) = signing.process.evidence.links(-1)
    receipt = next(iter(signing.process.evidence.receipts().values()))
    for changes, reason in (
        ({"origin": "hub.other.example"}, Reason.SIGNER_PINNED),
        ({"region": "330200"}, Reason.SIGNER_PINNED),
        ({"log_key": other}, Reason.SIGNER_PINNED),
        ({"receipts": [receipt.replace('"v":1', '"v":2')]}, Reason.FIELD_INVALID),
        ({"receipts": [receipt[:-40] + "AAAA" + receipt[-36:]]}, Reason.FIELD_INVALID),
        ({"receipts": ["{}"]}, Reason.FIELD_INVALID),
        ({"links": [pb.RosterLink(statement=b"{}")]}, Reason.ROSTER_BROKEN),
        (
            {
                "links": [
                    pb.RosterLink(statement=link.statement.replace(b'"number":0', b'"number":1'))
                ]
            },
            Reason.ROSTER_BROKEN,
        ),
    ):
        answer = signing.by_hand(introduce=_introduction(signing, **changes))
        assert answer.refused.reason == reason, (changes, answer)

    assert signing.by_hand(introduce=_introduction(signing)).known == known


def _introduction(signing: Signing, **changes: Any) -> pb.SignerIntroduction:
    said = {"origin": ORIGIN, "region": REGION, "log_key": signing.process.log_key}
    return pb.SignerIntroduction(**(said | changes))


async def test_the_uses_that_were_approved_are_all(signing: Signing) -> None:
    """Counted by the signer itself, whatever the hub's database says."""
    await signing.hub.connector().deliver([licence(901)])
    uses_max = int(parse_object(signing.requests[-1].intent)["uses_max"])  # type: ignore[arg-type]
    with sqlite3.connect(signing.folder / "journal.db") as journal:
        journal.execute("UPDATE uses SET uses = ?", (uses_max - 1,))

    assert signing.by_hand(sign=signing.again()).WhichOneof("answer") == "signatures"
    refused = signing.by_hand(sign=signing.again()).refused

    assert (refused.reason, refused.details["left"]) == (Reason.INTENT_EXHAUSTED, "0")
    with pytest.raises(Refused) as caught:
        await signing.hub.connector().deliver([licence(902)])
    assert caught.value.reason == Reason.INTENT_EXHAUSTED


class Clock:
    """The time, or the second that a test sets."""

    at_s: int | None = None

    def __call__(self) -> int:
        return now_us() if self.at_s is None else self.at_s * 1_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def desk(signing: Signing, tmp_path: Path, clock: Clock) -> AsyncIterator[SignerDesk]:
    """What the process is made of, in this process, with all that it was shown."""
    await signing.hub.connector().deliver([licence(901)])
    settings = signer_settings(signing.hub.config)
    journal = Journal.open(tmp_path / "journal.db")
    desk = SignerDesk(settings.homes(), journal, AlgorithmTable(SEALING_DAYS), clock)
    evidence = signing.process.evidence
    introduction = _introduction(
        signing,
        links=[pb.RosterLink(statement=one.statement) for one in evidence.links(-1)],
        receipts=list(evidence.receipts().values()),
    )
    assert desk.answer(pb.SignerCall(introduce=introduction)).known.roster_number == 0
    yield desk
    journal.close()


async def test_after_the_end_of_the_intent_nothing_is_signed(
    signing: Signing, desk: SignerDesk, clock: Clock
) -> None:
    """The signer's own clock decides; so do the days of the algorithm."""
    request = signing.again()
    assert desk.answer(pb.SignerCall(sign=request)).WhichOneof("answer") == "signatures"
    intent = parse_object(request.intent)
    # The intent of the tests outlives what is known of P-256.
    desk.algorithms = AlgorithmTable(
        dict.fromkeys(KeyAlgorithm, SealingDays.parse("1970-01-01/.."))
    )
    for second, rule in (
        (int(intent["not_after"]), "not in force"),  # type: ignore[arg-type]
        (int(intent["not_before"]) - 1, "not in force"),  # type: ignore[arg-type]
        (now_us() // 1_000_000 + 120, "of another time"),
    ):
        clock.at_s = second
        refused = desk.answer(pb.SignerCall(sign=signing.again())).refused
        assert refused.reason == Reason.INTENT_NOT_APPROVED
        assert rule in refused.details["rule"]

    clock.at_s = None
    assert desk.answer(pb.SignerCall(sign=signing.again())).WhichOneof("answer") == "signatures"
    ended = {KeyAlgorithm.ES256: SealingDays.parse("2026-01-01/2026-01-31")}
    desk.algorithms = AlgorithmTable(SEALING_DAYS | ended)
    make = pb.MakeSignerKey(home="files", algorithm="ES256", use="record", common_name="late")
    for call in (pb.SignerCall(sign=signing.again()), pb.SignerCall(make=make)):
        assert desk.answer(call).refused.reason == Reason.ALGORITHM_RETIRED


async def test_without_a_roster_nothing_is_signed(signing: Signing, tmp_path: Path) -> None:
    """A signer that was shown nothing believes nothing."""
    await signing.hub.connector().deliver([licence(901)])
    homes = signer_settings(signing.hub.config).homes()
    journal = Journal.open(tmp_path / "journal.db")
    desk = SignerDesk(homes, journal, AlgorithmTable(SEALING_DAYS), now_us)

    refused = desk.answer(pb.SignerCall(sign=signing.again())).refused

    assert refused.reason == Reason.ROSTER_MISSING
    journal.close()


async def test_records_are_sealed_by_a_key_in_hardware(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotated from files into the token between two batches under one intent: the custody says so.
    A token that was pulled out is UNAVAILABLE with nothing half done, and seals again when it is
    back; a hub and a process started anew find the key, with a wrong PIN they say so and seal once
    it is right."""
    token = soft_token(tmp_path / "token", monkeypatch)
    home = with_process(copy_home(city, tmp_path / "home"), "[seal.pkcs11]", f'uri = "{token.uri}"')
    async with Simulator(home) as hub:
        await hub.connector().deliver([licence(900)])
        await _rotate_into_hardware(hub)
        # What was issued before its connector was enrolled would only be attested.
        today = legal_day(now_us()).isoformat()
        issued = licence(901, issue_date=today, valid_from=today)
        delivered = await hub.connector().deliver([issued])
        fetched = await hub.platform().fetch(by_identifier(delivered.results[0].identifier))
        (presentation,) = fetched.presentations
        assert presentation is not None
        assert presentation.custody is Custody.HUB_HSM

        token.remove()
        with pytest.raises(Refused) as caught:
            await hub.connector().deliver([licence(902)])
        assert (caught.value.status, caught.value.reason) == ("UNAVAILABLE", "KEY_UNAVAILABLE")

        token.put_back()
        await asyncio.sleep(0.4)
        delivered = await hub.connector().deliver([licence(902)])
        assert [row.outcome for row in delivered.results] == [1]
        metrics = hub.hub.metrics_text()

    token.write_pin("not the PIN")
    async with Simulator(home) as hub:
        with pytest.raises(Refused) as caught:
            await hub.connector().deliver([licence(903)])
        refusal = (caught.value.status, caught.value.reason)
        assert refusal == ("FAILED_PRECONDITION", "KEY_PIN_WRONG")
        token.write_pin(token.pin)
        delivered = await hub.connector().deliver([licence(903)])
        assert [row.outcome for row in delivered.results] == [1]
    written = [one.read_bytes() for one in home.rglob("*") if one.is_file()]
    assert not any(token.pin.encode() in place for place in (*written, metrics))


async def _rotate_into_hardware(hub: Simulator) -> None:
    """The department's record key of files is replaced by one in the token, by officers' intents;
    the standing intent to seal, which names the seal, stays as it is."""
    seal = "authorities/hz-market/seals/main"
    officer = hub.officer()
    members = {"seal": seal, "use": "record", "algorithm": "ES256", "home": "pkcs11"}
    made = await officer.carry_out("key.generate", members)
    chain = hub.chain_for(made)
    await officer.carry_out("key.rotate", {"key": made["key"], "x509_chain": chain})


def soft_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> softhsm.SoftToken:
    """A new token, which processes started from now on find."""
    token = softhsm.SoftToken(folder)
    try:
        token.create()
    except softhsm.SoftHsmAbsent as absent:
        pytest.skip(str(absent))
    monkeypatch.setenv("SOFTHSM2_CONF", str(token.configuration))
    return token


async def test_another_user_is_not_answered(signing: Signing) -> None:
    """The folder is closed to others; were it open, the kernel says who asks."""
    if os.getuid() != 0:
        pytest.skip("only root may become another user")
    assert signing.folder.stat().st_mode & 0o777 == 0o700
    for parent in [signing.folder, *signing.folder.parents][:-1]:
        parent.chmod(parent.stat().st_mode | 0o005)
    (signing.folder / "socket").chmod(0o777)
    script = (
        "import socket, os, sys; os.chdir(sys.argv[1]); s = socket.socket(socket.AF_UNIX);"
        "s.connect('socket'); s.settimeout(10); print(len(s.recv(9)))"
    )

    command = ["/usr/bin/env", "python3", "-c", script, str(signing.folder)]
    said = await asyncio.to_thread(
        subprocess.run,
        command,
        capture_output=True,
        text=True,
        user=65534,
        group=65534,
        check=False,
    )

    assert said.stdout.strip() == "0", said.stderr


async def test_it_listens_to_no_network_and_shows_no_secret(signing: Signing) -> None:
    """No inet socket; passphrase and keys in no argument and no environment; memory closed."""
    await signing.hub.connector().deliver([licence(901)])
    pid = signing.process.pid
    proc = Path(f"/proc/{pid}")
    opened = [str(one.readlink()) for one in (proc / "fd").iterdir()]
    inodes = {one[len("socket:[") : -1] for one in opened if one.startswith("socket:[")}
    inet = {
        line.split()[9]
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in (proc / "net" / table).read_text().splitlines()[1:]
    }
    passphrase = (signing.hub.home / "keys" / "passphrase").read_bytes().strip()

    assert not inodes & inet
    for place in ("cmdline", "environ"):
        assert passphrase not in (proc / place).read_bytes()
    assert "Max core file size        0" in (proc / "limits").read_text()
    assert passphrase not in b"".join(one.read_bytes() for one in signing.folder.glob("journal*"))


async def test_it_ends_with_the_hub(city: Path, tmp_path: Path) -> None:
    """Stopped or killed: its input closes, and it goes."""
    async with Simulator(with_process(copy_home(city, tmp_path / "home"))) as hub:
        process = Signing(hub, []).process
        pid = process.pid
        assert pid is not None
    assert process.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_process_that_cannot_start_is_not_started_again_at_once(tmp_path: Path) -> None:
    """Unavailable, with a growing pause; no storm of processes."""
    clock = [0.0]
    settings = signer_settings_of(tmp_path)
    process = SignerProcess(
        settings, ORIGIN, REGION, "key", _Nothing(),
        command=(sys.executable, "-c", "raise SystemExit(1)"), monotonic=lambda: clock[0],
    )  # fmt: skip
    pauses = []
    for _ in range(3):
        with pytest.raises(HubError) as caught:
            process.ask(pb.SignerCall(check=pb.CheckSignerHome(home="files")))
        assert caught.value.reason is Reason.SIGNER_UNAVAILABLE
        pauses.append(round(process._not_before - clock[0], 1))
        with pytest.raises(HubError):
            process.ask(pb.SignerCall(check=pb.CheckSignerHome(home="files")))
        clock[0] = process._not_before

    assert pauses == [0.2, 0.4, 0.8]
    process.close()


class _Nothing:
    def links(self, after: int) -> list[Any]:
        return []

    def receipts(self) -> dict[str, str]:
        return {}


def signer_settings_of(folder: Path, token_uri: str = "") -> Settings:
    """Settings of a process without a hub."""
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(f"{PASSPHRASE}\n")
    return Settings(
        folder=str(folder / "signer"),
        keys_folder=str(folder / "keys"),
        passphrase_file=str(passphrase),
        algorithms={one.value: str(days) for one, days in SEALING_DAYS.items()},
        token_uri=token_uri,
    )


@dataclasses.dataclass
class Homes:
    """A process without a hub, with its homes of files and of a token."""

    process: SignerProcess
    token: softhsm.SoftToken
    mandates: Mandates

    def make(self, home: SignerHome) -> MadeKey:
        """A key for records, as officers have ordered."""
        return self.mandates.make(home, ES256, KeyUse.RECORD, SUBJECT)

    @property
    def files(self) -> SignerHome:
        every = frozenset(KeyAlgorithm)
        return SignerHome(self.process, "files", Custody.HUB_FILE, every)

    @property
    def hsm(self) -> SignerHome:
        every = frozenset(KeyAlgorithm) - {KeyAlgorithm.SM2}
        return SignerHome(self.process, "pkcs11", Custody.HUB_HSM, every)


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Homes]:
    token = soft_token(tmp_path / "token", monkeypatch)
    settings = signer_settings_of(tmp_path, token.uri)
    mandates = Mandates()
    process = SignerProcess(settings, officers.ORIGIN, officers.REGION, "key", mandates)
    yield Homes(process, token, mandates)
    process.close()


SUBJECT = Subject("印章", "市场监督管理局", "91330100MADEM0022M")
ES256 = KeyAlgorithm.ES256


def reason_of(attempt: Callable[[], object]) -> Reason:
    with pytest.raises(HubError) as caught:
        attempt()
    return caught.value.reason


@pytest.mark.parametrize("name", ["files", "hsm"])
def test_a_home_lives_behind_the_process(homes: Homes, name: str) -> None:
    """Made, found by thumbprint and use, destroyed; without a mandate nothing is signed."""
    home: SignerHome = getattr(homes, name)
    made = homes.make(home)
    kid = made.public.kid
    key = home.open(kid, ES256, KeyUse.RECORD, (b"chain",))

    assert x509.load_der_x509_csr(made.x509_request).is_signature_valid
    assert home.health().count == 1
    assert (key.kid, key.custody, key.x509_chain) == (kid, home.custody, (b"chain",))
    assert repr(key) == f"SignerHomeKey({kid!r}, record)"
    for format in FORMATS.values():
        refused = reason_of(partial(key.sign, bytes(32), format))
        assert refused is Reason.KEY_USAGE_REFUSED
    assert reason_of(partial(home.open, kid, ES256, KeyUse.PDF, ())) is Reason.KEY_UNAVAILABLE
    # Without officers nothing is made or destroyed (tests/contracts/test_key_homes.py).
    assert reason_of(partial(home.destroy, kid)) is Reason.INTENT_NOT_APPROVED
    assert home.health().count == 1


def test_faults_of_a_token_keep_their_reasons(homes: Homes) -> None:
    """PIN wrong, token pulled out and put back: exact through the process, which stays."""
    make = partial(homes.make, homes.hsm)
    homes.token.write_pin("not the PIN")
    assert reason_of(make) is Reason.KEY_PIN_WRONG
    homes.token.write_pin(homes.token.pin)
    made = make()
    pid = homes.process.pid
    homes.token.remove()
    assert reason_of(make) is Reason.KEY_UNAVAILABLE
    homes.token.put_back()
    time.sleep(0.25)

    assert homes.hsm.health().count == 1
    homes.hsm.open(made.public.kid, ES256, KeyUse.RECORD, ())
    assert homes.process.pid == pid
    without_sm2 = partial(homes.mandates.make, homes.hsm, KeyAlgorithm.SM2, KeyUse.RECORD, SUBJECT)
    assert reason_of(without_sm2) is Reason.ALGORITHM_NOT_HERE


def test_a_second_process_does_not_take_the_first_ones_place(homes: Homes) -> None:
    """The folder is held; whoever only looks asks the process that runs."""
    homes.make(homes.files)
    pid = homes.process.pid
    second = dataclasses.replace(homes.process, _process=None, _idle=[], _not_before=0.0)

    refused = reason_of(lambda: second.ask(pb.SignerCall(check=pb.CheckSignerHome(home="files"))))

    assert refused is Reason.SIGNER_UNAVAILABLE
    assert check_home(homes.process.settings, "files").count == 1
    assert homes.process.pid == pid
    homes.process.close()
    assert check_home(homes.process.settings, "files").count == 1
    assert homes.process.pid is None


def test_secrets_stand_in_no_argument_environment_log_or_answer(
    homes: Homes, capfd: pytest.CaptureFixture[str]
) -> None:
    """PIN and passphrase, in the process and in the hub, after use and after failure."""
    homes.make(homes.files)
    homes.make(homes.hsm)
    said = [repr(homes.process.settings), repr(homes.process.settings.line())]
    for broken in ("a wrong PIN of canaries", homes.token.pin):
        homes.token.write_pin(broken)
        with contextlib.suppress(HubError) as _:
            homes.hsm.health()
    homes.token.write_pin("a wrong PIN of canaries")
    homes.process.close()
    with pytest.raises(HubError) as caught:
        homes.hsm.health()
    said += [repr(caught.value), caught.value.text("zh"), *capfd.readouterr()]
    pid = homes.process.pid
    for process in (pid, os.getpid()):
        for place in ("cmdline", "environ"):
            said.append(Path(f"/proc/{process}/{place}").read_bytes().decode(errors="replace"))
    folder = Path(homes.process.settings.folder)
    said += [one.read_bytes().decode(errors="replace") for one in folder.glob("journal*")]

    assert caught.value.reason is Reason.KEY_PIN_WRONG
    for secret in (PASSPHRASE, homes.token.pin, "a wrong PIN of canaries"):
        assert not any(secret in text for text in said)


def test_a_message_over_the_limit_is_not_sent(homes: Homes) -> None:
    """It is named with its size, and the next call is served."""
    large = pb.SignRecords(intent=bytes(MESSAGE_BYTES_MAX))

    with pytest.raises(HubError) as caught:
        homes.process.ask(pb.SignerCall(sign=large))

    assert caught.value.reason is Reason.MESSAGE_TOO_LARGE
    assert caught.value.details["bytes_max"] == str(MESSAGE_BYTES_MAX)
    assert homes.files.health().count == 0


def test_a_path_longer_than_the_kernel_takes_is_no_obstacle(tmp_path: Path) -> None:
    """Homes lie deep; a socket's path has 107 bytes."""
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    with listen(folder) as listener, connect(folder, 1.0) as connection:
        accepted, _ = listener.accept()
        with accepted:
            assert peer_uid(accepted) == os.getuid()
            assert connection.family is socket.AF_UNIX


async def test_a_slow_home_seals_a_batch_with_one_signature(city: Path, tmp_path: Path) -> None:
    """The process folds what it has checked, under the hub's seed, to the bytes the hub stores; the
    platform's client reads the answer as ever. A fold of anything unapproved is refused."""
    home = with_process(copy_home(city, tmp_path / "home"), 'slow_homes = ["files"]')
    async with Simulator(home) as simulator:
        with kept_requests() as requests:
            signing = Signing(simulator, requests)
            rows = [licence(number) for number in range(901, 921)]
            delivered = await simulator.connector().deliver(rows)

        fetched = await simulator.platform().fetch(by_identifier(delivered.results[7].identifier))
        assert fetched.states == ["active"]
        answer = signing.by_hand(sign=requests[-1])
        assert len(answer.signatures.signatures) == 1
        assert signing.journal("SELECT uses FROM uses") == [(20,)]

        def short_seed(request: pb.SignRecords) -> None:
            request.seed = b"short"

        assert signing.refusal(short_seed) == (
            "INTENT_NOT_APPROVED",
            "the records cannot be folded: SALT_LENGTH",
        )
        assert signing.refusal(_payload("cert", "another"))[0] == "INTENT_NOT_APPROVED"
