"""A conversion officer attests at the command line, and the connector finds what was attested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from certs.keys import new_key, save_key
from connectors.attestations import read_attestations
from connectors.manifest import load_manifest
from connectors.mapping import Mapped, RowMapper
from connectors.profile import profile_text
from connectors.sources.delimited import open_delimited
from hub.cli.main import run
from hub.domain.certificate import Origin
from hub.errors import HubError, Reason
from hub.proof.exchange.attestation import Subject, attested_digest, verify_attestation
from hub.proof.jose import ATTESTATION_TYP, Algorithm, RegisteredKey, es256_signer
from tests.connectors.conftest import GOOD, OTHER, Bench

AUTHORITY = "113301000025123419"
KEY = new_key()
REVOCATION = """  legal_basis: {from: 企业名称, as: text}
  document: {from: 企业名称, as: text}
  decision_date: {from: 注册日期, as: date, formats: [iso]}
holders:"""


@pytest.fixture
def desk(bench: Bench, change_manifest) -> list[str]:
    """The arguments of a conversion officer at a manifest of scans."""
    change_manifest("lifecycle:", "scan: {attestations: attestations.txt}\nlifecycle:")
    bench.write(GOOD, OTHER)
    save_key(bench.folder / "signing.key", KEY, None)
    hub = dict.fromkeys(("address", "ca", "certificate", "key", "trust"), "x")
    profile = bench.folder / "client.toml"
    profile.write_text(
        profile_text(
            hub | {"origin": "hub.test.example", "region": "330100"},
            {"name": "systems/desk-1", "signing_key": "signing.key"},
        )
    )
    return [
        *("connect", "attest", str(bench.manifest), "--profile", str(profile)),
        *("--authority", AUTHORITY),
    ]


def mapped(bench: Bench) -> list[Mapped]:
    """What the connector makes of the file as it is now."""
    loaded = load_manifest(bench.manifest)
    source = open_delimited(loaded.source_path, loaded.format)
    path = loaded.attestations_path
    assert path is not None
    mapper = RowMapper(loaded, source, read_attestations(path))
    return [mapper.map(record.cells) for record in source.records() if record.cells is not None]


def rules(bench: Bench) -> list[list[str]]:
    """The rules that each row breaks."""
    return [[error.rule for error in one.errors] for one in mapped(bench)]


def test_what_was_compared_is_attested_and_sent_and_the_rest_waits(
    bench: Bench, desk: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Row by row; a changed cell is another row, which nobody attested to."""
    assert rules(bench) == [["row.attestation_missing"]] * 2

    assert run([*desk, "--json"]) == 0
    waiting = json.loads(capsys.readouterr().out)
    assert (waiting["attested"], len(waiting["waiting"])) == ([], 2)
    assert run([*desk, "--row", waiting["waiting"][0], "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["attested"], done["waiting"]) == (waiting["waiting"][:1], waiting["waiting"][1:])

    assert rules(bench) == [[], ["row.attestation_missing"]]
    row = mapped(bench)[0].row
    assert row is not None
    assert row.origin is Origin.SCAN
    kid = es256_signer(KEY).kid
    key = RegisteredKey(kid, Algorithm.ES256, ATTESTATION_TYP, "systems/desk-1", KEY.public_key())
    subject = Subject(
        origin="hub.test.example",
        region="330100",
        authority=AUTHORITY,
        vct="https://hub.test.example/vct/11100000MB0143028R001",
        type_version=1,
        row=attested_digest(row),
    )
    found = verify_attestation(
        str(row.attestation), subject, keys=lambda asked: key if asked == kid else None, now=2**40
    )
    assert found.officer == "systems/desk-1"

    bench.write(GOOD.replace("零售", "批发"), OTHER)
    assert rules(bench) == [["row.attestation_missing"]] * 2
    assert run([*desk, "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["waiting"] == []
    assert rules(bench) == [[], []]


def test_a_revocation_needs_no_attestation(bench: Bench, desk: list[str], change_manifest) -> None:
    """It says nothing of the paper."""
    change_manifest("lifecycle: {op: issue}", "lifecycle: {op: revoke}")
    change_manifest("holders:", REVOCATION)

    (row, _) = [one.row for one in mapped(bench)]

    assert row is not None
    assert (row.origin, row.attestation) == (Origin.SYSTEM, None)


def test_a_row_that_is_not_there_is_not_attested(
    bench: Bench, desk: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is anything else of the call: usage, exit 64."""
    assert run([*desk, "--row", "91350100M000100Y43", "--row", "nobody"]) == 64
    assert "nobody" in capsys.readouterr().err
    assert rules(bench) == [["row.attestation_missing"]] * 2


def test_a_manifest_of_a_system_has_nothing_to_attest(bench: Bench) -> None:
    """It says so."""
    bench.write(GOOD)

    assert run(["connect", "attest", str(bench.manifest), "--all"]) == 64


@pytest.mark.parametrize("text", ["no attestation\n", "a.b.c\n", "e30.e30.e30\n", "\xff\n"])
def test_a_damaged_file_names_its_line(tmp_path: Path, text: str) -> None:
    """Nothing is left out in silence."""
    path = tmp_path / "attestations.txt"
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(HubError) as refused:
        read_attestations(path)

    assert refused.value.reason is Reason.FILE_UNREADABLE
