"""The targets of `make fuzz`, shortly: no bytes make a parser raise what it does not declare, nor
take more than 2 s and 256 MiB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.limited import BOMBS, Limited
from tests.fuzz.targets import TARGETS

PAGE = (Path(__file__).parents[2] / "docs" / "fuzz.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def limited() -> Iterator[Limited]:
    with Limited() as process:
        yield process


def test_an_input_over_the_limits_is_a_finding(limited: Limited) -> None:
    """The process that it ended is replaced."""
    found = {name: limited.run(name, b"") for name in BOMBS}

    assert found["loop"].startswith("SIGPROF")
    assert "MemoryError" in found["memory"]
    assert limited.run("text", b"nothing of ours") == ""


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_has_its_row_in_the_results(name: str) -> None:
    """Whoever adds a parser runs it, and says what came of it."""
    assert re.search(rf"^\| `{name}` \| [1-9][0-9,]* \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_runs_its_seeds(limited: Limited, name: str) -> None:
    """Each ends, and nothing undeclared is raised."""
    assert len(limited.seeds(name)) == len(TARGETS[name].seeds)
    for seed in limited.seeds(name):
        assert limited.run(name, seed) == ""


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_target_returns_for_any_bytes(limited: Limited, name: str, data: st.DataObject) -> None:
    """A seed in which a piece was replaced, repeated, or taken out; or nothing of a seed."""
    seed = data.draw(st.sampled_from(limited.seeds(name)))
    at = data.draw(st.integers(0, len(seed)))
    length = data.draw(st.integers(0, min(64, len(seed) - at)))
    piece = data.draw(
        st.binary(max_size=24)
        | st.just(seed[at : at + length] * 2)
        | st.sampled_from([b"\x00" * 64, b"\xff" * 8, b"\x30\x84\xff\xff\xff\xff", b"9" * 400])
        | st.sampled_from([b'":', b"]]", b"{" * 200, b"[" * 5000, b"<!DOCTYPE x>", b"\xed\xa0\x80"])
    )
    whole = data.draw(st.booleans() | st.just(value=True))

    found = limited.run(name, seed[:at] + piece + seed[at + length :] if whole else piece)
    assert found == ""
