from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import Booking, decide_booking, decide_hold
from scheduling.domain.booking_request import BySlot, ByStart
from scheduling.domain.claim import Claim
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import (
    BookingLimitReached,
    DoubleBookingDetected,
    HoldExpired,
    InvalidStatusTransition,
    NewSlotNotAvailable,
    OutsideBookingWindow,
    PatientNotFound,
    SlotNotAvailable,
)
from scheduling.domain.events import AppointmentUpdated
from scheduling.domain.moving import (
    Move,
    NewTime,
    Otherwise,
    asked_again,
    decide_edit,
    decide_reschedule,
    decide_return,
    demand_held,
    demand_hold,
)
from scheduling.domain.schedule import Schedule
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.status import Status
from tests.builders import (
    EIGHT,
    a_booking,
    a_request,
    a_room,
    a_schedule,
    a_slot,
    at,
    between,
    facts,
    slots_from,
)


def a_morning(count: int = 4, schedule: Schedule | None = None) -> tuple[Slot, ...]:
    schedule = schedule or a_schedule()
    return tuple(a_slot(p, schedule=schedule) for p in slots_from("09:00", count=count))


def full(slot: Slot) -> Slot:
    return replace(slot, booked=1, status=SlotStatus.BUSY)


def stands(booking: Booking) -> tuple[Appointment, tuple[Claim, ...]]:
    """As storage gives it back."""
    return replace(booking.appointment, events=(), before=None), booking.claims


def in_the_first(slots: tuple[Slot, ...]) -> tuple[Appointment, tuple[Claim, ...]]:
    return stands(decide_booking(a_request(slots[0]), facts(slots[0]), now=EIGHT))


def move(
    appointment: Appointment,
    when: NewTime,
    *known: Slot,
    old: tuple[Slot, ...] = (),
    **more: Any,  # noqa: ANN401
) -> Move | None:
    return decide_reschedule(
        appointment,
        old,
        asked_again(appointment, when),
        facts(*known, **more),
        now=EIGHT,
    )


def test_a_move_keeps_the_id_raises_the_version_and_tells_old_and_new() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    old = (full(slots[0]),)
    moved = move(one, BySlot(slots[1].id), slots[1], old=old, claims=claims)
    assert moved is not None
    after = moved.appointment
    assert (after.id, after.version) == (one.id, 2)
    assert after.slot_ids == (slots[1].id,)
    assert moved.booking.seats == (slots[1].id,)
    assert [slot.id for slot in moved.freed] == [slots[0].id]
    assert moved.freed[0].status is SlotStatus.FREE
    (told,) = after.events
    assert isinstance(told, AppointmentUpdated)
    assert (told.old.period, told.period) == (one.period, slots[1].period)
    assert set(told.changed) == {"start", "end", "slotIds"}


def test_a_move_to_where_it_is_changes_nothing() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    for when in (BySlot(slots[0].id), Otherwise(start=one.period.start)):
        assert move(one, when, full(slots[0]), claims=claims) is None


def test_fifteen_minutes_into_its_own_old_time_is_free_to_itself() -> None:
    schedule = a_schedule()
    quarters = tuple(
        a_slot(period, schedule=schedule)
        for period in slots_from("09:00", minutes=15, count=4)
    )
    half_an_hour = ByStart(
        schedule.practitioner_id, schedule.location_id, between("09:00", "09:30")
    )
    request = a_request(when=half_an_hour)
    one, claims = stands(decide_booking(request, facts(*quarters[:2]), now=EIGHT))
    old = (full(quarters[0]), full(quarters[1]))
    moved = move(
        one,
        Otherwise(start=at("09:15")),
        full(quarters[1]),
        quarters[2],
        old=old,
        claims=claims,
    )
    assert moved is not None
    assert moved.appointment.slot_ids == (quarters[1].id, quarters[2].id)
    assert moved.booking.seats == (quarters[2].id,)
    assert [slot.id for slot in moved.freed] == [quarters[0].id]


def test_a_full_target_has_a_code_of_its_own() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    with pytest.raises(NewSlotNotAvailable):
        move(one, BySlot(slots[1].id), full(slots[1]), claims=claims)


