"""A million generated plans against the second reading of the rules: `make plan-campaign`."""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.exchange.plan_cases import EVERYTHING, run

PORTION = 5_000


def main() -> None:
    """Run the campaign and print what it saw. Ends with exit code 1 where a case fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first portion of 5,000 cases")
    arguments = parser.parse_args()
    started = time.monotonic()
    portions = range(arguments.seed, arguments.seed + -(-arguments.cases // PORTION))
    counted: Counter[str] = Counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(run, portions, [PORTION] * len(portions)):
            counted += found
    assert set(counted) == EVERYTHING, f"never seen: {EVERYTHING - set(counted)}"
    print(
        f"{len(portions) * PORTION:,} cases, seeds {portions[0]} to {portions[-1]}, "
        f"{sum(counted[one] for one in OUTCOMES):,} materials, none wrong, "
        f"{time.monotonic() - started:.0f} s"
    )
    for name, count in counted.most_common():
        print(f"| {name} | {count:,} |")


OUTCOMES = ("on_file", "obtainable", "commitment", "deferrable", "ask")

if __name__ == "__main__":
    main()
