"""The topology as processes: a fetch is seen in a real Prometheus, and so is a hub that died."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.topology import Hub, Stores, Topology, running
from tests.deploy.dashboard import questions
from tests.minio_server import MinioAbsent
from tests.postgresql_server import PostgresqlAbsent
from tests.prometheus_server import Programs
from tests.simulator import (
    ROOT,
    Platform,
    Simulator,
    company,
    furnish,
    licence,
    make_home,
    move_to,
)

pytestmark = pytest.mark.slow

SEEN_S_MAX = 30.0
START_S_MAX = 240.0
HALL, HANGZHOU = "authorities/service-hall", "authorities/hz-market"


class Replica(Simulator):
    """Clients of one hub of the topology."""

    def __init__(self, home: Path, hub: Hub) -> None:
        super().__init__(home)
        self._port = hub.port

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"


@asynccontextmanager
async def window(topology: Topology, hub: Hub) -> AsyncIterator[Platform]:
    """An intake platform that calls this hub."""
    platform = Replica(topology.home, hub).connect(Platform, "systems/window-1")
    try:
        yield platform
    finally:
        await platform.channel.close()


async def _furnish(home: Path, stores: Stores) -> None:
    """Departments, systems, types, seals, a grant and one licence on these stores."""
    file = home / "hub.toml"
    file.write_text(stores.configured(file.read_text()))
    await move_to(home, stores.database_url)
    async with Simulator(home) as hub:
        await furnish(hub)
        await hub.connector().deliver([licence(1)])


@pytest.fixture(scope="module")
def topology(prometheus: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """Two furnished hubs, watched every half second."""

    def prepare(home: Path, stores: Stores) -> None:
        make_home(home)
        asyncio.run(_furnish(home, stores))

    try:
        with running(tmp_path_factory.mktemp("topology"), prepare=prepare, seconds=0.5) as found:
            yield found
    except (PostgresqlAbsent, MinioAbsent) as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"required: {absent}")
        pytest.skip(str(absent))


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]


def _query(topology: Topology, expression: str) -> list[dict[str, Any]]:
    """What a real Prometheus answers now."""
    query = urllib.parse.urlencode({"query": expression})
    found: list[dict[str, Any]] = _get(f"{topology.prometheus}/api/v1/query?{query}")["result"]
    return found


async def _seen(look: Callable[[], Any]) -> Any:
    """What `look` finds as soon as it finds something."""
    end = time.monotonic() + SEEN_S_MAX
    while not (found := await asyncio.to_thread(look)):
        assert time.monotonic() < end, "it was not seen in time"
        await asyncio.sleep(0.2)
    return found


async def test_a_fetch_is_seen_by_pair_of_departments_and_a_dead_hub_by_its_alert(
    topology: Topology,
) -> None:
    """Through one hub: the panel's own question has the latency. That hub dies: the alert rings
    for it and for no other, and the same clients are served by the other."""
    first, second = topology.hubs
    await _seen(lambda: len(_query(topology, 'up{job="sealway"} == 1')) == 2)

    async with window(topology, first) as platform:
        await platform.fetch(holder=company(1))
        counted = (
            'sealway_exchange_seconds_count{operation="fetch", outcome="OK", '
            f'recipient="{HALL}", issuer="{HANGZHOU}"}}'
        )
        (series,) = await _seen(lambda: _query(topology, counted))
        assert series["metric"]["instance"] == first.http_address
        assert float(series["value"][1]) == 1
        # A rate needs a second sample that is larger.
        await platform.fetch(holder=company(1))

    (latency,) = await _seen(lambda: _query(topology, _p99()))
    assert latency["metric"] == {"recipient": HALL, "issuer": HANGZHOU}
    assert 0 < float(latency["value"][1]) <= 10
    assert _alerts(topology) == {}

    first.kill()

    assert await _seen(lambda: _alerts(topology)) in (
        {first.http_address: "pending"},
        {first.http_address: "firing"},
    )
    async with window(topology, second) as platform:
        fetched = await platform.fetch(holder=company(1))
    assert fetched.states == ["active"]
    assert not (topology.home / "head").exists(), "the external head lies in the object store"
    await _seen(lambda: _alerts(topology) == {first.http_address: "firing"})

    first.start()
    await _seen(lambda: _alerts(topology) == {})
    async with window(topology, first) as platform:
        assert (await platform.fetch(holder=company(1))).states == ["active"]


def _p99() -> str:
    """The question of the dashboard's panel about slow fetches."""
    (question,) = (one for one in questions() if one.panel.startswith("Fetch, one in a hundred"))
    return question.filled({"__rate_interval": "1m", "recipient": ".*", "issuer": HANGZHOU})


def _alerts(topology: Topology) -> dict[str, str]:
    """Hubs that are away, and what the alert about each is doing."""
    return {
        alert["labels"]["instance"]: alert["state"]
        for alert in _get(f"{topology.prometheus}/api/v1/alerts")["alerts"]
        if alert["labels"]["alertname"] == "SealwayAway"
    }


def test_the_program_says_where_everything_is_and_leaves_nothing(
    prometheus: Programs, tmp_path: Path
) -> None:
    """What it printed answers; afterwards no process of it is left, nor its folder."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    # PostgreSQL runs as somebody else below this folder.
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.topology"], cwd=ROOT, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = ""
        end = time.monotonic() + START_S_MAX
        while "Ctrl-C ends everything" not in said:
            line = process.stdout.readline()
            assert line and time.monotonic() < end, said
            said += line
        hubs = re.findall(r"HTTP (http://127\.0\.0\.1:\d+)", said)
        assert len(hubs) == 2
        for hub in hubs:
            with urllib.request.urlopen(f"{hub}/metrics", timeout=10) as answer:
                assert b"sealway_log_size" in answer.read()
        assert any(tmp_path.iterdir())
        assert _processes_of(tmp_path)
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
        process.stdout.close()

    assert status == 0
    assert _processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def _processes_of(folder: Path) -> list[str]:
    """Command lines that name something in `folder`."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found
