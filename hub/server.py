"""The only file that names everybody: it builds the components and introduces them.

How a hub that is built serves, stands in `hub/serving.py`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from hub import rpc
from hub.access.change_roster import ChangeRoster
from hub.access.enrolment import ClientAuthorities
from hub.access.registrar import Registrar
from hub.access.reorganize import ReorganizeAuthority
from hub.access.rosters import Rosters
from hub.access.service import AccessService
from hub.access.snapshot import Directory
from hub.access.tokens import Tokens
from hub.access.v1 import access_pb2
from hub.clock import now_us
from hub.config import Config
from hub.domain.caller import Caller
from hub.domain.crypto import CryptoProfile
from hub.errors import HubError
from hub.exchange.annotate import AnnotateCopy, AnnotatedCopies
from hub.exchange.change_grants import ChangeGrants
from hub.exchange.copy_service import CopyService
from hub.exchange.fetch import FetchCertificates
from hub.exchange.fetch_document import FetchDocument
from hub.exchange.guesses import Guesses
from hub.exchange.make_copy import MakeCopy
from hub.exchange.plan_materials import PlanMaterials
from hub.exchange.plan_service import PlanService
from hub.exchange.receivers import Receivers
from hub.exchange.service import ExchangeService
from hub.exchange.shared_document_service import SharedDocumentService
from hub.exchange.snapshot import GrantSnapshot
from hub.exchange.v1 import (
    copies_pb2,
    exchange_pb2,
    plan_pb2,
    shared_documents_pb2,
    verification_pb2,
)
from hub.exchange.verification_service import VerificationService
from hub.exchange.verify_information import VerifyInformation
from hub.home import (
    HubKeys,
    key_homes,
    open_blobs,
    open_head,
    open_keys,
    open_seal_anchors,
    open_time_stamps,
)
from hub.introductions import EndSeals, GrantedTypes, Identities, ProvenKeys, SignerEvidence
from hub.ledger.disclosures import Disclosures
from hub.ledger.ports import Observer
from hub.ledger.recorder import Recorder, RecorderSettings
from hub.ledger.service import LedgerService
from hub.ledger.stamps import CheckpointStamps
from hub.ledger.v1 import ledger_pb2
from hub.metrics import Metrics
from hub.migrations.migrate import migrate
from hub.proof.officers.intent_kinds import AUTHORITY_REORGANIZE, ROSTER_KINDS
from hub.proof.worker import FILE_BYTES_MAX, Verifiers
from hub.registry.catalogue import Catalogue, PublishCertificateType
from hub.registry.change_items import ImportItems, RetireItem
from hub.registry.change_state import ChangeState, ConfirmCertificate, Transitions
from hub.registry.change_type import ChangeType
from hub.registry.document_service import DocumentService
from hub.registry.documents import Documents
from hub.registry.expiry import AnnounceExpired
from hub.registry.faces import FaceReader
from hub.registry.fact_service import FactService
from hub.registry.facts import AnnounceFactChange, FollowUps
from hub.registry.feed import Tail, WatchChanges
from hub.registry.feed_service import FeedService
from hub.registry.holder_bindings import HolderBindings
from hub.registry.holder_events import AnnounceHolderEvent
from hub.registry.holder_links import HolderLinks
from hub.registry.holder_service import HolderService
from hub.registry.ingest import IngestBatch
from hub.registry.item_service import ItemService
from hub.registry.items import Items
from hub.registry.listed_files import ListOriginals
from hub.registry.made_documents import MadeDocuments
from hub.registry.notices import Notices, TellReceivers
from hub.registry.objection_service import ObjectionService
from hub.registry.objections import AnswerObjection, Objections, RaiseObjection
from hub.registry.on_file import OnFileReader
from hub.registry.read import CertificateReader
from hub.registry.seal_document import SealDocument
from hub.registry.search import SearchCertificates
from hub.registry.service import RegistryService
from hub.registry.shared_documents import SharedDocuments
from hub.registry.state_service import CertificateStateService
from hub.registry.store import ISSUED
from hub.registry.v1 import (
    documents_pb2,
    facts_pb2,
    feed_pb2,
    holders_pb2,
    items_pb2,
    objections_pb2,
    registry_pb2,
    states_pb2,
)
from hub.seal.algorithms import AlgorithmTable
from hub.seal.decisions import Decisions
from hub.seal.documents.face_codes import FaceCodes
from hub.seal.documents.list_files import ListFiles
from hub.seal.documents.ofd_seal import SealTrust
from hub.seal.documents.sealed_faces import SealedFaces
from hub.seal.documents.verify_document import VerifyDocument
from hub.seal.ended_intents import EndedIntents
from hub.seal.face_service import FaceService
from hub.seal.face_templates import FaceTemplates, FontFiles
from hub.seal.intent_service import IntentService
from hub.seal.intents import Intents
from hub.seal.key_statements import ProvenKeyStatements
from hub.seal.keys import KeyHome
from hub.seal.materials import Materials
from hub.seal.moved_keys import RecordMovedKeys
from hub.seal.operations import seal_operations
from hub.seal.record_seals import RecordSeals
from hub.seal.report_service import ReportService
from hub.seal.reseal.documents import ResealDocuments
from hub.seal.reseal.logged_seals import LoggedSeals
from hub.seal.reseal.order import Orders
from hub.seal.reseal.records import Reseal
from hub.seal.seal_keys import SealKeys
from hub.seal.seals import Seals
from hub.seal.service import SealService
from hub.seal.signer import Signer
from hub.seal.standing_seals import StandingSeals
from hub.seal.status_lists import StatusLists
from hub.seal.tell_signers import TellSigners
from hub.seal.trust_pins import TrustPins
from hub.seal.v1 import faces_pb2, intents_pb2, reports_pb2, seal_pb2
from hub.serving import Hub, Services
from hub.storage.database import Database, open_database
from hub.storage.encryption import DataKeys
from hub.storage.paging import PageTokens

_LOG: Final = logging.getLogger("sealway.server")

# Batches make many short-lived objects and no cycles: look for those less often.
_SWITCH_S: Final = 0.0005
_GC_THRESHOLDS: Final = (100_000, 50, 100)


def _defined(catalogue: Catalogue, items: Items) -> list[tuple[str, str]]:
    """What authorities answer for, and the credit code of whoever defined it."""
    types = [(one.type.code, one.type.defining_authority) for one in catalogue.all()]
    return types + [(f"items/{one.item.code}", one.item.authority) for one in items.all()]


async def _issued(database: Database) -> list[tuple[str, str]]:
    """Types of which certificates were issued, and by which authority."""
    return [(str(code), str(authority)) for code, authority in await database.all(ISSUED)]


async def open_hub(config: Config) -> Hub:
    """A hub with everything built and its state read. Raises HubError that says what is missing.

    The log is opened first: a database older than its external head is refused before anything
    else is believed.
    """
    keys = open_keys(config)
    database = await open_database(config.database_url)
    try:
        return await _build(config, keys, database)
    except BaseException:
        await database.close()
        raise


async def _build(config: Config, keys: HubKeys, database: Database) -> Hub:
    """Every component, introduced to what it needs of the others."""
    await migrate(database)
    origin, region, clock = config.hub.origin, config.hub.region, now_us
    metrics = Metrics()
    data_keys = DataKeys(database, keys.keyring, clock)
    recorder = open_recorder(config, keys, database, data_keys, metrics)
    stamps = await _start_log(config, recorder, database)

    directory = Directory(database)
    await directory.refresh()
    identities = Identities(directory)
    registrar = Registrar(
        directory,
        database,
        recorder,
        clock,
        ClientAuthorities.from_pem(config.path(config.tls.client_ca).read_bytes()),
    )
    tokens = Tokens(
        directory,
        keys.token,
        keys.token_key,
        origin,
        region,
        clock,
        config.token.lifetime_s,
        twin=keys.token_twin.signer if keys.token_twin else None,
        twin_key=keys.token_twin.key if keys.token_twin else None,
    )
    pages = PageTokens(keys.keyring.page_digest(), clock)

    grants = GrantSnapshot(database)
    await grants.refresh()

    async def identify() -> Caller:
        """The caller judged on what is stored now: another process may have changed it."""
        await directory.refresh()
        await grants.refresh()
        return rpc.identify()

    catalogue = Catalogue(database, origin)
    await catalogue.refresh()
    items = Items(database)
    await items.refresh()
    status_lists = StatusLists(
        origin,
        region,
        database,
        keys.status,
        clock,
        recorder.head,
        config.hub.replica,
        twin=keys.status_twin.signer if keys.status_twin else None,
    )
    await status_lists.load()
    proven = ProvenKeys(directory, recorder.proofs, config.seal.signs_elsewhere)
    rosters = Rosters(database, recorder.proofs)
    seal_keys = await _seal_keys(
        config, key_homes(config, keys, SignerEvidence(rosters, proven)), recorder, database, stamps
    )
    ended = await EndedIntents(
        database, recorder, recorder.proofs, clock, config.seal.signs_elsewhere
    ).load()
    signer = Signer(origin, region, clock, lambda: rosters.newest, proven, ended.state)
    record_seals = RecordSeals(
        database,
        signer,
        seal_keys,
        status_lists,
        _prove_all(proven.prove, rosters.refresh),
        frozenset(config.seal.slow_homes),
    )
    seals = Seals(database, seal_keys)
    ingest = IngestBatch(
        origin=origin,
        region=region,
        clock=clock,
        database=database,
        recorder=recorder,
        access=identities,
        catalogue=catalogue,
        seals=record_seals,
        holder_keys=keys.keyring,
        data_keys=data_keys,
        observe=metrics.count_rows,
        identify=identify,
    )

    certificates = CertificateReader(database, data_keys, keys.keyring, clock, origin)
    fetch = FetchCertificates(
        origin=origin,
        region=region,
        clock=clock,
        recorder=recorder,
        access=identities,
        grants=grants,
        certificates=certificates,
        seals=record_seals,
        keyed_digest=keys.keyring.content_digest,
        identify=identify,
        observe=metrics.observe_exchange,
    )
    plan = PlanMaterials(
        origin=origin,
        region=region,
        clock=clock,
        recorder=recorder,
        access=identities,
        grants=grants,
        items=items,
        types=catalogue,
        on_file=OnFileReader(database, data_keys, keys.keyring),
        title=identities.title,
        keyed_digest=keys.keyring.content_digest,
        identify=_identify_after(identify, catalogue, items),
        observe=metrics.observe_exchange,
    )
    blobs = open_blobs(config)
    documents = Documents(
        clock, database, recorder, identities, blobs, data_keys, keys.keyring, identify
    )
    shared_documents = SharedDocuments(database, keys.keyring, documents)
    sealed_faces = _sealed_faces(config, recorder, record_seals, identities, catalogue)
    fetch_document = FetchDocument(
        origin=origin,
        region=region,
        clock=clock,
        recorder=recorder,
        access=identities,
        grants=grants,
        certificates=certificates,
        documents=shared_documents,
        make_copy=MakeCopy(
            clock,
            FaceReader(database, certificates),
            sealed_faces,
            MadeDocuments(clock, documents),
            identities.title,
        ),
        keyed_digest=keys.keyring.content_digest,
        identify=identify,
        observe=metrics.observe_exchange,
    )
    verify_information = VerifyInformation(
        origin=origin,
        region=region,
        clock=clock,
        recorder=recorder,
        access=identities,
        grants=grants,
        certificates=certificates,
        documents=shared_documents,
        guesses=Guesses(clock),
        keyed_digest=keys.keyring.content_digest,
        identify=identify,
        observe=metrics.observe_exchange,
    )
    search = SearchCertificates(database, identities, catalogue, keys.keyring)
    caller = rpc.current_caller
    tail = Tail(database, recorder.head, recorder.follow, clock)
    recorder.observer.on_rows = tail.wake
    watch = WatchChanges(
        database,
        recorder,
        tail,
        identities,
        GrantedTypes(grants, clock),
        catalogue,
        keys.keyring,
        rpc.identify,
    )
    intents = Intents(
        origin=origin,
        region=region,
        database=database,
        recorder=recorder,
        clock=clock,
        rosters=rosters,
        standing_seals=StandingSeals(origin, database, catalogue),
        operations={
            **{kind.name: ChangeRoster(kind, registrar, rosters) for kind in ROSTER_KINDS},
            AUTHORITY_REORGANIZE.name: ReorganizeAuthority(
                registrar,
                partial(_defined, catalogue, items),
                partial(_issued, database),
                (EndSeals(database, seal_keys, clock),),
            ),
            **seal_operations(
                database,
                seal_keys,
                identities,
                open_seal_anchors(config),
                clock,
                types=frozenset(config.seal.types),
            ),
        },
        ended=ended,
    )
    verify_document = VerifyDocument(
        clock,
        Verifiers(config.verification.workers),
        TrustPins(config.path(config.verification.trust)),
        ProvenKeyStatements(origin, database, recorder, recorder.proofs),
        status_lists.token,
        FILE_BYTES_MAX,
        config.verification.workers,
    )
    services: Services = (
        (access_pb2, AccessService(registrar, tokens, pages, caller, rpc.peer_thumbprint, rosters)),
        (
            registry_pb2,
            RegistryService(
                clock,
                catalogue,
                PublishCertificateType(clock, recorder, identities, catalogue),
                ChangeType(clock, recorder, identities, catalogue),
                ingest,
                search,
                pages,
                caller,
            ),
        ),
        (
            states_pb2,
            CertificateStateService(
                clock,
                ChangeState(clock, database, recorder, identities, record_seals, identify),
                ConfirmCertificate(clock, database, recorder, identities),
                Transitions(database),
                search,
                pages,
                caller,
            ),
        ),
        (feed_pb2, FeedService(clock, watch, caller)),
        (
            facts_pb2,
            FactService(
                AnnounceFactChange(clock, database, recorder, identities, catalogue),
                AnnounceHolderEvent(clock, database, recorder, identities, certificates),
                FollowUps(database, recorder, identities),
                pages,
                caller,
            ),
        ),
        (
            objections_pb2,
            ObjectionService(
                RaiseObjection(
                    clock,
                    database,
                    recorder,
                    identities,
                    GrantedTypes(grants, clock),
                    catalogue,
                    data_keys,
                    config.objections.answer_days,
                ),
                AnswerObjection(
                    clock,
                    database,
                    recorder,
                    identities,
                    Objections(clock, database, identities, data_keys),
                    data_keys,
                    config.objections.answer_days,
                ),
                Objections(clock, database, identities, data_keys),
                Notices(clock, database, recorder, identities),
                pages,
                caller,
            ),
        ),
        (
            holders_pb2,
            HolderService(
                HolderLinks(clock, database, recorder, identities, keys.keyring, certificates),
                HolderBindings(clock, database, recorder, identities, catalogue, keys.keyring),
                pages,
                caller,
                keys.keyring.content_digest,
            ),
        ),
        (
            items_pb2,
            ItemService(
                items,
                ImportItems(clock, recorder, identities, catalogue, items),
                RetireItem(clock, recorder, identities, items),
                pages,
                caller,
            ),
        ),
        (
            documents_pb2,
            DocumentService(
                documents,
                SealDocument(
                    clock,
                    documents,
                    MadeDocuments(clock, documents),
                    FaceReader(database, certificates),
                    sealed_faces,
                    _list_originals(documents, certificates, seal_keys, recorder),
                ),
                pages,
                caller,
                keys.keyring.content_digest,
            ),
        ),
        (
            seal_pb2,
            SealService(
                seals,
                verify_document.statements,
                Materials(database, recorder, clock),
                Reseal(
                    database,
                    recorder,
                    Orders(intents, seal_keys, LoggedSeals(database, recorder.proofs)),
                    ResealDocuments(
                        recorder,
                        recorder.proofs,
                        FaceReader(database, certificates),
                        MadeDocuments(clock, documents),
                        sealed_faces,
                        _list_originals(documents, certificates, seal_keys, recorder),
                        clock,
                    ),
                    clock,
                    frozenset(config.seal.slow_homes),
                ),
                clock,
                status_lists,
                pages,
                caller,
            ),
        ),
        (
            intents_pb2,
            IntentService(database, intents, Decisions(intents, identities), pages, caller),
        ),
        (reports_pb2, ReportService(verify_document)),
        (
            faces_pb2,
            FaceService(
                database,
                sealed_faces.templates,
                pages,
                caller,
            ),
        ),
        (
            exchange_pb2,
            ExchangeService(
                fetch,
                ChangeGrants(clock, recorder, identities, catalogue, grants),
                grants,
                pages,
                caller,
            ),
        ),
        (verification_pb2, VerificationService(verify_information, caller)),
        (plan_pb2, PlanService(plan, caller)),
        (shared_documents_pb2, SharedDocumentService(fetch_document, caller)),
        (
            copies_pb2,
            CopyService(
                AnnotateCopy(clock, database, recorder, identities, grants, certificates, identify),
                AnnotatedCopies(clock, database, certificates),
                pages,
                caller,
            ),
        ),
        (ledger_pb2, LedgerService(recorder, caller)),
    )
    return Hub(
        config,
        database,
        recorder,
        directory,
        rosters,
        grants,
        catalogue,
        items,
        status_lists,
        metrics,
        tokens,
        seals,
        ended,
        TellSigners(database, seals.keys, ended),
        tail,
        watch,
        AnnounceExpired(database, recorder, clock),
        services,
        blobs,
        documents,
        Objections(clock, database, identities, data_keys),
        TellReceivers(
            clock,
            database,
            recorder,
            data_keys,
            Receivers(Disclosures(database, recorder.proofs)),
        ),
        verify_document,
        stamps,
    )


async def _start_log(
    config: Config, recorder: Recorder, database: Database
) -> CheckpointStamps | None:
    """The log records on return; what stamps its checkpoints, where that is configured."""
    await recorder.start()
    service = open_time_stamps(config) if config.ledger.stamp_every_s else None
    if service is None:
        return None
    section = config.ledger
    stamps = CheckpointStamps(
        database, recorder, service, now_us, section.stamp_every_s, section.stamp_age_max_s
    )
    await stamps.load()
    return stamps


async def _seal_keys(
    config: Config,
    homes: Mapping[str, KeyHome],
    recorder: Recorder,
    database: Database,
    stamps: CheckpointStamps | None,
) -> SealKeys:
    """The keys of seals in their homes; what a migration moved of them is in the log first.

    A signer process that does not start is started again when it is needed: a hub without it reads.
    """
    await RecordMovedKeys(database, recorder, recorder.proofs)()
    if config.seal.signer == "process":
        try:
            await asyncio.to_thread(homes["files"].health)
        except HubError as error:
            _LOG.error('{"event":"signer_not_ready","reason":"%s"}', error.reason.value)
    algorithms = AlgorithmTable(config.seal.algorithms.days)
    return SealKeys(
        database,
        homes,
        algorithms,
        now_us,
        stamped=None if stamps is None else stamps.check,
        demands_sm2=config.crypto.profile is CryptoProfile.GM,
    )


def _sealed_faces(
    config: Config,
    recorder: Recorder,
    seals: RecordSeals,
    identities: Identities,
    catalogue: Catalogue,
) -> SealedFaces:
    """Faces, and their sealing as documents under the same signer and keys as records."""
    origin, database, anchors = config.hub.origin, seals.database, open_seal_anchors(config)
    fonts = FontFiles(config.font_file, config.faces.font_face, config.more_font_files)
    return SealedFaces(
        origin=origin,
        clock=now_us,
        database=database,
        templates=FaceTemplates(origin, now_us, database, recorder, identities, catalogue, fonts),
        registers=identities,
        signer=seals.signer,
        keys=seals.keys,
        codes=FaceCodes(origin, config.hub.region, now_us, seals.keys),
        trust=SealTrust(anchors.makers, anchors.sm2_seals, None),
        prove=seals.prove_keys,
        stamps=open_time_stamps(config),
    )


def _list_originals(
    documents: Documents, certificates: CertificateReader, keys: SealKeys, recorder: Recorder
) -> ListOriginals:
    logged = LoggedSeals(documents.database, recorder.proofs)
    files = ListFiles(documents.database, keys, logged, documents.clock)
    return ListOriginals(documents, certificates, files)


def _prove_all(*proofs: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Everything that sealing believes only where the log proves it."""

    async def prove() -> None:
        for each in proofs:
            await each()

    return prove


