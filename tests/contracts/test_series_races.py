"""Many want the same weeks at once: one has them whole, nobody waits in a circle."""

import asyncio
from collections.abc import Iterable
from typing import Any

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.book_series import BookSeries
from scheduling.application.ports.unit_of_work import (
    BeginWork,
    DecisionOutdated,
    TransactionAborted,
)
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.errors import (
    BookingLimitReached,
    DoubleBookingDetected,
    SlotNotAvailable,
)
from scheduling.domain.series import HowMuch
from scheduling.domain.settings import Limits, Settings
from scheduling.entrypoints.attempts import settled
from tests.builders import EIGHT, Clinic, a_room, open_clinic
from tests.contracts.storages import PostgresStorage, Storage
from tests.weekly import a_weekly_clinic, weeks

TAKEN = (SlotNotAvailable, DoubleBookingDetected)


def booking(
    begin: BeginWork, clinic: Clinic, request: BookingRequest, occurrences: int
) -> Any:  # noqa: ANN401
    async def attempt() -> list[Appointment]:
        try:
            book = BookSeries(begin, lambda: EIGHT)
            return list(await book(clinic.caller, request, occurrences))
        except TransactionAborted as aborted:
            raise AssertionError("no retry is to hide a deadlock") from aborted

    return settled(attempt)


def winners(outcomes: Iterable[Any]) -> list[list[Appointment]]:
    won = []
    for outcome in outcomes:
        if isinstance(outcome, list):
            won.append(outcome)
        else:
            assert isinstance(outcome, TAKEN), repr(outcome)
            assert outcome.index is not None
    return won


async def test_of_two_series_over_the_same_weeks_one_wins_whole(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 8)
    clinic = weekly.clinic
    outcomes = await asyncio.gather(
        booking(everywhere.begin, clinic, clinic.request(0, 0), 6),
        booking(everywhere.begin, clinic, clinic.request(1, 2), 6),
        return_exceptions=True,
    )
    [won] = winners(outcomes)
    assert len(won) == 6
    claims = await everywhere.claims(clinic.caller)
    assert {c.appointment_id for c in claims} == {one.id for one in won}
    booked = [(await weekly.slot(n)).booked for n in range(8)]
    assert sum(booked) == 6


async def test_many_series_over_overlapping_weeks_never_deadlock(
    on_postgres: PostgresStorage,
) -> None:
    """Calendars of one practitioner beside each other: claims decide, not seats."""
    weekly = await a_weekly_clinic(on_postgres, 12, patients=24)
    first = weekly.clinic
    others = [
        await open_clinic(
            on_postgres.begin,
            *weeks(12, start, "10:00"),
            caller=first.caller,
            practitioner=first.practitioner,
            patients=first.patients,
        )
        for start in ("09:00", "09:15", "09:29")
    ]
    room = a_room()
    outcomes = await asyncio.gather(
        *(
            booking(
                on_postgres.begin,
                clinic,
                clinic.request(number, number % 5, resources=(room,)),
                7,
            )
            for number, clinic in enumerate([first, *others] * 6)
        ),
        return_exceptions=True,
    )
    [won] = winners(outcomes)
    claims = await on_postgres.claims(first.caller)
    assert {c.appointment_id for c in claims} == {one.id for one in won}


async def test_of_many_series_at_once_a_limit_lets_as_many_through_whole(
    everywhere: Storage,
) -> None:
    limited = Settings(horizon_days=400, limits=Limits(per_practitioner_week=2))
    weekly = await a_weekly_clinic(
        everywhere, 4, capacity=9, patients=6, settings=limited
    )
    clinic = weekly.clinic
    outcomes = await asyncio.gather(
        *(
            booking(everywhere.begin, clinic, clinic.request(patient), 4)
            for patient in range(6)
        ),
        return_exceptions=True,
    )
    won = [one for one in outcomes if not isinstance(one, BaseException)]
    assert [len(series) for series in won] == [4, 4]
    lost = [one for one in outcomes if isinstance(one, BaseException)]
    assert {type(one) for one in lost} == {BookingLimitReached}
    assert [(await weekly.slot(n)).booked for n in range(4)] == [2, 2, 2, 2]


async def test_a_series_and_single_visits_never_share_a_week(
    on_postgres: PostgresStorage,
) -> None:
    weekly = await a_weekly_clinic(on_postgres, 6, patients=8)
    clinic = weekly.clinic
    book = BookAppointment(on_postgres.begin, lambda: EIGHT)

    def alone(number: int) -> Any:  # noqa: ANN401
        request = clinic.request(number + 1, number)
        return settled(lambda: book(clinic.caller, request))

    outcomes = await asyncio.gather(
        booking(on_postgres.begin, clinic, clinic.request(0, 0), 6),
        *(alone(number) for number in range(6)),
        return_exceptions=True,
    )
    won = [one for one in outcomes if not isinstance(one, TAKEN)]
    assert all(isinstance(one, list | Appointment) for one in won), won
    assert [(await weekly.slot(n)).booked for n in range(6)] == ([1] * 6)
    whole = any(isinstance(one, list) for one in won)
    assert len(won) == (1 if whole else 6)


async def test_who_calls_a_series_off_by_two_of_its_visits_at_once_does_it_once(
    everywhere: Storage,
) -> None:
    weekly = await a_weekly_clinic(everywhere, 6)
    booked = await weekly.series(6)

    async def off(one: Appointment) -> Appointment:
        try:
            return await weekly.cancel(one, HowMuch.ALL)
        except (TransactionAborted, DecisionOutdated) as lost:
            raise AssertionError("locked in one order") from lost

    before = len(await weekly.told())
    outcomes = await asyncio.gather(
        *(off(one) for one in booked), return_exceptions=True
    )
    assert sum(isinstance(one, Appointment) for one in outcomes) == 1
    told = await weekly.told(since=before)
    assert told.count("appointment.cancelled") == 6
    assert told.count("slot.opened") == 6
