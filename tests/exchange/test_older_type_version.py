"""A fetch of a field that the certificate was sealed without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.simulator import (
    GRANTED,
    LICENCE,
    ROOT,
    Refused,
    Simulator,
    by_holder,
    company,
    copy_home,
    licence,
)


async def test_a_field_that_the_type_got_later_is_refused_with_the_certificate_that_lacks_it(
    city: Path, tmp_path: Path
) -> None:
    """Nothing leaves; the refusal is the caller's to mend, not a fault of the hub."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        await hub.connector().deliver([licence(1)])
        newer = json.loads((ROOT / "deploy" / "types" / "business-licence.json").read_bytes())
        added = {**newer["fields"][0], "name": "nickname", "order": 99, "required": False}
        newer = {**newer, "type_version": 2, "fields": [*newer["fields"], added]}
        await hub.officer().publish(json.dumps(newer).encode())
        await hub.officer().grant("newer", "window-1", (*GRANTED, "nickname"), type_code=LICENCE)
        before = await hub.state()

        with pytest.raises(Refused) as refusal:
            await hub.platform().fetch(by_holder(company(1), ("name", "nickname")))

        assert refusal.value.reason == "FIELD_NOT_SEALED"
        assert "nickname" in refusal.value.en
        assert "nickname" in refusal.value.zh
        after = await hub.state()
        assert after.domain() == before.domain()
        assert after.size == before.size + 1
