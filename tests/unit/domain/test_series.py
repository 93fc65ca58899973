"""The same time on the wall, week after week: when each is, and which are meant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduling.domain.booking import BookingFacts
from scheduling.domain.booking_request import BookingRequest, ByStart
from scheduling.domain.errors import (
    BookingLimitReached,
    PatientNotFound,
    SlotNotAvailable,
    SlotNotFound,
)
from scheduling.domain.identifiers import LocationId, PractitionerId, SeriesId
from scheduling.domain.period import Period
from scheduling.domain.series import (
    HowMuch,
    decide_series,
    meant,
    weekly,
)
from scheduling.domain.settings import (
    CalendarLimits,
    CalendarRules,
    Limits,
    Settings,
)
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.status import Status
from tests.builders import (
    EIGHT,
    a_request,
    a_schedule,
    a_slot,
    an_appointment,
    an_id,
    at,
    facts,
)
from tests.weekly import weeks

HALF_AN_HOUR = timedelta(minutes=30)


def starts(wall: str, zone: str, occurrences: int, *, fold: int = 0) -> list[datetime]:
    """Return when each of a series is that begins with a slot of that zone."""
    first = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold)
    slot = a_slot(
        Period.of(first, HALF_AN_HOUR).in_utc(),
        schedule=a_schedule(timezone=zone),
    )
    requests = weekly(a_request(slot), facts(slot), occurrences, now=EIGHT)
    later = [r.when.period.start for r in requests if isinstance(r.when, ByStart)]
    assert len(later) == occurrences - 1, "the first is the slot that was named"
    return [slot.period.start, *later]


@pytest.mark.parametrize(
    ("zone", "monday", "hours"),
    [
        ("Europe/Berlin", "2030-03-18T09:00", [8, 8, 7, 7]),
        ("Europe/Berlin", "2030-10-14T09:00", [7, 7, 8, 8]),
        ("Pacific/Auckland", "2030-09-23T09:00", [21, 20, 20, 20]),
        ("Asia/Kathmandu", "2030-03-18T09:00", [3, 3, 3, 3]),
    ],
)
def test_weekly_0900_stays_0900_on_the_wall_over_dst(
    zone: str, monday: str, hours: list[int]
) -> None:
    found = starts(monday, zone, 4)
    assert [start.hour for start in found] == hours
    walls = [start.astimezone(ZoneInfo(zone)) for start in found]
    assert {(wall.hour, wall.minute, wall.weekday()) for wall in walls} == {(9, 0, 0)}
    assert [wall.date() for wall in walls] == [
        datetime.fromisoformat(monday).date() + n * timedelta(days=7) for n in range(4)
    ]


def test_a_time_in_the_gap_is_when_the_gap_ends_and_only_that_week() -> None:
    found = starts("2030-03-24T02:30", "Europe/Berlin", 3)
    walls = [start.astimezone(ZoneInfo("Europe/Berlin")) for start in found]
    assert [wall.strftime("%d.%m. %H:%M") for wall in walls] == [
        "24.03. 02:30",
        "31.03. 03:00",
        "07.04. 02:30",
    ]


def test_a_time_that_is_shown_twice_is_the_first_of_both() -> None:
    found = starts("2030-10-20T02:30", "Europe/Berlin", 3)
    assert found[1] == datetime(2030, 10, 27, 0, 30, tzinfo=UTC)
    assert found[2] == datetime(2030, 11, 3, 1, 30, tzinfo=UTC)


def test_a_first_one_in_the_second_of_both_hours_stays_there() -> None:
    found = starts("2030-10-27T02:30", "Europe/Berlin", 2, fold=1)
    assert found[0] == datetime(2030, 10, 27, 1, 30, tzinfo=UTC)
    assert found[1] == datetime(2030, 11, 3, 1, 30, tzinfo=UTC)


def test_a_night_over_dst_is_as_long_as_the_others() -> None:
    slot = a_slot(
        Period(
            datetime(2030, 3, 23, 21, tzinfo=UTC), datetime(2030, 3, 24, 5, tzinfo=UTC)
        ),
        schedule=a_schedule(timezone="Europe/Berlin"),
    )
    requests = weekly(a_request(slot), facts(slot), 3, now=EIGHT)
    lengths = {r.when.period.length for r in requests if isinstance(r.when, ByStart)}
    assert lengths == {timedelta(hours=8)}


def test_by_start_the_wall_is_the_locations() -> None:
    nine = datetime(2030, 3, 25, 9, tzinfo=ZoneInfo("America/New_York"))
    when = ByStart(
        PractitionerId(an_id()), LocationId(an_id()), Period.of(nine, HALF_AN_HOUR)
    )
    known = facts(location_timezone="Europe/Berlin")
    first, second = weekly(a_request(when=when), known, 2, now=EIGHT)
    assert first.when == when
    assert isinstance(second.when, ByStart)
    # Clocks in Berlin go forward on 31 March, those in New York did weeks before.
    assert second.when.period.start == nine + timedelta(days=7, hours=-1)
    assert (second.when.practitioner_id, second.when.location_id) == (
        when.practitioner_id,
        when.location_id,
    )


def test_each_knows_its_series_and_its_place_in_it() -> None:
    slot = a_slot()
    requests = weekly(a_request(slot), facts(slot), 3, now=EIGHT)
    ids = {request.series[0] for request in requests if request.series}
    assert len(ids) == 1
    assert [request.series[1] for request in requests if request.series] == [1, 2, 3]


def a_series(
    count: int, **known: object
) -> tuple[tuple[BookingRequest, ...], list[BookingFacts]]:
    """Return requests of our Mondays and facts by which all succeed but for `known`."""
    schedule = a_schedule()
    slots = [a_slot(period, schedule=schedule) for period in weeks(count)]
    known = {"settings": Settings(horizon_days=400), **known}
    found = [facts(slot, **known) for slot in slots]
    return weekly(a_request(slots[0]), found[0], count, now=EIGHT), found


def test_all_of_a_series_are_booked_with_one_event_each() -> None:
    bookings = decide_series(*a_series(4), now=EIGHT)
    booked = [booking.appointment for booking in bookings]
    assert [one.series_index for one in booked] == [1, 2, 3, 4]
    assert len({one.series_id for one in booked}) == 1
    assert [one.period for one in booked] == list(weeks(4))
    assert [len(one.events) for one in booked] == [1, 1, 1, 1]


def full(slot: Slot) -> Slot:
    return replace(slot, booked=1, status=SlotStatus.BUSY)


def test_the_first_that_cannot_be_had_is_named_by_its_index() -> None:
    requests, found = a_series(5)
    for number in (2, 4):
        found[number] = replace(found[number], slots=(full(*found[number].slots),))
    with pytest.raises(SlotNotAvailable) as refused:
        decide_series(requests, found, now=EIGHT)
    assert refused.value.index == 3


def test_a_first_slot_that_nobody_knows_is_said_to_be_missing() -> None:
    request = a_request()
    requests = weekly(request, facts(), 5, now=EIGHT)
    assert len(requests) == 1
    with pytest.raises(SlotNotFound) as refused:
        decide_series(requests, [facts()], now=EIGHT)
    assert refused.value.index is None


def test_who_is_not_there_is_not_missing_at_an_index() -> None:
    requests, found = a_series(2, patient_active=None)
    with pytest.raises(PatientNotFound) as refused:
        decide_series(requests, found, now=EIGHT)
    assert refused.value.index is None


def days_of_one_week() -> tuple[tuple[BookingRequest, ...], list[Slot]]:
    """A series never has two in a week but where a date is skipped; the rule holds."""
    schedule = a_schedule()
    slots = [a_slot(Period.of(at("09:00", day=n), HALF_AN_HOUR)) for n in range(3)]
    slots = [replace(slot, schedule_id=schedule.id) for slot in slots]
    series = SeriesId(an_id())
    request = a_request(slots[0])
    requests = tuple(
        replace(
            request,
            series=(series, n + 1),
            when=ByStart(slot.practitioner_id, slot.location_id, slot.period),
        )
        for n, slot in enumerate(slots)
    )
    return requests, slots


@pytest.mark.parametrize("of_schedule", [False, True])
def test_they_count_to_each_others_limits(of_schedule: bool) -> None:  # noqa: FBT001
    requests, slots = days_of_one_week()
    known: dict[str, object] = (
        {
            "rules": {
                slots[0].schedule_id: CalendarRules(limits=CalendarLimits(per_week=2))
            }
        }
        if of_schedule
        else {"settings": Settings(limits=Limits(per_practitioner_week=2))}
    )
    found = [facts(slot, **known) for slot in slots]
    assert len(decide_series(requests[:2], found[:2], now=EIGHT)) == 2
    with pytest.raises(BookingLimitReached) as refused:
        decide_series(requests, found, now=EIGHT)
    assert refused.value.index == 3


# --- which of a series is meant


def of_a_series(*statuses: Status) -> list:  # type: ignore[type-arg]  # of appointments
    id = SeriesId(an_id())
    return [
        replace(
            an_appointment(),
            period=period,
            status=status,
            series_id=id,
            series_index=n + 1,
        )
        for n, (period, status) in enumerate(
            zip(weeks(len(statuses)), statuses, strict=True)
        )
    ]


B, C, X = Status.BOOKED, Status.CONFIRMED, Status.CANCELLED


@pytest.mark.parametrize(
    ("statuses", "named", "much", "numbers"),
    [
        ([B, B, B], 2, HowMuch.ONE, [2]),
        ([B, B, B, B], 2, HowMuch.FOLLOWING, [2, 3, 4]),
        ([B, B, B, B], 2, HowMuch.ALL, [1, 2, 3, 4]),
        ([B, C, X, B], 2, HowMuch.FOLLOWING, [2, 4]),
        ([Status.COMPLETED, Status.NO_SHOW, B, C], 3, HowMuch.ALL, [3, 4]),
        ([Status.ARRIVED, Status.IN_PROGRESS, B], 3, HowMuch.ALL, [3]),
        ([Status.ENTERED_IN_ERROR, B, B], 3, HowMuch.ALL, [2, 3]),
        # Who is here already may be named: one cancels it as by itself.
        ([B, Status.ARRIVED, B], 2, HowMuch.FOLLOWING, [2, 3]),
        # What is over is left as it is, and those that follow are called off.
        ([B, Status.COMPLETED, B, B], 2, HowMuch.FOLLOWING, [3, 4]),
        # Nothing is left to be called off: the one that is named says why not.
        ([B, X, X], 2, HowMuch.FOLLOWING, [2]),
    ],
)
def test_what_is_cancelled_with_the_one_that_is_named(
    statuses: list[Status], named: int, much: HowMuch, numbers: list[int]
) -> None:
    series = of_a_series(*statuses)
    ids = meant(series[named - 1], series, much, EIGHT)
    assert [n + 1 for n, one in enumerate(series) if one.id in ids] == numbers


def test_what_has_begun_is_left_though_nobody_said_that_it_did() -> None:
    series = of_a_series(B, B, B, B)
    now = at("09:00", day=7)
    ids = meant(series[3], series, HowMuch.ALL, now)
    assert [one.series_index for one in series if one.id in ids] == [3, 4]
