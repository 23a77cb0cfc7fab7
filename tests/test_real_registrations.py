"""The whole way on real registrations: every company of two cities becomes a licence."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from hub.domain.row import parse_row
from tests.demonstration import demonstrate, figures_add_up
from tests.simulator import LICENCE

COMPANIES = 5448
LOWER_CASE = "9133028272809293xG"


@pytest.mark.slow
def test_all_companies_of_two_cities_become_licences(shared_data: Path, tmp_path: Path) -> None:
    """5,448 accepted, none aside; the one code in lower case is normalised, its rule signed."""
    source = shared_data / "enterprises"
    assert LOWER_CASE in (source / "ningbo-2001.gb18030.txt").read_bytes().decode("gb18030")

    report = demonstrate(tmp_path / "demo", "--data", source, "--json")

    figures_add_up(report)
    assert (report["rows_read"], report["accepted"]) == (COMPANIES, COMPANIES)
    folder = tmp_path / "demo"
    sent = folder / "systems" / "nb-market-connector" / "outbox" / "business-licence-gb18030.sqlite"
    code = LOWER_CASE.upper()
    with contextlib.closing(sqlite3.connect(sent)) as outbox:
        found = outbox.execute("SELECT row FROM outbox WHERE source_key = ?", (code,)).fetchall()
    (row,) = (parse_row(data) for (data,) in found)
    assert row.number == code
    assert row.fields["credit_code"] == code
    assert ("credit_code", "uscc.upper") in row.rules
    with contextlib.closing(sqlite3.connect(folder / "home" / "data" / "hub.db")) as hub:
        stored = hub.execute(
            "SELECT v.state, v.public_fields FROM registry_versions v"
            " JOIN registry_certificates c ON c.id = v.certificate_id WHERE c.number = ?",
            (code,),
        ).fetchall()
        (licences,) = hub.execute(
            "SELECT count(*) FROM registry_certificates WHERE type_code = ?", (LICENCE,)
        ).fetchone()
    ((state, public),) = stored
    # And the company that the demonstration registers today.
    assert (state, licences) == ("active", COMPANIES + 1)
    assert code in json.dumps(json.loads(public))
