"""Processes that read one file of a stranger: what ends them, and what they cannot do."""

from __future__ import annotations

import resource
import threading
import time
from pathlib import Path

import pytest

from hub.seal.confined import AT_ONCE, OverrunError
from tests.seal.confined_bombs import process


def test_words_and_files_go_there_and_back() -> None:
    """Any bytes, none at all included, and more than a pipe holds."""
    large = bytes(range(256)) * 40_000

    words, files = process("").ask({}, b"\x00\xff", b"", large)

    assert words == {"sizes": [2, 0, len(large)]}
    assert files == [b"\x00\xff"]


@pytest.mark.parametrize(
    "how", ["loop", "memory", "flood", "raise", "exit", "garbage", "no words", "write"]
)
def test_one_that_overruns_or_lies_has_no_answer(how: str, tmp_path: Path) -> None:
    """Soon, and nothing of it stays: no file, no process."""
    began = time.monotonic()

    with pytest.raises(OverrunError):
        process(how).ask({"file": str(tmp_path / "left")}, bytes(1_000_000))

    assert time.monotonic() - began < 15
    assert not (tmp_path / "left").exists() or (tmp_path / "left").stat().st_size == 0


def test_processor_time_is_that_of_the_file() -> None:
    """What loading the module takes is not counted, and not a second more is given."""
    process("").ask({}, b"")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with pytest.raises(OverrunError):
        process("loop").ask({}, b"")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert 1.0 <= used < 1.8


def test_one_that_sleeps_is_killed_by_the_clock() -> None:
    """It uses no processor, so only the clock sees it."""
    began = time.monotonic()

    with pytest.raises(OverrunError):
        process("sleep", wall_s=1.0).ask({}, b"")

    assert 0.9 < time.monotonic() - began < 10


def test_it_knows_nothing_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment it gets nothing but how memory is to be had."""
    monkeypatch.setenv("SEALWAY_CANARY", "canary")

    words, _ = process("look").ask({})

    assert words["environment"]["MALLOC_ARENA_MAX"] == "1"
    assert not {"SEALWAY_CANARY", "PATH", "HOME"} & set(words["environment"])


def test_few_are_asked_at_once() -> None:
    """Others wait: whoever uploads much takes no more memory than this."""
    lock = threading.Lock()

    def ask(number: int) -> None:
        with pytest.raises(OverrunError):
            process("sleep", wall_s=0.3).ask({}, b"")
        with lock:
            ended.append((number, time.monotonic()))

    ended: list[tuple[int, float]] = []
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2 * AT_ONCE)]
    began = time.monotonic()
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(ended) == 2 * AT_ONCE
    assert sorted(at for _, at in ended)[-1] - began >= 0.6