def test_others_are_in_the_way_as_with_a_booking() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    other = a_slot(between("09:30", "10:00"), schedule=a_schedule())
    theirs = replace(
        decide_booking(
            a_request(other, patient_id=one.patient_id), facts(other), now=EIGHT
        ).claims[1],
    )
    with pytest.raises(DoubleBookingDetected):
        move(one, BySlot(slots[1].id), slots[1], claims=(*claims, theirs))


def test_its_own_appointment_does_not_count_against_the_limit() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    daily = Settings(limits=Limits(per_practitioner_day=1))
    # Storage leaves it out of what is taken.
    target = BySlot(slots[1].id)
    assert move(one, target, slots[1], claims=claims, settings=daily)
    with pytest.raises(BookingLimitReached):
        move(
            one,
            target,
            slots[1],
            claims=claims,
            settings=daily,
            taken=(at("11:00"),),
        )


def test_the_booking_window_holds_for_the_new_time() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    notice = Settings(minimum_notice_minutes=120)
    with pytest.raises(OutsideBookingWindow):
        move(one, BySlot(slots[1].id), slots[1], claims=claims, settings=notice)


@pytest.mark.parametrize(
    "status",
    [
        Status.PROPOSED,
        Status.ARRIVED,
        Status.IN_PROGRESS,
        Status.COMPLETED,
        Status.CANCELLED,
        Status.NO_SHOW,
        Status.ENTERED_IN_ERROR,
    ],
)
def test_what_is_over_or_has_begun_is_not_moved(status: Status) -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    gone = replace(one, status=status)
    with pytest.raises(InvalidStatusTransition):
        move(gone, BySlot(slots[1].id), slots[1], claims=claims)


def test_an_inactive_patient_is_not_moved() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    with pytest.raises(PatientNotFound):
        move(one, BySlot(slots[1].id), slots[1], claims=claims, patient_active=False)


def test_a_longer_visit_takes_the_slot_behind_it_also_after_it_has_begun() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    begun = replace(one, status=Status.IN_PROGRESS)
    edited = decide_edit(
        begun,
        (full(slots[0]),),
        asked_again(begun, Otherwise(minutes=60)),
        facts(full(slots[0]), slots[1], claims=claims),
        now=at("09:10"),
    )
    assert edited is not None
    assert edited.appointment.period == between("09:00", "10:00")
    assert edited.booking.seats == (slots[1].id,)
    assert edited.freed == ()
    assert edited.appointment.status is Status.IN_PROGRESS


def test_another_room_is_taken_in_the_same_slot() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    room = a_room()
    edited = decide_edit(
        one,
        (full(slots[0]),),
        replace(asked_again(one), resources=(room,)),
        facts(full(slots[0]), claims=claims),
        now=EIGHT,
    )
    assert edited is not None
    assert room.id in {claim.actor_id for claim in edited.booking.claims}
    assert (edited.booking.seats, edited.freed) == ((), ())


# Holds


def held(
    slot: Slot, *, live: int = 0, settings: Settings | None = None
) -> tuple[Appointment, tuple[Claim, ...]]:
    settings = settings or Settings(hold_minutes=10)
    known = facts(slot, settings=settings, live_holds=live)
    request = a_request(slot)
    return stands(decide_hold(request, known, by="web", now=EIGHT))


UNTIL = EIGHT + timedelta(minutes=10)


def test_a_hold_is_pending_until_its_time_is_up_and_reminds_nobody() -> None:
    slot = a_slot()
    known = facts(slot, preferences=ContactPreferences(sms=True))
    booking = decide_hold(a_request(slot), known, by="web", now=EIGHT)
    hold = booking.appointment
    assert (hold.status, hold.hold_expires_at) == (Status.PENDING, UNTIL)
    assert hold.held_by == "web"
    assert {claim.expires_at for claim in booking.claims} == {UNTIL}
    assert booking.seats == (slot.id,)
    assert booking.reminders == ()


