"""Metrics: what is counted, under which labels, and that their number is bounded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.metrics import OTHER, SERIES_MAX, BoundedLabels, Metrics
from hub.proof.exchange.request import sign_request
from tests.simulator import FETCH, Refused, Simulator, company, copy_home, licence

HALL, HANGZHOU, NINGBO = (
    "authorities/service-hall",
    "authorities/hz-market",
    "authorities/nb-market",
)


@pytest_asyncio.fixture
async def hub(city: Path, tmp_path: Path) -> AsyncIterator[Simulator]:
    """A hub with a licence of each department."""
    async with Simulator(copy_home(city, tmp_path / "home")) as simulator:
        await simulator.connector().deliver([licence(1), licence(2, issue_date="2001-02-30")])
        await simulator.connector("nb-connector").deliver([licence(3)])
        yield simulator


def _count(hub: Simulator, **labels: str) -> float:
    """Exchanges under exactly these labels."""
    wanted = {f'{name}="{value}"' for name, value in labels.items()}
    for sample, value in hub.metrics().items():
        name, _, rest = sample.partition("{")
        if name == "sealway_exchange_seconds_count" and set(rest[:-1].split(",")) == wanted:
            return value
    return 0


async def test_an_exchange_is_measured_by_operation_outcome_and_pair_of_authorities(
    hub: Simulator,
) -> None:
    """Who serves whom how fast, without a name of a person, system or certificate."""
    platform = hub.platform()
    for number in (1, 1, 3):
        await platform.fetch(holder=company(number))
    claims = await platform.claims(service_item="999999999999")
    with pytest.raises(Refused):
        await platform.send(sign_request(claims, platform.signer), claims.jti)

    asked = {"operation": "fetch", "recipient": HALL}
    assert _count(hub, outcome="OK", issuer=HANGZHOU, **asked) == 2
    assert _count(hub, outcome="OK", issuer=NINGBO, **asked) == 1
    assert _count(hub, outcome="GRANT_MISSING", issuer="", **asked) == 1


async def test_rows_calls_and_epochs_are_counted(hub: Simulator) -> None:
    """Ingest by outcome, calls by RPC and status, the log by size."""
    before = hub.metrics()["sealway_epoch_members_count"]
    await hub.platform().fetch(holder=company(1))

    found = hub.metrics()

    assert found['sealway_ingest_rows_total{outcome="new"}'] == 2
    assert found['sealway_ingest_rows_total{outcome="refused"}'] == 1
    assert found[f'sealway_rpc_seconds_count{{rpc="{FETCH}",status="OK"}}'] == 1
    assert found["sealway_epoch_members_count"] == before + 1
    assert found["sealway_log_size"] == hub.size


async def test_expiries_of_tokens_and_certificates_are_shown(hub: Simulator) -> None:
    """Early enough to renew them: server, client and seal certificates, and the newest token."""
    await hub.platform().token()

    for _ in range(100):
        if _usages(hub.metrics()) == {"server", "client", "seal"}:
            break
        await asyncio.sleep(0.1)

    found = hub.metrics()
    assert _usages(found) == {"server", "client", "seal"}
    assert found["sealway_token_expire_timestamp_seconds"] > 1_700_000_000
    client = 'sealway_x509_expire_timestamp_seconds{name="systems/window-1",usage="client"}'
    assert found[client] > 1_700_000_000


def _usages(samples: dict[str, float]) -> set[str]:
    """For what the certificates serve whose end is shown."""
    pattern = re.compile(r'sealway_x509_expire_timestamp_seconds\{.*usage="(\w+)"')
    return {match[1] for name in samples if (match := pattern.match(name))}


def _series(metrics: Metrics, name: str) -> int:
    """Lines of one metric, as Prometheus counts series."""
    lines = metrics.text().decode().splitlines()
    # Creation times are not scraped in the text format that Prometheus asks for.
    return sum(line.startswith(name) and "_created" not in line for line in lines)


def test_exchanges_of_very_many_authorities_stay_below_the_limit() -> None:
    """The 2,001st series would be somebody else's outage; it is counted as `other`."""
    metrics = Metrics()

    for number in range(3_000):
        metrics.observe_exchange("fetch", "OK", f"authorities/{number}", "authorities/x", 0.01)

    assert _series(metrics, "sealway_exchange_seconds") <= SERIES_MAX
    assert f'recipient="{OTHER}"' in metrics.text().decode()


def test_nothing_is_lost_when_labels_run_out() -> None:
    """What has no series of its own is still counted."""
    metrics = Metrics()

    for number in range(3_000):
        metrics.observe_exchange("fetch", "OK", f"authorities/{number}", "", 0.01)

    total = sum(
        float(line.rpartition(" ")[2])
        for line in metrics.text().decode().splitlines()
        if line.startswith("sealway_exchange_seconds_count")
    )
    assert total == 3_000


def test_expiries_of_very_many_systems_stay_below_the_limit() -> None:
    """A gauge has one series per name."""
    metrics = Metrics()

    metrics.observe_x509("client", {f"systems/{number}": 1 for number in range(5_000)})

    assert _series(metrics, "sealway_x509_expire_timestamp_seconds") <= SERIES_MAX


def test_what_is_no_more_does_not_ring_for_ever() -> None:
    """The series of a seal that ended goes; those of the others, and of other usages, stay."""
    metrics, name = Metrics(), "sealway_x509_expire_timestamp_seconds"
    metrics.observe_x509("client", {"systems/a": 1})
    metrics.observe_x509("seal", {"a/record": 1, "b/record": 2})

    metrics.observe_x509("seal", {"b/record": 3_000_000})

    shown = [line for line in metrics.text().decode().splitlines() if line.startswith(name)]
    assert shown == [
        f'{name}{{name="systems/a",usage="client"}} 1e-06',
        f'{name}{{name="b/record",usage="seal"}} 3.0',
    ]


def test_labels_that_were_let_in_stay() -> None:
    """A series does not change its meaning when others come."""
    labels = BoundedLabels(("one", "two"), series_each=SERIES_MAX // 3)

    first, second, third = labels("a", "b"), labels("c", "d"), labels("e", "f")

    assert (first, second, third) == (("a", "b"), ("c", "d"), (OTHER, OTHER))
    assert labels("a", "b") == ("a", "b")
