"""Real registrations of two cities, as two departments would hand them over."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from connectors.manifest import load_manifest
from hub.domain.certificate_type import check_fields
from hub.domain.row import parse_row
from tests.connectors.conftest import Bench, make_bench


def rows(bench: Bench) -> list[bytes]:
    """The signed bytes of every row that was sent."""
    loaded = load_manifest(bench.manifest)
    path = bench.folder / "state" / f"{loaded.manifest.connector.id}.sqlite"
    db = sqlite3.connect(path)
    found = [data for (data,) in db.execute("SELECT row FROM outbox ORDER BY seq, i")]
    db.close()
    return found


def test_all_companies_of_both_cities_are_accepted(shared_data: Path, tmp_path: Path) -> None:
    """5,448 read, 5,448 new, none quarantined; a second run sends nothing."""
    files = [("csv", "hangzhou-2001.csv", 2522), ("gb18030", "ningbo-2001.gb18030.txt", 2926)]
    for form, name, companies in files:
        (tmp_path / form).mkdir()
        one = make_bench(tmp_path / form, f"business-licence-{form}.yaml")
        file = shared_data / "enterprises" / name
        report = one.run(file=file)
        assert (report.counts.read, report.counts.new, report.exit_code) == (companies,) * 2 + (0,)
        assert one.run(file=file).counts.unchanged == companies
        loaded = load_manifest(one.manifest)
        for data in rows(one):
            row = parse_row(data)
            assert check_fields(loaded.certificate_type, row.fields) == ()


def test_the_dirt_of_ningbo_is_named(gb_bench: Bench, shared_data: Path) -> None:
    """One code with a lower-case letter, one private-use character, one DEL."""
    report = gb_bench.run(file=shared_data / "enterprises" / "ningbo-2001.gb18030.txt")

    applied = [rule for data in rows(gb_bench) for rule in parse_row(data).rules]
    assert applied.count(("credit_code", "uscc.upper")) == 1
    assert applied.count(("scope", "text.invisible")) == 1
    assert report.warnings == {"text.private_use": 1}
