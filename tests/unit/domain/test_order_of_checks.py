"""The first check that fails is the answer.

Each request here fails one check and all that come after it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduling.domain.availability import Assignment
from scheduling.domain.booking import (
    Booking,
    decide_booking,
)
from scheduling.domain.booking_request import (
    ByStart,
    Override,
)
from scheduling.domain.claim import Claim, claims_of
from scheduling.domain.errors import (
    BookingLimitReached,
    BufferTimeConflict,
    DomainError,
    DoubleBookingDetected,
    DoubleBookingOverrideDenied,
    InvalidInput,
    LocationNotFound,
    OutsideBookingWindow,
    OutsideSchedule,
    PatientNotFound,
    PractitionerNotAssigned,
    PractitionerNotAvailable,
    PractitionerNotFound,
    SlotNotAvailable,
    SlotNotFound,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import SlotStatus
from tests.builders import EIGHT, a_request, a_slot, an_id, at, between, facts

SLOT = a_slot(between("09:00", "09:30"))
BY_START = ByStart(SLOT.practitioner_id, SLOT.location_id, SLOT.period)


def a_claim_of_the_practitioner(period: Period, buffer: int = 0) -> Claim:
    other = a_slot(period, practitioner_id=SLOT.practitioner_id)
    claims = claims_of(
        an_id(),
        period=period,
        practitioner_id=SLOT.practitioner_id,
        patient_id=an_id(),
        resources=(),
        slots=[(other.id, period)],
        buffer=timedelta(minutes=buffer),
        overbooked=False,
    )
    return claims[0]


IN_THE_WAY = a_claim_of_the_practitioner(between("09:15", "09:45"))
BUFFER_IN_THE_WAY = a_claim_of_the_practitioner(between("08:30", "09:00"), buffer=15)
AT_THE_LIMIT = Settings(limits=Limits(per_practitioner_day=1))

# (what is wrong, what that is answered with), in the order of the rules.
WRONG: tuple[tuple[Mapping[str, Any], type[DomainError]], ...] = (
    ({"patient_active": False}, PatientNotFound),
    ({"practitioner_active": None}, PractitionerNotFound),
    ({"practitioner_active": False}, PractitionerNotAvailable),
    ({"location_active": None}, LocationNotFound),
    ({"assignments": (Assignment(active=False),)}, PractitionerNotAssigned),
    ({"slots": ()}, OutsideSchedule),
    ({"now": at("09:00")}, OutsideBookingWindow),
    ({"slots": (replace(SLOT, booked=1),)}, SlotNotAvailable),
    ({"claims": (IN_THE_WAY,)}, DoubleBookingDetected),
    ({"claims": (BUFFER_IN_THE_WAY,)}, BufferTimeConflict),
    ({"settings": AT_THE_LIMIT, "taken": (at("14:00"),)}, BookingLimitReached),
)


def book_by_start(wrong: Mapping[str, Any]) -> Booking:
    known = {"slots": (SLOT,), **wrong}
    now = known.pop("now", EIGHT)
    slots = known.pop("slots")
    return decide_booking(a_request(when=BY_START), facts(*slots, **known), now=now)


def test_the_request_that_all_are_made_from_succeeds() -> None:
    assert book_by_start({}).appointment.period == SLOT.period


@pytest.mark.parametrize(("wrong", "refusal"), WRONG)
def test_each_alone_is_refused_for_what_it_is(
    wrong: Mapping[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal) as refused:
        book_by_start(wrong)
    assert type(refused.value) is refusal


@pytest.mark.parametrize("first", range(len(WRONG)))
def test_the_first_that_fails_is_the_answer(first: int) -> None:
    all_later_too: dict[str, Any] = {}
    for wrong, _ in reversed(WRONG[first:]):
        all_later_too |= wrong
    with pytest.raises(WRONG[first][1]) as refused:
        book_by_start(all_later_too)
    assert type(refused.value) is WRONG[first][1]


def test_an_unknown_patient_is_no_other_answer_than_an_inactive_one() -> None:
    request = a_request(SLOT)
    said = set()
    for active in (None, False):
        with pytest.raises(PatientNotFound) as refused:
            decide_booking(request, facts(SLOT, patient_active=active), now=EIGHT)
        said.add(str(refused.value))
    assert len(said) == 1


@pytest.mark.parametrize(
    "slots", [(), (replace(SLOT, status=SlotStatus.ENTERED_IN_ERROR),)]
)
def test_a_slot_that_is_not_there_is_not_found_before_anything_about_its_place(
    slots: tuple[Any, ...],
) -> None:
    known = facts(*slots, practitioner_active=None, location_active=None)
    with pytest.raises(SlotNotFound):
        decide_booking(a_request(SLOT), known, now=EIGHT)


def test_a_closed_location_is_where_nobody_is_assigned() -> None:
    with pytest.raises(PractitionerNotAssigned):
        book_by_start({"location_active": False})


def test_the_right_to_override_is_asked_for_before_anything_else() -> None:
    request = a_request(SLOT, override=Override(reason=None, allowed=False))
    with pytest.raises(DoubleBookingOverrideDenied):
        decide_booking(request, facts(patient_active=None), now=EIGHT)


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_an_override_needs_a_reason(reason: str | None) -> None:
    request = a_request(SLOT, override=Override(reason=reason, allowed=True))
    with pytest.raises(InvalidInput) as refused:
        decide_booking(request, facts(SLOT), now=EIGHT)
    assert refused.value.field == "overrideReason"


def test_who_is_in_the_way_is_named() -> None:
    with pytest.raises(DoubleBookingDetected) as refused:
        book_by_start({"claims": (IN_THE_WAY, BUFFER_IN_THE_WAY)})
    assert refused.value.conflicting == (IN_THE_WAY.appointment_id,)
    with pytest.raises(BufferTimeConflict) as buffered:
        book_by_start({"claims": (BUFFER_IN_THE_WAY,)})
    assert buffered.value.conflicting == (BUFFER_IN_THE_WAY.appointment_id,)


def test_a_refusal_names_ids_and_times_and_no_text() -> None:
    request = a_request(SLOT, reason="chest pain", notes="call the daughter")
    with pytest.raises(SlotNotAvailable) as refused:
        decide_booking(request, facts(replace(SLOT, booked=1)), now=EIGHT)
    assert "pain" not in str(refused.value)
    assert "daughter" not in str(refused.value)


def test_a_visit_of_the_past_is_not_asked_for_the_booking_window() -> None:
    request, known = a_request(SLOT), facts(SLOT)
    later = at("09:00", day=400)
    with pytest.raises(OutsideBookingWindow):
        decide_booking(request, known, now=later)
    booking = decide_booking(request, known, now=later, past=True)
    assert booking.reminders == ()
