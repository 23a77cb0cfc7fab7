"""Results as a table at the terminal, as JSON lines, and as the page in docs/bench/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.goals import Goal
from tests.bench.processes import ROOT
from tests.bench.session import Result, Segment, spread

FOLDER: Final = ROOT / "docs" / "bench"
LINES: Final = FOLDER / "results.jsonl"
PAGE: Final = FOLDER / "README.md"


def show(console: Console, result: Result) -> None:
    """One program's result."""
    title = _title(result)
    if result.skipped:
        console.print(f"[yellow]{title}: skipped, {result.skipped}[/yellow]")
        return
    console.print(f"\n[bold]{title}[/bold]", end="")
    console.print(f"  [red]INVALID: {result.invalid}[/red]" if result.invalid else "")
    for name, ratio in result.ratios.items():
        console.print(f"  {name}: {ratio}")
    for goal, ratio in result.goals:
        console.print(f"  [bold]{ratio:.3f}[/bold]  {_held_against(goal, ratio)}")
    for name, value in result.figures.items():
        console.print(f"  {name}: {value:,.1f}")
    if result.segments:
        console.print(_table(result.segments))


def _title(result: Result) -> str:
    return result.program + (f" ({result.variant})" if result.variant else "")


def _held_against(goal: Goal, ratio: float) -> str:
    way = "≤" if goal.less_is_better else "≥"
    return (
        f"{goal.what}: {goal.grade(ratio)} "
        f"(gate {way} {goal.gate}, target {goal.target}, stretch {goal.stretch})"
    )


_COLUMNS: Final = (
    "per second",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "server CPU µs",
    "driver CPU",
    "request B",
    "answer B",
)


def _medians(segments: Sequence[Segment]) -> dict[str, tuple[float, ...]]:
    """Medians over the segments of each target, in the order of `_COLUMNS`."""
    rows = {}
    for target in dict.fromkeys(segment.target for segment in segments):
        values = [
            (
                one.outcome.per_second,
                one.outcome.p50_ms,
                one.outcome.p95_ms,
                one.outcome.p99_ms,
                one.cpu_us,
                one.outcome.driver_cpu,
                one.outcome.request_bytes_mean,
                one.outcome.answer_bytes_mean,
            )
            for one in segments
            if one.target == target
        ]
        rows[target] = tuple(spread(column).median for column in zip(*values, strict=True))
    return rows


def _table(segments: Sequence[Segment]) -> Table:
    table = Table("target", *_COLUMNS)
    for target, values in _medians(segments).items():
        table.add_row(target, *_cells(values))
    return table


def _cells(values: Sequence[float]) -> list[str]:
    digits = (0, 1, 1, 1, 0, 2, 0, 0)
    return [f"{value:,.{places}f}" for value, places in zip(values, digits, strict=True)]


def line(result: Result, facts: Mapping[str, object], *, quick: bool) -> str:
    """One JSON line: everything that was measured, and on what."""
    return json.dumps(
        {
            "program": result.program,
            "variant": result.variant,
            "quick": quick,
            **facts,
            "skipped": result.skipped,
            "invalid": result.invalid,
            "steal": round(result.steal, 4),
            "goals": [
                {**asdict(goal), "ratio": round(ratio, 4), "grade": goal.grade(ratio)}
                for goal, ratio in result.goals
            ],
            "ratios": {name: asdict(ratio) for name, ratio in result.ratios.items()},
            "figures": result.figures,
            "segments": [
                {
                    "cpu_us": segment.cpu_us,
                    "epoch_mean": segment.epoch_mean,
                    **asdict(segment.outcome),
                }
                for segment in result.segments
            ],
        },
        ensure_ascii=False,
    )


