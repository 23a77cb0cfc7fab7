"""What the figures are held against: gate, target and stretch, as ratios within one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal. Below `gate` (above, where less is better) the house is not as planned."""

    what: str
    gate: float
    target: float
    stretch: float
    less_is_better: bool = False

    def grade(self, ratio: float) -> str:
        """How far `ratio` comes: missed, gate, target or stretch."""
        for grade, bound in (
            ("stretch", self.stretch),
            ("target", self.target),
            ("gate", self.gate),
        ):
            if ratio <= bound if self.less_is_better else ratio >= bound:
                return grade
        return "missed"


FETCH_A: Final = Goal("full fetch: throughput ÷ A", 0.33, 0.40, 0.48)
FETCH_B: Final = Goal("full fetch: throughput ÷ B", 0.50, 0.65, 0.75)
INSTRUCTIONS: Final = Goal("full fetch: instructions ÷ A", 3.8, 3.4, 3.1, less_is_better=True)
P99: Final = Goal(
    "p99 at 50 % of peak, open loop ÷ A at the same rate", 4, 3, 2, less_is_better=True
)
FEED: Final = Goal("revocation to subscriber, p99 ÷ 2 s", 1, 0.25, 0.1, less_is_better=True)
FETCH_20: Final = Goal(
    "cost per certificate of 20 in one request ÷ cost of a request with one",
    0.5,
    0.3,
    0.2,
    less_is_better=True,
)
INGEST: Final = Goal("ingest: rows/s ÷ openssl P-256 signatures/s", 0.06, 0.12, 0.20)
SM2_SIGN: Final = Goal("SM2 signatures ÷ openssl speed", 0.6, 0.8, 0.95)
SM2_VERIFY_HOT: Final = Goal("SM2 verifications of a hot key ÷ openssl speed", 1, 2, 3)
PDF_GENERAL: Final = Goal("PDF seals, any document ÷ pyHanko signing the same file", 5, 15, 30)
PDF_PREPARED: Final = Goal("PDF seals, prepared before ÷ pyHanko signing the same file", 5, 15, 30)
# 2,000 records a second, and 5,000, and 10,000.
SLOW_BATCH_PER_SECOND: Final = 2_000
SLOW_BATCH: Final = Goal("batch by a key of 20 signatures/s ÷ 2,000 a second", 1, 2.5, 5)
# What the signing of a mass re-seal has to come to, so that ten million records take 72 minutes.
RESEALED_PER_SECOND: Final = 2_315
RESEAL: Final = Goal("records sealed anew ÷ 2,315 a second", 1, 2, 4)
