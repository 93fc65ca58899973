"""Which step follows which: the whole matrix of `domain.md`, written out."""

from datetime import timedelta
from itertools import product

import pytest

from scheduling.domain.appointment import CancelReason, Initiator
from scheduling.domain.errors import InvalidStatusTransition
from scheduling.domain.events import (
    AppointmentCancelled,
    AppointmentStatusChanged,
    AppointmentUpdated,
    CheckinCompleted,
    Event,
)
from scheduling.domain.status import Status
from tests.builders import EIGHT, an_appointment, at

# Rows: from. Columns: to, in the order of Status. x: allowed, c: a correction, which
# takes a right of its own.
MATRIX = """
                  proposed pending booked confirmed arrived in-progress completed cancelled no-show entered-in-error
proposed          .        x       x      .         .       .           .         x         .       c
pending           .        .       x      .         .       .           .         x         .       c
booked            .        .       .      x         x       .           .         x         x       c
confirmed         .        .       .      .         x       .           .         x         x       c
arrived           .        .       .      .         .       x           x         x         x       c
in-progress       .        .       .      .         .       .           x         .         .       c
completed         .        .       .      .         .       .           .         .         .       c
cancelled         .        .       .      .         .       .           .         .         .       c
no-show           .        .       .      .         c       .           .         .         .       c
entered-in-error  .        .       .      .         .       .           .         .         .       .
"""  # noqa: E501  # a table is read as one


def written() -> dict[tuple[Status, Status], str]:
    head, *rows = MATRIX.strip().splitlines()
    columns = [Status(word) for word in head.split()]
    cells: dict[tuple[Status, Status], str] = {}
    for row in rows:
        name, *marks = row.split()
        cells |= {(Status(name), to): m for to, m in zip(columns, marks, strict=True)}
    return cells


CELLS = sorted(written().items())


def test_every_pair_is_in_the_matrix() -> None:
    assert set(written()) == set(product(Status, Status))


@pytest.mark.parametrize(
    ("pair", "mark"), CELLS, ids=[f"{a}-{b}" for (a, b), _ in CELLS]
)
def test_a_step_is_taken_or_refused_as_written(
    pair: tuple[Status, Status], mark: str
) -> None:
    before, wanted = pair
    appointment = an_appointment(status=before)
    assert appointment.is_correction(wanted, now=EIGHT) is (mark == "c")
    if mark == ".":
        with pytest.raises(InvalidStatusTransition):
            appointment.become(wanted, now=EIGHT)
        return
    after = appointment.become(wanted, reason_code="because", now=EIGHT)
    assert (after.status, after.version) == (wanted, appointment.version + 1)
    assert after.before == appointment
    told = after.events[0]
    if wanted in {Status.PENDING, Status.BOOKED}:
        assert isinstance(told, AppointmentUpdated)
        assert (told.old.status, told.status) == (before, wanted)
        assert told.changed == ("status",)
    else:
        assert isinstance(told, AppointmentStatusChanged)
        assert (told.old_status, told.new_status) == (before, wanted)
        assert told.reason_code == "because"
    assert len(after.events) == (2 if wanted is Status.ARRIVED else 1)


def kinds(events: tuple[Event, ...]) -> list[type[Event]]:
    return [type(event) for event in events]


def test_arriving_is_told_as_a_check_in_too() -> None:
    arrived = an_appointment(status=Status.BOOKED).become(Status.ARRIVED, now=EIGHT)
    assert kinds(arrived.events) == [AppointmentStatusChanged, CheckinCompleted]
    assert {event.version for event in arrived.events} == {arrived.version}


def test_somebody_who_comes_on_another_day_after_all_does_not_arrive() -> None:
    missed = an_appointment(status=Status.NO_SHOW)
    assert missed.is_correction(Status.ARRIVED, now=at("23:59"))
    for day in (-1, 1):
        with pytest.raises(InvalidStatusTransition):
            missed.become(Status.ARRIVED, now=at("08:00", day=day))


def test_the_day_is_the_clinics_day() -> None:
    missed = an_appointment(status=Status.NO_SHOW, timezone="Pacific/Auckland")
    # 09:00 UTC is 22:00 in Auckland: two hours later it is the day after there.
    assert missed.is_correction(Status.ARRIVED, now=at("10:59"))
    assert not missed.is_correction(Status.ARRIVED, now=at("11:00"))


def test_a_step_ends_a_hold() -> None:
    held = an_appointment(
        status=Status.PENDING,
        hold_expires_at=EIGHT + timedelta(minutes=1),
        held_by="reception",
    )
    booked = held.become(Status.BOOKED, now=EIGHT)
    assert (booked.hold_expires_at, booked.held_by) == (None, None)


def test_a_cancel_says_why_and_who() -> None:
    cancelled = an_appointment().cancel(
        reason_code=CancelReason.WEATHER,
        initiated_by=Initiator.PRACTITIONER,
        comment="snow",
        now=EIGHT,
    )
    (told,) = cancelled.events
    assert isinstance(told, AppointmentCancelled)
    assert (told.reason_code, told.initiated_by) == ("weather", "practitioner")


@pytest.mark.parametrize(
    ("status", "anew"),
    [
        (Status.PROPOSED, {Status.PENDING, Status.BOOKED}),
        (Status.PENDING, {Status.BOOKED}),
        (Status.NO_SHOW, {Status.ARRIVED}),
        (Status.BOOKED, set()),
        (Status.CONFIRMED, set()),
        (Status.ARRIVED, set()),
        (Status.IN_PROGRESS, set()),
    ],
)
def test_coming_to_what_takes_time_is_a_new_booking_check(
    status: Status, anew: set[Status]
) -> None:
    appointment = an_appointment(status=status)
    allowed = {
        wanted
        for (before, wanted), mark in written().items()
        if before is status and mark != "."
    }
    assert {one for one in allowed if appointment.takes_time_anew(one)} == anew
