"""Ingest: rows verified, sealed one by one, stored and logged, against openssl's signing speed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from hub.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.bench import goals, stage
from tests.bench.figures import control_ratios, neighbour_ratios, spread, why_invalid
from tests.bench.machine import Steal, openssl_signatures_per_second
from tests.bench.session import Result, Session

_SPEED_SECONDS = 1
_TIMEOUT_S = 300


def ingest(session: Session, environment: Mapping[str, str], variant: str) -> Result:
    """Batches of 1,000 licences over one stream, into a hub that is empty at first."""
    result = Result("ingest", variant)
    empty = stage.build(session.folder / f"empty{len(environment)}", 0)
    rounds, each = session.effort.rounds, session.effort.ingest_batches
    # The first batch warms up: prepared statements, the month's keys, the type.
    made = stage.batches(empty, rounds * each + 1)
    steal = Steal()
    values: list[tuple[str, float]] = []
    with stage.serving(empty, f"ingest{len(environment)}", environment=environment) as hub:
        _deliver(hub, made[:1])
        cpu = hub.server.cpu_s()
        for number in range(rounds):
            if not _signatures(result, values):
                return result
            portion = made[1 + number * each : 1 + (number + 1) * each]
            values.append(("rows", _deliver(hub, portion)))
        cpu = hub.server.cpu_s() - cpu
        _signatures(result, values)
    rows = rounds * each * stage.ROWS_PER_BATCH
    control = control_ratios(values, "signatures")
    result.steal = steal.share()
    result.ratio("control", control)
    result.invalid = why_invalid(control, result.steal, 0)
    goal = None if variant else goals.INGEST
    result.ratio("rows ÷ signatures", neighbour_ratios(values, "rows", "signatures"), goal)
    for name in ("rows", "signatures"):
        result.figures[f"{name} per second"] = spread([v for n, v in values if n == name]).median
    result.figures["server CPU µs per row"] = cpu / rows * 1e6
    return result


def _signatures(result: Result, values: list[tuple[str, float]]) -> bool:
    rate, why_not = openssl_signatures_per_second(_SPEED_SECONDS)
    if why_not:
        result.skipped = why_not
        return False
    values.append(("signatures", rate))
    return True


def _deliver(hub: stage.RunningHub, made: Sequence[registry_pb2.IngestBatchesRequest]) -> float:
    """Rows per second from the first byte sent to the last receipt. Every row must be new."""
    token = hub.token(stage.CONNECTOR)
    new = registry_pb2.RowResult.OUTCOME_NEW
    answers = []

    def requests() -> Iterator[registry_pb2.IngestBatchesRequest]:
        yield from made

    with hub.channel(stage.CONNECTOR) as channel:
        started = time.perf_counter()
        for answer in registry_pb2_grpc.RegistryServiceStub(channel).IngestBatches(
            requests(), metadata=(("authorization", f"Bearer {token}"),), timeout=_TIMEOUT_S
        ):
            answers.append(answer)
        seconds = time.perf_counter() - started
    results = [row for answer in answers for row in answer.results]
    if len(results) != len(made) * stage.ROWS_PER_BATCH:
        raise RuntimeError(f"{len(results)} results for {len(made)} batches")
    if wrong := [row for row in results if row.outcome != new]:
        raise RuntimeError(f"{len(wrong)} rows were not accepted; the first: {wrong[0]}")
    if any(not answer.receipt.json for answer in answers):
        raise RuntimeError("a batch was answered without a receipt")
    return len(results) / seconds
