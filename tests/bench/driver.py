"""The load driver: its own process, one job per line of input, one outcome per line of output.

Requests are made and signed before the timed part, with fresh ids: a repeated body would measure
how fast replays are refused. Answers are kept during the timed part and taken apart after it.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import ssl
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import wrappers_pb2

from hub.exchange.v1 import exchange_pb2
from hub.proof.encoding import digest
from hub.proof.exchange.request import Holder, RequestClaims, RequestedCertificate, sign_request
from hub.proof.jose import LogHead, es256_signer
from tests.bench.figures import percentile
from tests.bench.http2 import Connection, OnAnswer, header_blocks
from tests.bench.jobs import FETCH_PATH, WARM_UP_CALLS, Job, Outcome, Signing, read_job

_ACTIVE: Final = exchange_pb2.FetchedCertificate.STATE_ACTIVE
_REQUEST_LIFE_S: Final = 120
_CONNECT_TIMEOUT_S: Final = 60
_DRAIN_TIMEOUT_S: Final = 120


class _Load:
    """The timed part of one job."""

    def __init__(self, job: Job, bodies: Sequence[bytes]) -> None:
        self.job = job
        self.bodies = bodies
        self.answers: list[tuple[int, bytes]] = []
        self.failures: list[str] = []
        self.started_at = [0.0] * len(bodies)
        self.took = [0.0] * len(bodies)
        # Which request each of the loops in flight sent, in order: entries of one must increase.
        self.chains: list[list[int]] = []
        self.end = 0.0
        self.until = float("inf")
        self.done_by_end = 0
        self._next = 0
        self._pending = 0
        self._chain_of = [0] * len(bodies)
        self._connection_of: list[Connection] = []
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def closed_loop(self, connections: Sequence[Connection], seconds: float) -> float:
        """Keep `in_flight` calls on the way; how long new ones were sent, in seconds."""
        start = time.perf_counter()
        self.until = start + seconds
        for chain in range(self.job.in_flight):
            self.chains.append([])
            self._connection_of.append(connections[chain % len(connections)])
        for chain in range(self.job.in_flight):
            self._send_next(chain)
        await asyncio.wait_for(self._finished, seconds + _DRAIN_TIMEOUT_S)
        return self.end - start

    async def open_loop(self, connections: Sequence[Connection], seconds: float) -> float:
        """Send call i at i / rate, whatever became of the calls before it."""
        interval = 1 / self.job.rate
        count = min(len(self.bodies), int(seconds * self.job.rate))
        start = time.perf_counter() + 0.01
        while self._next < count:
            # Polls instead of sleeping: timers of the loop are a millisecond coarse.
            await asyncio.sleep(0)
            now = time.perf_counter()
            while self._next < count and start + self._next * interval <= now:
                number = self._next
                self._next += 1
                self._pending += 1
                self.started_at[number] = start + number * interval
                connections[number % len(connections)].send(number, self.bodies[number])
        self.end = time.perf_counter()
        self.done_by_end = len(self.answers)
        self.until = 0.0
        if self._pending:
            await asyncio.wait_for(self._finished, _DRAIN_TIMEOUT_S)
        return self.end - start

    def answered(self, number: int, message: bytes, failure: str) -> None:
        now = time.perf_counter()
        self.took[number] = now - self.started_at[number]
        if message:
            self.answers.append((number, message))
        else:
            self.failures.append(failure)
        self._pending -= 1
        if not self.job.rate:
            self._send_next(self._chain_of[number], now)
        elif self.until == 0.0 and self._pending == 0 and not self._finished.done():
            self._finished.set_result(None)

    def _send_next(self, chain: int, now: float | None = None) -> None:
        now = time.perf_counter() if now is None else now
        if self._next < len(self.bodies) and now < self.until:
            number = self._next
            self._next += 1
            self._pending += 1
            self._chain_of[number] = chain
            self.chains[chain].append(number)
            self.started_at[number] = now
            self._connection_of[chain].send(number, self.bodies[number])
            return
        if not self.end:
            # From here on fewer calls are in flight: what completes now counts no more.
            self.end, self.done_by_end = now, len(self.answers)
        if self._pending == 0 and not self._finished.done():
            self._finished.set_result(None)


async def drive(job: Job) -> Outcome:
    """Run one job. Raises what went wrong where no figure can be given at all."""
    bodies, warm = _bodies(job, job.requests_max), _bodies(job, WARM_UP_CALLS)
    load: _Load | None = None

    def answered(number: int, message: bytes, failure: str) -> None:
        assert load is not None
        load.answered(number, message, failure)

    connections = await _connect(job, answered)
    try:
        load = _Load(job, warm)
        await (load.open_loop if job.rate else load.closed_loop)(connections, _DRAIN_TIMEOUT_S)
        load = _Load(job, bodies)
        gc.collect()
        gc.disable()
        cpu = time.process_time()
        run = load.open_loop if job.rate else load.closed_loop
        seconds = await run(connections, job.seconds)
        cpu = time.process_time() - cpu
        gc.enable()
    finally:
        for connection in connections:
            connection.close()
    return _outcome(job, load, seconds, cpu)


async def _connect(job: Job, answered: OnAnswer) -> list[Connection]:
    context = ssl.create_default_context(cafile=job.ca)
    context.load_cert_chain(job.certificate, job.key)
    context.set_alpn_protocols(["h2"])
    host, _, port = job.address.rpartition(":")
    headers = [
        (":path", job.path),
        (":authority", job.address),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "sealway-bench"),
    ]
    if job.signing is not None:
        headers.append(("authorization", f"Bearer {job.signing.token}"))
    blocks = header_blocks(headers)
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(job.connections):
        _, connection = await loop.create_connection(
            lambda: Connection(blocks, answered),
            host,
            int(port),
            ssl=context,
            server_hostname=host,
        )
        await asyncio.wait_for(connection.ready, _CONNECT_TIMEOUT_S)
        connections.append(connection)
    return connections


# -- Requests --------------------------------------------------------------------------------------


def _bodies(job: Job, count: int) -> list[bytes]:
    if job.signing is None:
        body = wrappers_pb2.BytesValue(value=bytes(job.plain_bytes)).SerializeToString()
        return [_framed(body)] * count
    return [_framed(body) for body in _signed(job.signing, count)]


def _framed(message: bytes) -> bytes:
    return b"\x00" + len(message).to_bytes(4) + message


def _signed(signing: Signing, count: int) -> list[bytes]:
    key = serialization.load_pem_private_key(Path(signing.key_file).read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signer = es256_signer(key)
    lines = Path(signing.holders_file).read_text(encoding="ascii").split("\n")
    holders = [Holder(*line.split(" ")) for line in lines if line]
    ath = digest(signing.token)
    iat = int(time.time())
    head = None
    if signing.log_size:
        head = LogHead(signing.log_origin, signing.log_size, signing.log_root)
    bodies = []
    # A different start each time, so that rounds do not ask for the same few certificates.
    at = uuid.uuid4().int
    for _ in range(count):
        wanted = []
        for _ in range(signing.certificates):
            # A stride prime to any reasonable count: neighbours in a request are not neighbours
            # in the table.
            at = (at + 7919) % len(holders)
            wanted.append(RequestedCertificate(signing.vct, signing.fields, holder=holders[at]))
        request_id = str(uuid.uuid4())
        claims = RequestClaims(
            iss=signing.issuer,
            aud=signing.origin,
            region=signing.region,
            rpc=FETCH_PATH,
            jti=request_id,
            iat=iat,
            exp=iat + _REQUEST_LIFE_S,
            ath=ath,
            certificates=tuple(wanted),
            service_item=signing.service_item,
            matter=f"matters/{request_id[:18]}",
            basis=signing.basis,
            clerk="clerks/0017",
            log=head,
        )
        message = exchange_pb2.FetchCertificatesRequest(
            request_id=request_id, signed_request=sign_request(claims, signer)
        )
        bodies.append(message.SerializeToString())
    return bodies


# -- Answers ---------------------------------------------------------------------------------------


def _outcome(job: Job, load: _Load, seconds: float, cpu: float) -> Outcome:
    failures = list(load.failures)
    failures += _wrong_bytes(job, load) if job.answer_bytes else _wrong_fetches(job, load)
    latencies = sorted(load.took[number] * 1000 for number, _ in load.answers) or [0.0]
    sent = len(load.answers) + len(load.failures)
    return Outcome(
        target=job.target,
        answered=len(load.answers),
        failures=len(failures),
        first_failure=failures[0] if failures else "",
        seconds=seconds,
        per_second=load.done_by_end / seconds if seconds else 0.0,
        p50_ms=percentile(latencies, 50),
        p95_ms=percentile(latencies, 95),
        p99_ms=percentile(latencies, 99),
        max_ms=latencies[-1],
        driver_cpu=cpu / seconds if seconds else 0.0,
        answer_bytes_mean=sum(len(m) for _, m in load.answers) / max(1, len(load.answers)),
        request_bytes_mean=sum(map(len, load.bodies[:sent])) / max(1, sent),
    )


def _wrong_bytes(job: Job, load: _Load) -> list[str]:
    wrong = []
    for _, message in load.answers:
        size = len(wrappers_pb2.BytesValue.FromString(message).value)
        if size != job.answer_bytes:
            wrong.append(f"an answer of {size} bytes, not {job.answer_bytes}")
    return wrong


def _wrong_fetches(job: Job, load: _Load) -> list[str]:
    """Every answer: right id, each certificate in force with its presentation, its own entry; and
    what one loop asked later stands later in the log."""
    assert job.signing is not None
    wrong = []
    entries: dict[int, int] = {}
    for number, message in load.answers:
        answer = exchange_pb2.FetchCertificatesResponse.FromString(message)
        asked = exchange_pb2.FetchCertificatesRequest.FromString(load.bodies[number][5:])
        if answer.request_id != asked.request_id:
            wrong.append("an answer to another request")
        if len(answer.certificates) != job.signing.certificates:
            wrong.append(f"{len(answer.certificates)} certificates in an answer")
        for fetched in answer.certificates:
            if fetched.state != _ACTIVE or fetched.presentation.count("~") <= len(
                job.signing.fields
            ):
                wrong.append(f"state {fetched.state}, {len(fetched.presentation)} characters")
        if not answer.receipt.json.startswith("{"):
            wrong.append("no receipt")
        entries[number] = answer.receipt.entry
    if len(set(entries.values())) != len(entries):
        wrong.append("two answers share a log entry")
    for chain in load.chains:
        indexes = [entries[number] for number in chain if number in entries]
        if any(later <= earlier for earlier, later in itertools.pairwise(indexes)):
            wrong.append("an entry index that does not increase")
    return wrong


def main() -> None:
    """Serve jobs until the input ends."""
    for line in sys.stdin:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                answer = runner.run(drive(read_job(line))).line()
        except Exception as error:
            answer = json.dumps({"error": f"{type(error).__name__}: {error}"})
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
