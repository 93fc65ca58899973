"""What is edited, or becomes a booking, where it is: its own seats are there for it."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import decide_booking, decide_hold
from scheduling.domain.booking_request import BySlot, ByStart, Override
from scheduling.domain.claim import Claim
from scheduling.domain.errors import (
    BookingLimitReached,
    BufferTimeConflict,
    DoubleBookingDetected,
    SlotNotAvailable,
)
from scheduling.domain.events import AppointmentUpdated
from scheduling.domain.moving import (
    Move,
    Otherwise,
    asked_again,
    decide_edit,
    decide_return,
)
from scheduling.domain.settings import (
    CalendarLimits,
    CalendarRules,
    Limits,
    Settings,
)
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.status import Status
from tests.builders import (
    EIGHT,
    a_request,
    a_room,
    a_schedule,
    a_slot,
    an_appointment,
    at,
    between,
    facts,
)


def with_seats(slot: Slot, booked: int, capacity: int | None = None) -> Slot:
    capacity = capacity or slot.capacity
    status = SlotStatus.BUSY if booked >= capacity else SlotStatus.FREE
    return replace(slot, booked=booked, capacity=capacity, status=status)


def stands(
    slot: Slot, override: Override | None = None
) -> tuple[Appointment, tuple[Claim, ...]]:
    """As storage gives it back."""
    request = a_request(slot, override=override)
    booking = decide_booking(request, facts(slot), now=EIGHT)
    return replace(booking.appointment, events=(), before=None), booking.claims


def with_a_room(one: Appointment, *known: Slot, claims: tuple[Claim, ...]) -> Move:
    request = replace(asked_again(one), resources=(a_room(),))
    own = tuple(slot for slot in known if slot.id in one.slot_ids)
    edited = decide_edit(one, own, request, facts(*known, claims=claims), now=EIGHT)
    assert edited is not None
    return edited


def told(edited: Move) -> AppointmentUpdated:
    (event,) = edited.appointment.events
    assert isinstance(event, AppointmentUpdated)
    return event


def test_a_seat_that_one_has_is_there_also_where_one_more_was_insisted_on() -> None:
    slot = a_slot()
    one, claims = stands(slot)
    edited = with_a_room(one, with_seats(slot, 2), claims=claims)
    assert edited.booking.seats == ()
    assert not edited.appointment.overbooked


def test_a_seat_that_one_has_is_there_also_where_there_are_fewer_by_now() -> None:
    slot = a_slot(capacity=10)
    one, claims = stands(slot)
    edited = with_a_room(one, with_seats(slot, 8, capacity=5), claims=claims)
    assert edited.booking.seats == ()


def test_another_seat_is_not_there_for_one_who_has_one_elsewhere() -> None:
    schedule = a_schedule()
    slot, behind = [
        a_slot(between(*when), schedule=schedule)
        for when in (("09:00", "09:30"), ("09:30", "10:00"))
    ]
    one, claims = stands(slot)
    longer = asked_again(one, Otherwise(minutes=60))
    known = facts(with_seats(slot, 1), with_seats(behind, 1), claims=claims)
    with pytest.raises(SlotNotAvailable):
        decide_edit(one, (with_seats(slot, 1),), longer, known, now=EIGHT)


def test_one_too_many_stays_one_too_many_until_somebody_leaves() -> None:
    slot = a_slot()
    insisted = Override("an emergency", allowed=True)
    one, claims = stands(with_seats(slot, 1), insisted)
    assert one.overbooked
    crowded = with_a_room(one, with_seats(slot, 2), claims=claims)
    assert crowded.appointment.overbooked
    assert (told(crowded).overbooked, told(crowded).changed) == (True, ("resources",))
    alone = with_a_room(one, with_seats(slot, 1), claims=claims)
    assert not alone.appointment.overbooked
    assert not told(alone).overbooked
    assert told(alone).changed == ("resources", "overbooked")


def test_of_two_calendars_with_the_same_hours_it_stays_in_its_own() -> None:
    own = a_schedule()
    other = a_schedule(own.practitioner_id, own.location_id)
    slot, same_time = a_slot(schedule=own), a_slot(schedule=other)
    one, claims = stands(slot)
    for known in ((with_seats(slot, 1), same_time), (same_time, with_seats(slot, 1))):
        edited = with_a_room(one, *known, claims=claims)
        assert edited.appointment.slot_ids == (slot.id,)
        assert edited.freed == ()


@pytest.mark.parametrize("capacity", [1, 5])
def test_of_slots_that_lie_upon_each_other_it_stays_in_its_own(capacity: int) -> None:
    schedule = a_schedule()
    half, whole, behind, longer = (
        a_slot(between(*when), schedule=schedule, capacity=capacity)
        for when in (
            ("09:00", "09:30"),
            ("09:00", "10:00"),
            ("09:30", "10:00"),
            ("09:30", "10:15"),
        )
    )
    for own in ((whole,), (half, behind), (half, longer)):
        hour = between("09:00", "10:00")
        when = ByStart(schedule.practitioner_id, schedule.location_id, hour)
        one = an_appointment(own[0], slot_ids=tuple(s.id for s in own), period=hour)
        known = [
            with_seats(slot, 1) if slot in own else slot
            for slot in (half, whole, behind, longer)
        ]
        assert asked_again(one).when == when
        for order in permutations(known):
            edited = with_a_room(one, *order, claims=())
            assert edited.appointment.slot_ids == one.slot_ids
            assert edited.freed == ()


def test_a_buffer_that_is_longer_by_now_is_in_nobodys_way_who_stays() -> None:
    first, second = (
        a_slot(between(*w)) for w in (("09:00", "09:30"), ("09:30", "10:00"))
    )
    second = replace(second, practitioner_id=first.practitioner_id)
    hold, held = a_hold(first)
    one, claims = stands(first)
    _, behind = stands(second)
    longer = {"settings": Settings(buffer_minutes=15)}
    for own in (claims, held):
        known = facts(with_seats(first, 1), claims=(*own, *behind), **longer)
        if own is claims:
            room = replace(asked_again(one), resources=(a_room(),))
            done = decide_edit(one, (with_seats(first, 1),), room, known, now=EIGHT)
        else:
            done = decide_return(
                hold, Status.BOOKED, asked_again(hold), known, now=EIGHT
            )
        assert done is not None
        assert {c.until for c in done.booking.claims} == {first.period.end}
    missed = replace(one, status=Status.NO_SHOW)
    with pytest.raises(BufferTimeConflict):
        decide_return(
            missed,
            Status.ARRIVED,
            asked_again(missed),
            facts(first, claims=behind, **longer),
            now=at("09:05"),
        )


def test_a_buffer_that_is_shorter_by_now_is_the_one_of_whom_is_asked_for() -> None:
    slot = a_slot()
    settings = Settings(buffer_minutes=30)
    one = decide_booking(a_request(slot), facts(slot, settings=settings), now=EIGHT)
    stood = replace(one.appointment, events=(), before=None)
    edited = with_a_room(stood, with_seats(slot, 1), claims=one.claims)
    assert {c.until for c in edited.booking.claims} == {slot.period.end}


def test_who_counts_to_a_limit_already_is_not_counted_again() -> None:
    slot = a_slot()
    one, claims = stands(slot)
    hold, held = a_hold(slot)
    known = {
        "taken": (at("14:00"), at("15:00")),
        "taken_of": {slot.schedule_id: (at("14:00"), at("15:00"))},
        "settings": Settings(limits=Limits(per_practitioner_day=1)),
        "rules": {slot.schedule_id: CalendarRules(limits=CalendarLimits(per_week=1))},
    }
    seen = with_seats(slot, 1)
    longer = asked_again(one, Otherwise(minutes=20))
    edited = decide_edit(
        one, (seen,), longer, facts(seen, claims=claims, **known), now=EIGHT
    )
    assert edited is not None
    used = decide_return(
        hold,
        Status.BOOKED,
        asked_again(hold),
        facts(seen, claims=held, **known),
        now=EIGHT,
    )
    assert used.appointment.status is Status.BOOKED
    missed = replace(one, status=Status.NO_SHOW)
    with pytest.raises(BookingLimitReached):
        decide_return(
            missed,
            Status.ARRIVED,
            asked_again(missed),
            facts(slot, **known),
            now=at("09:05"),
        )


def test_a_shorter_visit_tells_that_its_end_changed() -> None:
    slot = a_slot()
    one, claims = stands(slot)
    known = facts(with_seats(slot, 1), claims=claims)
    shorter = asked_again(one, Otherwise(minutes=10))
    edited = decide_edit(one, (with_seats(slot, 1),), shorter, known, now=EIGHT)
    assert edited is not None
    assert told(edited).changed == ("end",)
    assert told(edited).old.period == slot.period


def a_hold(slot: Slot) -> tuple[Appointment, tuple[Claim, ...]]:
    known = facts(slot, settings=Settings(hold_minutes=10))
    booking = decide_hold(a_request(slot), known, by="web", now=EIGHT)
    return replace(booking.appointment, events=(), before=None), booking.claims


def test_what_a_booking_says_otherwise_than_its_hold_is_told() -> None:
    slot = a_slot()
    hold, claims = a_hold(slot)
    request = a_request(
        slot, patient_id=hold.patient_id, appointment_type="visit", notes="private"
    )
    known = facts(with_seats(slot, 1), claims=claims)
    used = decide_return(hold, Status.BOOKED, request, known, now=EIGHT)
    assert told(used).changed == ("appointmentType", "status", "notes")
    assert told(used).old.appointment_type == "consultation"


def test_a_hold_that_was_shortened_is_booked_as_short() -> None:
    slot = a_slot()
    hold, _ = a_hold(slot)
    short = replace(hold, period=between("09:00", "09:10"))
    request = a_request(slot, patient_id=hold.patient_id, when=BySlot(slot.id))
    used = decide_return(
        short, Status.BOOKED, request, facts(with_seats(slot, 1)), now=EIGHT
    )
    assert used.appointment.period == short.period
    assert {claim.period for claim in used.booking.claims} == {short.period}


def test_a_hold_is_booked_also_where_somebody_insisted_on_the_seat_meanwhile() -> None:
    slot = a_slot()
    hold, claims = a_hold(slot)
    known = facts(with_seats(slot, 2), claims=claims)
    later = EIGHT + timedelta(minutes=1)
    used = decide_return(hold, Status.BOOKED, asked_again(hold), known, now=later)
    assert used.appointment.status is Status.BOOKED
    assert used.booking.seats == ()


def test_who_books_a_hold_insists_on_nothing_besides() -> None:
    slot, room = a_slot(), a_room()
    hold, claims = a_hold(slot)
    elsewhere = decide_booking(
        a_request(other := a_slot(), resources=(room,)), facts(other), now=EIGHT
    )
    insisting = replace(
        asked_again(hold),
        resources=(room,),
        override=Override("an emergency", allowed=False),
    )
    known = facts(with_seats(slot, 1), claims=(*claims, *elsewhere.claims))
    with pytest.raises(DoubleBookingDetected):
        decide_return(hold, Status.BOOKED, insisting, known, now=EIGHT)


def test_who_comes_after_all_needs_a_seat_like_anybody() -> None:
    slot = a_slot()
    one, _ = stands(slot)
    missed = replace(one, status=Status.NO_SHOW)
    with pytest.raises(SlotNotAvailable):
        decide_return(
            missed,
            Status.ARRIVED,
            asked_again(missed),
            facts(with_seats(slot, 1)),
            now=at("09:05"),
        )
