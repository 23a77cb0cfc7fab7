"""Whoever can write the database can still seal nothing."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.domain.record import Record
from hub.introductions import ProvenKeys
from hub.proof.encoding import digest
from hub.proof.jose import jwk, thumbprint
from hub.registry import assemble as registry_assemble
from hub.registry import ingest as registry_ingest
from tests.simulator import LICENCE, OFFICERS, Refused, Simulator, copy_home, licence


def plant_officer_key(database: Path, officer: str) -> str:
    """Put an attacker's key in the place of an officer's, in every row that names it; its id."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    with sqlite3.connect(database) as connection:
        connection.execute(
            "UPDATE access_enrolments SET signing_jwk = ?, signing_key_id = ? WHERE owner = ?",
            (json.dumps(jwk(key)).encode(), thumbprint(key), officer),
        )
        connection.execute(
            "UPDATE access_officers SET approval_key_id = ? WHERE name = ?",
            (thumbprint(key), officer),
        )
        connection.execute("UPDATE access_version SET version = version + 1")
    connection.close()
    return thumbprint(key)


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", "别的公司"), ("holder_number", "91330100MA27XH4A0K"), ("capital", 1), ("docs", "x")],
)
async def test_the_signer_seals_only_what_the_signed_row_says(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """A hub whose registry hands over another value than the department's row gets no seal."""
    honest = registry_assemble.record_of

    def forged(*arguments: Any, **named: Any) -> Record:
        record = honest(*arguments, **named)
        return replace(record, values={**record.values, name: value})

    async with Simulator(copy_home(city, tmp_path / "home")) as simulator:
        before = (await simulator.state()).domain()
        monkeypatch.setattr(registry_ingest, "record_of", forged)
        with pytest.raises(Refused) as caught:
            await simulator.connector().deliver([licence(1)])

        assert (caught.value.status, caught.value.reason) == (
            "FAILED_PRECONDITION",
            "INTENT_NOT_APPROVED",
        )
        assert "a record says other than the row it comes from" in caught.value.message
        assert (await simulator.state()).domain() == before


async def test_a_key_that_only_a_row_knows_is_not_believed(city: Path, tmp_path: Path) -> None:
    """The snapshot shows the planted key; the signer, which asks the log, does not know it."""
    home = copy_home(city, tmp_path / "home")
    planted = plant_officer_key(home / "data" / "hub.db", "officers/qian")

    async with Simulator(home) as simulator:
        hub = simulator.hub
        proven = ProvenKeys(hub.directory, hub.recorder.proofs)
        await proven.prove()
        keys = hub.directory.current.keys

        assert hub.directory.key(planted) is not None
        assert proven(planted) is None
        assert {kid for kid in keys if proven(kid) is not None} == keys.keys() - {planted}


async def test_a_planted_officer_key_changes_nothing_of_what_was_approved(
    city: Path, tmp_path: Path
) -> None:
    """Approvals are verified with the keys of the roster, which no row of officers can change."""
    home = copy_home(city, tmp_path / "home")
    plant_officer_key(home / "data" / "hub.db", "officers/qian")

    async with Simulator(home) as simulator:
        delivered = await simulator.connector().deliver([licence(1)])

        assert delivered.results[0].certificate
        roster = await simulator.hub.rosters.current()
        assert {one.key_id for one in roster.officers.values()} == {
            thumbprint(simulator.officer_key(name)) for name in OFFICERS
        }


@pytest.mark.parametrize("forge", ["another key in number 0", "a number 1 of nobody's intent"])
async def test_a_planted_roster_stops_everything(city: Path, tmp_path: Path, forge: str) -> None:
    """A statement that the log or the officers do not prove is no roster; nothing counts by it."""
    home = copy_home(city, tmp_path / "home")
    with sqlite3.connect(home / "data" / "hub.db") as connection:
        (data,) = connection.execute("SELECT statement FROM access_rosters").fetchone()
        statement = json.loads(data)
        own = jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
        statement["officers"][0]["key"] = own
        if forge.startswith("another"):
            text = json.dumps(statement, separators=(",", ":")).encode()
            connection.execute("UPDATE access_rosters SET statement = ?", (text,))
        else:
            statement = {"v": 1, "number": 1, "prev": digest(data), **statement}
            text = json.dumps(statement, separators=(",", ":")).encode()
            connection.execute(
                "INSERT INTO access_rosters SELECT 1, ?, intent, approvals, entry, retention_class"
                " FROM access_rosters",
                (text,),
            )
    connection.close()

    async with Simulator(home) as simulator:
        before = (await simulator.state()).domain()
        with pytest.raises(Refused) as caught:
            await simulator.connector().deliver([licence(1)])
        with pytest.raises(Refused) as proposing:
            seal = "authorities/hz-market/seals/main"
            await simulator.officer().propose("another", seal, LICENCE)

        for refused in (caught.value, proposing.value):
            assert (refused.status, refused.reason) == ("DATA_LOSS", "ROSTER_BROKEN")
        assert (await simulator.state()).domain() == before


async def test_a_roster_that_was_taken_away_is_named_by_the_audit(
    city: Path, tmp_path: Path
) -> None:
    """An older chain is genuine in itself; the log knows that there was a newer statement."""
    home = copy_home(city, tmp_path / "home")
    async with Simulator(home) as simulator:
        await simulator.officer().carry_out("quorum.change", {"default": 2})
    with sqlite3.connect(home / "data" / "hub.db") as connection:
        connection.execute("DELETE FROM access_rosters WHERE number = 1")
    connection.close()

    async with Simulator(home) as simulator:
        findings = (await simulator.audit()).findings

    assert [(finding.table, finding.key) for finding in findings] == [("access_rosters", "1")]
