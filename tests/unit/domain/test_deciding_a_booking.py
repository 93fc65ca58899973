from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.domain.availability import Assignment
from scheduling.domain.booking import (
    decide_booking,
)
from scheduling.domain.booking_request import (
    BookingRequest,
    ByStart,
)
from scheduling.domain.claim import ActorKind, Resource
from scheduling.domain.errors import (
    DoubleBookingDetected,
    OutsideSchedule,
    PractitionerNotAssigned,
    SlotNotAvailable,
)
from scheduling.domain.events import AppointmentCreated
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.status import Status
from tests.builders import (
    EIGHT,
    a_booking,
    a_device,
    a_request,
    a_room,
    a_schedule,
    a_slot,
    an_id,
    at,
    between,
    facts,
    slots_from,
)

SCHEDULE = a_schedule()
SLOT = a_slot(schedule=SCHEDULE)
THREE = tuple(a_slot(p, schedule=SCHEDULE) for p in slots_from("09:00", count=3))


def by_start(period: Period) -> BookingRequest:
    return a_request(
        when=ByStart(SCHEDULE.practitioner_id, SCHEDULE.location_id, period)
    )


def test_what_is_booked_is_what_was_asked_for() -> None:
    room = a_room()
    request = a_request(
        SLOT, id=an_id(), reason="cough", notes="bring files", resources=(room,)
    )
    booked = decide_booking(request, facts(SLOT), now=EIGHT).appointment
    assert booked.id == request.id
    assert booked.patient_id == request.patient_id
    assert booked.practitioner_id == SLOT.practitioner_id
    assert booked.location_id == SLOT.location_id
    assert booked.slot_ids == (SLOT.id,)
    assert booked.period == SLOT.period
    assert booked.status is Status.BOOKED
    assert (booked.reason, booked.notes) == ("cough", "bring files")
    assert booked.resources == (room,)
    assert (booked.version, booked.created_at) == (1, EIGHT)
    assert not booked.overbooked


def test_a_booking_is_told_once() -> None:
    booking = a_booking(SLOT)
    (created,) = booking.appointment.events
    assert isinstance(created, AppointmentCreated)
    assert created.aggregate_id == booking.appointment.id
    assert (created.version, created.status) == (1, "booked")


def test_a_longer_visit_takes_a_seat_in_each_slot() -> None:
    booking = decide_booking(
        by_start(between("09:00", "10:15")), facts(*THREE), now=EIGHT
    )
    assert booking.seats == tuple(slot.id for slot in THREE)
    assert booking.appointment.period == between("09:00", "10:15")


def test_a_full_slot_in_the_middle_refuses_the_whole() -> None:
    slots = (THREE[0], replace(THREE[1], booked=1, status=SlotStatus.BUSY), THREE[2])
    with pytest.raises(SlotNotAvailable):
        decide_booking(by_start(between("09:00", "10:30")), facts(*slots), now=EIGHT)


@pytest.mark.parametrize(
    "period",
    [
        between("08:45", "09:15"),
        between("09:15", "09:45"),
        between("10:00", "11:00"),
        between("12:00", "12:30"),
    ],
)
def test_what_no_slots_hold_is_outside_the_schedule(period: Period) -> None:
    slots = tuple(s for s in THREE if period.start <= s.period.start < period.end)
    with pytest.raises(OutsideSchedule):
        decide_booking(by_start(period), facts(*slots), now=at("07:00"))


def test_patients_of_a_group_slot_share_its_practitioner_and_its_room() -> None:
    group = a_slot(schedule=SCHEDULE, capacity=10, booked=1)
    room = a_room()
    first = a_booking(group, request=a_request(group, resources=(room,)))
    second = a_request(group, resources=(room,))
    decide_booking(second, facts(group, claims=first.claims), now=EIGHT)


def test_a_full_group_takes_nobody() -> None:
    group = a_slot(schedule=SCHEDULE, capacity=10, booked=10, status=SlotStatus.BUSY)
    with pytest.raises(SlotNotAvailable):
        a_booking(group)


