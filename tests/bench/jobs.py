"""What the runner asks of the load driver, and what the driver answers: one JSON line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Final

# A cold server answers its first calls slower: they precede each timed part, in no throughput and
# in no latency.
WARM_UP_CALLS: Final = 64

FETCH_PATH: Final = "/hub.exchange.v1.ExchangeService/FetchCertificates"


@dataclass(frozen=True, slots=True)
class Signing:
    """Who asks, and what for, in each of the signed requests.

    `holders_file` holds one `type number` per line; requests take holders from it in turn.
    """

    key_file: str
    issuer: str
    origin: str
    region: str
    token: str = field(repr=False)
    vct: str
    fields: tuple[str, ...]
    holders_file: str
    service_item: str
    basis: str
    certificates: int = 1
    log_origin: str = ""
    log_size: int = 0
    log_root: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One segment of load on one server.

    Closed loop: `in_flight` requests over `connections`, each sent when another is answered. Open
    loop (`rate` per second): sent at its time whatever happened before, latency counted from then.
    Ends after `seconds`, or when `requests_max` prepared requests are used up.
    """

    target: str
    address: str
    path: str
    ca: str
    certificate: str
    key: str
    seconds: float
    requests_max: int
    connections: int = 4
    in_flight: int = 32
    rate: float = 0.0
    plain_bytes: int = 0
    signing: Signing | None = None
    # Exact size of a plain answer; 0 where the answer is that of a fetch and is taken apart.
    answer_bytes: int = 0

    def line(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one segment showed. Latencies in ms; `failures` counts answers that were not right."""

    target: str
    answered: int
    failures: int
    first_failure: str
    seconds: float
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    driver_cpu: float
    answer_bytes_mean: float
    request_bytes_mean: float

    def line(self) -> str:
        return json.dumps(asdict(self))


def read_job(line: str) -> Job:
    """The job in one line of the runner."""
    members = json.loads(line)
    signing = members.pop("signing")
    if signing is not None:
        signing = Signing(**{**signing, "fields": tuple(signing["fields"])})
    return Job(**members, signing=signing)


def read_outcome(line: str) -> Outcome:
    """The outcome in one line of the driver. Raises RuntimeError with the driver's complaint."""
    members = json.loads(line)
    if "error" in members:
        raise RuntimeError(f"the load driver failed: {members['error']}")
    return Outcome(**members)
