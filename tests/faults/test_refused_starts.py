"""What a hub refuses to start on, in its own words, and what two hubs on one database do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.ledger.checkpoints import FileHead, LogKey
from hub.proof.log.merkle import EMPTY_ROOT
from tests.faults.processes import (
    HubProcess,
    Journal,
    Launcher,
    NotStarted,
    audited,
    check_home,
    hub_process,
)
from tests.simulator import Refused, company, copy_home, licence

REFUSED = 1


async def _used(launcher: Launcher, home: Path, journal: Journal | None = None) -> Journal:
    """The journal of a hub that has answered something and was stopped."""
    journal = journal or Journal()
    async with HubProcess(launcher, home) as hub:
        row = licence(1 + len(journal.delivered))
        await journal.deliver(hub.connector(), await journal.batch(hub.connector(), [row]))
        await journal.fetch(hub.platform(), await journal.ask(hub.platform(), company(1)))
    return journal


async def _refusal(launcher: Launcher, home: Path) -> str:
    """What a hub says that does not start."""
    async with hub_process(launcher, home) as hub:
        with pytest.raises(NotStarted) as refusal:
            await hub.start()
    assert refusal.value.status == REFUSED, refusal.value.text
    return " ".join(refusal.value.text.split())


async def test_a_restored_old_database_is_refused_and_the_newest_is_taken(
    launcher: Launcher, home: Path
) -> None:
    """Yesterday's backup under today's external head would deny what was answered since."""
    journal = await _used(launcher, home)
    old = copy_home(home / "data", home.parent / "yesterday")
    size = (await audited(home)).size
    await _used(launcher, home, journal)
    newest = copy_home(home / "data", home.parent / "today")
    head = (await audited(home)).size
    shutil.rmtree(home / "data")
    shutil.copytree(old, home / "data")

    text = await _refusal(launcher, home)

    assert (
        f"the log's external head at {head} entries is not one of this database of {size}: "
        "the database is an older copy or another one. Restore the newest, never the head." in text
    )
    assert "LOG_ROLLED_BACK" in text
    findings = (await audited(home)).findings
    assert [(one.table, one.fault) for one in findings] == [
        ("external head", f"is ahead of the log of {size} entries")
    ]
    shutil.rmtree(home / "data")
    shutil.copytree(newest, home / "data")
    async with HubProcess(launcher, home) as hub:
        await journal.check(hub)
    await check_home(home, journal)


async def test_a_copy_of_a_running_hub_is_as_a_power_cut_and_starts_under_its_own_head(
    launcher: Launcher, home: Path
) -> None:
    """All files copied between two answers: the copy starts and keeps what was promised until then;
    who has seen the log go on is told so instead of being answered from a fork."""
    journal = Journal()
    async with HubProcess(launcher, home) as hub:
        await journal.deliver(hub.connector(), await journal.batch(hub.connector(), [licence(1)]))
        await journal.fetch(hub.platform(), await journal.ask(hub.platform(), company(1)))
        copied = copy_home(home, home.parent / "copied")
        promised = Journal(dict(journal.answered), list(journal.delivered), journal.head)
        await journal.fetch(hub.platform(), await journal.ask(hub.platform(), company(1)))
    async with HubProcess(launcher, copied) as copy:
        await promised.check(copy)
        with pytest.raises(Refused) as refusal:
            await journal.fetch(copy.platform(), await journal.ask(copy.platform(), company(1)))
    assert refusal.value.reason == "LOG_SEEN_AHEAD"
    await check_home(copied, promised)


async def test_a_missing_external_head_is_refused(launcher: Launcher, home: Path) -> None:
    """Its absence must never look like a new log; put back, it is taken."""
    journal = await _used(launcher, home)
    shutil.move(home / "head", home.parent / "away")

    text = await _refusal(launcher, home)

    assert (
        "the log's external head is missing. Restore its file; a new one is made only by init."
        in text
    )
    assert "LOG_HEAD_MISSING" in text
    assert not (home / "head").exists()
    shutil.move(home.parent / "away", home / "head")
    async with HubProcess(launcher, home) as hub:
        await journal.check(hub)


async def test_a_head_of_another_origin_or_key_is_refused(
    launcher: Launcher, home: Path, tmp_path: Path
) -> None:
    """Another log's head is none, be it of another name or signed by another key."""
    await _used(launcher, home)
    file = home / "head" / "checkpoint"
    of_this_log = file.read_bytes()
    origin = (await FileHead(file).read() or "").partition("\n")[0]

    for number, name in enumerate(("hub.other.example", origin)):
        key = LogKey.create(tmp_path / f"{number}.key", name, b"passphrase")
        file.unlink()
        await FileHead(file).create(key.sign(0, EMPTY_ROOT))
        text = await _refusal(launcher, home)
        assert "the log's external head is not of this log" in text
        assert "Correct the path or the key." in text
        assert "LOG_HEAD_INVALID" in text

    file.write_bytes(of_this_log)
    async with HubProcess(launcher, home):
        pass


async def test_a_second_hub_on_the_same_database_loses_and_stops_recording(
    launcher: Launcher, home: Path
) -> None:
    """It loses the compare-and-swap, answers nothing any more and says that it is not ready; the
    first one goes on in a log that was never forked."""
    journal = Journal()
    async with hub_process(launcher, home) as first, hub_process(launcher, home, "two") as second:
        await first.start()
        await second.start()
        await journal.deliver(
            first.connector(), await journal.batch(first.connector(), [licence(1)])
        )
        await journal.fetch(first.platform(), await journal.ask(first.platform(), company(1)))

        for _ in range(3):
            asked = await journal.ask(second.platform(), company(1))
            with pytest.raises(Refused) as refusal:
                await journal.fetch(second.platform(), asked)
            assert (refusal.value.status, refusal.value.reason) == (
                "UNAVAILABLE",
                "LOG_UNAVAILABLE",
            )

        assert await second.readiness() == (
            503,
            {"ready": False, "problems": ["the log is not recording"]},
        )
        await _until_answered(first, journal)
        assert (await first.readiness())[0] == 200
        await journal.check(first)
    await check_home(home, journal)


async def _until_answered(hub: HubProcess, journal: Journal) -> None:
    """A fetch that may need a repetition where the other hub was in the way."""
    asked = await journal.ask(hub.platform(), company(1))
    try:
        await journal.fetch(hub.platform(), asked)
    except Refused as refusal:
        assert refusal.reason == "LOG_UNAVAILABLE"
        await journal.fetch(hub.platform(), asked)
