"""What an inbox process tells of itself: figures for Prometheus, alarms for the log.

Ids and codes only; a type is told as a label where we know it, for anybody may make up
more of them.
"""

from datetime import UTC, datetime

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from scheduling.application.ports.dead_letters import DeadLetter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.sub_files import Alarms
from scheduling.domain.sub_file import SubFile

log = structlog.get_logger()


class InboxFigures(Alarms):
    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._received = Counter(
            "scheduling_inbox_received",
            "Deliveries by what became of them",
            ("type", "outcome"),
            registry=registry,
        )
        self._in_flight = Gauge(
            "scheduling_inbox_in_flight",
            "Messages taken and not answered for yet",
            registry=registry,
        )
        self._took = Histogram(
            "scheduling_inbox_lag_seconds",
            "From the broker storing a message to its effect being committed",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=registry,
        )
        self._letters = Counter(
            "scheduling_inbox_dead_letters",
            "Messages put aside for an operator",
            ("reason",),
            registry=registry,
        )
        self._faults = Counter(
            "scheduling_inbox_faults",
            "Times that the connection to the broker was made anew",
            registry=registry,
        )
        self._without_main_file = Counter(
            "scheduling_inbox_main_files_missing",
            "Sub-files opened for patients who have no main file",
            registry=registry,
        )
        self._waiting = Gauge(
            "scheduling_inbox_waiting",
            "Messages of a consumer that are not answered for, over all processes",
            ("consumer",),
            registry=registry,
        )

    def in_flight(self, messages: int) -> None:
        self._in_flight.set(messages)

    def received(self, type: str, outcome: str, stored_at: datetime) -> None:
        self._received.labels(type, outcome).inc()
        self._took.observe((datetime.now(UTC) - stored_at).total_seconds())

    def put_off(self, type: str) -> None:
        self._received.labels(type, "again").inc()

    def dead(self, letter: DeadLetter, type: str) -> None:
        self._received.labels(type, "dead").inc()
        self._letters.labels(letter.reason).inc()
        log.error(
            "message cannot be followed; it waits for `inbox replay`",
            dead_letter_id=str(letter.id),
            tenant_id=str(letter.tenant_id),
            stream=letter.stream,
            sequence=letter.sequence,
            reason=letter.reason,
            detail=letter.detail,
        )

    def main_file_missing(self, caller: Caller, sub_file: SubFile, /) -> None:
        self._without_main_file.inc()
        log.warning(
            "patient has no main file; the number of the sub-file was drawn",
            tenant_id=str(caller.tenant_id),
            patient_id=str(sub_file.patient_id),
            sub_file_id=str(sub_file.id),
        )

    def waiting(self, consumer: str, messages: int) -> None:
        self._waiting.labels(consumer).set(messages)

    def fault(self) -> None:
        self._faults.inc()
