"""A built hub at work: its ports, its rounds, its health. `start` it, `stop` it.

What it is made of is said in `hub/server.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

import grpc
import uvicorn
from cryptography import x509
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from hub import rpc
from hub.access.rosters import Rosters
from hub.access.snapshot import Directory
from hub.access.tokens import Tokens
from hub.clock import now_us
from hub.config import Config
from hub.errors import HubError, Reason
from hub.exchange.snapshot import GrantSnapshot
from hub.ledger.recorder import Recorder
from hub.ledger.stamps import CheckpointStamps
from hub.metrics import Metrics
from hub.registry.catalogue import Catalogue
from hub.registry.documents import Documents
from hub.registry.expiry import AnnounceExpired
from hub.registry.feed import Tail, WatchChanges
from hub.registry.items import Items
from hub.registry.notices import TellReceivers
from hub.registry.objections import Objections
from hub.seal.documents.verify_document import VerifyDocument
from hub.seal.ended_intents import EndedIntents
from hub.seal.seal_keys import KeyWarning
from hub.seal.seals import Seals, keys_to_see_to
from hub.seal.status_lists import StatusLists
from hub.seal.tell_signers import TellSigners
from hub.storage.blobs import BlobStore
from hub.storage.database import Database
from hub.web.app import Sources, build_app

_LOG: Final = logging.getLogger("sealway.server")

# gRPC's own limits lie above ours, so that the guard answers with a reason.
_RECEIVE_BYTES_MAX: Final = 5 * 1024 * 1024
_METADATA_BYTES_MAX: Final = 64 * 1024
_REFRESH_S: Final = 1.0
_KEEPALIVE_MS: Final = 20_000
# Certificates end slowly, and days turn slowly: once a minute is often enough to look.
_EXPIRY_REFRESHES: Final = 60
# The legal day turns once a day; whose certificates ended is told within a minute of it.
_EXPIRED_S: Final = 60.0
_TELL_S: Final = 1.0
_STOP_GRACE_S: Final = 5.0
# Readiness: the log is written at least once per heartbeat, so an older epoch means a stuck log.
_EPOCH_AGE_HEARTBEATS: Final = 3


class ServiceModule(Protocol):
    """A generated module that describes services."""

    DESCRIPTOR: FileDescriptor


Services: TypeAlias = Sequence[tuple[ServiceModule, object]]


@dataclass(slots=True)
class Hub:
    """One hub process, built by `hub.server.open_hub`."""

    config: Config
    database: Database
    recorder: Recorder
    directory: Directory
    rosters: Rosters
    grants: GrantSnapshot
    catalogue: Catalogue
    items: Items
    status_lists: StatusLists
    metrics: Metrics
    tokens: Tokens
    seals: Seals
    ended_intents: EndedIntents
    tell_signers: TellSigners
    tail: Tail
    watch: WatchChanges
    expired: AnnounceExpired
    services: Services
    blobs: BlobStore
    documents: Documents
    objections: Objections
    tell: TellReceivers
    verify_document: VerifyDocument
    stamps: CheckpointStamps | None
    _grpc: grpc.aio.Server | None = None
    _http: uvicorn.Server | None = None
    _warned: frozenset[tuple[str, KeyWarning]] = frozenset()
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    grpc_port: int = 0
    http_port: int = 0

    async def start(self) -> None:
        """Serve. The ports are known when it returns."""
        self._tasks = [
            asyncio.create_task(self.directory.watch(), name="access-watch"),
            asyncio.create_task(self._watch(), name="snapshot-watch"),
            asyncio.create_task(self.tail.run(), name="feed-tail"),
            asyncio.create_task(self._announce(), name="expiry"),
            asyncio.create_task(self._tell(), name="corrections"),
        ]
        if self.stamps is not None:
            self._tasks.append(asyncio.create_task(self.stamps.run(), name="stamps"))
        certificate = self.config.path(self.config.tls.certificate).read_bytes()
        leaf = x509.load_pem_x509_certificates(certificate)[0]
        end_us = int(leaf.not_valid_after_utc.timestamp()) * 1_000_000
        self.metrics.observe_x509("server", {self.config.hub.origin: end_us})
        with yielding_threads():
            self._grpc = await _grpc_server(self)
        if self.config.http.address:
            self._http = self._start_http()

    async def stop(self) -> None:
        """Answer the calls under way, record what is queued, let go of everything."""
        if self._grpc is not None:
            await self._grpc.stop(_STOP_GRACE_S)
        if self._http is not None:
            self._http.should_exit = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.verify_document.close)
        await asyncio.to_thread(self.seals.keys.close)
        await self.recorder.close()
        await self.blobs.close()
        await self.database.close()

    def problems(self) -> list[str]:
        """What keeps the hub from being ready; empty when it is."""
        observer = self.recorder.observer
        found = []
        if not observer.is_recording:
            found.append("the log is not recording")
        age_s_max = self.config.ledger.heartbeat_s * _EPOCH_AGE_HEARTBEATS
        if _age_s(observer.epoch_time_us) > age_s_max:
            found.append("the newest epoch is too old")
        if _age_s(observer.signature_time_us) > age_s_max:
            found.append("the newest log signature is too old")
        return found

    def metrics_text(self) -> bytes:
        """All metrics; ages and expiries as of now."""
        observer, metrics = self.recorder.observer, self.metrics
        metrics.epoch_age.set(_age_s(observer.epoch_time_us))
        metrics.signature_age.set(_age_s(observer.signature_time_us))
        if self.stamps is not None:
            metrics.stamp_age.set(self.stamps.age_s())
        metrics.log_size.set(self.recorder.head().size)
        metrics.feed_streams.set(self.watch.streams)
        metrics.failed_epochs.set(observer.failed_epochs)
        metrics.stale_members.set(observer.stale)
        metrics.tokens_expire.set(self.tokens.newest_expire_time_us / 1_000_000)
        peers = self.directory.current.peers.values()
        metrics.observe_x509("client", {peer.name: peer.x509_expire_time_us for peer in peers})
        return metrics.text()

    async def _watch(self) -> None:
        """Follow what other processes change; a late snapshot costs a second decision, no more."""
        for number in itertools.count():
            await asyncio.sleep(_REFRESH_S)
            try:
                await self.grants.refresh()
                await self.catalogue.refresh()
                await self.items.refresh()
                await self.recorder.follow()
                await self.status_lists.refresh()
                await self.ended_intents.refresh()
                await self.tell_signers.tell()
                await self.ended_intents.sum_up()
                if number % _EXPIRY_REFRESHES == 0:
                    await self.look_after_keys()
                    self.metrics.observe_overdue(await self.objections.overdue())
            except HubError as error:
                _LOG.warning('{"event":"refresh_failed","reason":"%s"}', error.reason.value)

    async def look_after_keys(self) -> None:
        """When keys of seals end, and which of them officers must see to: as metrics all the time,
        as a line of the log when a mark is passed."""
        ends: dict[str, int] = {}
        for name, end_us in await self.seals.expiries():
            # Of several algorithms for one use the key that ends first counts.
            ends[name] = min(end_us, ends.get(name, end_us))
        self.metrics.observe_x509("seal", ends)
        found = await keys_to_see_to(self.database, now_us())
        warned = frozenset((key, warning) for key, warnings in found for warning in warnings)
        for key, warning in sorted(warned - self._warned):
            _LOG.warning('{"event":"key_warning","key":"%s","warning":"%s"}', key, warning.value)
        self._warned = warned
        self.metrics.observe_warned_keys([warning.value for _, warning in warned])

    async def _announce(self) -> None:
        """Put on the feed whose validity has ended; what was missed is made up for."""
        while True:
            try:
                await self.expired()
            except HubError as error:
                _LOG.warning('{"event":"expiry_delayed","reason":"%s"}', error.reason.value)
            await asyncio.sleep(_EXPIRED_S)

    async def _tell(self) -> None:
        """Tell whoever was given what has been corrected; what was missed is made up for."""
        while True:
            try:
                await self.tell()
            except HubError as error:
                _LOG.warning('{"event":"notices_delayed","reason":"%s"}', error.reason.value)
            await asyncio.sleep(_TELL_S)

    def _start_http(self) -> uvicorn.Server:
        host, _, port = self.config.http.address.rpartition(":")
        app = build_app(
            Sources(
                status_token=self.status_lists.token,
                sm2_status_token=self.status_lists.sm2_token,
                type_metadata=self.catalogue.metadata,
                checkpoint=self.recorder.checkpoint,
                metrics=self.metrics_text,
                problems=self.problems,
            )
        )
        listener = socket.create_server((host, int(port)))
        self.http_port = listener.getsockname()[1]
        server = _HttpServer(
            uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False)
        )
        self._tasks.append(asyncio.create_task(server.serve([listener]), name="http"))
        return server


class _HttpServer(uvicorn.Server):
    """Ended by the hub: signals belong to `serve`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def yielding_threads() -> Iterator[None]:
    """Threads that begin in here do not take the processor from the event loop.

    gRPC wakes a thread of its own for every step of a call. Where they share a processor with the
    loop, each would interrupt it, and the loop it in turn: two switches for each of the seven steps
    of a fetch. Under SCHED_BATCH, which a thread inherits from its parent, they run when the loop
    waits or its turn is over, and then for all calls at once (docs/adr/0032).
    """
    if not hasattr(os, "SCHED_BATCH"):  # Not Linux.
        yield
        return
    before = os.sched_getscheduler(0)
    parameters = os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except OSError:  # Whoever runs us has decided otherwise.
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, before, parameters)


