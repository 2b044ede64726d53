"""What the agent measures, in the form that Prometheus reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from rigbridge.outbox import DeliveryEnd, DeliveryResult, OutboxStatus

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The media type of the text format."""

# From a store on this machine to an upload of large files.
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

_COUNTERS = {
    DeliveryEnd.SENT: ("rigbridge_runs_sent", "Runs delivered."),
    DeliveryEnd.RETRY: ("rigbridge_retries", "Attempts that failed and are repeated."),
    DeliveryEnd.PARKED: ("rigbridge_runs_parked", "Runs put aside for a person."),
    DeliveryEnd.HELD: ("rigbridge_holds", "Times that the store refused everyone."),
}


class Metrics:
    """Counts deliveries, and asks the outbox how it stands when it is read."""

    def __init__(self, status: Callable[[], OutboxStatus]) -> None:
        self._status = status
        # Its own registry: the library's default one is shared by the whole process.
        self._registry = CollectorRegistry()
        self._ends = {
            end: Counter(name, text, registry=self._registry)
            for end, (name, text) in _COUNTERS.items()
        }
        self._bytes = Counter(
            "rigbridge_sent_bytes",
            "Bytes of delivered runs and their attachments.",
            registry=self._registry,
        )
        self._latency = Histogram(
            "rigbridge_delivery_seconds",
            "How long delivering a run took.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        # Gauges are asked for when read: a kept copy would go stale between two reads.
        self._registry.register(self)

    def observe(self, result: DeliveryResult) -> None:
        """Count what came of one attempt."""
        self._ends[result.end].inc()
        if result.end is DeliveryEnd.SENT:
            self._bytes.inc(result.size)
            self._latency.observe(result.seconds)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the gauges, as they stand now."""
        status = self._status()
        oldest = 0.0
        if status.oldest is not None:
            oldest = max(0.0, time.time() - status.oldest.timestamp())
        for name, text, value in (
            ("rigbridge_outbox_waiting", "Runs still to be sent.", status.waiting),
            ("rigbridge_outbox_parked", "Runs that wait for a person.", status.parked),
            (
                "rigbridge_outbox_oldest_age_seconds",
                "Age of the oldest waiting run, 0 if none waits.",
                oldest,
            ),
            (
                "rigbridge_outbox_held",
                "1 while nothing is sent to the store.",
                status.held is not None,
            ),
        ):
            yield GaugeMetricFamily(name, text, value=float(value))

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name nothing beforehand: registering must not ask the outbox."""
        yield from ()

    def text(self) -> bytes:
        """Write everything in the text format."""
        return generate_latest(self._registry)