def test_the_same_patient_twice_in_a_group_is_refused() -> None:
    group = a_slot(schedule=SCHEDULE, capacity=10, booked=1)
    request = a_request(group)
    first = a_booking(group, request=request)
    with pytest.raises(DoubleBookingDetected):
        decide_booking(request, facts(group, claims=first.claims), now=EIGHT)


def test_a_practitioner_is_never_in_two_places() -> None:
    elsewhere = a_slot(between("09:15", "09:45"), practitioner_id=SLOT.practitioner_id)
    with pytest.raises(DoubleBookingDetected):
        a_booking(elsewhere, claims=a_booking(SLOT).claims)


def test_a_patient_is_never_with_two_practitioners() -> None:
    request = a_request(SLOT)
    first = a_booking(SLOT, request=request)
    other = a_slot(between("09:15", "09:45"))
    second = a_request(other, patient_id=request.patient_id)
    with pytest.raises(DoubleBookingDetected) as refused:
        decide_booking(second, facts(other, claims=first.claims), now=EIGHT)
    assert refused.value.conflicting == (first.appointment.id,)


@pytest.mark.parametrize("resource", [a_room(), a_device()])
def test_an_exclusive_resource_is_given_to_one(resource: Resource) -> None:
    first = a_booking(SLOT, request=a_request(SLOT, resources=(resource,)))
    other = a_slot(between("09:15", "09:45"))
    second = a_request(other, resources=(a_room(), resource))
    with pytest.raises(DoubleBookingDetected):
        decide_booking(second, facts(other, claims=first.claims), now=EIGHT)


def test_a_resource_that_is_named_twice_is_taken_once() -> None:
    room = a_room()
    booking = a_booking(SLOT, request=a_request(SLOT, resources=(room, room)))
    assert [claim.kind for claim in booking.claims].count(ActorKind.ROOM) == 1


def test_a_room_and_a_device_of_one_id_are_two_things() -> None:
    room = a_room()
    device = Resource(ActorKind.DEVICE, room.id)
    first = a_booking(SLOT, request=a_request(SLOT, resources=(room,)))
    other = a_slot(SLOT.period)
    second = a_request(other, resources=(device,))
    decide_booking(second, facts(other, claims=first.claims), now=EIGHT)


def test_times_that_touch_do_not_overlap() -> None:
    claims = a_booking(THREE[0]).claims
    booking = a_booking(THREE[1], claims=claims)
    assert booking.appointment.period.start == at("09:30")


def test_where_two_slots_begin_together_the_one_that_can_be_had_is_taken() -> None:
    """Search shows the group of one schedule; by start it is found there too."""
    group = a_slot(schedule=SCHEDULE, capacity=3, booked=1)
    other = a_slot(schedule=a_schedule(SCHEDULE.practitioner_id, SCHEDULE.location_id))
    standing = a_booking(group).claims
    for slots in ((group, other), (other, group)):
        booking = decide_booking(
            by_start(group.period), facts(*slots, claims=standing), now=EIGHT
        )
        assert booking.appointment.slot_ids == (group.id,)


def assigned(*roles: Assignment, slot: Slot = SLOT, has_schedule: bool = True) -> None:
    a_booking(slot, assignments=roles, has_schedule=has_schedule)


def test_a_roles_dates_are_both_inclusive() -> None:
    monday = SLOT.period.start.date()
    day = timedelta(days=1)
    assigned(Assignment(active=True, start=monday, end=monday))
    for outside in (
        Assignment(active=True, start=monday + day),
        Assignment(active=True, end=monday - day),
        Assignment(active=False),
    ):
        with pytest.raises(PractitionerNotAssigned):
            assigned(outside)
        assigned(outside, Assignment(active=True))


def test_a_roles_dates_are_of_the_clinics_calendar() -> None:
    monday = SLOT.period.start.date()
    early = a_slot(between("09:00", "09:30"), timezone="Pacific/Auckland")
    late = a_slot(between("23:00", "23:30"), timezone="Pacific/Auckland")
    role = Assignment(active=True, end=monday)
    assigned(role, slot=early)
    with pytest.raises(PractitionerNotAssigned):
        assigned(role, slot=late)


def test_a_schedule_that_staff_made_is_an_assignment_where_no_role_says_other() -> None:
    assigned()
    with pytest.raises(PractitionerNotAssigned):
        assigned(has_schedule=False)
