"""The patient registry over real HTTP, with all that can be wrong with it."""

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from scheduling.adapters.registry.http_registry import (
    LARGEST_ANSWER,
    HttpPatientRegistry,
    open_registry,
)
from scheduling.application.ports.registry import (
    RegistryJournal,
    RegistryOutcome,
    RegistryUnavailable,
)
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.identifiers import PatientId, TenantId
from scheduling.entrypoints.registry_figures import RegistryFigures
from scheduling.entrypoints.telemetry import configure_logging
from tests.fakes.registry import Journal
from tests.registry_site import RegistrySite, a_document
from tests.unit.tokens.forge import Clock

TENANT, PATIENT = TenantId(uuid4()), PatientId(uuid4())
PATH = "/tenants/{tenant}/patients/{patient}"


@pytest.fixture
async def site() -> AsyncIterator[RegistrySite]:
    async with RegistrySite().open() as site:
        yield site


@pytest.fixture
def journal() -> Journal:
    return Journal()


@asynccontextmanager
async def asking(
    site: RegistrySite,
    journal: RegistryJournal,
    *,
    patience: float = 5.0,
    clock: Clock | None = None,
) -> AsyncIterator[HttpPatientRegistry]:
    async with open_registry(
        site.url + PATH,
        journal,
        token="the-token",  # noqa: S106  # of a test
        patience=patience,
        monotonic=clock or Clock(0),
    ) as registry:
        yield registry


async def unavailable(registry: HttpPatientRegistry) -> None:
    with pytest.raises(RegistryUnavailable):
        await registry.fetch(TENANT, PATIENT)


async def test_a_patient_is_read_as_the_registry_tells(
    site: RegistrySite, journal: Journal
) -> None:
    site.knows(
        TENANT,
        PATIENT,
        a_document(
            PATIENT,
            TENANT,
            fileNumber="F-7",
            email="m@example.org",
            preferences={"sms": True, "pigeon": True},
        ),
    )
    async with asking(site, journal) as registry:
        patient = await registry.fetch(TENANT, PATIENT)
    assert patient is not None
    assert (patient.id, patient.name, patient.active) == (PATIENT, "Marker-Name", True)
    assert (patient.file_number, patient.phone) == ("F-7", "+49 30 1234")
    assert patient.preferences == ContactPreferences(sms=True)
    assert site.asked == [site.path(TENANT, PATIENT)]
    assert site.shown == ["Bearer the-token"]
    assert journal.outcomes == [RegistryOutcome.FOUND]


async def test_patient_id_may_be_called_by_either_name(
    site: RegistrySite, journal: Journal
) -> None:
    document = {"patientId": str(PATIENT), "name": "M"}
    site.knows(TENANT, PATIENT, json.dumps(document).encode())
    async with asking(site, journal) as registry:
        assert await registry.fetch(TENANT, PATIENT) is not None


async def test_whom_it_does_not_know_is_nobody(
    site: RegistrySite, journal: Journal
) -> None:
    async with asking(site, journal) as registry:
        for _ in range(7):
            assert await registry.fetch(TENANT, PATIENT) is None
    assert journal.outcomes == [RegistryOutcome.UNKNOWN] * 7
    assert journal.turns == [], "not to know somebody is no failure"


@pytest.mark.parametrize("trouble", [500, 502, 503])
async def test_one_stumble_is_not_seen(
    site: RegistrySite, journal: Journal, trouble: int
) -> None:
    site.knows(TENANT, PATIENT)
    site.troubles = [trouble]
    async with asking(site, journal) as registry:
        assert await registry.fetch(TENANT, PATIENT) is not None
    assert len(site.asked) == 2
    assert journal.outcomes == [RegistryOutcome.FOUND]


async def test_it_is_asked_twice_and_no_more(
    site: RegistrySite, journal: Journal
) -> None:
    site.down = 500
    async with asking(site, journal) as registry:
        await unavailable(registry)
    assert len(site.asked) == 2
    assert journal.outcomes == [RegistryOutcome.UNAVAILABLE]
    assert journal.reasons == ["status 500"]


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 410, 429])
async def test_what_another_try_does_not_mend_is_not_tried(
    site: RegistrySite, journal: Journal, status: int
) -> None:
    """Nor is the token carried to where it is sent to."""
    site.knows(TENANT, PATIENT)
    site.down = status
    async with asking(site, journal) as registry:
        await unavailable(registry)
    assert len(site.asked) == 1
    assert journal.reasons == [f"status {status}"]


