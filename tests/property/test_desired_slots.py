"""What calendars want in random zones and years, against another library's walls."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from whenever import Instant

from scheduling.domain.desired_slots import DesiredSlot, DesiredSlots, Horizon
from scheduling.domain.schedule import PractitionerRole, WeeklyRule
from scheduling.domain.settings import Settings
from tests.builders import a_role, a_schedule
from tests.property.walls import (
    LENGTHS,
    TIMES,
    WEEK,
    days_and_zones,
    expected_hours,
    instant,
    on_or_after,
    wall,
)

DAY = timedelta(days=1)


def midnight(day: date, zone: str) -> datetime:
    """When the day begins, as the other library has it."""
    return instant(
        on_or_after(wall(day, time()), zone).assume_tz(zone, disambiguation="earlier")
    )


def today(now: datetime, zone: str) -> date:
    there = Instant.from_timestamp(now.timestamp()).to_tz(zone)
    return there.to_plain().date().to_stdlib()


@dataclass(frozen=True)
class Hours:
    """The same hours every day of a zone, around a day."""

    when: tuple[date, str]
    start: time
    end: time
    minutes: int

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def wanted(
        self, now: datetime, days: int, role: PractitionerRole | None = None
    ) -> DesiredSlots:
        rule = WeeklyRule(
            days=WEEK, start=self.start, end=self.end, slot_minutes=self.minutes
        )
        schedule = replace(a_schedule(timezone=self.when[1]), availability=(rule,))
        return DesiredSlots(
            schedule=schedule,
            role=role,
            closed_days=(),
            exceptions=(),
            horizon=Horizon.of(schedule, Settings(horizon_days=days), now),
        )

    def expected(self, first: date, last: date) -> Iterator[datetime]:
        day = first
        while day <= last:
            hours = expected_hours(day, self.start, self.end, self.when[1])
            if hours is not None:
                opens, until = hours
                for n in range((until - opens) // self.length):
                    yield opens + n * self.length
            day += DAY


HOURS = st.builds(Hours, days_and_zones(), TIMES, TIMES, LENGTHS)


def slots(wanted: DesiredSlots, at_once: int = 20) -> list[DesiredSlot]:
    return [slot for part in wanted.parts(at_once) for slot in part.slots]


@settings(deadline=None)
@given(HOURS, st.integers(0, 9), st.integers(0, 24 * 60 - 1), st.integers(1, 11))
@example(Hours((date(2011, 12, 28), "Pacific/Apia"), time(22), time(6), 60), 4, 0, 3)
@example(Hours((date(2030, 3, 30), "Europe/Berlin"), time(1), time(4), 15), 2, 60, 1)
def test_they_are_the_hours_of_all_its_days(
    hours: Hours, days: int, minute: int, at_once: int
) -> None:
    first, zone = hours.when
    now = midnight(first, zone) + timedelta(minutes=minute)
    day = today(now, zone)
    closes = midnight(day + (days + 1) * DAY, zone)
    expected = sorted(hours.expected(day - DAY, day + days * DAY))
    inside = [start for start in expected if now < start < closes]
    found = slots(hours.wanted(now, days), at_once)
    assert all(slot.end - slot.start == hours.length for slot in found)
    if any(after - one < hours.length for one, after in pairwise(expected)):
        # A changing clock has laid two nights upon each other: the first is kept.
        assert {slot.start for slot in found} <= set(inside)
    else:
        assert [slot.start for slot in found] == inside


@settings(deadline=None)
@given(HOURS, st.integers(0, 5), st.integers(0, 5))
def test_a_roles_period_is_days_of_its_wall(
    hours: Hours, begins: int, lasts: int
) -> None:
    first, zone = hours.when
    now = midnight(first, zone)
    since, until = first + begins * DAY, first + (begins + lasts) * DAY
    opens, closes = midnight(since, zone), midnight(until + DAY, zone)
    inside = {
        slot.start
        for slot in slots(hours.wanted(now, 11))
        if opens <= slot.start < closes
    }
    role = a_role(period_start=since, period_end=until)
    found = {slot.start for slot in slots(hours.wanted(now, 11, role))}
    assert found <= inside
    # What reaches into the first day belongs to the night before.
    assert all(start < opens + DAY for start in inside - found)
    if hours.start < hours.end:
        assert found == inside
