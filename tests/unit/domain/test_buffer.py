"""The practitioner's claim is `[start, end + buffer)`: one gap, not two."""

import pytest

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import (
    decide_booking,
)
from scheduling.domain.booking_request import (
    ByStart,
)
from scheduling.domain.claim import ActorKind, Claim
from scheduling.domain.errors import BufferTimeConflict, DoubleBookingDetected
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from tests.builders import (
    EIGHT,
    a_request,
    a_room,
    a_schedule,
    a_slot,
    at,
    between,
    facts,
)

SCHEDULE = a_schedule()
QUARTER = Settings(buffer_minutes=15)
NONE = Settings()


def book(
    period: Period, claims: tuple[Claim, ...] = (), settings: Settings = QUARTER
) -> tuple[Appointment, tuple[Claim, ...]]:
    slot = a_slot(period, schedule=SCHEDULE)
    booking = decide_booking(
        a_request(slot), facts(slot, claims=claims, settings=settings), now=EIGHT
    )
    return booking.appointment, booking.claims


NINE, CLAIMS_OF_NINE = book(between("09:00", "09:30"))


def test_quarter_to_ten_is_the_next_start() -> None:
    book(between("09:45", "10:15"), CLAIMS_OF_NINE)


def test_a_minute_earlier_only_the_buffer_is_in_the_way() -> None:
    with pytest.raises(BufferTimeConflict) as refused:
        book(between("09:44", "10:14"), CLAIMS_OF_NINE)
    assert refused.value.conflicting == (NINE.id,)


def test_real_overlap_is_said_rather_than_the_buffer() -> None:
    with pytest.raises(DoubleBookingDetected):
        book(between("09:29", "10:00"), CLAIMS_OF_NINE)


def test_the_new_ones_buffer_must_not_reach_into_the_one_behind_it() -> None:
    book(between("08:15", "08:45"), CLAIMS_OF_NINE)
    with pytest.raises(BufferTimeConflict):
        book(between("08:16", "08:46"), CLAIMS_OF_NINE)


def test_a_changed_setting_leaves_the_buffer_of_what_is_booked() -> None:
    with pytest.raises(BufferTimeConflict):
        book(between("09:44", "10:14"), CLAIMS_OF_NINE, NONE)
    _, without = book(between("09:00", "09:30"), settings=NONE)
    book(between("09:30", "10:00"), without, QUARTER)


def test_without_the_claims_of_a_cancelled_one_its_buffer_is_gone() -> None:
    book(between("09:30", "10:00"), ())


def test_a_buffer_may_hang_over_closing_time() -> None:
    last, claims = book(between("16:30", "17:00"))
    assert last.period.end == at("17:00")
    assert [c.until for c in claims if c.kind is ActorKind.PRACTITIONER] == [
        at("17:15")
    ]


def test_neither_patient_nor_room_needs_the_buffer() -> None:
    slot = a_slot(between("09:00", "09:30"), schedule=SCHEDULE)
    room = a_room()
    booking = decide_booking(
        a_request(slot, resources=(room,)), facts(slot, settings=QUARTER), now=EIGHT
    )
    until = {claim.kind: claim.until for claim in booking.claims}
    assert until == {
        ActorKind.PRACTITIONER: at("09:45"),
        ActorKind.PATIENT: at("09:30"),
        ActorKind.ROOM: at("09:30"),
    }


def test_over_consecutive_slots_the_buffer_lies_behind_the_last_only() -> None:
    slots = [
        a_slot(between("09:00", "09:30"), schedule=SCHEDULE),
        a_slot(between("09:30", "10:00"), schedule=SCHEDULE),
    ]
    from_nine_to_ten = a_request(
        when=ByStart(
            SCHEDULE.practitioner_id, SCHEDULE.location_id, between("09:00", "10:00")
        )
    )
    booking = decide_booking(
        from_nine_to_ten, facts(*slots, settings=QUARTER), now=EIGHT
    )
    assert [c.until for c in booking.claims if c.kind is ActorKind.PRACTITIONER] == [
        at("09:30"),
        at("10:15"),
    ]
