"""What the demo plans, at whatever hour it is first started."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from scheduling.domain.period import local_day
from scheduling.domain.status import Status
from scheduling.entrypoints.demo import planned_visits

MONDAY = datetime(2030, 1, 7, tzinfo=UTC)
A_WEEK = [MONDAY + timedelta(hours=11 * n) for n in range(16)]


@pytest.mark.parametrize("now", A_WEEK, ids=str)
def test_there_is_a_visit_in_every_status_and_none_is_over_before_it_began(
    now: datetime,
) -> None:
    visits = list(planned_visits(now))

    assert {visit.status for visit in visits} == set(Status)
    over = {Status.COMPLETED, Status.NO_SHOW, Status.IN_PROGRESS}
    assert not [v for v in visits if v.period.start > now and v.status in over]


@pytest.mark.parametrize("now", A_WEEK[::5], ids=str)
def test_a_patient_comes_once_a_day_and_no_slot_has_more_than_its_seats(
    now: datetime,
) -> None:
    visits = list(planned_visits(now))

    coming = Counter(
        (v.patient.id, local_day(v.period.start, v.post.location.timezone))
        for v in visits
    )
    seats = Counter((v.post.role.id, v.period) for v in visits)
    assert set(coming.values()) == {1}
    assert max(seats.values()) <= 10
    assert len({visit.id for visit in visits}) == len(visits)
