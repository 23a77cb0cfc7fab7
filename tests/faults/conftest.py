"""One launcher per test process; each test works on a copy of the furnished home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.processes import Launcher, launching
from tests.simulator import copy_home


@pytest.fixture(scope="session")
def launcher(city: Path) -> Iterator[Launcher]:
    """Runs hubs and connectors as processes, with the keys of the city derived already."""
    with launching() as launcher:
        launcher.derive_keys(city)
        yield launcher


@pytest.fixture
def home(city: Path, tmp_path: Path) -> Path:
    """A copy of the home of a furnished hub, without certificates."""
    return copy_home(city, tmp_path / "home")