async def test_who_does_not_answer_is_waited_for_a_while_only(
    site: RegistrySite, journal: Journal
) -> None:
    site.knows(TENANT, PATIENT)
    site.troubles = [None, None]
    async with asking(site, journal, patience=0.2) as registry:
        await unavailable(registry)
        assert journal.outcomes == [RegistryOutcome.UNAVAILABLE]
        site.troubles = []
        assert await registry.fetch(TENANT, PATIENT) is not None


async def test_who_is_not_there_is_unavailable(journal: Journal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = RegistrySite(port=taken.getsockname()[1])
    async with asking(nobody, journal) as registry:
        await unavailable(registry)
    assert journal.reasons == ["ConnectError"]


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        (b"", "json_invalid"),
        (b"<html>", "json_invalid"),
        (b"[]", "model_type"),
        (b'{"name": "Marker-Name"}', "patientId: missing"),
        (a_document(PATIENT, name=7), "name: string_type"),
        (a_document(PATIENT, phone="Marker-Phone"), "phone: string_pattern_mismatch"),
        (a_document(uuid4()), "another patient"),
        (a_document(PATIENT, uuid4()), "another tenant's"),
        (a_document(PATIENT, photo="x" * LARGEST_ANSWER), "too large"),
    ],
)
async def test_what_is_not_that_patient_is_an_alarm_and_no_answer(
    site: RegistrySite, journal: Journal, document: bytes, detail: str
) -> None:
    site.knows(TENANT, PATIENT, document)
    async with asking(site, journal) as registry:
        await unavailable(registry)
    assert len(site.asked) == 1
    assert journal.outcomes == [RegistryOutcome.INVALID]
    [told] = journal.details
    assert detail in told
    assert "Marker" not in told


async def test_one_patient_who_is_told_wrongly_closes_nobody_out(
    site: RegistrySite, journal: Journal
) -> None:
    other = PatientId(uuid4())
    site.knows(TENANT, PATIENT, b"{}")
    site.knows(TENANT, other)
    async with asking(site, journal) as registry:
        for _ in range(7):
            await unavailable(registry)
        assert await registry.fetch(TENANT, other) is not None


async def test_who_fails_again_and_again_is_left_alone_for_a_while(
    site: RegistrySite, journal: Journal
) -> None:
    clock = Clock(0)
    site.knows(TENANT, PATIENT)
    site.down = 400
    async with asking(site, journal, clock=clock) as registry:
        for _ in range(5):
            await unavailable(registry)
        assert (len(site.asked), journal.turns) == (5, [True])
        site.down = None
        await unavailable(registry)
        assert len(site.asked) == 5, "it is not asked"
        assert journal.outcomes[-1] is RegistryOutcome.NOT_ASKED
        clock.advance(10)
        assert await registry.fetch(TENANT, PATIENT) is not None
        assert journal.turns == [True, False]


async def test_many_who_ask_for_one_patient_ask_once(
    site: RegistrySite, journal: Journal
) -> None:
    other = PatientId(uuid4())
    site.knows(TENANT, PATIENT)
    site.gate.clear()
    async with asking(site, journal) as registry, asyncio.TaskGroup() as group:
        asked = [
            group.create_task(registry.fetch(TENANT, who))
            for who in (PATIENT, other) * 10
        ]
        await site.until_asked(2)
        site.gate.set()
    told = [task.result() for task in asked]
    assert told == [told[0], None] * 10
    assert sorted(site.asked) == sorted(
        [site.path(TENANT, PATIENT), site.path(TENANT, other)]
    )


async def test_figures_and_alarms_tell_of_it_and_not_of_the_patient(
    site: RegistrySite,
) -> None:
    log = io.BytesIO()
    configure_logging("info", log)
    figures = CollectorRegistry()
    async with asking(site, RegistryFigures(figures)) as registry:
        site.knows(TENANT, PATIENT, a_document(PATIENT, email="Marker-Mail"))
        await unavailable(registry)
        site.down = 401
        for _ in range(6):
            await unavailable(registry)
    told = generate_latest(figures).decode()
    assert 'scheduling_registry_requests_total{outcome="invalid"} 1.0' in told
    assert 'scheduling_registry_requests_total{outcome="unavailable"} 5.0' in told
    assert 'scheduling_registry_requests_total{outcome="not-asked"} 1.0' in told
    assert "scheduling_registry_circuit_open 1.0" in told
    assert "scheduling_registry_seconds_count 6.0" in told
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    alarms = [line["event"] for line in lines if line["level"] == "error"]
    assert alarms == [
        "the patient registry answered with what is not that patient",
        "the patient registry failed again and again: it is not asked",
    ]
    assert str(PATIENT) in log.getvalue().decode()
    assert b"Marker" not in log.getvalue()
    assert b"the-token" not in log.getvalue()
