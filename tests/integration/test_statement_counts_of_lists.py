"""Questions over many appointments take the same few statements, however many."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from datetime import date, timedelta
from typing import Any

import pytest

from scheduling.application.ports.appointment_lists import ANYBODY, TOLD, Page, Whose
from scheduling.application.queries.get_calendar_view import GetCalendarView
from scheduling.application.queries.get_statistics import GetStatistics
from scheduling.application.queries.list_patient_appointments import (
    ListPatientAppointments,
)
from scheduling.application.queries.list_todays_appointments import (
    ListTodaysAppointments,
)
from scheduling.application.queries.list_upcoming_appointments import (
    ListUpcomingAppointments,
)
from scheduling.domain.local_days import Span
from scheduling.domain.period import Period
from tests.builders import EIGHT, Clinic, at, open_clinic
from tests.contracts.put_there import a_visit, put_there
from tests.contracts.storages import postgres_storage
from tests.fakes.audit import MemoryAudit
from tests.integration.ear import READ, Ear

MONDAY = date(2030, 1, 7)
A_WEEK = Span(MONDAY, MONDAY + timedelta(days=7))
QUARTER = timedelta(minutes=15)
AUDIT = MemoryAudit({}, lambda: EIGHT)
"""Its own statement is its own matter (see `test_audit_is_kept`)."""


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(
            postgres_storage(database_url, size=1)
        )
        ear = Ear(storage)
        async with storage.pool.acquire() as connection:
            connection.add_query_logger(ear.hear)
        yield ear


def questions(ear: Ear, clinic: Clinic) -> dict[str, tuple[Awaitable[Any], int]]:
    """Each with the number of statements that it may take."""
    begin, caller = ear.storage.begin, clinic.caller
    whose = Whose(location_ids=(clinic.location.id,))
    calendar = GetCalendarView(begin, lambda: EIGHT, AUDIT)
    today = ListTodaysAppointments(begin, lambda: EIGHT, AUDIT)
    upcoming = ListUpcomingAppointments(begin, lambda: EIGHT, AUDIT)
    of_patient = ListPatientAppointments(begin, lambda: EIGHT, AUDIT)
    statistics = GetStatistics(begin)
    patient = clinic.patients[0].id
    ahead: dict[str, Any] = {"patient_id": None, "timezone": "UTC"}
    seen: dict[str, Any] = {"include_cancelled": False}
    return {
        "a calendar of a named zone": (
            calendar(caller, A_WEEK, whose, timezone="UTC", **seen),
            1,
        ),
        "a calendar in the clinic's zone": (
            calendar(caller, A_WEEK, whose, timezone=None, **seen),
            2,
        ),
        "today, with its counts": (
            today(caller, whose, Page(), statuses=TOLD, timezone="UTC"),
            2,
        ),
        "what is ahead": (
            upcoming(caller, A_WEEK, whose, Page(), summarised=False, **ahead),
            1,
        ),
        "what is ahead, with a summary": (
            upcoming(caller, A_WEEK, whose, Page(), summarised=True, **ahead),
            2,
        ),
        "a patient's": (
            of_patient(
                caller, patient, Page(), span=None, statuses=TOLD, timezone=None
            ),
            2,
        ),
        "figures": (statistics(caller, A_WEEK, ANYBODY, timezone="UTC"), 1),
    }


@pytest.mark.parametrize("count", [1, 150])
async def test_lists_calendar_and_figures(ear: Ear, count: int) -> None:
    periods = [Period.of(at("09:00") + n * QUARTER, QUARTER) for n in range(count)]
    clinic = await open_clinic(ear.storage.begin, *periods)
    await put_there(ear.storage, clinic, *(a_visit(clinic, one) for one in periods))
    for name, (question, _) in questions(ear, clinic).items():
        assert READ in await ear.during(question), name  # asyncpg learns the types
    for name, (question, statements) in questions(ear, clinic).items():
        assert await ear.during(question) == [READ] * statements, name
