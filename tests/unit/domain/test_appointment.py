from dataclasses import replace

import pytest

from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.errors import InvalidStatusTransition
from scheduling.domain.events import (
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentStatusChanged,
)
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import TRANSITIONS, Status
from tests.builders import EIGHT, a_booking, a_slot, an_appointment, at

CANCELLABLE = {
    Status.PROPOSED,
    Status.PENDING,
    Status.BOOKED,
    Status.CONFIRMED,
    Status.ARRIVED,
}


def cancelled(appointment: Appointment) -> Appointment:
    return appointment.cancel(
        reason_code=CancelReason.WEATHER,
        initiated_by=Initiator.STAFF,
        comment="snowed in",
        now=at("08:30"),
    )


@pytest.mark.parametrize("status", sorted(CANCELLABLE))
def test_what_lies_ahead_can_be_cancelled(status: Status) -> None:
    gone = cancelled(an_appointment(status=status))
    assert gone.status is Status.CANCELLED
    assert (gone.status_reason_code, gone.cancelled_by) == ("weather", "staff")
    assert gone.status_comment == "snowed in"
    assert (gone.version, gone.updated_at) == (2, at("08:30"))
    (event,) = gone.events
    assert isinstance(event, AppointmentCancelled)
    assert (event.old_status, event.new_status) == (status, "cancelled")
    assert (event.reason_code, event.initiated_by) == ("weather", "staff")
    assert event.version == 2


@pytest.mark.parametrize("status", sorted(set(Status) - CANCELLABLE))
def test_what_is_under_way_or_over_cannot_be_cancelled(status: Status) -> None:
    with pytest.raises(InvalidStatusTransition):
        cancelled(an_appointment(status=status))


def test_nothing_leads_out_of_what_is_over() -> None:
    over = {
        Status.COMPLETED,
        Status.CANCELLED,
        Status.NO_SHOW,
        Status.ENTERED_IN_ERROR,
    }
    assert {status for status, after in TRANSITIONS.items() if not after} == over
    assert set(TRANSITIONS) == set(Status)


def test_a_cancelled_appointment_is_a_new_value() -> None:
    booked = an_appointment()
    cancelled(booked)
    assert booked.status is Status.BOOKED


@pytest.mark.parametrize(
    ("status", "takes_time"),
    [
        (Status.PROPOSED, False),
        (Status.PENDING, True),
        (Status.BOOKED, True),
        (Status.CONFIRMED, True),
        (Status.ARRIVED, True),
        (Status.IN_PROGRESS, True),
        (Status.COMPLETED, False),
        (Status.CANCELLED, False),
        (Status.NO_SHOW, False),
        (Status.ENTERED_IN_ERROR, False),
    ],
)
def test_who_takes_time(status: Status, takes_time: bool) -> None:  # noqa: FBT001
    assert status.takes_time is takes_time
    slot = a_slot(booked=1, status=SlotStatus.BUSY)
    freed = an_appointment(status=status).freed([slot], EIGHT)
    # What is completed took its time: only taking it back gives the seat back.
    assert len(freed) == (1 if takes_time or status is Status.COMPLETED else 0)


def test_a_cancelled_visit_over_three_slots_opens_each_once() -> None:
    slots = [a_slot(booked=1, status=SlotStatus.BUSY) for _ in range(3)]
    freed = an_appointment().freed(slots, EIGHT)
    assert [len(slot.events) for slot in freed] == [1, 1, 1]
    assert {slot.booked for slot in freed} == {0}


def test_a_visit_of_another_system_is_told_as_created_and_as_what_became_of_it() -> (
    None
):
    booking = a_booking().taken_over_as(Status.NO_SHOW, now=EIGHT)
    created, ended = booking.appointment.events
    assert isinstance(created, AppointmentCreated)
    assert isinstance(ended, AppointmentStatusChanged)
    assert (created.version, created.status) == (1, "booked")
    assert (ended.version, ended.new_status) == (2, "no-show")
    assert booking.appointment.version == 2


def test_a_visit_that_was_cancelled_elsewhere_is_told_as_cancelled() -> None:
    booking = a_booking().taken_over_as(Status.CANCELLED, now=EIGHT)
    event = booking.appointment.events[-1]
    assert isinstance(event, AppointmentCancelled)
    assert (event.reason_code, event.initiated_by) == ("other", "system")


@pytest.mark.parametrize("status", Status)
def test_a_visit_of_another_system_takes_time_only_where_its_status_does(
    status: Status,
) -> None:
    booking = a_booking().taken_over_as(status, now=EIGHT)
    keeps = status.takes_time or status is Status.COMPLETED
    assert bool(booking.claims) is bool(booking.seats) is keeps


def test_a_visit_that_is_still_booked_is_told_once() -> None:
    booking = a_booking()
    assert booking.taken_over_as(Status.BOOKED, now=EIGHT) == booking


def test_reasons_and_names_stay_out_of_what_is_printed() -> None:
    told = replace(an_appointment(), reason="chest pain", notes="call the daughter")
    assert "pain" not in f"{told} {told!r}"
    assert "daughter" not in f"{told} {told!r}"
