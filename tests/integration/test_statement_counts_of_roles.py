"""Changes of roles, and of what calendars follow, take the same statements for any
number of calendars and visits.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from scheduling.application.commands.add_schedule_exception import AddScheduleException
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.delete_practitioner_role import (
    DeletePractitionerRole,
)
from scheduling.application.commands.patch_practitioner_role import (
    PatchPractitionerRole,
)
from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.commands.put_settings import PutSettings
from scheduling.domain.booking_request import BySlot
from scheduling.domain.identifiers import ScheduleId
from scheduling.domain.schedule import PractitionerRole, Schedule
from scheduling.domain.schedule_exception import ExceptionKind
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion
from tests.builders import (
    EIGHT,
    Clinic,
    a_practitioner,
    a_role,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.closing import now
from tests.contracts.storages import postgres_storage
from tests.integration.ear import BEGIN, COMMIT, READ, WRITE, Ear

COUNTS = pytest.mark.parametrize("count", [1, 12])


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


async def put(ear: Ear, clinic: Clinic, role: PractitionerRole) -> PractitionerRole:
    putting = PutPractitionerRole(ear.storage.begin, now)
    return (await putting(clinic.caller, role)).role


async def a_clinic(ear: Ear, count: int) -> tuple[Clinic, PractitionerRole, Schedule]:
    """With that many roles, the first of which has that many visits; asyncpg has met
    all types before.
    """
    begin = ear.storage.begin
    clinic = await open_clinic(
        begin, patients=count, practitioner=a_practitioner(specialties=("x",))
    )
    role = a_role(clinic.practitioner.id, clinic.location.id)
    first = await put(ear, clinic, role)
    others = [a_role(clinic.practitioner.id, clinic.location.id) for _ in range(count)]
    for other in others:
        await put(ear, clinic, other)
    await DeletePractitionerRole(begin, now)(
        clinic.caller, others[0].id, expected=ExpectedVersion(1)
    )
    async with begin(clinic.caller) as work:
        calendar = await work.schedules.of_role(first.id)
        assert calendar is not None
        for period in slots_from("10:00", count=count):
            slot = Slot.opened(
                calendar, period, capacity=1, service_types=(), now=EIGHT
            )
            work.slots.add(slot)
    async with begin(clinic.caller) as work:
        await work.calendar_news.at_location(clinic.location.id)
    await PutSettings(begin, now)(clinic.caller, Settings(horizon_days=60))
    slots = await ear.storage.slots(clinic.caller)
    theirs = sorted(
        (slot for slot in slots if slot.schedule_id == calendar.id),
        key=lambda slot: slot.period.start,
    )
    for n, slot in enumerate(theirs):
        request = clinic.request(n, when=BySlot(slot.id), id=None)
        await BookAppointment(begin, now)(clinic.caller, request)
    return clinic, first, calendar


@COUNTS
async def test_a_role_comes_changes_and_goes(ear: Ear, count: int) -> None:
    """Calendar, role, practitioner and location are read; then all is written."""
    clinic, first, _ = await a_clinic(ear, count)
    caller, begin = clinic.caller, ear.storage.begin
    another = replace(first, id=a_role().id, version=0)
    heard = await ear.during(put(ear, clinic, another))
    assert heard == [BEGIN, *[READ] * 4, WRITE, COMMIT]
    heard = await ear.during(put(ear, clinic, replace(another, timezone="UTC")))
    assert heard == [BEGIN, *[READ] * 4, WRITE, COMMIT]
    patch = PatchPractitionerRole(begin, now)
    heard = await ear.during(
        patch(caller, first.id, {"specialties": ()}, expected=ExpectedVersion(1))
    )
    assert heard == [BEGIN, *[READ] * 3, COMMIT], "nothing is different"
    delete = DeletePractitionerRole(begin, now)
    heard = await ear.during(delete(caller, first.id, expected=ExpectedVersion(1)))
    assert heard == [BEGIN, *[READ] * 4, WRITE, COMMIT], "who is affected is read"


@COUNTS
async def test_all_calendars_that_follow_are_told_at_once(ear: Ear, count: int) -> None:
    clinic, _, _ = await a_clinic(ear, count)
    caller, begin = clinic.caller, ear.storage.begin
    wanted = replace(clinic.location, timezone="Africa/Cairo")
    heard = await ear.during(PutLocation(begin, now)(caller, wanted))
    assert heard == [READ, BEGIN, READ, READ, WRITE, COMMIT]
    again = await ear.during(PutLocation(begin, now)(caller, wanted))
    assert again == [READ]
    heard = await ear.during(PutSettings(begin, now)(caller, Settings(horizon_days=30)))
    assert heard == [READ, BEGIN, READ, READ, WRITE, COMMIT]
    told = await ear.storage.outbox(caller)
    following = [e for e in told if e.subject.endswith("practitioner-role.changed")]
    assert len(following) > 3 * count


async def test_an_exception_of_a_roles_calendar_reads_the_role_besides(
    ear: Ear,
) -> None:
    clinic, _, calendar = await a_clinic(ear, 2)
    close = AddScheduleException(ear.storage.begin, now)

    async def heard_of(id: ScheduleId, n: int) -> list[str]:
        return await ear.during(
            close(
                clinic.caller,
                id,
                kind=ExceptionKind.CLOSED,
                on_date=None,
                period=between("09:00", "18:00", day=n),
                windows=(),
                service_types=(),
                reason=None,
            )
        )

    await heard_of(calendar.id, 0)  # asyncpg meets the types
    by_staff = await heard_of(clinic.schedule.id, 1)
    of_role = await heard_of(calendar.id, 1)
    assert of_role == [*by_staff[:-2], READ, WRITE, COMMIT]
