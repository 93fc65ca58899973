"""A patient registry over HTTP: one GET for each patient who is not known here."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx2
from pydantic import AliasChoices, ConfigDict, Field, ValidationError
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random,
)

from scheduling.adapters.cloud_events.messages import (
    PatientUpdatedData,
    PreferencesData,
)
from scheduling.adapters.registry.circuit_breaker import CircuitBreaker, CircuitOpen
from scheduling.adapters.registry.flights import Flights
from scheduling.application.ports.registry import (
    PatientRegistry,
    RegistryJournal,
    RegistryOutcome,
    RegistryUnavailable,
)
from scheduling.domain.directory import Patient
from scheduling.domain.identifiers import PatientId, TenantId

LARGEST_ANSWER = 64 * 1024
"""Bytes; a hundred times what a patient takes."""

ATTEMPTS = 2


class PreferencesDocument(PreferencesData):
    model_config = ConfigDict(extra="ignore")


class PatientDocument(PatientUpdatedData):
    """As the data of `patient.updated`; `patientId` may be called `id`. What a registry
    knows besides is not ours. `tenantId`, where it is told, has to fit.
    """

    model_config = ConfigDict(extra="ignore")

    patient_id: UUID = Field(validation_alias=AliasChoices("patientId", "id"))
    preferences: PreferencesDocument = PreferencesDocument()
    tenant_id: UUID | None = None


class _NotAnswered(Exception):
    """No answer, or one that says that there is none. `soon`: ask again at once."""

    def __init__(self, why: str, *, soon: bool = True) -> None:
        super().__init__(why)
        self.soon = soon


class _NotAPatient(Exception):
    """An answer that is no patient, or not the one that was asked for."""


@dataclass(frozen=True, slots=True)
class HttpPatientRegistry(PatientRegistry):
    """`address` has `{tenant}` and `{patient}` for their ids; `patience` is the seconds
    that asking may take, repeats included.
    """

    client: httpx2.AsyncClient
    address: str
    patience: float
    breaker: CircuitBreaker
    journal: RegistryJournal
    flights: Flights[tuple[TenantId, PatientId], Patient | None]

    async def fetch(self, tenant_id: TenantId, patient_id: PatientId) -> Patient | None:
        return await self.flights.join(
            (tenant_id, patient_id), lambda: self._told(tenant_id, patient_id)
        )

    async def _told(self, tenant_id: TenantId, patient_id: PatientId) -> Patient | None:
        """Ask, and say in the journal what came of it."""
        began = time.perf_counter()
        outcome = RegistryOutcome.UNAVAILABLE
        try:
            with self.breaker.guarding():
                answer = await self._answer(tenant_id, patient_id)
            patient = None if answer is None else _read(answer, tenant_id, patient_id)
            outcome = RegistryOutcome.FOUND if patient else RegistryOutcome.UNKNOWN
        except CircuitOpen as error:
            outcome = RegistryOutcome.NOT_ASKED
            raise RegistryUnavailable(outcome) from error
        except _NotAPatient as error:
            outcome = RegistryOutcome.INVALID
            self.journal.invalid(tenant_id, patient_id, str(error))
            raise RegistryUnavailable(outcome) from error
        except (_NotAnswered, TimeoutError) as error:
            self.journal.failed(str(error) or type(error).__name__)
            raise RegistryUnavailable(outcome) from error
        else:
            return patient
        finally:
            self.journal.asked(outcome, time.perf_counter() - began)

    async def _answer(self, tenant_id: TenantId, patient_id: PatientId) -> bytes | None:
        """Return the body; None where there is no such patient."""
        url = self.address.format(tenant=tenant_id, patient=patient_id)
        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_worth_another),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random(0.05, 0.2),
            reraise=True,
        )
        async with asyncio.timeout(self.patience):
            return await retrying(self._get, url)

    async def _get(self, url: str) -> bytes | None:
        try:
            async with self.client.stream("GET", url) as response:
                if response.status_code == httpx2.codes.NOT_FOUND:
                    return None
                if (status := response.status_code) != httpx2.codes.OK:
                    soon = httpx2.codes.is_server_error(status)
                    raise _NotAnswered(f"status {status}", soon=soon)
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        return body  # too large to be read: it is no patient
        except httpx2.HTTPError as error:
            raise _NotAnswered(type(error).__name__) from error
        return body


def _is_worth_another(error: BaseException) -> bool:
    return isinstance(error, _NotAnswered) and error.soon


def _read(body: bytes, tenant_id: TenantId, patient_id: PatientId) -> Patient:
    if len(body) > LARGEST_ANSWER:
        raise _NotAPatient("too large")
    try:
        document = PatientDocument.model_validate_json(body)
    except ValidationError as error:
        raise _NotAPatient(_in_brief(error)) from None
    if document.patient_id != patient_id:
        raise _NotAPatient("another patient")
    if document.tenant_id not in {None, tenant_id}:
        raise _NotAPatient("another tenant's")
    return document.to_message().patient


def _in_brief(error: ValidationError) -> str:
    """Where and what kind; nothing that was in it."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'document'}: {one['type']}"
        for one in found[:5]
    )


@asynccontextmanager
async def open_registry(
    address: str,
    journal: RegistryJournal,
    *,
    token: str | None = None,
    patience: float = 2.0,
    failures: int = 5,
    pause: float = 10.0,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[HttpPatientRegistry]:
    """Nothing is connected before somebody asks. `pause` is the seconds for which it is
    not asked after as many `failures` in a row.
    """
    headers = {"Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    breaker = CircuitBreaker(
        failures=failures,
        pause=pause,
        monotonic=monotonic,
        turned=lambda is_open: journal.circuit(is_open=is_open),
    )
    flights: Flights[tuple[TenantId, PatientId], Patient | None] = Flights()
    async with httpx2.AsyncClient(
        headers=headers,
        timeout=httpx2.Timeout(patience, connect=min(1.0, patience)),
        limits=httpx2.Limits(max_connections=20),
        follow_redirects=False,  # the token is for that address
    ) as client:
        try:
            yield HttpPatientRegistry(
                client=client,
                address=address,
                patience=patience,
                breaker=breaker,
                journal=journal,
                flights=flights,
            )
        finally:
            await flights.stop()