def page(results: Sequence[Result], facts: Mapping[str, object]) -> str:
    """The Markdown page with the figures of one full run."""
    out = [_PREAMBLE, "## The last full run\n"]
    out += [
        f"Commit `{facts['commit']}`, {facts['time']}, {facts['cpu']}, {facts['cores']} cores, "
        f"Python {facts['python']}, fdatasync {facts['fdatasync_us']} µs, "
        f"load before {facts['load_before']}.\n",
        ", ".join(f"{name} {version}" for name, version in dict(facts["versions"]).items())  # type: ignore[call-overload]
        + ".\n",
        "| goal | ratio | gate | target | stretch | reached | run |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        for goal, ratio in result.goals:
            way = "≤" if goal.less_is_better else "≥"
            out.append(
                f"| {goal.what} | **{ratio:.3f}** | {way} {goal.gate} | {goal.target} "
                f"| {goal.stretch} | {goal.grade(ratio)} | {result.invalid or 'valid'} |"
            )
    for result in results:
        out.append(f"\n### {_title(result)}\n")
        if result.skipped:
            out.append(f"Skipped: {result.skipped}.")
            continue
        verdict = f"INVALID: {result.invalid}." if result.invalid else "Valid."
        out.append(f"Steal {result.steal:.1%}. {verdict}\n")
        out += [f"* {name}: {ratio}, {ratio.count} values" for name, ratio in result.ratios.items()]
        out += [f"* {name}: {value:,.1f}" for name, value in result.figures.items()]
        if result.segments:
            out += ["", "| target | " + " | ".join(_COLUMNS) + " |", "|---" * 9 + "|"]
            out += [
                f"| {target} | " + " | ".join(_cells(values)) + " |"
                for target, values in _medians(result.segments).items()
            ]
    return "\n".join(out) + "\n"


def append(results: Sequence[Result], facts: Mapping[str, object], *, quick: bool) -> Path:
    """Append a line for each result."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with LINES.open("a", encoding="utf-8") as file:
        for result in results:
            file.write(line(result, facts, quick=quick) + "\n")
    return LINES


def keep(results: Sequence[Result], facts: Mapping[str, object]) -> tuple[Path, Path]:
    """Append the lines of a full run and rewrite the page."""
    append(results, facts, quick=False)
    PAGE.write_text(page(results, facts), encoding="utf-8")
    return LINES, PAGE


_PREAMBLE: Final = """# Benchmarks

`make bench` writes this page and appends one line per program to `results.jsonl`; `make bench
BENCH=--quick` prints the essentials in about a minute and keeps nothing. Names select programs:
`make bench BENCH="fetch ingest"`; `seals` are all about seals, and their lines are kept.

* **Yardstick A** is a bare gRPC echo: grpc.aio on uvloop, mutual TLS, a request of 200 bytes, an
  answer as long as the hub's mean answer. **Yardstick B** takes the hub's own signed requests and
  verifies their P-256 signature with a key at hand, nothing else.
* The hub is `sealway serve` as delivered, on a copy of a home made by the product's own commands.
  Hub and yardsticks run on one core, the load driver on another, over loopback.
* The driver speaks just enough HTTP/2 and is the same for all; its share of a core stands in the
  table. Closed loop: 32 calls in flight over 4 connections. Open loop: calls are sent at their time
  and their latency counts from then. Requests are signed before the timed part, each with a fresh
  id and naming the newest log head. Every answer is taken apart: state, presentation, receipt, an
  entry of its own, later entries for later calls. One wrong answer makes a run invalid.
* Segments alternate (A, fetch, B, fetch, A …). A ratio is one of our segments against its nearest
  neighbour of the yardstick; shown are median and quartiles over all of them. CPU ratios compare
  CPU time per call of the server processes, which suffers less from a busy machine.
* A run is invalid when either quartile of the yardstick against itself (control) leaves 0.85-1.15
  (0.67-1.5 where the control compares p99, as in the open loop, whose rate is given), when there
  are fewer than three controls, when the hypervisor took over 10 % of the CPU, or when an answer
  was wrong. Numbers of an invalid run are shown and marked, never used.
* "fsync +1 ms": a shim makes each fsync and fdatasync of the hub a millisecond slower.
* Instructions are counted by callgrind in the same servers, as the slope between a small and a
  large portion: opening connections is in none of them. Its window is long and its calls in
  flight are as many as epochs really had entries, so epochs are as full as in reality.
* Wall-clock ratios are reported, never asserted in tests.
"""
