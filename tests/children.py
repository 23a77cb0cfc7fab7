"""A child of the test process, for code that must die at one exact moment."""

from __future__ import annotations

import gc
import os
import signal
import traceback
from collections.abc import Callable
from typing import Final

CHILD_S_MAX: Final = 120


def fork(work: Callable[[], None]) -> int:
    """Do `work` in a child and return its pid; the child ends with 0, or 70 where `work` raised.

    The child never collects garbage: what it inherited includes gRPC objects of earlier tests,
    whose finalisers wait for threads that exist only in the parent. An alarm ends it whatever
    happens, so that no fault of it can hold up the suite.
    """
    gc.disable()
    try:
        pid = os.fork()
    finally:
        gc.enable()
    if pid:
        return pid
    gc.disable()
    signal.alarm(CHILD_S_MAX)
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(70)
    os._exit(0)


def wait(pid: int) -> int:
    """The child's exit status; negative where a signal ended it."""
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status != -signal.SIGALRM, f"the child did not end within {CHILD_S_MAX} s"
    return status