async def _grpc_server(hub: Hub) -> grpc.aio.Server:
    """Every service behind its guard, health and reflection, on mutual TLS only."""
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", _RECEIVE_BYTES_MAX),
            ("grpc.max_metadata_size", _METADATA_BYTES_MAX),
            # A stream to a machine that is gone holds one of its few places no longer than this.
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", _KEEPALIVE_MS),
            ("grpc.max_connection_age_ms", hub.config.grpc.connection_age_max_s * 1000),
            # A second hub on the same port would answer half of the calls.
            ("grpc.so_reuseport", 0),
        ]
    )
    gate = rpc.Gate(hub.tokens, hub.recorder, hub.metrics)
    names = [health.SERVICE_NAME, reflection.SERVICE_NAME]
    for module, servicer in hub.services:
        for service in module.DESCRIPTOR.services_by_name.values():
            server.add_generic_rpc_handlers((gate.handlers(service, servicer),))
            names.append(service.full_name)
    health_pb2_grpc.add_HealthServicer_to_server(_Health(hub), server)
    reflection.enable_server_reflection(names, server)
    tls = hub.config.tls
    credentials = grpc.ssl_server_credentials(
        [(hub.config.path(tls.key).read_bytes(), hub.config.path(tls.certificate).read_bytes())],
        root_certificates=hub.config.path(tls.client_ca).read_bytes(),
        require_client_auth=True,
    )
    try:
        hub.grpc_port = server.add_secure_port(hub.config.grpc.address, credentials)
    except RuntimeError as error:
        raise HubError(
            Reason.CONFIG_INVALID,
            file="hub.toml",
            rule=f"grpc.address {hub.config.grpc.address} is taken or not of this machine",
        ) from error
    await server.start()
    return server


@dataclass(frozen=True, slots=True)
class _Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """The standard health service. A probe reads ages and writes nothing."""

    hub: Hub

    async def Check(  # noqa: N802 - the method's name on the wire
        self, _request: health_pb2.HealthCheckRequest, _context: grpc.aio.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """SERVING while the log records and its newest epoch is young."""
        serving = not self.hub.problems()
        status = health_pb2.HealthCheckResponse
        return status(status=status.SERVING if serving else status.NOT_SERVING)


def _age_s(time_us: int) -> float:
    return max(0.0, (now_us() - time_us) / 1_000_000)
