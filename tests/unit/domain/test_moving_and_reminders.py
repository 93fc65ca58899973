"""What becomes of the reminders of a visit that takes another time, or more of it."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from scheduling.domain.booking_request import BySlot, ByStart
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.identifiers import LocationId
from scheduling.domain.moving import asked_again, decide_edit
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status
from tests.builders import EIGHT, at, between, facts
from tests.unit.domain.test_moving import a_morning, full, in_the_first, move


def test_reminders_are_planned_anew() -> None:
    slots = a_morning()
    one, claims = in_the_first(slots)
    moved = move(
        one,
        BySlot(slots[3].id),
        slots[3],
        claims=claims,
        preferences=ContactPreferences(sms=True),
        settings=Settings(reminder_offsets_minutes=(60, 24 * 60)),
    )
    assert moved is not None
    assert [reminder.due_at for reminder in moved.booking.reminders] == [at("09:30")]


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ({}, True),
        ({"status": Status.CONFIRMED}, True),
        # Elsewhere at that time; at another time; not expected any more.
        ({"location_id": LocationId(uuid4())}, False),
        ({"period": between("8:30", "9:00")}, False),
        ({"status": Status.ARRIVED}, False),
    ],
)
def test_reminders_stay_where_it_begins_when_and_where_it_did(
    before: dict[str, Any], *, kept: bool
) -> None:
    slot, *_ = slots = a_morning()
    one, claims = in_the_first(slots)
    one = replace(one, **before)
    there = ByStart(slot.practitioner_id, slot.location_id, between("9:00", "9:15"))
    edited = decide_edit(
        one,
        (full(slot),),
        replace(asked_again(one), when=there),
        facts(
            full(slot), claims=claims, settings=Settings(reminder_offsets_minutes=(30,))
        ),
        now=EIGHT,
    )
    assert edited is not None
    assert edited.keeps_reminders is kept
    anew = not kept and edited.appointment.status is Status.BOOKED
    assert len(edited.booking.reminders) == anew
