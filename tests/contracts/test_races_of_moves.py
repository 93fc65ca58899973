"""Two who change one thing at once: one does, or both, and none waits in a circle.

A retry would hide who was aborted, so here that is a failure.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest

from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.edit_appointment import Edits
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import (
    BeginWork,
    TransactionAborted,
    UnitOfWork,
)
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking_request import BySlot
from scheduling.domain.errors import (
    BookingLimitReached,
    DomainError,
    DoubleBookingDetected,
    HoldExpired,
    InvalidStatusTransition,
    NewSlotNotAvailable,
    OptimisticLockConflict,
    SlotNotAvailable,
)
from scheduling.domain.moving import Otherwise
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from tests.builders import EIGHT, Clinic, at, between, open_clinic, slots_from
from tests.contracts.reception import Reception
from tests.contracts.storages import PostgresStorage

UNTIL = EIGHT + timedelta(minutes=10)
HOLDING = Settings(hold_minutes=10)
LIMITED = Settings(hold_minutes=10, limits=Limits(per_practitioner_day=4))
FREE, BUSY = (0, SlotStatus.FREE), (1, SlotStatus.BUSY)
ROUNDS = range(8)


class Unaborted(PostgresStorage):
    """Nobody is aborted here."""

    @property
    def begin(self) -> BeginWork:
        begin = super().begin

        @asynccontextmanager
        async def begun(caller: Caller) -> AsyncIterator[UnitOfWork]:
            try:
                async with begin(caller) as work:
                    yield work
            except TransactionAborted as aborted:
                raise AssertionError("aborted") from aborted

        return begun


class Late(Reception):
    """Another process, whose clock says that the hold has run out."""

    def __init__(self, storage: PostgresStorage, clinic: Clinic) -> None:
        super().__init__(storage, clinic)
        self.now = UNTIL


Opened = Callable[..., Awaitable[tuple[Reception, Late]]]


@pytest.fixture
def opened(on_postgres: PostgresStorage) -> Opened:
    storage = Unaborted(on_postgres.pool)

    async def open_(*, slots: int = 4, **told: Any) -> tuple[Reception, Late]:  # noqa: ANN401
        clinic = await open_clinic(
            storage.begin, *slots_from("09:00", count=slots), **told
        )
        return Reception(storage, clinic), Late(storage, clinic)

    return open_


async def about_to_end(here: Reception, patient: int = 0, slot: int = 0) -> Appointment:
    """A hold; by the clock of that desk it is live for one microsecond more."""
    here.now = EIGHT
    hold = await here.hold(patient, slot)
    here.now = UNTIL - timedelta(microseconds=1)
    return hold


async def both(*commands: Awaitable[Appointment]) -> list[Any]:
    outcomes = await asyncio.gather(*commands, return_exceptions=True)
    for outcome in outcomes:
        assert isinstance(outcome, Appointment | DomainError), repr(outcome)
    return outcomes


def lost(outcomes: list[Any]) -> set[type[DomainError]]:
    return {type(one) for one in outcomes if not isinstance(one, Appointment)}


async def cancelled(here: Reception, one: Appointment) -> Appointment:
    cancel = CancelAppointment(here.storage.begin, here.clock)
    return await settled(
        lambda: cancel(
            here.clinic.caller,
            one.id,
            expected=ExpectedVersion(one.version),
            reason_code=CancelReason.PATIENT,
            initiated_by=Initiator.STAFF,
            comment=None,
        )
    )


async def told_of(here: Reception, one: Appointment) -> Counter[str]:
    events = [
        orjson.loads(e.body) for e in await here.storage.outbox(here.clinic.caller)
    ]
    return Counter(e["type"] for e in events if e["subject"] == str(one.id))


@pytest.mark.parametrize("settings", [HOLDING, LIMITED], ids=["", "limited"])
@pytest.mark.parametrize("how", ["by its id", "by its status"])
async def test_a_hold_is_used_up_or_lapses_and_never_both(
    opened: Opened, settings: Settings, how: str
) -> None:
    for _ in ROUNDS:
        here, late = await opened(slots=1, settings=settings)
        hold = await about_to_end(here)
        use = (
            here.book_held(hold, here.clinic.request(0))
            if how == "by its id"
            else here.step(hold, Status.BOOKED)
        )
        outcomes = await both(use, late.book(late.clinic.request(1)))
        assert await here.seats() == [BUSY]
        now, told = await here.stored(hold), await told_of(here, hold)
        if now.status is Status.BOOKED:
            assert lost(outcomes) == {SlotNotAvailable}
            assert told == {"appointment.created": 1, "appointment.updated": 1}
        else:
            assert lost(outcomes) <= {HoldExpired, OptimisticLockConflict}
            assert now.status is Status.CANCELLED
            assert told == {"appointment.created": 1, "hold.expired": 1}
            assert await here.taken_by(hold) == set()


async def test_a_hold_is_released_or_lapses_and_the_seat_is_given_back_once(
    opened: Opened,
) -> None:
    for _ in ROUNDS:
        here, late = await opened(slots=1, capacity=2, settings=HOLDING)
        hold = await about_to_end(here)
        other = await here.book(here.clinic.request(1))
        outcomes = await both(here.release(hold), late.hold(0))
        assert lost(outcomes) <= {HoldExpired}
        assert await here.seats() == [(2, SlotStatus.BUSY)]
        await here.step(other, Status.NO_SHOW)
        assert await here.seats() == [(1, SlotStatus.FREE)]
        told = await told_of(here, hold)
        assert told["hold.expired"] + told["appointment.cancelled"] == 1


async def test_of_two_moves_of_a_hold_and_its_end_one_is_first(opened: Opened) -> None:
    for _ in ROUNDS:
        here, late = await opened(settings=LIMITED)
        hold = await about_to_end(here)
        outcomes = await both(
            here.move(hold, BySlot(here.clinic.slots[2].id)),
            late.book(late.clinic.request(1)),
        )
        assert lost(outcomes) <= {InvalidStatusTransition, OptimisticLockConflict}
        assert (await here.seats())[0] == BUSY
        moved = (await here.stored(hold)).status is Status.PENDING
        assert (await here.seats())[2] == (BUSY if moved else FREE)


async def test_a_cancel_or_a_move_is_done_and_the_other_is_told(
    opened: Opened,
) -> None:
    for _ in ROUNDS:
        here, _late = await opened()
        one = await here.book(here.clinic.request())
        outcomes = await both(
            cancelled(here, one), here.move(one, BySlot(here.clinic.slots[1].id))
        )
        assert lost(outcomes) == {OptimisticLockConflict}
        off = (await here.stored(one)).status is Status.CANCELLED
        assert await here.seats() == [FREE, FREE if off else BUSY, FREE, FREE]
        assert len(await here.taken_by(one)) == (0 if off else 2)


async def test_a_step_or_a_move_is_done_and_the_other_is_told(opened: Opened) -> None:
    for wanted in (Status.ARRIVED, Status.NO_SHOW, Status.CONFIRMED):
        for _ in ROUNDS[:3]:
            here, _late = await opened()
            one = await here.book(here.clinic.request())
            outcomes = await both(
                here.step(one, wanted), here.move(one, Otherwise(start=at("10:00")))
            )
            assert lost(outcomes) == {OptimisticLockConflict}
            seats = Counter(await here.seats())
            gone = (await here.stored(one)).status is Status.NO_SHOW
            assert seats == ({FREE: 4} if gone else {FREE: 3, BUSY: 1})


async def test_two_who_want_each_others_time_are_both_told_that_it_is_taken(
    opened: Opened,
) -> None:
    for _ in ROUNDS:
        here, _late = await opened(slots=2)
        one, other = [await here.book(here.clinic.request(n, n)) for n in (0, 1)]
        outcomes = await both(
            here.move(one, BySlot(here.clinic.slots[1].id)),
            here.move(other, BySlot(here.clinic.slots[0].id)),
        )
        assert lost(outcomes) == {NewSlotNotAvailable}
        assert await here.seats() == [BUSY, BUSY]


async def test_one_who_stays_longer_and_one_who_books_what_is_behind(
    opened: Opened,
) -> None:
    for _ in ROUNDS:
        here, _late = await opened()
        one = await here.book(here.clinic.request())
        longer = Edits(fields={}, place=Otherwise(minutes=60))
        outcomes = await both(
            settled(lambda: here.edit(one, longer)),  # noqa: B023  # awaited here
            here.book(here.clinic.request(1, 1)),
        )
        assert len(lost(outcomes)) == 1
        assert lost(outcomes) <= {SlotNotAvailable, DoubleBookingDetected}
        assert await here.seats() == [BUSY, BUSY, FREE, FREE]


async def test_who_comes_after_all_and_who_books_the_seat_wait_in_no_circle(
    opened: Opened,
) -> None:
    for _ in ROUNDS:
        here, _late = await opened(slots=1, settings=LIMITED)
        one = await here.book(here.clinic.request(0))
        missed = await here.step(one, Status.NO_SHOW)
        outcomes = await both(
            here.step(missed, Status.ARRIVED), here.book(here.clinic.request(1))
        )
        assert lost(outcomes) == {SlotNotAvailable}
        assert await here.seats() == [BUSY]


async def test_under_a_limit_moves_bookings_and_holds_wait_in_no_circle(
    opened: Opened,
) -> None:
    """All at once on one practitioner's day, with holds that have run out on it."""
    here, late = await opened(slots=8, capacity=3, patients=12, settings=LIMITED)
    day = here.clinic
    visits = [await here.book(day.request(n, n)) for n in range(2)]
    holds = [await about_to_end(here, n + 2, n) for n in range(2)]
    slot = BySlot(day.slots[5].id)
    outcomes = await both(
        here.book_held(holds[0], day.request(2, 0)),
        here.step(holds[1], Status.BOOKED),
        late.book(day.request(4, 0)),
        late.hold(5, 1),
        late.book(day.by_start(between("09:00", "10:00"), patient=6)),
        here.move(visits[0], slot),
        here.move(visits[1], Otherwise(start=at("09:00"))),
        late.move(holds[1], slot),
        here.step(visits[0], Status.ARRIVED),
        cancelled(here, visits[1]),
        here.release(holds[0]),
    )
    assert lost(outcomes) <= {
        BookingLimitReached,
        OptimisticLockConflict,
        InvalidStatusTransition,
        HoldExpired,
        SlotNotAvailable,
    }
    claims = await here.storage.claims(day.caller)
    taken = Counter(c.share_id for c in claims if c.actor_id == day.practitioner.id)
    assert [n for n, _ in await here.seats()] == [taken[s.id] for s in day.slots]
    assert len({claim.appointment_id for claim in claims}) <= 4
