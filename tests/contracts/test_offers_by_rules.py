"""What hides a slot for a while: holds, rules, limits, roles, and the clock."""

from dataclasses import replace
from typing import Any

from scheduling.application.ports.appointment_lists import Whose
from scheduling.domain.booking_request import Hold
from scheduling.domain.period import Period
from scheduling.domain.schedule import NotAvailable
from scheduling.domain.settings import CalendarLimits, Limits, Settings
from scheduling.domain.slot import Slot
from tests.builders import (
    EIGHT,
    Clinic,
    a_role,
    at,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.offers import numbers, offered
from tests.contracts.storages import Storage
from tests.contracts.visits import book

QUARTER = Settings(buffer_minutes=15)
PUT = {"version": 1, "created_at": EIGHT, "updated_at": EIGHT}


async def hold(storage: Storage, clinic: Clinic, slot: int, *, until: str) -> None:
    keeping = Hold(until=at(until), by="reception")
    await book(storage, clinic, clinic.request(0, slot, hold=keeping))


async def test_a_hold_that_has_run_out_counts_for_nothing(everywhere: Storage) -> None:
    """Its seat is free at the instant, and its time, though nobody has swept it."""
    clinic = await open_clinic(
        everywhere.begin, *slots_from("09:00", minutes=15, count=2), settings=QUARTER
    )
    await hold(everywhere, clinic, 0, until="08:10")

    async def seen(now: str, **asked: Any) -> list[int]:  # noqa: ANN401
        found = await offered(everywhere, clinic, QUARTER, now=at(now), **asked)
        return numbers(clinic, found)

    mine: dict[str, Any] = {"patient_id": clinic.patients[0].id}
    assert await seen("08:09") == await seen("08:09", **mine) == []
    assert await seen("08:10") == await seen("08:10", **mine) == [0, 1]


async def test_a_held_seat_of_a_group_comes_back_too(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, capacity=2)
    await hold(everywhere, clinic, 0, until="08:10")
    await book(everywhere, clinic, clinic.request(1))
    assert await offered(everywhere, clinic) == []
    (candidate,) = await offered(everywhere, clinic, now=at("08:10"))
    assert candidate.remaining == 1


async def test_a_hold_counts_for_limits_until_it_runs_out(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, *slots_from("09:00", count=2))
    once = Settings(limits=Limits(per_practitioner_day=1))
    await hold(everywhere, clinic, 0, until="08:10")
    assert await offered(everywhere, clinic, once) == []
    found = await offered(everywhere, clinic, once, now=at("08:10"))
    assert numbers(clinic, found) == [0, 1]


async def test_a_schedule_has_rules_of_its_own(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin, between("09:00", "09:30"), between("09:00", "09:30", day=1)
    )
    plain = await open_clinic(
        everywhere.begin,
        between("09:00", "09:30"),
        between("09:00", "09:30", day=1),
        caller=clinic.caller,
    )
    two_days = Period(at("00:00"), at("00:00", day=2))

    async def seen(of: Clinic, settings: Settings) -> list[int]:
        here = Whose(location_ids=(of.location.id,))
        found = await offered(everywhere, of, settings, period=two_days, whose=here)
        return numbers(of, found)

    async def decide(**rules: Any) -> None:  # noqa: ANN401
        async with everywhere.begin(clinic.caller) as work:
            stored = await work.schedules.get(clinic.schedule.id)
            changed = replace(stored, version=stored.version + 1, **rules)
            work.schedules.save(replace(changed, events=()))

    loose, strict = Settings(), Settings(minimum_notice_minutes=120, horizon_days=0)
    await decide(minimum_notice_minutes=90)
    assert await seen(clinic, loose) == [1]
    await decide(minimum_notice_minutes=60, horizon_days=0)
    assert await seen(clinic, loose) == [0]
    assert await seen(clinic, strict) == [0]
    assert await seen(plain, strict) == []
    await decide(horizon_days=1)
    assert await seen(clinic, strict) == [0, 1]
    await decide(limits=CalendarLimits(per_day=1))
    await book(everywhere, clinic, clinic.request(0, 0))
    await book(everywhere, plain, plain.request(0, 0))
    more = Slot.opened(
        clinic.schedule,
        between("11:00", "11:30"),
        capacity=1,
        service_types=(),
        now=EIGHT,
    )
    async with everywhere.begin(clinic.caller) as work:
        work.slots.add(more)
    assert await seen(clinic, loose) == [1]
    await decide(limits=CalendarLimits(per_week=1))
    assert await seen(clinic, loose) == []
    assert await seen(plain, loose) == [1]


async def test_limits_count_local_days_and_weeks(everywhere: Storage) -> None:
    """22:30 of Sunday in UTC is Monday in Auckland, of the week that begins there."""
    clinic = await open_clinic(
        everywhere.begin,
        between("22:30", "23:00", day=6),
        between("09:00", "09:30", day=6),
        between("12:30", "13:00", day=7),
        between("09:00", "09:30", day=12),
        between("12:00", "12:30", day=13),
        timezone="Pacific/Auckland",
    )
    fortnight = Period(at("00:00"), at("00:00", day=14))
    await book(everywhere, clinic, clinic.request(0, 0))

    async def seen(limits: Limits) -> list[int]:
        found = await offered(
            everywhere, clinic, Settings(limits=limits), period=fortnight
        )
        return numbers(clinic, found)

    assert await seen(Limits(per_practitioner_day=1)) == [1, 2, 3, 4]
    assert await seen(Limits(per_practitioner_day=2)) == [1, 2, 3, 4]
    assert await seen(Limits(per_practitioner_week=1)) == [1, 4]
    assert await seen(Limits(per_practitioner_week=2)) == [1, 2, 3, 4]


async def test_roles_say_where_and_when_somebody_works(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        *(between("09:00", "09:30", day=day) for day in range(4)),
    )
    week = Period(at("00:00"), at("00:00", day=7))

    async def seen(*roles: dict[str, Any]) -> list[int]:
        told = await open_clinic(
            everywhere.begin,
            *(slot.period for slot in clinic.slots),
            caller=clinic.caller,
        )
        async with everywhere.begin(told.caller) as work:
            for role in roles:
                work.practitioner_roles.save(
                    a_role(told.practitioner.id, told.location.id, **PUT, **role)
                )
        here = Whose(location_ids=(told.location.id,))
        return numbers(told, await offered(everywhere, told, period=week, whose=here))

    def away(start: int, end: int) -> tuple[NotAvailable, ...]:
        """From 09:30 of one day until 09:00 of another: it touches neither."""
        return (
            NotAvailable(period=Period(at("09:30", day=start), at("09:00", day=end))),
        )

    tuesday, wednesday = (at("00:00", day=day).date() for day in (1, 2))
    assert await seen() == [0, 1, 2, 3]
    assert await seen({}) == [0, 1, 2, 3]
    assert await seen({"active": False}) == []
    assert await seen({"period_start": tuesday, "period_end": wednesday}) == [1, 2]
    assert await seen({"period_end": tuesday}, {"period_start": wednesday}) == [
        0,
        1,
        2,
        3,
    ]
    assert await seen({"not_available": away(0, 3)}) == [0, 3]
    assert await seen({"not_available": away(0, 2) + away(2, 4)}) == [0, 2]
    assert await seen({"not_available": away(0, 3)}, {"period_end": tuesday}) == [
        0,
        1,
        3,
    ]


async def test_nothing_is_offered_that_has_begun(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin, *slots_from("10:00", minutes=15, count=3)
    )
    found = await offered(everywhere, clinic, now=at("10:00"))
    assert numbers(clinic, found) == [1, 2]


async def test_the_horizon_counts_local_days_and_its_last_is_inclusive(
    everywhere: Storage,
) -> None:
    """In Honolulu it is Sunday evening when UTC's Monday begins."""
    clinic = await open_clinic(
        everywhere.begin,
        between("09:30", "10:00"),
        between("10:00", "10:30"),
        between("09:30", "10:00", day=1),
        timezone="Pacific/Honolulu",
    )
    days = Period(at("00:00"), at("00:00", day=3))
    for horizon, expected in ((0, [0]), (1, [0, 1, 2])):
        found = await offered(
            everywhere,
            clinic,
            Settings(horizon_days=horizon),
            period=days,
            now=at("00:30"),
        )
        assert numbers(clinic, found) == expected
