from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import available_timezones

from hypothesis import given
from hypothesis import strategies as st
from whenever import ZonedDateTime

from scheduling.domain.chains import covering
from scheduling.domain.claim import ActorKind, Claim, clashes
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.period import Period, day_in, local_day
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import EIGHT, MONDAY, a_schedule, a_slot, an_id

ZONES = st.sampled_from(
    sorted(zone for zone in available_timezones() if zone != "localtime")
)
DAYS = st.dates(date(2020, 1, 1), date(2037, 12, 1))


@given(zone=ZONES, day=DAYS)
def test_a_local_day_is_all_that_carries_its_date(zone: str, day: date) -> None:
    period = day_in(zone, day)
    assert local_day(period.start, zone) == day
    assert local_day(period.end - timedelta(microseconds=1), zone) == day
    assert local_day(period.start - timedelta(microseconds=1), zone) < day
    assert local_day(period.end, zone) > day
    assert timedelta(hours=22) <= period.length <= timedelta(hours=26)


@given(zone=ZONES, day=DAYS, days=st.integers(1, 10))
def test_days_lie_end_to_end(zone: str, day: date, days: int) -> None:
    whole = day_in(zone, day, days)
    each = [day_in(zone, day + timedelta(days=n)) for n in range(days)]
    assert whole == Period(each[0].start, each[-1].end)
    assert all(a.end == b.start for a, b in pairwise(each))


@given(zone=ZONES, day=DAYS)
def test_a_local_day_is_that_of_another_calendar(zone: str, day: date) -> None:
    noon = ZonedDateTime(day.year, day.month, day.day, 12, tz=zone)
    assert day_in(zone, day).start == noon.start_of("day").to_instant().to_stdlib()


MINUTES = st.integers(0, 60)
PERIODS = st.builds(
    lambda start, length: Period.of(
        EIGHT + timedelta(minutes=start), timedelta(minutes=length)
    ),
    MINUTES,
    st.integers(1, 30),
)
FEW_IDS = st.sampled_from([an_id() for _ in range(3)])
CLAIMS = st.builds(
    lambda period, buffer, **known: Claim(
        period=period, until=period.end + timedelta(minutes=buffer), **known
    ),
    PERIODS,
    st.integers(0, 15),
    appointment_id=FEW_IDS,
    kind=st.sampled_from(ActorKind),
    actor_id=FEW_IDS,
    share_id=FEW_IDS,
    overbooked=st.booleans(),
)


@given(PERIODS, PERIODS)
def test_overlap_is_mutual_and_is_a_common_instant(one: Period, other: Period) -> None:
    common = max(one.start, other.start) < min(one.end, other.end)
    assert one.overlaps(other) is other.overlaps(one) is common


@given(CLAIMS, CLAIMS)
def test_being_in_the_way_is_mutual(one: Claim, other: Claim) -> None:
    assert one.is_in_the_way_of(other) is other.is_in_the_way_of(one)


@given(st.lists(CLAIMS, max_size=5), st.lists(CLAIMS, max_size=5))
def test_whoever_is_in_the_way_is_named_once(
    wanted: list[Claim], standing: list[Claim]
) -> None:
    found = clashes(wanted, standing)
    named: list[AppointmentId] = [*found.overlapping, *found.buffering]  # type: ignore[list-item]
    assert len(named) == len(set(named))
    assert set(named) == {
        other.appointment_id
        for other in standing
        for claim in wanted
        if claim.is_in_the_way_of(other)
    }


SCHEDULES = [a_schedule() for _ in range(2)]


@st.composite
def slots(draw: st.DrawFn) -> list[Slot]:
    periods = st.builds(
        lambda start, length: Period.of(
            MONDAY + start * timedelta(minutes=15), length * timedelta(minutes=15)
        ),
        st.integers(0, 8),
        st.integers(1, 3),
    )
    return draw(
        st.lists(
            st.builds(
                a_slot,
                periods,
                schedule=st.sampled_from(SCHEDULES),
                capacity=st.integers(1, 2),
                booked=st.integers(0, 2),
                status=st.sampled_from(SlotStatus),
            ),
            max_size=10,
        )
    )


@given(slots(), st.integers(0, 8), st.integers(1, 8))
def test_a_chain_covers_the_period_without_gap_or_overlap(
    some: list[Slot], first: int, length: int
) -> None:
    start: datetime = MONDAY + first * timedelta(minutes=15)
    period = Period.of(start, length * timedelta(minutes=15))
    for chain in covering(some, period):
        assert chain[0].period.start == period.start
        assert chain[-1].period.start < period.end <= chain[-1].period.end
        assert len({slot.schedule_id for slot in chain}) == 1
        assert SlotStatus.ENTERED_IN_ERROR not in {slot.status for slot in chain}
        for one, after in pairwise(chain):
            assert one.period.end == after.period.start


@given(slots())
def test_a_slot_alone_is_always_a_chain_for_its_own_time(some: list[Slot]) -> None:
    for slot in some:
        if slot.status is not SlotStatus.ENTERED_IN_ERROR:
            assert (slot,) in covering(some, slot.period)
