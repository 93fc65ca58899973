"""The patient registry, if there is one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scheduling.application.commands.fetch_patient import FetchPatient
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.registry import PatientCachePort, PatientRegistry
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.entrypoints.registry_figures import RegistryFigures
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import Metrics


@asynccontextmanager
async def open_patient_registry(
    settings: Settings, metrics: Metrics
) -> AsyncIterator[PatientRegistry | None]:
    """None: nobody is asked. Nothing is connected before somebody asks."""
    if settings.registry_url is None:
        yield None
        return
    # Brings an HTTP client along, which a process without a registry never needs.
    from scheduling.adapters.registry.http_registry import (  # noqa: PLC0415
        open_registry,
    )

    token = settings.registry_token
    async with open_registry(
        settings.registry_url.rstrip("/") + settings.registry_patient_path,
        RegistryFigures(metrics.registry),
        token=None if token is None else token.get_secret_value(),
    ) as registry:
        yield registry


def patient_cache(
    registry: PatientRegistry | None, begin: BeginWork, now: Clock
) -> PatientCachePort | None:
    """None: known is whom we were told of, and nobody else."""
    return None if registry is None else FetchPatient(begin, registry, now)
