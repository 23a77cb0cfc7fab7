"""SM2 and P-256 as the hub calls them, against `openssl speed` on the same core.

Both sides count processor time: that is what `openssl speed` divides by.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from hub.proof import sm2 as algorithm
from hub.proof.jose import es256_sign
from hub.proof.sm2_comb import FAST, HOT_AFTER
from tests.bench import goals
from tests.bench.figures import control_ratios, neighbour_ratios, spread, why_invalid
from tests.bench.machine import Steal, openssl_speed
from tests.bench.processes import DRIVER_CORE
from tests.bench.session import Effort, Result

_SPEED_SECONDS = 1
_OURS_SECONDS = 0.5
# About as much as the DER of a TBS_Sign without its seal, or the payload of a record.
_MESSAGE = bytes(range(256)) * 2

Values = list[tuple[str, float]]


def sm2(effort: Effort) -> Result:
    """Sign and verify by libcrypto, verify by tables, P-256 for comparison; openssl in between."""
    result = Result("sm2")
    programs = _programs()
    steal = Steal()
    values: Values = []
    for _ in range(effort.rounds):
        if not _openssl(result, values):
            return result
        for name, call in programs.items():
            values.append((name, _rate(call)))
    _openssl(result, values)
    control = control_ratios(values, "openssl SM2 sign")
    result.steal = steal.share()
    result.ratio("control", control)
    result.invalid = why_invalid(control, result.steal, 0)
    for ours, yardstick, goal in (
        ("SM2 sign", "openssl SM2 sign", goals.SM2_SIGN),
        ("SM2 verify", "openssl SM2 verify", None),
        ("SM2 verify, hot key", "openssl SM2 verify", goals.SM2_VERIFY_HOT),
        ("P-256 sign", "openssl P-256 sign", None),
    ):
        if ours in programs:
            result.ratio(f"{ours} ÷ {yardstick}", neighbour_ratios(values, ours, yardstick), goal)
    for name in dict.fromkeys(name for name, _ in values):
        result.figures[f"{name} per second"] = spread([v for n, v in values if n == name]).median
    return result


def _programs() -> dict[str, Callable[[], object]]:
    """What is measured, by name; each asserts its own answer once."""
    key = algorithm.PrivateKey.generate()
    signature = key.sign(_MESSAGE)
    es256 = es256_sign(ec.generate_private_key(ec.SECP256R1()))
    fresh = algorithm.PrivateKey.generate()
    other = fresh.sign(_MESSAGE)

    def by_libcrypto() -> bool:
        # A key is hot by its point: one that is counted anew each time stays cold.
        algorithm._HOT_KEYS._counts.pop(fresh.public.point, None)
        return fresh.public.verify(_MESSAGE, other)

    programs: dict[str, Callable[[], object]] = {
        "SM2 sign": lambda: key.sign(_MESSAGE),
        "SM2 verify": by_libcrypto,
        "P-256 sign": lambda: es256(_MESSAGE),
    }
    if FAST:
        for _ in range(HOT_AFTER):
            assert key.public.verify(_MESSAGE, signature)
        programs["SM2 verify, hot key"] = lambda: key.public.verify(_MESSAGE, signature)
    assert by_libcrypto()
    return programs


def _rate(call: Callable[[], object]) -> float:
    """Calls per second of processor time."""
    calls, began = 0, time.process_time()
    while (spent := time.process_time() - began) < _OURS_SECONDS:
        for _ in range(20):
            call()
        calls += 20
    return calls / spent


def _openssl(result: Result, values: Values) -> bool:
    for title, name in (("SM2", "sm2"), ("P-256", "ecdsap256")):
        speed, why_not = openssl_speed(name, _SPEED_SECONDS, DRIVER_CORE)
        if speed is None:
            result.skipped = why_not
            return False
        values.append((f"openssl {title} sign", speed.sign))
        values.append((f"openssl {title} verify", speed.verify))
    return True
