"""`sealway init`, `doctor` and `log audit` on a real home."""

from __future__ import annotations

import asyncio
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.profile import load_profile
from hub.cli import doctor
from hub.clock import legal_day, now_us
from hub.config import load
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.officers.roster import Roster
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.trust import parse_trust
from hub.server import open_hub
from tests.cli.conftest import Sealway

OFFICERS = ("--officer", "wang", "--officer", "zhao", "--officer", "chen")


@pytest.fixture
def home(sealway: Sealway, tmp_path: Path) -> Path:
    """A home that was just made; nothing listens on its port."""
    folder = tmp_path / "home"
    ran = sealway("init", folder, "--origin", "hub.test.example", "--port", "1", *OFFICERS)
    assert ran.code == 0, ran.err
    return folder


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_a_second_init_changes_nothing_and_says_so(sealway: Sealway, home: Path) -> None:
    """Running it again is always safe."""
    before = _bytes(home)

    ran = sealway("init", home)

    assert ran.code == 0, ran.err
    assert "nothing changed" in ran.out
    assert _bytes(home) == before


def test_a_home_from_before_there_were_rosters_gets_one(
    sealway: Sealway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub says what is missing; `init` founds number 0 of the officers in the log."""

    async def newest(config: Path) -> Roster:
        hub = await open_hub(load(config))
        try:
            return await hub.rosters.current()
        finally:
            await hub.stop()

    folder = tmp_path / "home"
    with monkeypatch.context() as patch:

        async def nothing(*_: object) -> None:
            """As before."""

        patch.setattr("hub.upkeep.found_roster", nothing)
        made = sealway("init", folder, "--origin", "hub.test.example", "--port", "1", *OFFICERS)
        assert made.code == 0, made.err
    with pytest.raises(HubError) as missing:
        asyncio.run(newest(folder / "hub.toml"))
    assert missing.value.reason is Reason.ROSTER_MISSING

    ran = sealway("init", folder)

    assert ran.code == 0, ran.err
    roster = asyncio.run(newest(folder / "hub.toml"))
    assert (roster.number, list(roster.officers)) == (
        0,
        ["officers/chen", "officers/wang", "officers/zhao"],
    )


def test_what_an_interrupted_run_left_out_is_made(sealway: Sealway, home: Path) -> None:
    """Missing files come back; what was there stays."""
    key = (home / "officers" / "wang" / "client.key").read_bytes()
    for name in ("trust.json", "officers/wang/client.toml", "tls/client-ca.pem"):
        (home / name).unlink()

    ran = sealway("init", home, "--json")

    assert ran.document["made"] == [
        "tls/client-ca.pem",
        "trust.json",
        "officers/wang/client.toml",
    ]
    assert (home / "officers" / "wang" / "client.key").read_bytes() == key


@pytest.mark.parametrize(
    "change",
    [
        ("--origin", "hub.other.example"),
        ("--region", "330200"),
        ("--officer", "wang", "--officer", "zhao", "--officer", "else"),
    ],
)
def test_what_is_fixed_for_ever_cannot_be_changed(
    sealway: Sealway, home: Path, change: tuple[str, ...]
) -> None:
    """Origin and region stand in what was signed; officers change by their own approval only."""
    before = _bytes(home)

    ran = sealway("init", home, *change)

    assert ran.code == 64
    assert _bytes(home) == before


@pytest.mark.parametrize("names", [("wang", "zhao"), ("wang", "wang", "zhao"), ("w", "zhao", "li")])
def test_too_few_officers_or_wrong_ids_make_nothing(
    sealway: Sealway, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """Dual control needs a proposer and two others; nothing is half made."""
    options = [word for name in names for word in ("--officer", name)]

    ran = sealway("init", tmp_path / "home", *options)

    assert ran.code == 64
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--region", "33"), "--region: write the six digits of a division (GB/T 2260)"),
        (("--origin", "a b"), "--origin: write a DNS name, 3 to 255 ASCII characters"),
        (("--host", "x_y"), "--host: write a DNS name, an IPv4 address, or an IPv6 address"),
        (("--port", "65536"), "'--port': write 65535 or less"),
        (("--http-port", "-1"), "'--http-port': write 0 or more"),
    ],
)
def test_a_configuration_that_no_hub_can_run_on_is_never_written(
    sealway: Sealway, tmp_path: Path, options: tuple[str, ...], text: str
) -> None:
    """The option is named with its rule, and the same command works once it is corrected."""
    ran = sealway("init", tmp_path / "home", *options)

    assert ran.code == 64
    assert text in ran.err
    assert not (tmp_path / "home").exists()


def test_every_secret_is_for_its_owner_only(home: Path) -> None:
    """Keys and passphrases are 0600, and keys of members are encrypted."""
    secrets = [*home.rglob("*.key"), *home.rglob("passphrase")]

    assert len(secrets) >= 15
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert all(b"ENCRYPTED" in path.read_bytes() for path in home.glob("officers/*/*.key"))


def test_trust_file_and_profiles_name_this_hub(home: Path) -> None:
    """What is handed out can be used as it is."""
    trust = parse_trust((home / "trust.json").read_bytes())
    profile = load_profile(home / "officers" / "zhao" / "client.toml")

    assert (trust.origin, trust.region) == ("hub.test.example", "330100")
    assert trust.log_keys[0].startswith("hub.test.example+")
    # SM2 seals a PDF in the profile `gm` alone (tests/exchange/test_gm_documents.py).
    assert trust.pdf_anchors == trust.seal_anchors[:1]
    assert profile.name == "officers/zhao"
    assert profile.signer().kid


def test_doctor_finds_all_good_but_the_hub_that_is_not_running(
    sealway: Sealway, home: Path
) -> None:
    """A check that cannot be made is a fault, and exit 1."""
    ran = sealway("doctor", "--config", home / "hub.toml", "--json")

    assert ran.code == 1
    marks = {check["check"]: check["mark"] for check in ran.document["checks"]}
    # Whether there is a font is the machine's.
    assert marks.pop("fonts of faces") in ("good", "warning")
    assert [name for name, mark in marks.items() if mark != "good"] == ["hub answers"]
    assert len(marks) == 15
    assert {"seal keys in files", "algorithms of seals"} <= marks.keys()


def test_doctor_warns_where_a_font_is_missing(sealway: Sealway, home: Path) -> None:
    """What cannot be drawn is said beforehand, with what to install; it is no fault."""
    file = home / "hub.toml"
    before = file.read_text()
    file.write_text(f'{before}\n[faces]\nfont = "absent.ttc"\n')
    try:
        found = sealway("doctor", "--config", file, "--json").document["checks"]
    finally:
        file.write_text(before)

    (fonts,) = [one for one in found if one["check"] == "fonts of faces"]
    assert fonts["mark"] == "warning"
    assert "fonts-noto-cjk" in fonts["detail"]["en"] and "fonts-noto-cjk" in fonts["detail"]["zh"]


def test_doctor_warns_where_sm2_cannot_be_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the hub goes on without national algorithms, so it is no fault."""

    def missing() -> object:
        raise ProofError(ProofReason.SM2_UNAVAILABLE, "no libcrypto", verdict=Verdict.CANNOT_CHECK)

    monkeypatch.setattr(sm2, "_libcrypto", missing)
    found = doctor._national_algorithms()

    assert found.mark is doctor.Mark.WARNING
    assert found.detail.en == "no libcrypto"
    assert "OpenSSL 3.0" in found.remedy.en
    assert "OpenSSL 3.0" in found.remedy.zh


def test_doctor_names_the_fault_and_the_remedy(sealway: Sealway, home: Path) -> None:
    """An open key, a missing anchor, a missing database: each with what to do."""
    (home / "keys" / "token.key").chmod(0o644)
    (home / "tls" / "seal-ca.pem").unlink()
    (home / "data" / "hub.db").rename(home / "data" / "aside")

    ran = sealway("--lang", "zh", "doctor", "--config", home / "hub.toml", "--json")

    faults = {
        check["check"]: check["remedy"]["zh"]
        for check in ran.document["checks"]
        if check["mark"] == "fault"
    }
    assert ran.code == 1
    assert "chmod 600" in faults["file modes"]
    assert "seal anchor" in faults
    assert "备份" in faults["database and log"]
    assert not (home / "data" / "hub.db").exists()


def test_doctor_looks_at_the_homes_of_keys_and_the_days_of_algorithms(
    sealway: Sealway, home: Path
) -> None:
    """A token whose PIN is missing is a fault with its own reason; an algorithm that ends within a
    year is a warning that names it."""
    text = (home / "hub.toml").read_text()
    token = "pkcs11:token=t?module-path=/none.so&pin-source=file:pin"
    lines = ("[seal]", 'signer = "process"', "[seal.pkcs11]", f'uri = "{token}"')
    last = legal_day(now_us()) + timedelta(days=30)
    days = ("[seal.algorithms]", f'ES384 = "2026-01-01/{last}"')
    (home / "hub.toml").write_text("\n".join((text, *lines, *days, "")))

    ran = sealway("doctor", "--config", home / "hub.toml", "--json")

    found = {check["check"]: check for check in ran.document["checks"]}
    assert found["seal keys in files"]["mark"] == "good"
    assert "signer process" in found["seal keys in files"]["detail"]["en"]
    assert found["seal keys in pkcs11"]["mark"] == "fault"
    assert found["seal keys in pkcs11"]["detail"]["en"] == "KEY_UNAVAILABLE"
    assert found["algorithms of seals"]["mark"] == "warning"
    assert "ES384" in found["algorithms of seals"]["remedy"]["en"]


def test_doctor_notices_a_missing_external_head(sealway: Sealway, home: Path) -> None:
    """Without it nobody could tell an old database from the newest; nothing is repaired."""
    old = (home / "data" / "hub.db").read_bytes()
    (home / "head" / "checkpoint").rename(home / "head" / "aside")

    ran = sealway("doctor", "--config", home / "hub.toml", "--json")

    faults = [check for check in ran.document["checks"] if check["mark"] == "fault"]
    assert "LOG_HEAD_MISSING" in [fault["detail"]["en"] for fault in faults]
    assert (home / "data" / "hub.db").read_bytes() == old


def test_a_fresh_log_audits_clean(sealway: Sealway, home: Path) -> None:
    """Three officers' enrolments, recomputed."""
    ran = sealway("log", "audit", "--config", home / "hub.toml", "--json")

    assert ran.code == 0, ran.err
    assert ran.document["entries"] >= 3
    assert ran.document["findings"] == []


def test_a_home_that_is_none_is_named(sealway: Sealway, tmp_path: Path) -> None:
    """A wrong path is answered with the file that is missing."""
    ran = sealway("doctor", "--config", tmp_path / "hub.toml")

    assert ran.code == 1
    assert "hub.toml" in ran.out
