"""A key that was made and never recorded is found and named."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import Sealway
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


def test_a_hub_killed_before_the_record_leaves_a_key_that_the_doctor_names(
    city: Path, tmp_path: Path, sealway: Sealway
) -> None:
    """The intent is still open: executed again it makes another key, which alone is recorded."""
    home = copy_home(city, tmp_path / "home")
    asyncio.run(approved(home))
    before = orphans(sealway, home)

    killed = subprocess.run(
        [sys.executable, "-m", "tests.seal.dying_hub", str(home)],
        cwd=ROOT, check=False, capture_output=True, timeout=60,
    )  # fmt: skip

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (orphan,) = key_files(home)
    result = asyncio.run(executed(home))
    assert before == []
    assert orphans(sealway, home) == [f"1 keys that no record knows: {orphan}"]
    assert result["key"].rpartition("/")[2] != orphan
    assert len(key_files(home)) == 2
