"""Both services by their messages, from a published type to a certificate found."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from hub.clock import now_us
from hub.domain.caller import Caller
from hub.domain.certificate_type import to_json
from hub.domain.row import emit_row
from hub.errors import HubError, Reason
from hub.proof.encoding import emit_json
from hub.proof.exchange.batch import sign_batch_root
from hub.proof.officers.approval import Approval, Decision, intent_digest, sign_approval
from hub.registry.change_type import ChangeType
from hub.registry.service import RegistryService
from hub.registry.v1 import registry_pb2
from hub.seal.intent_service import IntentService
from hub.seal.key_statements import ProvenKeyStatements
from hub.seal.service import SealService
from hub.seal.v1 import intents_pb2, seal_pb2
from hub.storage import paging
from hub.storage.encryption import Keyring
from hub.storage.paging import PageTokens
from hub.v1 import common_pb2
from tests.registry.office import (
    AUTHORITY,
    LICENCE,
    LICENCE_TYPE,
    OFFICERS,
    ORIGIN,
    REGION,
    Office,
    licence,
    open_office,
    uscc,
)
from tests.seal.test_compromise import sealing_anew

TYPE_NAME = f"certificateTypes/{LICENCE.lower()}"
SEAL_NAME = f"{AUTHORITY}/seals/main"


class Desk:
    """The two services, called by whoever `caller` is."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.caller: Caller = office.officer(OFFICERS[0])
        pages = PageTokens(Keyring(bytes(32), bytes(32)).page_digest(), now_us)
        self.registry = RegistryService(
            now_us,
            office.catalogue,
            office.publish,
            ChangeType(now_us, office.recorder, office.identities, office.catalogue),
            office.ingest,  # type: ignore[arg-type]
            office.search,
            pages,
            lambda: self.caller,
        )
        self.seal = SealService(
            office.seals,
            ProvenKeyStatements(ORIGIN, office.database, office.recorder, office.recorder.proofs),
            office.materials,
            sealing_anew(office),
            now_us,
            office.status_lists,
            pages,
            lambda: self.caller,
        )
        self.intents = IntentService(
            office.database, office.intents, office.decisions, pages, lambda: self.caller
        )

    async def seal_made(self) -> None:
        await self.office.make_seal()

    async def approved(self, name: str, officer: str) -> intents_pb2.Intent:
        self.caller = self.office.officer(officer)
        challenge = await self.intents.CreateApprovalChallenge(
            intents_pb2.CreateApprovalChallengeRequest(intent=name), None
        )
        now = now_us() // 1_000_000
        approval = Approval(
            ORIGIN,
            REGION,
            officer,
            intent_digest(challenge.intent_bytes),
            challenge.nonce,
            Decision.APPROVE,
            now + 600,
            challenge.key_entry,
            now,
        )
        answer = await self.intents.ApproveIntent(
            intents_pb2.ApproveIntentRequest(
                request_id=str(uuid.uuid4()),
                name=name,
                approval=sign_approval(approval, self.office.officers[officer]),
            ),
            None,
        )
        assert answer.receipt.json
        return answer.intent


