"""What Prometheus sees. Labels are roles, authorities and outcomes, never a person or certificate.

A metric has at most 2,000 series; what would be one more is counted as `other`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from itertools import accumulate
from math import nan
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString

_Outcome = TypeVar("_Outcome", bound=Enum)

SERIES_MAX: Final = 2_000
OTHER: Final = "other"

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_MEMBERS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class BoundedLabels:
    """Lets the first label sets through and calls the rest `other`.

    A histogram has one series per bucket and three more, so it takes fewer label sets.
    """

    def __init__(self, names: Sequence[str], *, series_each: int) -> None:
        self._seen: set[tuple[str, ...]] = set()
        # One set is kept free for `other` itself.
        self._sets_max = SERIES_MAX // series_each - 1
        self._other = (OTHER,) * len(names)

    def __call__(self, *values: str) -> tuple[str, ...]:
        """`values` while there is room for them, else `other` for each label."""
        if values in self._seen:
            return values
        if len(self._seen) >= self._sets_max:
            return self._other
        self._seen.add(values)
        return values


class LatencyHistogram:
    """A histogram of seconds that costs a call next to nothing: Prometheus asks for its counts.

    The library's own takes two locks per observation. Belongs to one thread, the event loop's.
    """

    def __init__(
        self, registry: CollectorRegistry, name: str, help_text: str, labels: Sequence[str]
    ) -> None:
        self.name, self.help_text, self.labels = name, help_text, tuple(labels)
        self._bounded = BoundedLabels(labels, series_each=len(_SECONDS) + 4)
        # Per label set: a count for each bucket and for what is slower, and the sum.
        self._series: dict[tuple[str, ...], tuple[list[int], list[float]]] = {}
        registry.register(self)

    def observe(self, labels: tuple[str, ...], seconds: float) -> None:
        """Count one call; a label set too many is counted as `other`."""
        series = self._series.get(labels)
        if series is None:
            known = self._bounded(*labels)
            series = self._series.setdefault(known, ([0] * (len(_SECONDS) + 1), [0.0]))
        counts, total = series
        counts[bisect_left(_SECONDS, seconds)] += 1
        total[0] += seconds

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """The counts as Prometheus reads them: each bucket with all below it."""
        family = HistogramMetricFamily(self.name, self.help_text, labels=self.labels)
        for labels, (counts, total) in self._series.items():
            bounds = [*map(floatToGoString, _SECONDS), "+Inf"]
            family.add_metric(
                labels,
                [(bound, float(n)) for bound, n in zip(bounds, accumulate(counts), strict=True)],
                total[0],
            )
        yield family


class Metrics:
    """All metrics of one hub, on a registry of its own; `docs/operations.md` lists them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._exchange = LatencyHistogram(
            self.registry,
            "sealway_exchange_seconds",
            "Time of an exchange from request to durable answer",
            ("operation", "outcome", "recipient", "issuer"),
        )
        self._rpc = LatencyHistogram(
            self.registry, "sealway_rpc_seconds", "Time of a call", ("rpc", "status")
        )
        self.unauthenticated = Counter(
            "sealway_unauthenticated_total",
            "Calls refused before an identity was established",
            ("reason",),
            registry=self.registry,
        )
        self.epoch_members = Histogram(
            "sealway_epoch_members",
            "Log entries of one epoch",
            buckets=_MEMBERS,
            registry=self.registry,
        )
        self.epoch_seconds = Histogram(
            "sealway_epoch_seconds",
            "Time of an epoch from its transaction to the advanced head",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.ingest_rows = Counter(
            "sealway_ingest_rows_total",
            "Rows of signed batches by outcome",
            ("outcome",),
            registry=self.registry,
        )
        self.tokens_expire = Gauge(
            "sealway_token_expire_timestamp_seconds",
            "When the newest access token ends",
            registry=self.registry,
        )
        self.x509_expire = Gauge(
            "sealway_x509_expire_timestamp_seconds",
            "When an X.509 certificate of the hub, a seal or a system ends",
            ("usage", "name"),
            registry=self.registry,
        )
        self.x509_labels = BoundedLabels(("usage", "name"), series_each=1)
        self._x509_shown: dict[str, frozenset[tuple[str, ...]]] = {}
        self.warned_keys = Gauge(
            "sealway_seal_keys_warned",
            "Keys of seals in force that officers must see to, by what for",
            ("warning",),
            registry=self.registry,
        )
        self.epoch_age = Gauge(
            "sealway_epoch_age_seconds", "Age of the newest epoch", registry=self.registry
        )
        self.signature_age = Gauge(
            "sealway_signature_age_seconds",
            "Age of the newest log signature",
            registry=self.registry,
        )
        self.stamp_age = Gauge(
            "sealway_stamp_age_seconds",
            "Age of the newest time stamp over a checkpoint; NaN where none are configured",
            registry=self.registry,
        )
        self.stamp_age.set(nan)
        self.failed_epochs = Gauge(
            "sealway_failed_epochs",
            "Epochs since the start that could not be recorded or signed",
            registry=self.registry,
        )
        self.stale_members = Gauge(
            "sealway_stale_decisions",
            "Decisions since the start that were made again because something had changed",
            registry=self.registry,
        )
        self.feed_streams = Gauge(
            "sealway_feed_streams", "Open streams of the change feed", registry=self.registry
        )
        self.objections_overdue = Gauge(
            "sealway_objections_overdue",
            "Objections that an authority has not answered or corrected in time",
            ("authority",),
            registry=self.registry,
        )
        self.log_size = Gauge("sealway_log_size", "Entries in the log", registry=self.registry)

    def observe_exchange(
        self, operation: str, outcome: str, recipient: str, issuer: str, seconds: float
    ) -> None:
        """One exchange; `recipient` and `issuer` are authorities' names."""
        self._exchange.observe((operation, outcome, recipient, issuer), seconds)

    def observe_rpc(self, rpc: str, status: str, seconds: float) -> None:
        """One call; `rpc` comes from the policy table, never from the wire."""
        self._rpc.observe((rpc, status), seconds)

    def observe_epoch(self, members: int, seconds: float) -> None:
        """One epoch that is durable and signed."""
        self.epoch_members.observe(members)
        self.epoch_seconds.observe(seconds)

    def count_rows(self, outcomes: Mapping[_Outcome, int]) -> None:
        """The rows of one batch by outcome."""
        for outcome, count in outcomes.items():
            self.ingest_rows.labels(outcome.value).inc(count)

    def observe_x509(self, usage: str, ends: Mapping[str, int]) -> None:
        """When each X.509 certificate of a usage ends (microseconds); others of it are no more."""
        shown = {self.x509_labels(usage, name): end for name, end in ends.items()}
        for gone in self._x509_shown.get(usage, frozenset()) - shown.keys():
            self.x509_expire.remove(*gone)
        self._x509_shown[usage] = frozenset(shown)
        for labels, end in shown.items():
            self.x509_expire.labels(*labels).set(end / 1_000_000)

    def observe_warned_keys(self, warnings: Sequence[str]) -> None:
        """The warnings of all keys, one for each key and mark."""
        self.warned_keys.clear()
        for warning in warnings:
            self.warned_keys.labels(warning).inc()

    def observe_overdue(self, objections: Mapping[str, int]) -> None:
        """How many objections each authority has not answered in time; the others have none."""
        self.objections_overdue.clear()
        labels = BoundedLabels(("authority",), series_each=1)
        for authority, count in objections.items():
            self.objections_overdue.labels(*labels(authority)).inc(count)

    def text(self) -> bytes:
        """Everything in the Prometheus text format."""
        return generate_latest(self.registry)
