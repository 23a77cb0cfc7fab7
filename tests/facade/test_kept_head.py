"""A facade that starts again knows how far the log had come."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from connectors.client import HubRefusedError
from connectors.facade.app import refusal_of
from connectors.facade.codes import Kind
from connectors.facade.hub_calls import HubCalls, Question, Shared
from connectors.heads import kept_head
from connectors.profile import Profile, load_profile
from hub.errors import HubError, Reason
from hub.proof.exchange.request import Holder, RequestedCertificate
from hub.proof.jose import LogHead
from hub.proof.trust import parse_trust
from tests.simulator import (
    BASIS,
    ITEM,
    LICENCE_VCT,
    MATTER,
    Simulator,
    company,
    copy_home,
    licence,
)


def ask(profile: Profile) -> LogHead | None:
    """One call of a facade that has just started; the head that it has kept then."""
    calls = HubCalls.of(profile, Shared(profile, parse_trust(profile.trust.read_bytes())))
    wanted = RequestedCertificate(LICENCE_VCT, ("name",), holder=Holder("001", company(1)))
    try:
        calls.fetch(Question((wanted,), ITEM, MATTER, BASIS, "accounts/portal", "accounts/portal"))
    finally:
        calls.client.close()
    return calls.shared.head()


async def test_a_log_that_went_back_while_the_facade_was_down_is_found_out(
    city: Path, tmp_path: Path
) -> None:
    """Database and external head are both set back, which the hub alone cannot notice; the first
    answer to the facade is refused, and the head that it has stays as evidence."""
    home = copy_home(city, tmp_path / "home")
    async with Simulator(home) as hub:
        await hub.connector().deliver([licence(1)])
    old = copy_home(home, tmp_path / "old")
    async with Simulator(home) as hub:
        profile = load_profile(hub.profile("systems/window-1"))
        first = await asyncio.to_thread(ask, profile)
        second = await asyncio.to_thread(ask, profile)
        assert first is not None and second is not None
        assert second.size > first.size
        assert kept_head(profile) == second
    for name in ("data", "head"):
        shutil.rmtree(home / name)
        shutil.copytree(old / name, home / name)
    async with Simulator(home) as hub:
        profile = load_profile(hub.profile("systems/window-1"))

        with pytest.raises(HubRefusedError) as refused:
            await asyncio.to_thread(ask, profile)

    assert refused.value.reason is Reason.LOG_SEEN_AHEAD
    told = refusal_of(refused.value)
    assert (told.kind, told.reason) == (Kind.INTERNAL, "LOG_SEEN_AHEAD")
    assert str(second.size) not in told.en + told.zh
    assert kept_head(profile) == second

    # A damaged file is never taken for first contact: the facade does not start.
    (profile.folder / "log-head.json").write_text("{")
    with pytest.raises(HubError) as damaged:
        Shared(profile, parse_trust(profile.trust.read_bytes()))
    assert damaged.value.reason is Reason.FILE_UNREADABLE
    assert "log-head.json" in damaged.value.text("en")
