"""gRPC's threads leave the processor to the event loop (docs/adr/0032)."""

from __future__ import annotations

import os
import threading

import pytest

from hub.serving import yielding_threads

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="Linux only")


def _policy_of_new_thread() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(os.sched_getscheduler(0)))
    thread.start()
    thread.join()
    return found[0]


def test_threads_begun_inside_yield_and_later_ones_do_not() -> None:
    before = os.sched_getscheduler(0)

    with yielding_threads():
        inside = _policy_of_new_thread()

    assert inside == os.SCHED_BATCH
    assert os.sched_getscheduler(0) == before
    assert _policy_of_new_thread() == before


def test_the_loop_gets_its_class_back_where_the_server_does_not_start() -> None:
    before = os.sched_getscheduler(0)

    with pytest.raises(RuntimeError), yielding_threads():
        raise RuntimeError

    assert os.sched_getscheduler(0) == before
