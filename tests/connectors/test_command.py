"""`sealway connect` at a terminal: exit codes, documents, and nothing personal shown."""

from __future__ import annotations

import json

import pytest

from connectors.profile import profile_text
from connectors.sample import write_sample
from hub.cli.main import run
from tests.connectors.conftest import GOOD, OTHER, Bench


def test_lint_says_every_line_and_ends_in_2(bench: Bench, change_manifest, capsys) -> None:
    """Nothing to find ends in 0."""
    assert run(["connect", "lint", str(bench.manifest)]) == 0
    change_manifest("charset: utf-8", "charset: utf8")
    change_manifest("ratio: 0.05", "ratio: 7")
    capsys.readouterr()

    assert run(["connect", "lint", str(bench.manifest), "--json"]) == 2

    document = json.loads(capsys.readouterr().out)
    assert [(one["place"], one["en"], one["zh"]) for one in document["findings"]] == [
        (
            "source.charset",
            "should be 'utf-8', 'gb18030' or 'utf8-then-gb18030'",
            "应为 'utf-8'、'gb18030'、'utf8-then-gb18030'",
        ),
        ("brake.ratio", "should be 1.0 or less", "应不大于 1.0"),
    ]
    assert not document["valid"]
    assert run(["--lang", "zh", "connect", "lint", str(bench.manifest)]) == 2
    assert "brake.ratio: 应不大于 1.0" in capsys.readouterr().out


def test_preview_shows_raw_value_and_rule_of_each_cell(bench: Bench, capsys) -> None:
    """As a document and as a table, without network."""
    bench.write(GOOD.replace("91350100M000100Y43", "91350100m000100y43"))

    assert run(["connect", "preview", str(bench.manifest), "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)["records"]
    cells = {one["member"]: one for one in record["cells"]}
    assert cells["fields.credit_code"]["raw"] == "91350100m000100y43"
    assert cells["fields.credit_code"]["value"] == "91350100M000100Y43"
    assert cells["fields.credit_code"]["rules"] == ["uscc.upper"]
    assert cells["fields.capital_amount"]["value"] == "500000.00 CNY"

    assert run(["--lang", "zh", "connect", "preview", str(bench.manifest)]) == 0
    assert "uscc.upper" in capsys.readouterr().out


def test_preview_masks_personal_values_in_every_member(bench: Bench, capsys) -> None:
    """A column that feeds a personal field is masked wherever it is used."""
    file = bench.folder / "types" / "business-licence.json"
    document = json.loads(file.read_text())
    document["fields"][0]["sensitivity"] = "personal"
    file.write_text(json.dumps(document))
    bench.write(GOOD)

    assert run(["connect", "preview", str(bench.manifest), "--json"]) == 0
    shown = capsys.readouterr().out
    assert run(["connect", "preview", str(bench.manifest)]) == 0
    shown += capsys.readouterr().out

    assert "甲有限公司" in GOOD
    assert "甲有限公司" not in shown


def test_quarantine_is_listed_shown_and_exported(bench: Bench, capsys) -> None:
    """Every error with what to do; the raw text only for whoever asks."""
    write_sample(bench.folder / "connectors", companies=20)
    bench.run()
    state = ["--state", str(bench.folder / "state")]
    manifest = str(bench.manifest)

    assert run(["connect", "quarantine", "list", manifest, *state, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 6
    assert all("raw" not in row for row in rows)
    assert run(["connect", "quarantine", "show", manifest, str(rows[0]["id"]), *state]) == 0
    assert rows[0]["errors"][0]["code"] in capsys.readouterr().out
    assert run(["connect", "quarantine", "export", manifest, *state, "--raw"]) == 0
    exported = json.loads(capsys.readouterr().out)["rows"]
    assert all(
        "演示" in row["raw"] or "长" in row["raw"] or row["raw"][0] == "," for row in exported
    )
    assert run(["connect", "quarantine", "show", manifest, "999", *state]) == 64


def test_quarantine_before_the_first_run_is_empty(bench: Bench, capsys) -> None:
    """Not an error."""
    arguments = ["connect", "quarantine", "list", str(bench.manifest), "--json"]

    assert run([*arguments, "--state", str(bench.folder / "none")]) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": []}


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda bench: bench.manifest.write_text("x: 1\n"), 2),
        (lambda bench: bench.file.unlink(), 3),
        (lambda bench: bench.file.write_bytes("甲,乙\n".encode()), 4),
    ],
)
def test_run_ends_in_the_exit_code_of_its_reason(bench: Bench, capsys, spoil, code: int) -> None:
    """2 manifest, 3 source, 4 key; both languages stand in the document."""
    bench.write(GOOD, OTHER)
    profile = bench.folder / "client.toml"
    hub = dict.fromkeys(("address", "origin", "region", "ca", "certificate", "key", "trust"), "x")
    profile.write_text(profile_text(hub, {"name": "systems/c"}))
    spoil(bench)

    arguments = ["connect", "run", str(bench.manifest), "--profile", str(profile), "--json"]

    assert run(arguments) == code
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["exit_code"] == code
    assert error["en"]
    assert error["zh"]
