"""Running `make demo`'s program in a folder of the test, and checking the figures it reports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
MEMBERS: Final = {
    "rows_read",
    "accepted",
    "unchanged",
    "quarantined",
    "refused",
    "skipped",
    "fetched",
    "fields_disclosed",
    "verified_offline",
    "receipts_verified",
    "plan_on_file",
    "plan_obtainable",
    "plan_commitment",
    "plan_deferrable",
    "plan_ask",
    "tamper_detected",
    "seconds",
}
FIELDS_ASKED: Final = 2
MATERIALS: Final = 6
SECONDS_MAX: Final = 180


def demonstrate(folder: Path, *more: str | Path) -> dict[str, int | float]:
    """Run the demonstration in `folder`; its report. Fails where it does not end well."""
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
    # The figures that a person saw are those of the report.
    for name, value in report.items():
        assert f"{name}" in ended.stdout and str(value) in ended.stdout
    return report


def figures_add_up(report: dict[str, int | float]) -> None:
    """Every row is accounted for, every answer verified, and the flipped byte found."""
    assert set(report) == MEMBERS
    rest = ("accepted", "unchanged", "quarantined", "refused", "skipped")
    assert report["rows_read"] == sum(report[name] for name in rest)
    assert report["fetched"] > 0
    assert report["fields_disclosed"] == FIELDS_ASKED * report["fetched"]
    assert report["verified_offline"] == report["receipts_verified"] == report["fetched"]
    # Of six materials that are needed, the licence of today alone is on file.
    assert report["plan_on_file"] == 1
    assert sum(report[name] for name in MEMBERS if name.startswith("plan_")) == MATERIALS
    assert report["tamper_detected"] == 1
    assert 0 < report["seconds"] < SECONDS_MAX