@pytest.fixture
async def desk(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_office(sqlite_url, tmp_path) as office:
        yield Desk(office)


async def opened(desk: Desk) -> None:
    """Type, seal and approved intent, all through the services."""
    request = registry_pb2.CreateCertificateTypeRequest(
        request_id=str(uuid.uuid4()), metadata=to_json(LICENCE_TYPE)
    )
    published = await desk.registry.CreateCertificateType(request, None)
    assert published.certificate_type.name == TYPE_NAME
    assert published.receipt.json
    await desk.seal_made()
    start = Timestamp(seconds=now_us() // 1_000_000 - 60)
    proposed = await desk.intents.ProposeIntent(
        intents_pb2.ProposeIntentRequest(
            request_id=str(uuid.uuid4()),
            intent_id="licences",
            kind="standing-seal",
            members=emit_json({"seal": SEAL_NAME, "certificate_type": TYPE_NAME}),
            start_time=start,
            expire_time=Timestamp(seconds=start.seconds + 3600),
            uses_max=100,
        ),
        None,
    )
    assert proposed.intent.state == intents_pb2.Intent.STATE_PROPOSED
    states = [(await desk.approved("intents/licences", name)).state for name in OFFICERS[1:]]
    assert states == [intents_pb2.Intent.STATE_PROPOSED, intents_pb2.Intent.STATE_APPROVED]


async def test_from_a_type_to_a_certificate_through_both_services(desk: Desk) -> None:
    """Publish, seal, approve, ingest as a stream, find, list; every answer in its message."""
    await opened(desk)
    root, delivered = desk.office.root([emit_row(licence(1)), b"broken"])
    desk.caller = desk.office.caller

    async def requests() -> AsyncIterator[registry_pb2.IngestBatchesRequest]:
        yield registry_pb2.IngestBatchesRequest(
            root_jws=sign_batch_root(root, desk.office.connector),
            rows=[registry_pb2.Row(salt=row.salt, row=row.data) for row in delivered],
        )

    answers = [answer async for answer in desk.registry.IngestBatches(requests(), None)]
    desk.caller = desk.office.officer(OFFICERS[0])
    found = await desk.registry.SearchCertificates(
        registry_pb2.SearchCertificatesRequest(
            filter=registry_pb2.SearchCertificatesRequest.Filter(
                holder=registry_pb2.Holder(type="001", number=uscc(1)), certificate_type=TYPE_NAME
            )
        ),
        None,
    )

    (answer,) = answers
    assert (answer.batch, answer.seq) == ("batch-1", 1)
    assert [result.outcome for result in answer.results] == [
        registry_pb2.RowResult.OUTCOME_NEW,
        registry_pb2.RowResult.OUTCOME_REFUSED,
    ]
    assert answer.results[1].errors[0].reason == "json.malformed"
    (certificate,) = found.certificates
    assert certificate.name == answer.results[0].certificate
    assert certificate.state == common_pb2.CERTIFICATE_STATE_ACTIVE
    assert certificate.state_entry == answer.receipt.entry
    got = await desk.registry.GetCertificate(
        registry_pb2.GetCertificateRequest(name=certificate.name), None
    )
    versions = await desk.registry.ListCertificateVersions(
        registry_pb2.ListCertificateVersionsRequest(parent=certificate.name), None
    )
    assert got.certificate == certificate == versions.certificates[0]
    listed = await desk.registry.ListCertificateTypes(
        registry_pb2.ListCertificateTypesRequest(), None
    )
    assert [one.code for one in listed.certificate_types] == [LICENCE]
    seals = await desk.seal.ListSeals(seal_pb2.ListSealsRequest(parent="authorities/-"), None)
    assert [one.state for one in seals.seals] == [seal_pb2.Seal.STATE_ACTIVE]
    intents = await desk.intents.ListIntents(intents_pb2.ListIntentsRequest(), None)
    assert [one.uses for one in intents.intents] == [1, 1, 1]
    token = await desk.seal.GetStatusList(seal_pb2.GetStatusListRequest(name="statusLists/1"), None)
    assert token.token.count(".") == 2


async def test_lists_go_on_with_their_token(desk: Desk) -> None:
    """Two seals on two pages; the token belongs to this list only."""
    for seal_id in ("one", "two"):
        await desk.office.make_seal(seal_id)
    first = await desk.seal.ListSeals(
        seal_pb2.ListSealsRequest(parent=AUTHORITY, page_size=1), None
    )

    second = await desk.seal.ListSeals(
        seal_pb2.ListSealsRequest(parent=AUTHORITY, page_size=1, page_token=first.next_page_token),
        None,
    )

    assert [one.name for one in (*first.seals, *second.seals)] == [
        f"{AUTHORITY}/seals/one",
        f"{AUTHORITY}/seals/two",
    ]
    assert second.next_page_token == ""
    with pytest.raises(HubError) as caught:
        await desk.intents.ListIntents(
            intents_pb2.ListIntentsRequest(page_token=first.next_page_token), None
        )
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID


@pytest.mark.parametrize("name", ["statusLists/x", "statusLists/", "lists/1", "statusLists/1/2"])
async def test_a_status_list_is_named_by_its_number(desk: Desk, name: str) -> None:
    """Anything else is no name."""
    with pytest.raises(HubError) as caught:
        await desk.seal.GetStatusList(seal_pb2.GetStatusListRequest(name=name), None)

    assert caught.value.reason is Reason.NAME_MALFORMED


async def test_types_come_in_pages_by_code_that_are_bounded_by_bytes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue of long documents never makes a message that a client refuses."""
    codes = [f"{LICENCE[:-3]}{number:03d}" for number in range(901, 906)]
    for code in codes:
        await desk.office.publish_type(dataclasses.replace(LICENCE_TYPE, code=code))
    monkeypatch.setattr(paging, "PAGE_BYTES_MAX", 2 * len(to_json(LICENCE_TYPE)))

    found, token, sizes = [], "", []
    while not sizes or token:
        page = await desk.registry.ListCertificateTypes(
            registry_pb2.ListCertificateTypesRequest(page_size=4, page_token=token), None
        )
        found += [one.code for one in page.certificate_types]
        sizes.append(len(page.certificate_types))
        token = page.next_page_token

    assert found == codes
    assert sizes == [2, 2, 1]
