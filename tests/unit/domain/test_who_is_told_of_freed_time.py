"""Which freed time is told of, and to whom."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from scheduling.domain.availability import Assignment
from scheduling.domain.claim import ActorKind, Claim
from scheduling.domain.freed_time import (
    MOST_CANDIDATES,
    GivenBack,
    Waiting,
    WaitlistFacts,
    announcement,
    suits,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import (
    CalendarLimits,
    CalendarRules,
    Limits,
    Settings,
)
from scheduling.domain.slot import SlotStatus
from scheduling.domain.status import Status
from scheduling.domain.waitlist import (
    WaitlistStatus,
)
from tests.builders import (
    EIGHT,
    a_schedule,
    a_slot,
    an_appointment,
    an_id,
    at,
    between,
    facts,
)
from tests.waiting import an_entry, cancelled, given_back


def a_claim(kind: ActorKind, actor_id: Any, period: Period, **told: Any) -> Claim:  # noqa: ANN401
    given = {"appointment_id": an_id(), "share_id": an_id(), "until": period.end}
    return Claim(kind=kind, actor_id=actor_id, period=period, **{**given, **told})


def would_come(freed: GivenBack, one: Waiting) -> bool:
    (stretch,) = freed.stretches(EIGHT)
    return suits(one, freed, stretch, EIGHT)


def told(freed: GivenBack, *waiting: Waiting, **known: Any) -> Any:  # noqa: ANN401
    """Return the announcement that is made under facts under which one is."""
    known_facts = WaitlistFacts(facts(**known), waiting)
    return announcement(freed, known_facts, now=known.get("now", EIGHT))


def waiting(**entry: Any) -> Waiting:  # noqa: ANN401
    return Waiting(an_entry(**entry), patient_active=True)


def test_who_wants_anything_on_that_day_suits() -> None:
    assert would_come(given_back(), waiting())


@pytest.mark.parametrize(
    ("earliest", "latest", "fits"),
    [
        ("09:00", "09:30", True),
        ("09:01", "12:00", False),
        ("08:30", "09:29", False),
        ("09:30", "12:00", False),
    ],
)
def test_the_window_must_hold_the_time_wholly(
    earliest: str, latest: str, *, fits: bool
) -> None:
    one = waiting(earliest=at(earliest), latest=at(latest))
    assert would_come(given_back(), one) is fits


def test_a_wish_for_some_practitioners_or_places_is_for_these_only() -> None:
    freed = given_back()
    (slot,) = freed.slots
    for name, right in (
        ("practitioner_ids", slot.practitioner_id),
        ("location_ids", slot.location_id),
    ):
        assert would_come(freed, waiting(**{name: (an_id(), right)}))
        assert not would_come(freed, waiting(**{name: (an_id(),)}))


@pytest.mark.parametrize(
    ("wanted", "offered", "fits"),
    [
        (None, ("checkup",), True),
        ("checkup", (), True),
        ("checkup", ("surgery", "checkup"), True),
        ("checkup", ("surgery",), False),
    ],
)
def test_a_wish_for_a_service_is_met_by_a_slot_for_it_or_for_any(
    wanted: str | None, offered: tuple[str, ...], *, fits: bool
) -> None:
    freed = given_back(service_types=offered)
    assert would_come(freed, waiting(service_type=wanted)) is fits


def test_whoever_waits_no_more_is_not_told() -> None:
    for status in (WaitlistStatus.FULFILLED, WaitlistStatus.REMOVED):
        entry = replace(an_entry(), status=status)
        assert not would_come(given_back(), Waiting(entry, patient_active=True))


def test_an_inactive_patient_is_not_told() -> None:
    assert not would_come(given_back(), Waiting(an_entry(), patient_active=False))


def test_the_patient_who_gave_the_time_back_is_not_told() -> None:
    freed = given_back()
    assert not would_come(freed, waiting(patient_id=freed.before.patient_id))


@pytest.mark.parametrize(
    ("period", "expires", "fits"),
    [
        (between("09:29", "10:00"), None, False),
        (between("08:30", "09:01"), None, False),
        (between("09:30", "10:00"), None, True),
        (between("08:30", "09:00"), None, True),
        (between("09:00", "09:30"), at("08:01"), False),
        (between("09:00", "09:30"), EIGHT, True),
    ],
    ids=["after", "before", "right after", "right before", "a live hold", "lapsed"],
)
def test_a_patient_with_another_appointment_then_is_skipped(
    period: Period,
    expires: datetime | None,
    *,
    fits: bool,
) -> None:
    entry = an_entry()
    claim = a_claim(ActorKind.PATIENT, entry.patient_id, period, expires_at=expires)
    one = Waiting(entry, patient_active=True, claims=(claim,))
    assert would_come(given_back(), one) is fits


def test_the_news_is_the_appointments_and_names_who_waits_best_first() -> None:
    freed = given_back()
    late = waiting(now=at("07:30"))
    early = waiting(now=at("07:00"))
    urgent = waiting(now=at("07:59"), priority=1)
    news = told(freed, late, early, urgent)
    assert news.aggregate_id == freed.before.id
    assert news.version == freed.after.version == 2
    assert news.occurred_at == EIGHT
    assert news.period == between("09:00", "09:30")
    assert news.slot_ids == freed.before.slot_ids
    assert [one.waitlist_entry_id for one in news.candidates] == [
        one.entry.id for one in (urgent, early, late)
    ]


def test_no_more_are_told_than_can_be_asked_one_by_one() -> None:
    news = told(given_back(), *(waiting() for _ in range(MOST_CANDIDATES + 5)))
    assert len(news.candidates) == MOST_CANDIDATES


def test_where_nobody_waits_there_is_no_news() -> None:
    assert told(given_back()) is None
    assert told(given_back(), waiting(service_type="x", latest=at("08:30"))) is None


@pytest.mark.parametrize(
    "slot",
    [
        {"status": SlotStatus.BUSY_UNAVAILABLE},
        {"status": SlotStatus.ENTERED_IN_ERROR},
        {"capacity": 1, "booked": 2},
    ],
    ids=["blocked", "a mistake", "still full"],
)
def test_a_slot_that_gives_no_seat_is_no_news(slot: dict[str, Any]) -> None:
    freed = given_back(an_appointment(a_slot()), **slot)
    assert freed.stretches(EIGHT) == ()
    assert told(freed, waiting()) is None


def test_a_seat_of_a_group_is_news_each_time_one_is_given_back() -> None:
    assert told(given_back(capacity=10, booked=5, status="free"), waiting())


@pytest.mark.parametrize(
    "known",
    [
        {"settings": Settings(minimum_notice_minutes=61)},
        {"settings": Settings(horizon_days=0), "now": at("08:00", day=-1)},
        {"assignments": (Assignment(active=False),)},
        {"assignments": (Assignment(active=True, away=(between("09:15", "12:00"),)),)},
        {"practitioner_active": False},
        {"location_active": False},
    ],
    ids=["notice", "horizon", "unassigned", "away", "practitioner", "location"],
)
def test_what_booking_would_refuse_is_no_news(known: dict[str, Any]) -> None:
    freed = given_back()
    now = known.pop("now", EIGHT)
    found = WaitlistFacts(facts(**known), (waiting(now=now),))
    assert announcement(freed, found, now=now) is None


def test_at_the_last_instant_of_the_notice_it_is_news() -> None:
    assert told(given_back(), waiting(), settings=Settings(minimum_notice_minutes=60))


def test_a_calendars_own_notice_counts() -> None:
    schedule = a_schedule()
    freed = given_back(
        an_appointment(a_slot(schedule=schedule)), schedule_id=schedule.id
    )
    rules = {schedule.id: CalendarRules(minimum_notice_minutes=90)}
    assert told(freed, waiting()) is not None
    assert told(freed, waiting(), rules=rules) is None


def test_time_that_has_begun_is_no_news() -> None:
    freed = given_back()
    assert freed.stretches(at("09:00")) == ()
    assert freed.stretches(at("08:59")) != ()


def test_what_takes_no_time_gives_none_back() -> None:
    proposed = replace(an_appointment(), status=Status.PROPOSED)
    slot = a_slot()
    assert GivenBack(proposed, cancelled(proposed), (slot,)).stretches(EIGHT) == ()


def test_a_visit_that_was_completed_by_mistake_gives_its_time_back() -> None:
    done = replace(an_appointment(), status=Status.COMPLETED)
    undone = replace(done, status=Status.ENTERED_IN_ERROR, version=2)
    assert told(GivenBack(done, undone, (a_slot(),)), waiting()) is not None


def test_time_that_the_practitioner_lost_otherwise_is_no_news() -> None:
    freed = given_back()
    (slot,) = freed.slots
    other = a_claim(
        ActorKind.PRACTITIONER, slot.practitioner_id, between("09:15", "10:00")
    )
    assert told(freed, waiting(), claims=(other,)) is None
    lapsed = replace(other, expires_at=EIGHT)
    assert told(freed, waiting(), claims=(lapsed,)) is not None


def two_slots() -> tuple[Any, ...]:
    schedule = a_schedule()
    return tuple(
        a_slot(period, schedule=schedule, booked=0)
        for period in (between("09:00", "09:30"), between("09:30", "10:00"))
    )


def long_visit(first: Any, *more: Any) -> Any:  # noqa: ANN401
    return replace(
        an_appointment(first),
        slot_ids=tuple(slot.id for slot in (first, *more)),
        period=between("09:00", "10:00"),
    )


def test_of_a_long_visit_a_part_suits_whose_window_holds_a_part() -> None:
    first, second = two_slots()
    visit = long_visit(first, second)
    freed = GivenBack(visit, cancelled(visit), (first, second))
    news = told(freed, waiting(earliest=at("09:30"), latest=at("10:00")))
    assert (news.period, len(news.slot_ids)) == (between("09:00", "10:00"), 2)
    assert told(freed, waiting(earliest=at("09:15"), latest=at("09:45"))) is None


def test_of_a_long_visit_only_what_can_be_booked_is_told() -> None:
    first, second = two_slots()
    visit = long_visit(first, second)
    full = replace(second, status=SlotStatus.BUSY, booked=1)
    freed = GivenBack(visit, cancelled(visit), (first, full))
    news = told(freed, waiting())
    assert (news.period, news.slot_ids) == (between("09:00", "09:30"), (first.id,))
    assert told(freed, waiting(earliest=at("09:30"))) is None


def test_of_a_move_that_keeps_a_part_the_rest_is_told() -> None:
    first, second = two_slots()
    visit = long_visit(first, second)
    moved = replace(
        visit,
        slot_ids=(second.id, a_slot().id),
        period=between("09:30", "10:30"),
        version=2,
    )
    freed = GivenBack(visit, moved, (first, second))
    news = told(freed, waiting())
    assert (news.version, news.slot_ids) == (2, (first.id,))
    assert told(freed, waiting(), settings=Settings(buffer_minutes=15)) is None


@pytest.mark.parametrize(
    "known",
    [
        {"settings": Settings(limits=Limits(per_practitioner_day=1))},
        {"settings": Settings(limits=Limits(per_practitioner_week=1))},
        {"limits": CalendarLimits(per_day=1)},
    ],
    ids=["a day", "a week", "of the calendar"],
)
def test_a_move_within_a_full_day_frees_no_place_in_it(known: dict[str, Any]) -> None:
    slot = a_slot()
    visit = an_appointment(slot)
    if limits := known.pop("limits", None):
        known["rules"] = {slot.schedule_id: CalendarRules(limits=limits)}
    moved = replace(
        visit, slot_ids=(a_slot().id,), period=between("16:00", "16:30"), version=2
    )
    assert told(GivenBack(visit, moved, (slot,)), waiting(), **known) is None
    gone = GivenBack(visit, cancelled(visit), (slot,))
    assert told(gone, waiting(), **known) is not None


def test_what_moved_to_another_practitioner_is_none_of_the_first_ones_limit() -> None:
    slot, other = a_slot(), a_slot(schedule=a_schedule())
    visit = an_appointment(slot)
    moved = replace(
        visit,
        practitioner_id=other.practitioner_id,
        schedule_id=other.schedule_id,
        slot_ids=(other.id,),
        version=2,
    )
    one_a_day = Settings(limits=Limits(per_practitioner_day=1))
    freed = GivenBack(visit, moved, (slot,))
    assert told(freed, waiting(), settings=one_a_day) is not None
