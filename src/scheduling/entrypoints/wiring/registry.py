"""The patient registry, if there is one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scheduling.application.commands.fetch_patient import FetchPatient
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.registry import PatientCachePort
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.entrypoints.registry_figures import RegistryFigures
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import Metrics


@asynccontextmanager
async def open_patient_cache(
    settings: Settings, metrics: Metrics, begin: BeginWork, now: Clock
) -> AsyncIterator[PatientCachePort | None]:
    """None: nobody is asked, and known is whom we were told of."""
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
        yield FetchPatient(begin, registry, now)
