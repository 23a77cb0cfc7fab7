"""The examples run as they are, and say what they promise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.sample import GB18030_NAME, write_sample
from hub.domain.row import parse_row
from hub.proof.encoding import b64u_decode, parse_object
from hub.proof.exchange.batch import parse_leaf_proof, row_leaf
from hub.proof.jose import split_segments
from hub.proof.log.merkle import root_from_path
from tests.hub_process import HubProcess
from tests.simulator import USCC

ROOT = Path(__file__).resolve().parent.parent
FIRST_READ = ("make_a_row_batch", "verify_receipt_offline")


def run(name: str, *arguments: str | Path) -> list[str]:
    """The lines that the example prints when a reader starts it."""
    command = [sys.executable, "-m", f"examples.{name}", *map(str, arguments)]
    ended = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_a_receipt_is_verified_offline_and_a_changed_one_refused() -> None:
    """The genuine receipt is valid in its grade; one changed character makes it invalid."""
    lines = run("verify_receipt_offline")

    assert lines[0] == "valid (witnessed): entry 700 of 1000"
    assert lines[1].endswith("is active: given")
    assert lines[2].endswith("is suspended: not given")
    assert lines[3].startswith("invalid: ROOT_MISMATCH.")


def test_the_row_that_is_printed_stands_in_the_batch_that_was_signed() -> None:
    """Computed here from the printed text alone: row, salt and path lead to the signed root."""
    printed, said = run("make_a_row_batch")

    made = json.loads(printed)
    row = made["row"].encode()
    proof = parse_leaf_proof(made["proof"])
    claims = parse_object(b64u_decode(split_segments(proof.root_jws)[1]))
    leaf = row_leaf(b64u_decode(made["salt"]), row)
    assert parse_row(row).number == "91330100MADEM0011P"
    root = root_from_path(leaf, proof.i, proof.n, proof.path)
    assert root == b64u_decode(str(claims["root"]))
    assert said.startswith("row 1 is signed by systems/connector-1; next prev: ")


@pytest.mark.parametrize("name", FIRST_READ)
def test_a_first_example_is_short_and_needs_no_server(name: str) -> None:
    """It fits on a screen and runs with the auditor's kit: no server, database or gRPC."""
    source = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    script = (
        f"import sys, examples.{name};"
        "print([m for m in ('grpc','google.protobuf','sqlalchemy','orjson','pydantic')"
        " if m in sys.modules])"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert len(source.splitlines()) < 60
    assert printed.strip() == "[]"


@pytest.mark.xdist_group("running-hub")
def test_a_file_is_delivered_from_python_and_a_certificate_of_it_fetched(
    running_hub: HubProcess, tmp_path: Path
) -> None:
    """The department's example, twice, then the platform's, against a hub that runs."""
    sample = write_sample(tmp_path, companies=40, first=9_000)
    department = (
        running_hub.profile("systems/nb-connector"),
        ROOT / "deploy" / "connectors" / "business-licence-gb18030.yaml",
        tmp_path / GB18030_NAME,
        USCC["nb-market"],
    )
    lines = sample.csv.read_text(encoding="utf-8").splitlines()
    cells = (line.split(",") for line in lines[1:])
    company = next(one for one in cells if len(one) == 9 and one[5] != "N/A" and one[0][-1] == "）")

    first = run("ingest_csv", *department)
    second = run("ingest_csv", *department)
    fetched = run("fetch_certificate", running_hub.profile("systems/window-1"), company[1])

    assert first[-6:-2] == ["read: 46", "accepted: 40", "unchanged: 0", "quarantined: 6"]
    assert second[-6:-2] == ["read: 46", "accepted: 0", "unchanged: 40", "quarantined: 6"]
    assert fetched[0].startswith("active; log entry ")
    assert fetched[1] == f"name: {company[0]}"
    assert fetched[2].startswith("scope: ")


@pytest.mark.parametrize("name", ["fetch_certificate", "ingest_csv"])
def test_an_example_of_a_client_fits_on_a_screen(name: str) -> None:
    """A developer reads it whole."""
    source = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")

    assert len(source.splitlines()) < 60