def _identify_after(
    identify: Callable[[], Awaitable[Caller]], *snapshots: Catalogue | Items
) -> Callable[[], Awaitable[Caller]]:
    """As `identify`, for decisions that stand on `snapshots` as well."""

    async def refreshed() -> Caller:
        for snapshot in snapshots:
            await snapshot.refresh()
        return await identify()

    return refreshed


def open_recorder(
    config: Config, keys: HubKeys, database: Database, data_keys: DataKeys, metrics: Metrics
) -> Recorder:
    settings = RecorderSettings(
        region=config.hub.region,
        window_s=config.ledger.window_ms / 1000,
        members_max=config.ledger.members_max,
        heartbeat_s=config.ledger.heartbeat_s,
        is_shared=database.engine == "postgresql",
    )
    return Recorder(
        database=database,
        data_keys=data_keys,
        head=open_head(config),
        key=keys.log,
        clock=now_us,
        settings=settings,
        observer=Observer(on_epoch=metrics.observe_epoch),
    )


async def serve(config: Config, started: Callable[[Hub], None]) -> None:
    """Run a hub until SIGTERM or SIGINT; calls under way are answered before it returns.

    `started` is called once it serves: a person or a supervisor waits for that.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    hub = await open_hub(config)
    try:
        await hub.start()
        # What was built lives as long as the process: the collector need not walk it each time.
        gc.freeze()
        # The thread that commits must not wait five milliseconds for each turn.
        sys.setswitchinterval(_SWITCH_S)
        gc.set_threshold(*_GC_THRESHOLDS)
        started(hub)
        await stop.wait()
    finally:
        await hub.stop()
