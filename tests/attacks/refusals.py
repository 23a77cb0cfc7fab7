"""What every refusal has in common, held against the wire, the database and the log at once."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable

from tests.simulator import Refused, Simulator, citizen, company

_CHINESE = re.compile(r"[\u4e00-\u9fff]{2}")
_HOLDERS = [company(number) for number in range(1, 10)] + [citizen(number) for number in range(10)]


async def refused(
    hub: Simulator,
    attempt: Awaitable[object],
    *,
    status: str,
    reason: str,
    en: str,
    caller: str | None,
    kind: str = "refusal",
) -> Refused:
    """`attempt` is refused with exactly this, and leaves what a refusal may leave.

    No row of a domain table differs afterwards. Where `caller` is named, the log has exactly one
    entry more, of `kind`, with the caller and the reason and no holder in it; where it is None
    nobody was authenticated: no entry, and the counter of that reason moved by one.
    """
    before, counted = await hub.state(), _unauthenticated(hub)

    refusal = await _refusal(attempt)

    assert (refusal.status, refusal.reason) == (status, reason)
    assert refusal.message == refusal.en == en
    assert _CHINESE.search(refusal.zh), f"no Chinese text: {refusal.zh!r}"
    assert "?" not in refusal.en + refusal.zh, "a detail of the text is missing"
    after = await hub.state()
    assert after.domain() == before.domain()
    if caller is None:
        assert after == before
        assert _unauthenticated(hub) == counted | {reason: counted.get(reason, 0) + 1}
        return refusal
    assert after.size == before.size + 1
    (entry,) = await hub.entries(before.size)
    assert (entry["kind"], entry["caller"]) == (kind, caller)
    stated = entry["data"]["reason"] if kind == "refusal" else entry["reason"]
    assert stated == reason
    text = json.dumps(entry)
    assert not [holder for holder in _HOLDERS if holder in text]
    assert _unauthenticated(hub) == counted
    return refusal


async def failed_to_connect(hub: Simulator, attempt: Awaitable[object]) -> Refused:
    """`attempt` never reached the hub: gRPC's own UNAVAILABLE, and nothing at all is different."""
    before, counted = await hub.state(), _unauthenticated(hub)

    refusal = await _refusal(attempt)

    assert (refusal.status, refusal.reason) == ("UNAVAILABLE", "")
    assert await hub.state() == before
    assert _unauthenticated(hub) == counted
    return refusal


async def _refusal(attempt: Awaitable[object]) -> Refused:
    try:
        answer = await attempt
    except Refused as refusal:
        return refusal
    raise AssertionError(f"not refused: {answer!r}"[:300])


def _unauthenticated(hub: Simulator) -> dict[str, float]:
    """Calls refused before an identity was established, by reason."""
    found = {}
    for name, value in hub.metrics().items():
        if match := re.fullmatch(r'sealway_unauthenticated_total\{reason="(\w+)"\}', name):
            found[match[1]] = value
    return found
