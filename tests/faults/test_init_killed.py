"""`kill -9` of `sealway init` at every durable step by which it makes the hub's own keys."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests.faults.processes import ROUNDS, ROUNDS_USUAL, Armed, Launcher, audited, hub_process
from tests.simulator import OFFICERS

INIT_S_MAX = 60.0
# Passphrase; key encryption, holder index, log, token, status: written aside, linked, folder.
KEY_STEPS = 1 + 5 * 5
# Each step of the first key and the first of the next ones; every step in a campaign.
STEPS = (1, 2, 4, 5, 6, 7, 12) if ROUNDS <= ROUNDS_USUAL else range(1, KEY_STEPS + 1)


def _init(launcher: Launcher, fault: Armed, home: Path) -> int | None:
    officers = [word for officer in OFFICERS for word in ("--officer", officer)]
    pid = launcher.run(fault.folder, ["init", str(home), *officers, "--json"])
    return launcher.wait(pid, INIT_S_MAX)


def _without_keys(home: Path, target: Path) -> Path:
    """A home as it is before its first keys; database and log come after them."""
    lacking = shutil.ignore_patterns("keys", "data", "head", "systems", "trust.json")
    return Path(shutil.copytree(home, target, ignore=lacking))


@pytest.mark.slow
async def test_an_init_killed_while_it_makes_keys_is_completed_by_the_next(
    launcher: Launcher, home: Path, tmp_path: Path
) -> None:
    """No half key keeps the place of a whole one, none is made twice, and the hub starts."""
    for step in STEPS:
        torn = _without_keys(home, tmp_path / f"torn-{step}")
        fault = Armed(tmp_path / f"process-{step}")
        fault.arm(step)
        assert _init(launcher, fault, torn) == -signal.SIGKILL
        assert len(fault.disarm()) == step
        kept = {file.name: file.read_bytes() for file in (torn / "keys").glob("*.key")}

        assert _init(launcher, fault, torn) == 0, fault.output

        made = {file.name: file.read_bytes() for file in (torn / "keys").glob("*.key")}
        assert len(made) == 5
        assert made.items() >= kept.items()
        assert (await audited(torn)).findings == []
    async with hub_process(launcher, torn) as hub:
        await hub.start()


async def test_a_lost_key_is_not_made_anew_once_there_is_a_log(
    launcher: Launcher, home: Path, tmp_path: Path
) -> None:
    """Another key would find no holder and open no row; the file must come from a backup."""
    for name in ("holder-index.key", "key-encryption.key"):
        away = tmp_path / name
        (home / "keys" / name).rename(away)
        fault = Armed(tmp_path / "process")

        assert _init(launcher, fault, home) == 1

        assert "FILE_UNREADABLE" in fault.output
        assert name in fault.output
        assert not (home / "keys" / name).exists()
        away.rename(home / "keys" / name)
