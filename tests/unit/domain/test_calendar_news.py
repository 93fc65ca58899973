"""Which calendars are told of what, when that changes which they follow."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from scheduling.domain.calendar_news import (
    Calendar,
    RoleStanding,
    followed_of_location,
    followed_of_settings,
    news_of,
)
from scheduling.domain.events import CalendarChanged, PractitionerRoleChanged
from scheduling.domain.identifiers import PractitionerRoleId
from scheduling.domain.settings import Settings
from tests.builders import EIGHT, a_location, a_schedule, an_id

HERE = a_location(country="DE", subdivision="BE")
OBSERVING = replace(HERE, observes_public_holidays=True)


@pytest.mark.parametrize(
    ("before", "told", "changed"),
    [
        (HERE, {"timezone": "Africa/Cairo"}, ("location.timezone",)),
        (HERE, {"closed_days": (date(2030, 1, 7),)}, ("location.closedDays",)),
        (
            HERE,
            {"observes_public_holidays": True},
            ("location.observesPublicHolidays",),
        ),
        (OBSERVING, {"country": "FR"}, ("location.country",)),
        (OBSERVING, {"subdivision": "BY"}, ("location.subdivision",)),
        (
            OBSERVING,
            {"observes_public_holidays": False, "country": "FR"},
            ("location.observesPublicHolidays", "location.country"),
        ),
        (HERE, {"country": "FR", "subdivision": None}, ()),
        (HERE, {"name": "Other", "code": "OTHER", "active": False}, ()),
    ],
)
def test_of_a_location_calendars_follow_zone_and_closed_days(
    before: Any,  # noqa: ANN401
    told: dict[str, Any],
    changed: tuple[str, ...],
) -> None:
    """And country and subdivision where their holidays are observed."""
    assert followed_of_location(before, replace(before, **told)) == changed


def test_nobody_follows_a_location_that_is_new() -> None:
    assert followed_of_location(None, OBSERVING) == ()


def test_of_settings_calendars_follow_the_horizon() -> None:
    before = Settings()
    assert followed_of_settings(before, replace(before, horizon_days=30)) == (
        "settings.horizonDays",
    )
    other = replace(before, buffer_minutes=5, timezone="Africa/Cairo", hold_minutes=1)
    assert followed_of_settings(before, other) == ()


def a_calendar(**role: Any) -> Calendar:  # noqa: ANN401
    made = Calendar.made_by_staff(replace(a_schedule(), version=7))
    if not role:
        return made
    standing = RoleStanding(id=PractitionerRoleId(an_id()), **{"version": 3, **role})
    return replace(made, role=standing)


def test_the_zone_matters_to_those_that_have_it_from_the_location() -> None:
    following, own = a_calendar(has_own_zone=False), a_calendar(has_own_zone=True)
    by_staff = a_calendar()
    zone, days = "location.timezone", "location.closedDays"
    everybody = (following, own, by_staff)
    (one,) = news_of(everybody, (zone,), now=EIGHT)
    assert (one.schedule_id, one.changed) == (following.schedule_id, (zone,))
    told = [news.changed for news in news_of(everybody, (zone, days), now=EIGHT)]
    assert told == [(zone, days), (days,), (days,)]


def test_news_carries_the_version_as_it_stands() -> None:
    """Of the role, where there is one: nothing of either was changed."""
    following, by_staff = a_calendar(active=False), a_calendar()
    of_role = following.news(("exceptions",), now=EIGHT)
    assert isinstance(of_role, PractitionerRoleChanged)
    assert (of_role.version, of_role.active, of_role.deleted) == (3, False, False)
    assert following.role is not None
    assert of_role.aggregate_id == following.role.id
    own = by_staff.news(("exceptions",), now=EIGHT)
    assert type(own) is CalendarChanged
    assert (own.version, own.aggregate_id) == (7, by_staff.schedule_id)
