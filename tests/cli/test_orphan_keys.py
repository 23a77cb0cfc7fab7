"""A key that was made and never recorded is found and named; so is one that is gone."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from hub.domain.seal_key import key_name
from tests.cli.conftest import Sealway
from tests.seal.test_signer_process import with_process
from tests.simulator import ROOT, Simulator, copy_home

SEAL = "authorities/hz-market/seals/main"
KEY = {"seal": SEAL, "use": "pdf", "algorithm": "ES256"}


def key_files(home: Path) -> set[str]:
    return {path.stem.partition("-")[2] for path in home.rglob("pdf-*.key")}


async def approved(home: Path) -> None:
    async with Simulator(home) as hub:
        await hub.officer().propose_kind("more", "key.generate", KEY)
        for name in ("qian", "sun"):
            await hub.officer(name).approve("more")


async def executed(home: Path) -> dict[str, Any]:
    async with Simulator(home) as hub:
        return await hub.officer().execute("more")


def orphans(sealway: Sealway, home: Path) -> list[str]:
    """What `sealway doctor` says of keys that nobody recorded."""
    ran = sealway("doctor", "--config", home / "hub.toml", "--json")
    checks = json.loads(ran.out)["checks"]
    return [one["detail"]["en"] for one in checks if "no record" in one["detail"]["en"]]


def killed_at_the_record(home: Path) -> None:
    """Carry out the intent, and end before the key that was made is recorded."""
    killed = subprocess.run(
        [sys.executable, "-m", "tests.seal.dying_hub", str(home)],
        cwd=ROOT, check=False, capture_output=True, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def test_a_hub_killed_before_the_record_leaves_a_key_that_the_doctor_names(
    city: Path, tmp_path: Path, sealway: Sealway
) -> None:
    """The intent is still open: executed again it makes another key, which alone is recorded."""
    home = copy_home(city, tmp_path / "home")
    asyncio.run(approved(home))
    before = orphans(sealway, home)

    killed_at_the_record(home)

    (orphan,) = key_files(home)
    result = asyncio.run(executed(home))
    assert before == []
    assert orphans(sealway, home) == [f"1 keys that no record knows: {orphan}"]
    assert result["key"].rpartition("/")[2] != orphan
    assert len(key_files(home)) == 2


def test_a_signer_process_makes_what_was_ordered_once(
    city: Path, tmp_path: Path, sealway: Sealway
) -> None:
    """Executed again after the same end, the key that was made is the one that is recorded."""
    home = with_process(copy_home(city, tmp_path / "home"))
    asyncio.run(approved(home))

    killed_at_the_record(home)

    (made,) = key_files(home)
    assert orphans(sealway, home) == [f"1 keys that no record knows: {made}"]
    result = asyncio.run(executed(home))
    assert result["key"] == key_name(made)
    assert key_files(home) == {made}
    assert orphans(sealway, home) == []


def test_a_key_in_force_that_is_gone_is_a_fault(
    city: Path, tmp_path: Path, sealway: Sealway
) -> None:
    """Its file was lost: the doctor says which, and what to do."""
    home = copy_home(city, tmp_path / "home")
    lost = next((home / "keys" / "seals").glob("seal-*.key"))
    lost.unlink()

    ran = sealway("doctor", "--config", home / "hub.toml", "--json")

    checks = {one["check"]: one for one in json.loads(ran.out)["checks"]}
    found = checks["recorded keys in files"]
    assert (ran.code, found["mark"]) == (1, "fault")
    kid = lost.stem.partition("-")[2]
    assert found["detail"]["en"] == f"1 keys are recorded and not there: {kid}"
    assert "sealway key generate" in found["remedy"]["en"]
