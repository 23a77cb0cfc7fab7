"""Fixtures shared by all tests."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from hub.migrations.migrate import migrate
from hub.storage import key_files
from hub.storage.database import open_database
from tests import minio_server, simulator
from tests.hub_process import HubProcess
from tests.minio_server import MinioAbsent, MinioServer
from tests.postgresql_server import PostgresqlAbsent, running

ROOT = Path(__file__).resolve().parent.parent

MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 4 * 1024**3


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The files of tests lie in memory where there is room: hubs flush them thousands of times.

    A flushed file outlives a killed program there as well; no test lets the machine fail. They
    are removed at the end; --basetemp=FOLDER puts and leaves them elsewhere.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    if has_room and config.option.basetemp is None and not hasattr(config, "workerinput"):
        for left in MEMORY.glob("sealway-tests-[0-9]*-*"):
            # A run that was killed could not take its folder away.
            if not Path("/proc", left.name.split("-")[2]).exists():
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"sealway-tests-{os.getpid()}-", dir=MEMORY))
        # PostgreSQL runs as somebody else.
        folder.chmod(0o711)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        config.option.basetemp = str(folder / "pytest")
        # Servers and programs that tests start do the same, and the processes of xdist.
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: no process shall be left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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
        # No test lets the machine fail.
        with running(fsync=False) as url:
            yield url
    except PostgresqlAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"PostgreSQL is required: {absent}")
        pytest.skip(f"no PostgreSQL: {absent}")


@pytest.fixture(scope="session", autouse=True)
def derived_keys() -> Iterator[None]:
    """Each key file's key is derived once in a test process, which takes 70 ms on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_files, "_cipher", functools.lru_cache(key_files._cipher))
        yield


@pytest.fixture
async def postgresql_url(postgresql_server: str) -> AsyncIterator[str]:
    """URL of a fresh, empty database on that server; dropped after the test."""
    name = f"test_{secrets.token_hex(8)}"
    connection = await asyncpg.connect(postgresql_server)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield _sibling(postgresql_server, name)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh, empty database on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(scope="session")
def postgresql_schema(postgresql_server: str) -> str:
    """URL of a database on that server with the newest schema, without rows between two tests."""
    url = _sibling(postgresql_server, "schema")

    async def make() -> None:
        connection = await asyncpg.connect(postgresql_server)
        await connection.execute("CREATE DATABASE schema")
        await connection.close()
        database = await open_database(url)
        await migrate(database)
        await database.close()

    _in_a_thread(make)
    return url


@pytest.fixture(scope="session")
def sqlite_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the newest schema, to be copied."""
    file = tmp_path_factory.mktemp("schema") / "hub.db"

    async def make() -> None:
        database = await open_database(f"sqlite:///{file}")
        await migrate(database)
        await database.close()

    _in_a_thread(make)
    return file


@pytest.fixture
def sqlite_url(sqlite_schema: Path, tmp_path: Path) -> str:
    """URL of a fresh database file with the newest schema and no rows."""
    shutil.copyfile(sqlite_schema, tmp_path / "hub.db")
    return f"sqlite:///{tmp_path}/hub.db"


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """URL of a database with the newest schema and no rows, on each engine in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    url: str = request.getfixturevalue("postgresql_schema")
    yield url
    await _empty(url)


async def _empty(url: str) -> None:
    """Take every row out of a database. A new one for each test would take 0.4 s."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    tables = await connection.fetch(
        "SELECT tablename FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    await connection.execute(";".join(f"DELETE FROM {table}" for (table,) in tables))
    await connection.close()


def _sibling(url: str, name: str) -> str:
    return url.rsplit("/", 1)[0] + f"/{name}"


def _in_a_thread(make: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run `make` to its end in a thread of its own, because an event loop may run in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(make())).result()


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
def gm_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `city`, of the profile `gm`."""
    folder = tmp_path_factory.mktemp("gm-city") / "home"
    with ThreadPoolExecutor(1) as pool:
        pool.submit(simulator.make_city, folder, "--crypto", "gm").result()
    return folder


@pytest.fixture(scope="session")
def running_hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A furnished hub that serves. Tests add to it and never rely on its being untouched."""
    home = simulator.copy_home(city, tmp_path_factory.mktemp("running") / "home")
    process = HubProcess(home)
    process.start()
    yield process
    process.stop()
