"""One launcher per test process; each test works on a copy of the furnished home."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.storage import key_files
from tests.faults.processes import Launcher, launching
from tests.simulator import copy_home


@pytest.fixture(scope="session")
def launcher(city: Path) -> Iterator[Launcher]:
    """Runs hubs and connectors as processes, with the keys of the city derived already."""
    with launching() as launcher:
        launcher.derive_keys(city)
        yield launcher


@pytest.fixture(scope="package")
def derived_keys() -> Iterator[None]:
    """Each key file's key is derived once here: dozens of audits would take as many seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_files, "_cipher", functools.lru_cache(key_files._cipher))
        yield


@pytest.fixture
def home(city: Path, tmp_path: Path, derived_keys: None) -> Path:
    """A copy of the home of a furnished hub, without certificates."""
    return copy_home(city, tmp_path / "home")
