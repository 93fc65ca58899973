from dataclasses import replace

import pytest

from scheduling.domain.booking import (
    decide_booking,
)
from scheduling.domain.booking_request import (
    BookingRequest,
    ByStart,
    Override,
)
from scheduling.domain.claim import ActorKind
from scheduling.domain.errors import (
    BookingLimitReached,
    OutsideBookingWindow,
    PractitionerNotAssigned,
    SlotNotAvailable,
)
from scheduling.domain.events import AppointmentCreated
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import SlotStatus
from tests.builders import (
    EIGHT,
    a_booking,
    a_request,
    a_slot,
    at,
    between,
    facts,
)

SLOT = a_slot()
FULL = replace(SLOT, booked=1)


def insisting() -> BookingRequest:
    return a_request(SLOT, override=Override(reason="he cannot wait", allowed=True))


def test_an_override_takes_a_full_slot_and_marks_the_appointment() -> None:
    booking = decide_booking(insisting(), facts(FULL), now=EIGHT)
    assert booking.appointment.overbooked
    assert booking.appointment.override_reason == "he cannot wait"
    # The seat alone was in the way: the time is shared, and stays protected.
    assert not any(claim.overbooked for claim in booking.claims)
    (created,) = booking.appointment.events
    assert isinstance(created, AppointmentCreated)
    assert created.overbooked


def test_an_override_takes_time_that_somebody_has() -> None:
    other = a_booking(a_slot(practitioner_id=SLOT.practitioner_id))
    booking = decide_booking(insisting(), facts(SLOT, claims=other.claims), now=EIGHT)
    assert booking.appointment.overbooked
    # Nobody overrode the patient's own time: there the database still decides.
    assert {claim.kind for claim in booking.claims if claim.overbooked} == {
        ActorKind.PRACTITIONER
    }


def test_an_override_that_is_not_needed_leaves_no_mark() -> None:
    booking = decide_booking(insisting(), facts(SLOT), now=EIGHT)
    assert not booking.appointment.overbooked
    assert booking.appointment.override_reason is None
    assert not any(claim.overbooked for claim in booking.claims)


def test_an_override_moves_no_clock_no_limit_and_no_practitioner() -> None:
    with pytest.raises(OutsideBookingWindow):
        decide_booking(insisting(), facts(SLOT), now=at("09:00"))
    with pytest.raises(PractitionerNotAssigned):
        decide_booking(
            insisting(),
            facts(SLOT, assignments=(), has_schedule=False),
            now=EIGHT,
        )
    limited = Settings(limits=Limits(per_practitioner_day=0))
    for slot in (SLOT, FULL):
        with pytest.raises(BookingLimitReached):
            decide_booking(insisting(), facts(slot, settings=limited), now=EIGHT)


@pytest.mark.parametrize(
    "status", [SlotStatus.BUSY_UNAVAILABLE, SlotStatus.BUSY_TENTATIVE]
)
def test_a_blocked_slot_is_not_taken_by_insisting(status: SlotStatus) -> None:
    with pytest.raises(SlotNotAvailable):
        decide_booking(insisting(), facts(replace(SLOT, status=status)), now=EIGHT)


def test_of_slots_upon_each_other_the_one_that_may_be_overbooked_is_taken() -> None:
    blocked = replace(SLOT, status=SlotStatus.BUSY_UNAVAILABLE)
    longer = a_slot(between("09:00", "10:00"), booked=1)
    longer = replace(longer, schedule_id=SLOT.schedule_id)
    when = ByStart(SLOT.practitioner_id, SLOT.location_id, SLOT.period)
    request = replace(insisting(), when=when)
    booking = decide_booking(request, facts(blocked, longer), now=EIGHT)
    assert booking.seats == (longer.id,)
