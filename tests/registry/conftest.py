"""An office with two types open for ingest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.registry.office import LICENCE_TYPE, PERMIT_TYPE, Office, open_office


@pytest.fixture
async def office(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(sqlite_url, tmp_path) as opened:
        await opened.open_for(LICENCE_TYPE, PERMIT_TYPE)
        yield opened
