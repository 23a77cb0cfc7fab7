"""The page about the facade: its examples run, its tables are those of the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from connectors.facade.app import PATHS
from connectors.facade.codes import DIALECTS, Kind
from connectors.facade.config import Account, FacadeConfig, FacadeSection
from connectors.facade.questions import Operation
from tests.facade.conftest import SECRET, FacadeProcess
from tests.hub_process import HubProcess
from tests.simulator import ROOT, company

pytestmark = pytest.mark.xdist_group("facade")

PAGE = (ROOT / "docs" / "facade.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_examples_run_and_what_they_store_verifies(
    facade: FacadeProcess, hub_process: HubProcess, tmp_path: Path
) -> None:
    """Word for word, with curl, and with the command that proves the answer."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    example, proof = blocks("sh")
    shutil.copy(hub_process.home / "trust.json", tmp_path)
    binaries = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    environment = {
        **os.environ,
        "FACADE": f"http://127.0.0.1:{facade.port}",
        "SECRET": SECRET,
        "HOLDER": company(1),
        "PATH": binaries,
    }

    ran = subprocess.run(
        ["bash", "-ec", example + proof],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    # 2: without a status list, the present validity cannot be checked, and nothing is invalid.
    assert ran.returncode in (0, 2), ran.stdout + ran.stderr
    data = json.loads((tmp_path / "data.json").read_text())
    verified = json.loads((tmp_path / "verified.json").read_text())
    assert data["head"]["status"] == verified["head"]["status"] == 0
    assert verified["data"]["result"] == 0
    assert "CHECK" not in ran.stderr


def test_the_configuration_on_the_page_is_accepted_and_whole() -> None:
    """Every field of both tables stands in it, commented out where it has no default to show."""
    (text,) = blocks("toml")

    FacadeConfig.model_validate(tomllib.loads(text))
    for model in (FacadeSection, Account):
        for name in model.model_fields:
            assert re.search(rf"(?m)^(# )?{name} = |^\[(facade|accounts)\.{name}\]", text), name


def test_the_status_table_is_that_of_the_code() -> None:
    """Each outcome in both dialects."""
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)

    assert rows == [
        (kind.value, str(DIALECTS["shandong"][kind]), str(DIALECTS["real-estate"][kind]))
        for kind in Kind
    ]


def test_every_operation_and_address_stands_on_the_page() -> None:
    """No address is served that nobody was told of."""
    for operation in Operation:
        assert f"`{operation.value}`" in PAGE
    for path in PATHS:
        if path.strip("/") not in tuple(Operation):
            assert f"`{path}`" in PAGE
