"""What a signer's journal counts, and gives back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from hub.errors import HubError, Reason
from hub.seal.signer_process.journal import Journal, OrderedKey

KEY, SEAL = "k" * 43, "authorities/a/seals/main"
ORDER = OrderedKey("intent", 0, SEAL, 2)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open(tmp_path / "journal.db")
    yield opened
    opened.close()


def test_a_request_of_which_nothing_was_signed_uses_nothing(journal: Journal) -> None:
    """Neither of the intent nor of the key; one that was lost does."""
    journal.add_made(ORDER, KEY, b"public", b"request")
    begin = partial(journal.begin, content="c", intent="i", uses_max=2, name="n", key_id=KEY)

    begin("1", count=2)
    journal.abandon("1", KEY)
    assert (journal.uses("i"), journal.settle("1")) == (0, "unknown")
    begin("2", count=1)
    journal.lose("2")
    begin("3", count=1)

    assert journal.uses("i") == 2
    for intent in ("i", "other"):
        with pytest.raises(HubError) as caught:
            begin("4", count=1, intent=intent)
        assert caught.value.reason is Reason.KEY_EXHAUSTED
        assert caught.value.details["left"] == "0"
    assert journal.uses("other") == 0


def test_a_key_that_was_not_made_here_is_counted_by_its_intents_alone(journal: Journal) -> None:
    """Nothing says whose it is, or how often it may sign."""
    assert journal.seal_of(KEY) is None

    for number in range(5):
        journal.begin(str(number), "c", "i", 1, uses_max=9, name="n", key_id=KEY)

    assert journal.uses("i") == 5


def test_an_order_is_for_one_key(journal: Journal) -> None:
    """Whatever else is made is another order's."""
    assert journal.made(ORDER) is None
    journal.add_made(ORDER, KEY, b"public", b"request")

    assert journal.made(ORDER) == (b"public", b"request")
    assert journal.made(ORDER._replace(number=1)) is None
    assert journal.seal_of(KEY) == SEAL
