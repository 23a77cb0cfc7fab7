"""Certificates without a holder on every engine: on file unbound, and bound later with evidence."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.domain.caller import Caller
from hub.domain.crypto import CryptoProfile
from hub.domain.holder import Holder
from hub.domain.row import Op
from hub.errors import HubError, Reason
from hub.proof.encoding import digest, parse_object
from hub.registry.decide import Outcome
from hub.registry.evidence import Evidence
from hub.registry.feed_store import CHANGES_AFTER, ChangeKind, StoredChange, change_of
from hub.registry.holder_bindings import HolderBindings
from hub.registry.search import Filter
from hub.storage.changes import Answered, Call
from tests.contracts.test_holder_links import AUDITOR, EVIDENCE, FOREIGN, OWN, Desk
from tests.fact_types import LISTING
from tests.registry.office import (
    AUTHORITY,
    LICENCE_TYPE,
    PERMIT_TYPE,
    RULING,
    Office,
    licence,
    open_office,
    uscc,
)
from tests.registry.test_ingest import CITIZEN, permit

PERSON = Holder("111", CITIZEN)
OTHER = Holder("111", "440524188001010014")
OLD_PERMITS = dataclasses.replace(
    PERMIT_TYPE, listing=dataclasses.replace(LISTING, may_be_unbound=True)
)


class Archive(Desk):
    """An office with an old register, and a department that finds out whose its lines are."""

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self.bindings = HolderBindings(
            now_us,
            office.database,
            office.recorder,
            office.identities,
            office.catalogue,
            self.keys,
        )

    async def deliver_permits(self, *numbers: str, **changes: object) -> list[str]:
        """Permits by their numbers; without holders unless `changes` name some."""
        rows = [permit(number, **{"holders": (), **changes}) for number in numbers]
        return await self.deliver(*rows, certificate_type=OLD_PERMITS)

    async def bind(
        self,
        certificate_id: str,
        holder: Holder = PERSON,
        *,
        caller: Caller = OWN,
        evidence: Evidence = EVIDENCE,
        request_id: str = "",
    ) -> Answered:
        content = digest(f"{certificate_id} {holder.number}")
        call = Call(caller, request_id or str(uuid.uuid4()), "/bind", content)
        return await self.bindings.bind(call, AUTHORITY, certificate_id, holder, evidence)

    async def unbind(self, certificate_id: str, caller: Caller = OWN) -> Answered:
        request_id = str(uuid.uuid4())
        call = Call(caller, request_id, "/unbind", digest(request_id))
        return await self.bindings.unbind(call, AUTHORITY, certificate_id, EVIDENCE)

    async def held_by(self, holder: Holder) -> int:
        """How many permits every way of looking by holder finds."""
        return len(await self.found(holder, OLD_PERMITS))

    async def holders_of(self, number: str) -> int:
        """How many holders the certificate has that is found by its number."""
        wanted = Filter(number=number, type_code=OLD_PERMITS.code)
        page = await self.office.search.search(AUDITOR, wanted, after="", size=5)
        (found,) = page.certificates
        return found.holder_count

    async def told(self) -> list[StoredChange]:
        rows = await self.office.database.all(CHANGES_AFTER, 0, 0, 2**53, 1000)
        return [one for one in map(change_of, rows) if one.what is ChangeKind.HOLDER]


@pytest.fixture
async def archive(
    database_url: str, tmp_path: Path, profile: CryptoProfile
) -> AsyncIterator[Archive]:
    async with open_office(database_url, tmp_path, profile) as office:
        await office.open_for(OLD_PERMITS, LICENCE_TYPE)
        yield Archive(office)


async def test_a_line_without_a_holder_is_on_file_where_its_type_allows_it(
    archive: Archive,
) -> None:
    """Found by its number and by nobody's; of another type the row is refused by its rule."""
    await archive.deliver_permits("P-1")
    answer = await archive.office.deliver([licence(1, holders=())], connector="other")

    assert await archive.holders_of("P-1") == 0
    assert await archive.held_by(PERSON) == 0
    assert await archive.office.count("registry_holders") == 0
    (refused,) = answer.results
    assert refused.outcome is Outcome.REFUSED
    assert [(one.field, one.rule) for one in refused.violations] == [("holders", "holder.missing")]
    assert await archive.office.count("registry_certificates") == 1


