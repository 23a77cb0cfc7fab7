"""Over the facade, too, another department's certificates look like what never was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.facade.questions import Operation
from hub.domain.certificate_type import DOCUMENT_FIELD
from tests.attacks.facade_matrix import (
    FACADE_PROBES,
    NAMES_NOTHING,
    Caller,
    FacadeProbe,
    look_over,
)
from tests.attacks.matrix import Target, attach_documents, targets
from tests.simulator import GRANTED, LICENCE, Simulator, copy_home

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class City:
    """A certificate of the other department with its document, one that never was, and who asks."""

    there: Target
    never: Target
    stranger: Caller
    entitled: Caller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asked(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    folder = tmp_path_factory.mktemp("facade-matrix")
    async with Simulator(copy_home(city, folder / "home")) as hub:
        ((there, never),) = await targets(hub, 1_000, 1)
        await attach_documents(hub, [(there, never)])
        await hub.officer().grant("documents", "window-1", (*GRANTED, DOCUMENT_FIELD))
        callers = [Caller.of(hub, name, folder / name) for name in ("window-2", "window-1")]
        for caller in callers:
            # What a type looks like is public and asked once.
            await caller.call(Operation.DICTIONARY, {"certTypeCode": LICENCE})
        yield City(there, never, *callers)
        for caller in callers:
            caller.facade.close()


async def test_every_operation_is_asked_about(asked: City) -> None:
    """An operation that nobody thought about is a hole that nobody looked into."""
    assert {probe.operation for probe in FACADE_PROBES} | NAMES_NOTHING == set(Operation)


@pytest.mark.parametrize("probe", FACADE_PROBES, ids=str)
async def test_what_is_another_departments_looks_like_what_never_was(
    asked: City, probe: FacadeProbe
) -> None:
    """Status, texts, and the work that the hub's database is given; whether the signing system may
    not have it, or the account may not."""
    for caller, account in (
        (asked.stranger, "all"),
        (asked.stranger, "permits"),
        (asked.entitled, "permits"),
    ):
        never = await look_over(caller, probe, asked.never, account)
        there = await look_over(caller, probe, asked.there, account)
        assert there == never
        if account == "permits":
            assert never.questions == []


@pytest.mark.parametrize("probe", FACADE_PROBES, ids=str)
async def test_the_entitled_see_the_difference(asked: City, probe: FacadeProbe) -> None:
    """The control: else the probe proves nothing."""
    there = await look_over(asked.entitled, probe, asked.there)

    assert there.answer != (await look_over(asked.entitled, probe, asked.never)).answer
