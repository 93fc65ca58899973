"""What is told of the patient registry: figures for Prometheus, alarms for the log."""

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from scheduling.application.ports.registry import RegistryJournal, RegistryOutcome
from scheduling.domain.identifiers import PatientId, TenantId

log = structlog.get_logger()


class RegistryFigures(RegistryJournal):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._asked = Counter(
            "scheduling_registry_requests",
            "Patients asked for at the registry, by what came of it",
            ("outcome",),
            registry=registry,
        )
        self._seconds = Histogram(
            "scheduling_registry_seconds",
            "From asking the registry to its answer, repeats included",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0),
            registry=registry,
        )
        self._open = Gauge(
            "scheduling_registry_circuit_open",
            "Processes that do not ask the registry because it failed just now",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def asked(self, outcome: RegistryOutcome, seconds: float) -> None:
        self._asked.labels(outcome).inc()
        if outcome is not RegistryOutcome.NOT_ASKED:
            self._seconds.observe(seconds)

    def failed(self, why: str) -> None:
        log.warning("the patient registry did not answer", why=why)

    def invalid(self, tenant_id: TenantId, patient_id: PatientId, detail: str) -> None:
        log.error(
            "the patient registry answered with what is not that patient",
            tenant_id=str(tenant_id),
            patient_id=str(patient_id),
            detail=detail,
        )

    def circuit(self, *, is_open: bool) -> None:
        self._open.set(is_open)
        if is_open:
            log.error("the patient registry failed again and again: it is not asked")
        else:
            log.info("the patient registry answers again")
