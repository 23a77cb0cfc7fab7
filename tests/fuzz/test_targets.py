"""The targets of `make fuzz`, shortly: no bytes make a parser raise what it does not declare."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

PAGE = (Path(__file__).parents[2] / "docs" / "fuzz.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_has_its_row_in_the_results(name: str) -> None:
    """Whoever adds a parser runs it, and says what came of it."""
    assert re.search(rf"^\| `{name}` \| [1-9][0-9,]* \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_runs_its_seeds(name: str) -> None:
    """Each ends, and nothing undeclared is raised."""
    for seed in TARGETS[name].seeds:
        TARGETS[name].run(seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_target_returns_for_any_bytes(name: str, data: st.DataObject) -> None:
    """A seed in which a piece was replaced, repeated, or taken out; or nothing of a seed."""
    target = TARGETS[name]
    seed = data.draw(st.sampled_from(target.seeds))
    at = data.draw(st.integers(0, len(seed)))
    length = data.draw(st.integers(0, min(64, len(seed) - at)))
    piece = data.draw(
        st.binary(max_size=24)
        | st.just(seed[at : at + length] * 2)
        | st.sampled_from([b"\x00" * 64, b"\xff" * 8, b"\x30\x84\xff\xff\xff\xff", b"9" * 400])
        | st.sampled_from([b'":', b"]]", b"{" * 200, b"[" * 5000, b"<!DOCTYPE x>", b"\xed\xa0\x80"])
    )
    whole = data.draw(st.booleans() | st.just(value=True))

    target.run(seed[:at] + piece + seed[at + length :] if whole else piece)
