"""Many at once: the database has the last word, and losers learn it by a refusal."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Iterable
from itertools import combinations
from typing import Any

import orjson

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.ports.unit_of_work import TransactionAborted
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking_request import (
    BookingRequest,
)
from scheduling.domain.errors import (
    BookingLimitReached,
    BufferTimeConflict,
    DoubleBookingDetected,
    OptimisticLockConflict,
    SlotNotAvailable,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from tests.builders import (
    EIGHT,
    Clinic,
    a_device,
    a_room,
    between,
    open_clinic,
    slots_from,
)
from tests.contracts.storages import PostgresStorage, Storage

TAKEN = (SlotNotAvailable, DoubleBookingDetected)


async def unaborted(work: Awaitable[Appointment]) -> Appointment:
    """Let no retry hide a deadlock."""
    try:
        return await work
    except TransactionAborted as aborted:
        raise AssertionError("aborted") from aborted


async def race(
    storage: Storage, clinic: Clinic, requests: Iterable[BookingRequest]
) -> list[Any]:
    """Return an appointment or a refusal for each, as an API process makes them."""
    book = BookAppointment(storage.begin, lambda: EIGHT)

    async def one(request: BookingRequest) -> Appointment:
        return await settled(lambda: unaborted(book(clinic.caller, request)))

    return await asyncio.gather(
        *(one(request) for request in requests), return_exceptions=True
    )


def winners(outcomes: Iterable[Any], *refusals: type[Exception]) -> list[Appointment]:
    """Return who got it; all others must have been refused for one of the reasons."""
    won = []
    for outcome in outcomes:
        if isinstance(outcome, Appointment):
            won.append(outcome)
        else:
            assert isinstance(outcome, refusals), repr(outcome)
    return won


async def is_sound(storage: Storage, clinic: Clinic) -> None:
    """No two claims of one actor overlap, and every appointment is told once."""
    claims = await storage.claims(clinic.caller)
    assert not [
        pair for pair in combinations(claims, 2) if pair[0].is_in_the_way_of(pair[1])
    ]
    told = Counter(
        body["subject"]
        for body in map(
            orjson.loads, (e.body for e in await storage.outbox(clinic.caller))
        )
        if body["type"] == "appointment.created"
    )
    assert set(told) == {str(claim.appointment_id) for claim in claims}
    assert set(told.values()) <= {1}


async def test_of_fifty_racers_for_a_slot_one_wins(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, patients=50)
    outcomes = await race(everywhere, clinic, map(clinic.request, range(50)))
    assert len(winners(outcomes, *TAKEN)) == 1
    await is_sound(everywhere, clinic)


async def test_of_overlapping_unequal_periods_none_overlap_in_the_end(
    everywhere: Storage,
) -> None:
    periods = [
        between(f"{9 + n // 4}:{n % 4 * 15:02}", f"{10 + n // 4}:{n % 3 * 10:02}")
        for n in range(16)
    ]
    clinic = await open_clinic(
        everywhere.begin,
        *periods,
        patients=32,
        settings=Settings(buffer_minutes=10),
    )
    requests = [clinic.request(n, n % 16) for n in range(32)]
    won = winners(await race(everywhere, clinic, requests), *TAKEN, BufferTimeConflict)
    assert won
    await is_sound(everywhere, clinic)


async def test_a_period_inside_another_is_given_to_one(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin, between("09:00", "10:00"), between("09:20", "09:40")
    )
    outcomes = await race(
        everywhere, clinic, (clinic.request(0, 0), clinic.request(1, 1))
    )
    assert len(winners(outcomes, *TAKEN)) == 1
    await is_sound(everywhere, clinic)


async def test_of_twelve_racers_for_ten_seats_ten_win(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin, capacity=10, patients=12)
    outcomes = await race(everywhere, clinic, map(clinic.request, range(12)))
    assert len(winners(outcomes, SlotNotAvailable)) == 10
    async with everywhere.begin(clinic.caller) as work:
        assert (await work.slots.get(clinic.slots[0].id)).booked == 10


async def test_a_patient_races_for_two_practitioners_and_gets_one(
    everywhere: Storage,
) -> None:
    first = await open_clinic(everywhere.begin, patients=1)
    clinics = [first] + [
        await open_clinic(
            everywhere.begin, caller=first.caller, patients=first.patients
        )
        for _ in range(7)
    ]
    outcomes = await race(everywhere, first, (c.request() for c in clinics))
    assert len(winners(outcomes, DoubleBookingDetected)) == 1
    await is_sound(everywhere, first)


async def test_the_same_patient_races_for_two_seats_of_a_group(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin, capacity=10, patients=1)
    outcomes = await race(everywhere, clinic, (clinic.request() for _ in range(5)))
    assert len(winners(outcomes, DoubleBookingDetected)) == 1


async def test_a_limit_holds_under_a_race(everywhere: Storage) -> None:
    clinic = await open_clinic(
        everywhere.begin,
        *slots_from("09:00", count=8),
        patients=8,
        settings=Settings(limits=Limits(per_practitioner_day=3)),
    )
    outcomes = await race(everywhere, clinic, (clinic.request(n, n) for n in range(8)))
    assert len(winners(outcomes, BookingLimitReached)) == 3


async def test_of_parallel_cancels_one_is_told(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    (booked,) = winners(await race(everywhere, clinic, [clinic.request()]))
    cancel = CancelAppointment(everywhere.begin, lambda: EIGHT)
    outcomes = await asyncio.gather(
        *(
            cancel(
                clinic.caller,
                booked.id,
                expected=ExpectedVersion(1),
                reason_code=CancelReason.PATIENT,
                initiated_by=Initiator.STAFF,
                comment=None,
            )
            for _ in range(10)
        ),
        return_exceptions=True,
    )
    assert len(winners(outcomes, OptimisticLockConflict)) == 1
    types = [
        orjson.loads(e.body)["type"] for e in await everywhere.outbox(clinic.caller)
    ]
    assert types.count("appointment.cancelled") == types.count("slot.opened") - 1 == 1


async def test_two_hundred_bookings_with_two_resources_never_deadlock(
    on_postgres: PostgresStorage,
) -> None:
    shuffle = random.Random(20300107)  # noqa: S311  # a seed to repeat it by
    first = await open_clinic(
        on_postgres.begin, *slots_from("09:00", count=10), patients=200
    )
    clinics = [first] + [
        await open_clinic(
            on_postgres.begin,
            *slots_from("09:00", count=10),
            caller=first.caller,
            patients=first.patients,
        )
        for _ in range(9)
    ]
    rooms, devices = [a_room() for _ in range(6)], [a_device() for _ in range(6)]

    def resources() -> Any:  # noqa: ANN401
        chosen = [shuffle.choice(rooms), shuffle.choice(devices)]
        shuffle.shuffle(chosen)
        return tuple(chosen)

    requests = [
        shuffle.choice(clinics).request(
            number, shuffle.randrange(10), resources=resources()
        )
        for number in range(200)
    ]
    outcomes = await race(on_postgres, first, requests)
    assert len(winners(outcomes, *TAKEN)) > 20
    await is_sound(on_postgres, first)


async def test_bookings_over_several_slots_never_deadlock(
    on_postgres: PostgresStorage,
) -> None:
    shuffle = random.Random(20300108)  # noqa: S311  # a seed to repeat it by
    periods = slots_from("09:00", minutes=15, count=24)
    clinic = await open_clinic(on_postgres.begin, *periods, capacity=2, patients=100)

    def some(number: int) -> BookingRequest:
        first = shuffle.randrange(20)
        last = first + shuffle.randrange(1, 5)
        whole = Period(periods[first].start, periods[last - 1].end)
        return clinic.by_start(whole, number)

    outcomes = await race(on_postgres, clinic, map(some, range(100)))
    assert len(winners(outcomes, *TAKEN)) > 5
    await is_sound(on_postgres, clinic)


async def test_booking_and_cancelling_at_once_never_deadlock(
    on_postgres: PostgresStorage,
) -> None:
    shuffle = random.Random(20300109)  # noqa: S311  # a seed to repeat it by
    periods = slots_from("09:00", minutes=15, count=8)
    clinic = await open_clinic(on_postgres.begin, *periods, capacity=2, patients=40)
    book = BookAppointment(on_postgres.begin, lambda: EIGHT)
    cancel = CancelAppointment(on_postgres.begin, lambda: EIGHT)

    async def visit(number: int, whole: Period) -> None:
        async def once() -> Appointment:
            return await unaborted(book(clinic.caller, clinic.by_start(whole, number)))

        booked = await settled(once)

        async def called_off() -> Appointment:
            return await unaborted(
                cancel(
                    clinic.caller,
                    booked.id,
                    expected=ExpectedVersion(1),
                    reason_code=CancelReason.PATIENT,
                    initiated_by=Initiator.PATIENT,
                    comment=None,
                )
            )

        await settled(called_off)

    async def come_and_go(number: int) -> None:
        for _ in range(3):
            first = shuffle.randrange(6)
            with contextlib.suppress(*TAKEN):
                await visit(
                    number, Period(periods[first].start, periods[first + 1].end)
                )

    await asyncio.gather(*map(come_and_go, range(40)))
    assert await on_postgres.claims(clinic.caller) == []
    async with on_postgres.begin(clinic.caller) as work:
        for slot in clinic.slots:
            assert (await work.slots.get(slot.id)).booked == 0
