"""What a relay tells of itself: figures for Prometheus, alarms for the log."""

from collections.abc import Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from scheduling.application.ports.messaging import RelayJournal, WaitingEvent

log = structlog.get_logger()


class RelayFigures(RelayJournal):
    """Figures are of the partitions that this relay holds: over all relays, add up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._published = Counter(
            "scheduling_relay_published",
            "Events that the stream has, by this relay",
            registry=registry,
        )
        self._batch = Histogram(
            "scheduling_relay_batch_size",
            "Events marked by one statement",
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
            registry=registry,
        )
        self._blocks = Counter(
            "scheduling_relay_blocked",
            "Events that can never be published; each blocks its aggregate",
            registry=registry,
        )
        self._faults = Counter(
            "scheduling_relay_faults",
            "Times that both connections were made anew",
            registry=registry,
        )
        self._pending = Gauge(
            "scheduling_outbox_pending", "Events that wait", registry=registry
        )
        self._lag = Gauge(
            "scheduling_outbox_lag_seconds",
            "Age of the oldest event that waits (over all relays: the highest)",
            registry=registry,
        )
        self._blocked = Gauge(
            "scheduling_outbox_blocked_aggregates",
            "Aggregates that wait for an operator",
            registry=registry,
        )
        self._held = Gauge(
            "scheduling_relay_partitions", "Partitions held", registry=registry
        )

    def published(self, events: Sequence[WaitingEvent]) -> None:
        self._published.inc(len(events))
        self._batch.observe(len(events))

    def blocked(self, event: WaitingEvent, reason: str) -> None:
        self._blocks.inc()
        log.error(
            "event can never be published; its aggregate waits for `outbox replay`",
            event_id=str(event.event_id),
            tenant_id=str(event.tenant_id),
            aggregate_id=str(event.aggregate_id),
            reason=reason,
        )

    def waiting(self, pending: int, lag_seconds: float, blocked: int) -> None:
        self._pending.set(pending)
        self._lag.set(lag_seconds)
        self._blocked.set(blocked)

    def partitions(self, held: int) -> None:
        self._held.set(held)

    def fault(self) -> None:
        self._faults.inc()
