"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from tests import minio_server, simulator
from tests.hub_process import HubProcess
from tests.minio_server import MinioAbsent, MinioServer
from tests.postgresql_server import PostgresqlAbsent, running

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of outside material; a test that needs it is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"outside test data is absent: {folder.name} beside the project")
    return folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a real PostgreSQL server of this test run; skipped where there is none."""
    try:
        with running() as url:
            yield url
    except PostgresqlAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"PostgreSQL is required: {absent}")
        pytest.skip(f"no PostgreSQL: {absent}")


@pytest.fixture
async def postgresql_url(postgresql_server: str) -> AsyncIterator[str]:
    """URL of a fresh, empty database on that server; dropped after the test."""
    name = f"test_{secrets.token_hex(8)}"
    connection = await asyncpg.connect(postgresql_server)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield postgresql_server.rsplit("/", 1)[0] + f"/{name}"
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh, empty database on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(scope="session")
def minio() -> Iterator[MinioServer]:
    """A real S3 server of this test run; skipped where there is none."""
    try:
        with minio_server.running() as server:
            yield server
    except MinioAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"MinIO is required: {absent}")
        pytest.skip(f"no MinIO: {absent}")


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a furnished hub (see `simulator.furnish`), to be copied and never opened."""
    folder = tmp_path_factory.mktemp("city") / "home"
    # A thread of its own, because making it runs event loops.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(simulator.make_city, folder).result()
    return folder


@pytest.fixture(scope="session")
def running_hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A furnished hub that serves. Tests add to it and never rely on its being untouched."""
    home = simulator.copy_home(city, tmp_path_factory.mktemp("running") / "home")
    process = HubProcess(home)
    process.start()
    yield process
    process.stop()
