"""A hub with three licences on file: shared by the tests of a module, or a test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.simulator import Simulator, copy_home, licence

pytest.register_assert_rewrite("tests.attacks.refusals")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """Shared by a module whose attacks change nothing. Such modules run in one event loop.

    Afterwards the log must audit clean; so it must for `own_hub`.
    """
    home = copy_home(city, tmp_path_factory.mktemp("attacked") / "home")
    async with Simulator(home) as simulator:
        await simulator.connector().deliver([licence(number) for number in (1, 2, 3)])
        yield simulator
        await _assert_clean(simulator)


@pytest_asyncio.fixture
async def own_hub(city: Path, tmp_path: Path) -> AsyncIterator[Simulator]:
    """For a test that changes what others would see."""
    async with Simulator(copy_home(city, tmp_path / "home")) as simulator:
        await simulator.connector().deliver([licence(number) for number in (1, 2, 3)])
        yield simulator
        await _assert_clean(simulator)


async def _assert_clean(simulator: Simulator) -> None:
    """Whatever was attempted, the log and every row still prove each other."""
    report = await simulator.audit()
    assert report.findings == []
    assert report.entries == simulator.size
