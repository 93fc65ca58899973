"""What a cron process tells of itself: figures for Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from scheduling.application.ports.leadership import JobRun, RunOutcome


class CronFigures:
    """Gauges are of the job, whichever process did it: each process tells the same.
    Counters are of this process: over all, add up.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._turns = Counter(
            "scheduling_cron_runs",
            "Runs by how they ended, of this process",
            ("job", "outcome"),
            registry=registry,
        )
        self._done = Counter(
            "scheduling_cron_done",
            "Things that jobs did, of this process",
            ("job",),
            registry=registry,
        )
        self._faults = Counter(
            "scheduling_cron_faults",
            "Times that all connections were made anew",
            registry=registry,
        )
        self._started = Gauge(
            "scheduling_cron_last_start_timestamp_seconds",
            "When the last run began",
            ("job",),
            registry=registry,
        )
        self._succeeded = Gauge(
            "scheduling_cron_last_success_timestamp_seconds",
            "When a run last went well to its end",
            ("job",),
            registry=registry,
        )
        self._took = Gauge(
            "scheduling_cron_last_duration_seconds",
            "How long the last run took that ended",
            ("job",),
            registry=registry,
        )
        self._failing = Gauge(
            "scheduling_cron_failing",
            "1 where the last run that ended has failed",
            ("job",),
            registry=registry,
        )

    def ended(self, job: str, done: int, *, failed: bool) -> None:
        self._turns.labels(job, "failed" if failed else "done").inc()
        self._done.labels(job).inc(done)

    def known(self, runs: Iterable[JobRun]) -> None:
        for run in runs:
            self._started.labels(run.job).set(run.started_at.timestamp())
            if run.succeeded_at is not None:
                self._succeeded.labels(run.job).set(run.succeeded_at.timestamp())
            if run.duration is not None:
                self._took.labels(run.job).set(run.duration.total_seconds())
                failed = run.outcome is RunOutcome.FAILED
                self._failing.labels(run.job).set(int(failed))

    def fault(self) -> None:
        self._faults.inc()