async def test_a_bound_certificate_is_its_holders_until_that_is_taken_back(
    archive: Archive,
) -> None:
    """Every way of looking finds it; its seal names nobody; the entry does not either."""
    certificate, other = await archive.deliver_permits("P-1", "P-2")
    request_id = str(uuid.uuid4())

    answered = await archive.bind(certificate, request_id=request_id)
    assert await archive.bind(certificate, request_id=request_id) == answered

    assert (await archive.holders_of("P-1"), await archive.holders_of("P-2")) == (1, 0)
    assert await archive.held_by(PERSON) == 1
    vct = archive.vct(OLD_PERMITS)
    (found,) = await archive.office.reader.by_holder("111", CITIZEN, vct)
    assert found.is_linked
    assert await archive.office.reader.sealed_holder(found.identifier) is None
    assert answered.entry is not None
    opened = await archive.office.recorder.proofs.opened(answered.entry)
    assert parse_object(opened.body)["kind"] == "certificate.bound"
    assert CITIZEN.encode() not in opened.body

    await archive.unbind(certificate)

    assert await archive.office.database.one(found.check.statement, *found.check.args) is None
    assert await archive.held_by(PERSON) == 0
    assert await archive.holders_of("P-1") == 0
    index = archive.keys.holder_index("111", CITIZEN)
    assert [(one.certificate_id, one.holder_indexes) for one in await archive.told()] == [
        (certificate, (index,)),
        (certificate, (index,)),
    ]
    await archive.bind(certificate, OTHER)
    assert (await archive.held_by(OTHER), await archive.held_by(PERSON)) == (1, 0)
    assert other


async def test_a_binding_outlives_new_versions_until_a_row_names_the_holder(
    archive: Archive,
) -> None:
    """What the register still does not know takes nothing away; what it says is what holds."""
    (certificate,) = await archive.deliver_permits("P-1")
    await archive.bind(certificate, OTHER)

    await archive.deliver_permits("P-1", name="张三")
    await archive.deliver_permits("P-1", op=Op.CORRECT, name="李四")
    assert await archive.held_by(OTHER) == 1

    await archive.deliver_permits("P-1", name="李四", holders=(PERSON,))
    assert (await archive.held_by(OTHER), await archive.held_by(PERSON)) == (0, 1)
    (found,) = await archive.office.reader.by_holder("111", CITIZEN, archive.vct(OLD_PERMITS))
    assert not found.is_linked

    await archive.deliver_permits("P-1", name="李四")
    assert (await archive.held_by(OTHER), await archive.held_by(PERSON)) == (0, 0)
    await archive.deliver_permits("P-1", op=Op.REVOKE, ruling=RULING)


async def test_what_cannot_be_bound_is_refused_and_leaves_nothing(archive: Archive) -> None:
    """Another's certificate, one that has a holder, one of the wrong kind, no evidence."""
    (unbound,) = await archive.deliver_permits("P-1")
    (sealed,) = await archive.deliver_permits("P-2", holders=(PERSON,))
    size = archive.office.recorder.head().size
    for certificate, holder, changes, reason, rule in (
        (unbound, PERSON, {"caller": FOREIGN}, Reason.CERTIFICATE_NOT_FOUND, ""),
        ("0" * 32, PERSON, {}, Reason.CERTIFICATE_NOT_FOUND, ""),
        (sealed, PERSON, {}, Reason.TRANSITION_NOT_ALLOWED, ""),
        (unbound, Holder("001", uscc(1)), {}, Reason.FIELD_INVALID, "holder.kind"),
        (unbound, PERSON, {"evidence": Evidence("", "法")}, Reason.FIELD_INVALID, "value.digest"),
    ):
        with pytest.raises(HubError) as caught:
            await archive.bind(certificate, holder, **changes)  # type: ignore[arg-type]
        assert caught.value.reason is reason
        if rule:
            assert [one.rule for one in caught.value.violations] == [rule]
    for certificate, state in ((unbound, "unbound"), (sealed, "bound")):
        with pytest.raises(HubError) as caught:
            await archive.unbind(certificate)
        assert caught.value.reason is Reason.TRANSITION_NOT_ALLOWED
        assert caught.value.details["state"] == state
    with pytest.raises(HubError) as caught:
        await archive.unbind(unbound, FOREIGN)
    assert caught.value.reason is Reason.CERTIFICATE_NOT_FOUND
    assert archive.office.recorder.head().size == size
