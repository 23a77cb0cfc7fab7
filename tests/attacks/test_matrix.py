"""Department A learns nothing of department B's certificates: all RPCs, all roles, all fields."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.domain.caller import Role
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.policy import POLICY
from hub.registry.v1 import registry_pb2
from tests.attacks.matrix import (
    CALLERS,
    ENTITLED,
    OWN,
    Naming,
    Probe,
    Target,
    attach_documents,
    caller,
    look,
    probes,
    targets,
)
from tests.exchange.annotated import annotate
from tests.exchange.plans import furnish_items
from tests.simulator import GRANTED, Refused, Simulator, company, copy_home, licence

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROBES, UNKNOWN = probes()
SEES_ALL = {Role.OFFICER, Role.AUDITOR}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pairs(
    city: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Simulator, dict[Probe, tuple[Target, Target]]]]:
    """A hub, and for each probe a certificate of its own of the other department, with a double."""
    home = copy_home(city, tmp_path_factory.mktemp("matrix") / "home")
    async with Simulator(home) as hub:
        await furnish_items(hub)
        found = await targets(hub, 1_000, len(PROBES))
        for probe, (there, _) in zip(PROBES, found, strict=True):
            if probe.path.endswith("ListAnnotatedCopies"):
                await annotate(hub.platform(), there.identifier)
        await hub.connector().deliver([licence(number) for number in (1, 2, 3)])
        asked = dict(zip(PROBES, found, strict=True))
        await attach_documents(
            hub, [asked[one] for one in PROBES if one.naming is Naming.SIGNED_DOCUMENT]
        )
        await hub.officer().grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))
        yield hub, asked
        report = await hub.audit()
        assert report.findings == []


async def test_of_every_field_it_is_said_what_it_can_name() -> None:
    """A new field that nobody thought about is a hole that nobody looked into."""
    assert UNKNOWN == [], "say in tests/attacks/matrix.py what these fields can name"
    assert set(CALLERS) | SEES_ALL == set(Role)
    asked = {probe.path for probe in PROBES}
    for method in ("GetCertificate", "SearchCertificates", "FetchCertificates", "IngestBatches"):
        assert any(path.endswith(f"/{method}") for path in asked)
    assert {probe.naming for probe in PROBES} == set(Naming) - {Naming.NOTHING}
    assert asked <= set(POLICY)


@pytest.mark.parametrize("probe", PROBES, ids=str)
async def test_what_is_another_departments_looks_like_what_never_was(
    pairs: tuple[Simulator, dict[Probe, tuple[Target, Target]]], probe: Probe
) -> None:
    """Status, reason, texts, details, trailers, and the work that the database is given."""
    hub, found = pairs
    there, never = found[probe]
    member = caller(hub, CALLERS[probe.role])

    first, second = await look(probe, member, never), await look(probe, member, there)

    assert second == first
    if not probe.is_allowed:
        assert first.status == "PERMISSION_DENIED"
        assert first.questions == []


@pytest.mark.parametrize(
    "probe",
    [
        one
        for one in PROBES
        if one.is_allowed and one.role in ENTITLED and one.naming is not Naming.CERTIFICATE_AS_OWN
    ],
    ids=str,
)
async def test_the_entitled_see_the_difference(
    pairs: tuple[Simulator, dict[Probe, tuple[Target, Target]]], probe: Probe
) -> None:
    """The control: under the same role, whoever may see it is told. Else the probe proves nothing,
    because its request is refused before anybody looks; `_COMPLETED` says what it needs."""
    hub, found = pairs
    there, never = found[probe]
    member = caller(hub, ENTITLED[probe.role])

    assert (await look(probe, member, there)).answer != (await look(probe, member, never)).answer


async def test_pages_of_nothing_have_no_next_page(
    pairs: tuple[Simulator, dict[Probe, tuple[Target, Target]]],
) -> None:
    """However many certificates of other departments a holder has, no page token tells of them."""
    hub, _ = pairs
    rows = [
        licence(900, number=f"many-{number}", source_key=f"many-{number}") for number in range(40)
    ]
    connector = hub.connector("nb-connector")
    # Read anew: probes deliver as well.
    connector._chain = None
    await connector.deliver(rows)
    answers = {}
    for name in ("hz-department", "nb-department"):
        member = hub.system(name)
        request = registry_pb2.SearchCertificatesRequest(page_size=1)
        request.filter.holder.type, request.filter.holder.number = "001", company(900)
        answers[name] = await member.call(member.registry.SearchCertificates, request)

    assert len(answers["nb-department"].certificates) == 1
    assert answers["nb-department"].next_page_token
    assert answers["hz-department"] == registry_pb2.SearchCertificatesResponse()


async def test_a_page_token_of_one_department_is_worth_nothing_to_another(
    pairs: tuple[Simulator, dict[Probe, tuple[Target, Target]]],
) -> None:
    """It stands for a place among certificates that the other may not see."""
    hub, _ = pairs
    mine, other = hub.system("nb-department"), hub.system("hz-department")
    request = registry_pb2.SearchCertificatesRequest(page_size=1)
    request.filter.certificate_type = "certificateTypes/11100000mb0143028r001"
    first = await mine.call(mine.registry.SearchCertificates, request)
    assert first.next_page_token
    own = await other.call(other.registry.SearchCertificates, request)
    assert {one.name.rpartition("/certificates/")[0] for one in own.certificates} == {OWN}

    request.page_token = first.next_page_token
    with pytest.raises(Refused) as refusal:
        await other.call(other.registry.SearchCertificates, request)

    assert refusal.value.reason == "PAGE_TOKEN_INVALID"
