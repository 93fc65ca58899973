"""Every slot that is not offered has its reasons, every offered one none."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from scheduling.domain.availability import Assignment
from scheduling.domain.claim import ActorKind
from scheduling.domain.explaining import (
    Question,
    Reason,
    Stretch,
)
from scheduling.domain.identifiers import PatientId, ScheduleId
from scheduling.domain.settings import (
    CalendarLimits,
    CalendarRules,
    Limits,
    Settings,
)
from scheduling.domain.slot import SlotStatus
from tests.builders import a_room, at, between
from tests.unit.domain.explained import (
    NINE,
    SCHEDULE,
    a_calendar,
    claim,
    explained,
    reasons,
    slot,
)


def test_a_free_slot_has_no_reason() -> None:
    free = slot()
    assert explained(free) == [Stretch(NINE, (), free.id)]


def test_a_full_slot_is_booked_held_or_its_capacity_is_full() -> None:
    taken = slot(booked=1, status=SlotStatus.BUSY)
    group = slot(booked=3, capacity=3, status=SlotStatus.BUSY)
    assert reasons(taken, claims=(claim(taken),)) == {Reason.BOOKED}
    assert reasons(taken) == {Reason.BOOKED}
    assert reasons(group) == {Reason.CAPACITY_FULL}
    held = claim(taken, expires_at=at("08:10"))
    assert reasons(taken, claims=(held,)) == {Reason.HELD}
    assert reasons(taken, claims=(held,), now=at("08:10")) == set()


def test_a_lowered_capacity_is_full() -> None:
    assert reasons(slot(booked=8, capacity=5)) == {Reason.CAPACITY_FULL}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (SlotStatus.BUSY_UNAVAILABLE, Reason.EXCEPTION),
        (SlotStatus.BUSY_TENTATIVE, Reason.HELD),
    ],
)
def test_a_blocked_slot_says_why(status: SlotStatus, reason: Reason) -> None:
    assert reasons(slot(status=status)) == {reason}


def test_who_is_busy_elsewhere_is_booked_and_a_buffer_is_a_buffer() -> None:
    ends_at_nine = claim(period=between("08:30", "09:00"), until=at("09:15"))
    begins_after = claim(period=between("09:30", "10:00"))
    overlaps = claim(period=between("09:15", "10:00"))
    assert reasons(slot(), claims=(ends_at_nine,)) == {Reason.BUFFER}
    assert reasons(slot(), claims=(begins_after,)) == set()
    buffered = Settings(buffer_minutes=15)
    assert reasons(slot(), claims=(begins_after,), settings=buffered) == {Reason.BUFFER}
    assert reasons(slot(), claims=(overlaps,)) == {Reason.BOOKED}
    assert reasons(slot(), claims=(overlaps, ends_at_nine)) == {
        Reason.BOOKED,
        Reason.BUFFER,
    }
    held = replace(overlaps, expires_at=at("08:10"))
    assert reasons(slot(), claims=(held,)) == {Reason.HELD}


def test_patient_and_resources_are_in_the_way_if_they_are_asked_for() -> None:
    patient, room = PatientId(uuid4()), a_room()
    question = Question(patient_id=patient, resources=(room,))
    of_patient = claim(kind=ActorKind.PATIENT, actor_id=patient)
    of_room = claim(kind=ActorKind.ROOM, actor_id=room.id)
    both = (of_patient, of_room)
    assert reasons(slot(), claims=both) == set()
    assert reasons(slot(), claims=both, question=question) == {
        Reason.PATIENT_CONFLICT,
        Reason.RESOURCE_CONFLICT,
    }


def test_the_past_and_the_notice_are_too_soon_and_the_horizon_too_far() -> None:
    later = slot(between("09:00", "09:30", day=1))
    assert reasons(slot(), now=at("09:00")) == {Reason.MIN_NOTICE}
    assert reasons(slot(), now=at("08:59")) == set()
    notice = Settings(minimum_notice_minutes=61)
    assert reasons(slot(), settings=notice) == {Reason.MIN_NOTICE}
    far = {"period": later.period, "settings": Settings(horizon_days=0)}
    assert reasons(later, **far) == {Reason.BEYOND_HORIZON}
    own = a_calendar(rules=CalendarRules(horizon_days=1))
    assert reasons(later, calendars=(own,), **far) == set()


def test_a_notice_beyond_the_horizon_leaves_nothing_and_says_both() -> None:
    never = Settings(minimum_notice_minutes=3 * 24 * 60, horizon_days=1)
    slots = [slot(between("09:00", "09:30", day=day)) for day in range(5)]
    days = [reasons(one, settings=never, period=one.period) for one in slots]
    soon, far = Reason.MIN_NOTICE, Reason.BEYOND_HORIZON
    assert days == [{soon}, {soon}, {soon, far}, {far}, {far}]


def test_a_reached_limit_is_told() -> None:
    elsewhere = ScheduleId(uuid4())
    taken = {elsewhere: (at("14:00"),), SCHEDULE.id: (at("15:00"),)}
    twice = Settings(limits=Limits(per_practitioner_day=2))
    assert reasons(slot(), taken=taken, settings=twice) == {Reason.LIMIT_REACHED}
    for limit, expected in ((1, {Reason.LIMIT_REACHED}), (2, set())):
        own = a_calendar(rules=CalendarRules(limits=CalendarLimits(per_week=limit)))
        assert reasons(slot(), taken=taken, calendars=(own,)) == expected


def test_who_does_not_work_there_is_told_apart_from_who_is_away() -> None:
    def at_work(*assignments: Assignment) -> set[str]:
        return reasons(slot(), calendars=(a_calendar(assignments=assignments),))

    assert at_work(Assignment(active=True)) == set()
    assert at_work(Assignment(active=False)) == {Reason.ROLE_INACTIVE}
    assert at_work(Assignment(active=True, end=date(2030, 1, 6))) == {
        Reason.ROLE_INACTIVE
    }
    away = Assignment(active=True, away=(between("09:29", "12:00"),))
    assert at_work(away) == {Reason.EXCEPTION}


def test_nobody_there_is_the_first_reason_and_not_the_only_one() -> None:
    closed = a_calendar(location_active=False)
    full = slot(booked=1)
    (told,) = explained(full, calendars=(closed,), practitioner_active=False)
    assert told.reasons == (
        Reason.PRACTITIONER_INACTIVE,
        Reason.LOCATION_INACTIVE,
        Reason.BOOKED,
    )
