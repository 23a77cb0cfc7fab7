"""Running `make demo`'s program in a folder of the test, and checking the figures it reports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from examples.demo.scoreboard import lines

ROOT: Final = Path(__file__).resolve().parent.parent
MEMBERS: Final = {
    "rows_read",
    "accepted",
    "unchanged",
    "quarantined",
    "refused",
    "skipped",
    "dependent_licences",
    "fetched",
    "fields_disclosed",
    "refused_requests",
    "annotated_copies",
    "verified_offline",
    "receipts_verified",
    "stream_caught_up",
    "stream_ms",
    "plan_on_file",
    "plan_obtainable",
    "plan_commitment",
    "plan_deferrable",
    "plan_ask",
    "status_flipped",
    "follow_ups",
    "alerted",
    "alert_ms",
    "follow_ups_done",
    "follow_ups_open",
    "tamper_detected",
    "seconds",
}
FIELDS_ASKED: Final = 2
MATERIALS: Final = 7
STREAM_MS_MAX: Final = 2_000
SECONDS_MAX: Final = 180


def demonstrate(folder: Path, *more: str | Path) -> dict[str, int | float]:
    """Run the demonstration in `folder`; its report. Fails where it does not end well.

    With `--json` the report, and nothing else, must be on standard output.
    """
    command = [sys.executable, "-m", "examples.demo", "--folder", folder, *more]
    ended = subprocess.run(
        [str(word) for word in command],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    report: dict[str, int | float] = json.loads((folder / "report.json").read_bytes())
    story = ended.stdout
    if "--json" in more:
        assert json.loads(ended.stdout) == report
        story = ended.stderr
    # The figures that a person saw are those of the report.
    for name, value in report.items():
        assert re.search(rf"(?m)^ {name} +{value} *$", story), name
    for line in lines(report):
        mark = "✔" if line.is_kept else "✘"
        assert f" {mark}  {line.zh}" in story and line.figure in story
    return report


def figures_add_up(report: dict[str, int | float]) -> None:
    """Every row is accounted for, every answer verified, and the flipped byte found."""
    assert set(report) == MEMBERS
    rest = ("accepted", "unchanged", "quarantined", "refused", "skipped")
    assert report["rows_read"] == sum(report[name] for name in rest)
    assert report["fetched"] > 0
    assert report["fields_disclosed"] == FIELDS_ASKED * report["fetched"]
    assert report["verified_offline"] == report["receipts_verified"] == report["fetched"]
    # Of seven materials that are needed, the licence of today is on file, and the fire brigade must
    # confirm what its own system does not list.
    assert report["plan_on_file"] == report["plan_obtainable"] == 1
    assert sum(report[name] for name in MEMBERS if name.startswith("plan_")) == MATERIALS
    # The tax bureau had heard of every licence before, and heard of the new one in time.
    assert report["stream_caught_up"] == report["accepted"]
    assert 0 <= report["stream_ms"] < STREAM_MS_MAX
    # Two departments repeat the address of the company that moved; one has followed.
    assert report["status_flipped"] == 1
    assert report["alerted"] == report["follow_ups"] == 2
    assert 0 <= report["alert_ms"] < STREAM_MS_MAX
    assert report["follow_ups_done"] == report["follow_ups_open"] == 1
    assert report["tamper_detected"] == 1
    assert 0 < report["seconds"] < SECONDS_MAX
