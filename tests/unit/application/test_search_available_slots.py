from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.ports.appointment_lists import ANYBODY, Whose
from scheduling.application.ports.availability import First, SlotFilter
from scheduling.application.queries.get_settings import GetSettings
from scheduling.application.queries.search_available_slots import (
    AvailableSlots,
    SearchAvailableSlots,
)
from scheduling.domain.errors import InvalidInput, PatientNotFound
from scheduling.domain.local_days import Span
from scheduling.domain.period import Period
from scheduling.domain.settings import Limits, Settings
from tests.builders import (
    EIGHT,
    Clinic,
    a_role,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.fakes.storage import MemoryStorage

THE_DAY = between("00:00", "23:59")
FIRST = First(200)


async def search(
    storage: MemoryStorage,
    clinic: Clinic,
    now: datetime = EIGHT,
    *,
    period: Period = THE_DAY,
    page: First = FIRST,
    **asked: Any,  # noqa: ANN401
) -> AvailableSlots:
    query = SearchAvailableSlots(storage.begin, GetSettings(storage.begin), lambda: now)
    span = Span(period.start, period.end)
    return await query(clinic.caller, SlotFilter(**asked), span, page)


async def starts(
    storage: MemoryStorage,
    clinic: Clinic,
    now: datetime = EIGHT,
    **asked: Any,  # noqa: ANN401
) -> list[str]:
    found = await search(storage, clinic, now, **asked)
    return [f"{slot.start:%H:%M}" for slot in found.items]


async def test_what_is_free_is_shown_in_order(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin, *slots_from("09:00", count=3))
    assert await starts(storage, clinic) == ["09:00", "09:30", "10:00"]


async def test_what_has_begun_is_over_and_what_begins_now_too(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin, *slots_from("09:45", minutes=15, count=3))
    assert await starts(storage, clinic, at("10:00")) == ["10:15"]
    assert await starts(storage, clinic, at("23:59", day=1)) == []


async def test_notice_and_horizon_bound_what_is_shown(storage: MemoryStorage) -> None:
    clinic = await open_clinic(
        storage.begin,
        between("10:59", "11:00"),
        between("11:00", "11:30"),
        between("23:30", "23:59"),
        between("00:00", "00:30", day=1),
        settings=Settings(minimum_notice_minutes=60, horizon_days=0),
    )
    two_days = Period(at("00:00"), at("00:00", day=2))
    shown = await starts(storage, clinic, at("10:00"), period=two_days)
    assert shown == ["11:00", "23:30"]


async def test_a_buffer_hides_its_neighbour(storage: MemoryStorage) -> None:
    clinic = await open_clinic(
        storage.begin,
        *slots_from("09:00", minutes=15, count=4),
        settings=Settings(buffer_minutes=15),
    )
    book = BookAppointment(storage.begin, lambda: EIGHT)
    await book(clinic.caller, clinic.request(0, 0))
    assert await starts(storage, clinic) == ["09:30", "09:45"]


async def test_a_reached_limit_hides_the_day(storage: MemoryStorage) -> None:
    clinic = await open_clinic(
        storage.begin,
        *slots_from("09:00", count=2),
        between("09:00", "09:30", day=1),
        settings=Settings(limits=Limits(per_practitioner_day=1)),
    )
    book = BookAppointment(storage.begin, lambda: EIGHT)
    await book(clinic.caller, clinic.request(0, 0))
    week = Period(at("00:00"), at("00:00", day=7))
    found = await search(storage, clinic, period=week)
    assert [slot.start for slot in found.items] == [at("09:00", day=1)]


async def test_a_week_that_was_full_before_the_search_begins_is_full(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(
        storage.begin,
        between("09:00", "09:30"),
        *(between("09:00", "09:30", day=day) for day in (2, 6, 7)),
        settings=Settings(limits=Limits(per_practitioner_week=1)),
    )
    await BookAppointment(storage.begin, lambda: EIGHT)(
        clinic.caller, clinic.request(0, 0)
    )
    later = Period(at("00:00", day=1), at("00:00", day=8))
    found = await search(storage, clinic, at("12:00", day=1), period=later)
    assert [slot.start for slot in found.items] == [at("09:00", day=7)]


async def test_a_week_that_fills_up_after_the_search_ends_is_full(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(
        storage.begin,
        *(between("09:00", "09:30", day=day) for day in (0, 6)),
        settings=Settings(limits=Limits(per_practitioner_week=1)),
    )
    await BookAppointment(storage.begin, lambda: EIGHT)(
        clinic.caller, clinic.request(0, 1)
    )
    assert await starts(storage, clinic) == []


async def test_an_inactive_role_hides_the_place(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    role = a_role(
        clinic.practitioner.id,
        clinic.location.id,
        active=False,
        version=1,
        created_at=EIGHT,
        updated_at=EIGHT,
    )
    assert await starts(storage, clinic) == ["09:00"]
    async with storage.begin(clinic.caller) as work:
        work.practitioner_roles.save(role)
    assert await starts(storage, clinic) == []
    async with storage.begin(clinic.caller) as work:
        work.practitioner_roles.save(replace(role, active=True, version=2))
    assert await starts(storage, clinic) == ["09:00"]


async def test_a_page_says_where_the_next_begins(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin, *slots_from("09:00", count=3))
    first = await search(storage, clinic, page=First(2))
    assert first.last == first.items[-1]
    after = (first.items[-1].start, first.items[-1].slot_id)
    second = await search(storage, clinic, page=First(2, after))
    assert [slot.start for slot in second.items] == [at("10:00")]
    assert second.last is None


async def test_hidden_slots_take_no_place_on_a_page(storage: MemoryStorage) -> None:
    clinic = await open_clinic(
        storage.begin,
        *slots_from("09:00", count=3),
        settings=Settings(minimum_notice_minutes=120),
    )
    page = await search(storage, clinic, page=First(2))
    assert [slot.start for slot in page.items] == [at("10:00")]
    assert page.last is None


async def test_a_search_spans_62_days_at_most(storage: MemoryStorage) -> None:
    clinic = await open_clinic(storage.begin)
    longest = Period.of(at("00:00"), timedelta(days=62))
    await search(storage, clinic, period=longest)
    with pytest.raises(InvalidInput) as refused:
        await search(
            storage,
            clinic,
            period=Period.of(at("00:00"), timedelta(days=62, seconds=1)),
        )
    assert refused.value.field == "to"


async def test_days_are_those_of_the_zone_that_is_asked_for(
    storage: MemoryStorage,
) -> None:
    """Else of the location, else of the organisation."""
    clinic = await open_clinic(
        storage.begin,
        *(between(f"{hour:02}:30", f"{hour:02}:45") for hour in (3, 8, 14, 20)),
        timezone="Asia/Tokyo",
        settings=Settings(timezone="America/Anchorage"),
    )
    query = SearchAvailableSlots(
        storage.begin, GetSettings(storage.begin), lambda: at("00:00")
    )
    monday = Span(at("00:00").date(), at("00:00", day=1).date())

    async def hours(whose: Whose = ANYBODY, timezone: str | None = None) -> list[int]:
        wanted = SlotFilter(whose=whose)
        found = await query(clinic.caller, wanted, monday, FIRST, timezone=timezone)
        return [slot.start.hour for slot in found.items]

    there = Whose(location_ids=(clinic.location.id,))
    assert await hours(timezone="UTC") == [3, 8, 14, 20]
    assert await hours(there, timezone="Pacific/Kiritimati") == [3, 8]
    assert await hours(there) == [3, 8, 14]
    assert await hours() == [14, 20]


async def test_a_patient_does_not_search_in_anothers_name(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(storage.begin)
    query = SearchAvailableSlots(
        storage.begin, GetSettings(storage.begin), lambda: EIGHT
    )
    wanted = SlotFilter(patient_id=clinic.patients[1].id)
    the_day = Span(THE_DAY.start, THE_DAY.end)
    with pytest.raises(PatientNotFound):
        await query(clinic.own_token(0), wanted, the_day, FIRST)
    assert len((await query(clinic.own_token(1), wanted, the_day, FIRST)).items) == 1
