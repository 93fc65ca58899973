"""Who was expected and is not here when the grace is over did not come."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduling.domain.events import AppointmentStatusChanged
from scheduling.domain.no_show import LOOKS_BACK, missed
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status
from tests.builders import an_appointment, at, between

NINE = between("09:00", "09:30")
GRACE = Settings(no_show_grace_minutes=20)


@pytest.mark.parametrize("status", [Status.BOOKED, Status.CONFIRMED])
def test_it_is_missed_at_the_instant_when_the_grace_is_over(status: Status) -> None:
    visit = an_appointment(period=NINE, status=status)
    early = at("09:20") - timedelta.resolution
    assert missed(visit, GRACE, now=early) is None
    after = missed(visit, GRACE, now=at("09:20"))
    assert after is not None
    assert (after.status, after.version) == (Status.NO_SHOW, visit.version + 1)
    (told,) = after.events
    assert isinstance(told, AppointmentStatusChanged)
    assert (told.old_status, told.new_status) == (status, Status.NO_SHOW)


@pytest.mark.parametrize(
    "status", sorted(set(Status) - {Status.BOOKED, Status.CONFIRMED})
)
def test_who_is_here_or_was_never_expected_has_missed_nothing(status: Status) -> None:
    visit = an_appointment(period=NINE, status=status)
    assert missed(visit, GRACE, now=at("12:00")) is None


def test_without_a_grace_it_is_missed_when_it_begins() -> None:
    visit = an_appointment(period=NINE)
    none = replace(GRACE, no_show_grace_minutes=0)
    assert missed(visit, none, now=at("09:00") - timedelta.resolution) is None
    assert missed(visit, none, now=at("09:00")) is not None


def test_what_began_long_ago_is_for_people_to_say() -> None:
    visit = an_appointment(period=NINE)
    over = at("09:20") + LOOKS_BACK
    assert missed(visit, GRACE, now=over) is not None
    assert missed(visit, GRACE, now=over + timedelta.resolution) is None