def test_a_patient_has_three_holds_at_the_most() -> None:
    held(a_slot(), live=2)
    with pytest.raises(BookingLimitReached):
        held(a_slot(), live=3)


def test_a_hold_counts_as_a_seat_until_the_very_instant_at_which_it_ends() -> None:
    slot = a_slot()
    hold, claims = held(slot)
    known = facts(full(slot), claims=claims)
    just_before = UNTIL - timedelta(microseconds=1)
    with pytest.raises(SlotNotAvailable):
        decide_booking(a_request(slot), known, now=just_before)
    booking = decide_booking(a_request(slot), known, now=UNTIL)
    assert booking.lapsed == (hold.id,)


def test_a_hold_that_ran_out_lapses_once() -> None:
    hold, _ = held(a_slot())
    assert hold.lapsed(UNTIL - timedelta(microseconds=1)) is None
    gone = hold.lapsed(UNTIL)
    assert gone is not None
    assert gone.status is Status.CANCELLED
    assert gone.lapsed(UNTIL) is None


def test_booking_uses_up_the_own_hold() -> None:
    slot = a_slot()
    hold, claims = held(slot)
    request = a_request(slot, patient_id=hold.patient_id, notes="bring the films")
    demand_hold(hold, request, by="web", now=EIGHT)
    used = decide_return(
        hold,
        Status.BOOKED,
        request,
        facts(full(slot), claims=claims, preferences=ContactPreferences(sms=True)),
        now=EIGHT,
    )
    booked = used.appointment
    assert (booked.id, booked.version, booked.status) == (hold.id, 2, Status.BOOKED)
    assert booked.notes == "bring the films"
    assert booked.hold_expires_at is None
    assert used.booking.seats == ()
    assert {claim.expires_at for claim in used.booking.claims} == {None}


def test_a_hold_is_good_for_its_time_its_patient_and_its_holder_only() -> None:
    slots = a_morning()
    hold, _ = held(slots[0])
    right = a_request(slots[0], patient_id=hold.patient_id)
    demand_hold(hold, right, by=None, now=EIGHT)
    for request, by in (
        (a_request(slots[0]), "web"),
        (a_request(slots[1], patient_id=hold.patient_id), "web"),
        (right, "somebody else"),
    ):
        with pytest.raises(SlotNotAvailable):
            demand_hold(hold, request, by=by, now=EIGHT)


def test_a_hold_that_ran_out_is_told_so() -> None:
    hold, _ = held(a_slot())
    for gone in (hold, hold.lapsed(UNTIL)):
        assert gone is not None
        with pytest.raises(HoldExpired):
            demand_held(gone, UNTIL)
    booked = a_booking().appointment
    with pytest.raises(InvalidStatusTransition):
        demand_held(booked, EIGHT)


def test_a_hold_moves_with_its_end() -> None:
    slots = a_morning()
    hold, claims = held(slots[0])
    moved = move(hold, BySlot(slots[1].id), slots[1], claims=claims)
    assert moved is not None
    assert moved.appointment.hold_expires_at == UNTIL
    assert {claim.expires_at for claim in moved.booking.claims} == {UNTIL}


def test_a_hold_needs_no_notice_a_second_time() -> None:
    slot = a_slot(between("09:00", "09:30"))
    notice = Settings(minimum_notice_minutes=60, hold_minutes=10)
    hold, claims = held(slot, settings=notice)
    known = facts(full(slot), claims=claims, settings=notice)
    request = asked_again(hold)
    later = EIGHT + timedelta(minutes=5)
    used = decide_return(hold, Status.BOOKED, request, known, now=later)
    assert used.appointment.status is Status.BOOKED


def test_of_two_proposals_for_one_seat_the_second_is_refused() -> None:
    slot = a_slot()
    first = replace(a_booking(slot).appointment, status=Status.PROPOSED, events=())
    request = asked_again(first)
    taken = decide_return(first, Status.BOOKED, request, facts(slot), now=EIGHT)
    assert taken.booking.seats == (slot.id,)
    with pytest.raises(SlotNotAvailable):
        decide_return(first, Status.BOOKED, request, facts(full(slot)), now=EIGHT)
