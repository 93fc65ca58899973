"""Bookings over many slots: bounded, and decided without comparing all with all."""

import pytest

from scheduling.domain.booking import (
    MOST_SLOTS,
    decide_booking,
)
from scheduling.domain.booking_request import (
    ByStart,
)
from scheduling.domain.claim import ActorKind, pairs_in_the_way
from scheduling.domain.errors import InvalidInput
from scheduling.domain.identifiers import LocationId, PractitionerId
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot
from tests.builders import (
    EIGHT,
    a_booking,
    a_request,
    a_schedule,
    a_slot,
    facts,
    slots_from,
)

DAY = a_schedule()


def chain(count: int) -> tuple[Slot, ...]:
    periods = slots_from("09:00", minutes=5, count=count)
    return tuple(a_slot(period, schedule=DAY, capacity=50) for period in periods)


def over(slots: tuple[Slot, ...]) -> ByStart:
    whole = Period(slots[0].period.start, slots[-1].period.end)
    return ByStart(
        PractitionerId(DAY.practitioner_id), LocationId(DAY.location_id), whole
    )


def test_as_many_slots_as_are_allowed_make_one_booking() -> None:
    slots = chain(MOST_SLOTS)
    booking = decide_booking(a_request(when=over(slots)), facts(*slots), now=EIGHT)
    assert booking.appointment.slot_ids == tuple(slot.id for slot in slots)


def test_one_slot_more_is_refused_by_the_field() -> None:
    slots = chain(MOST_SLOTS + 1)
    with pytest.raises(InvalidInput) as refused:
        decide_booking(a_request(when=over(slots)), facts(*slots), now=EIGHT)
    assert refused.value.field == "durationMinutes"


def test_each_two_claims_in_the_way_of_each_other_are_found_once() -> None:
    slots = chain(20)
    standing = [
        claim
        for slot in slots
        for claim in a_booking(
            a_slot(slot.period, practitioner_id=DAY.practitioner_id)
        ).claims
    ]
    booking = decide_booking(a_request(when=over(slots)), facts(*slots), now=EIGHT)
    found = list(pairs_in_the_way(booking.claims, standing))
    expected = [
        (mine, other)
        for other in standing
        for mine in booking.claims
        if mine.is_in_the_way_of(other)
    ]
    assert sorted(map(hash, found)) == sorted(map(hash, expected))
    assert len(found) == 20
    assert {mine.kind for mine, _ in found} == {ActorKind.PRACTITIONER}
