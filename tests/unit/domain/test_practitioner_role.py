"""The life of a role: put, changed, ended, and made anew; and what it tells of it."""

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from scheduling.domain.calendar_news import ends, role_and_calendar
from scheduling.domain.errors import InvalidInput, PreconditionFailed
from scheduling.domain.events import PractitionerRoleChanged
from scheduling.domain.identifiers import PractitionerId
from scheduling.domain.schedule import (
    Day,
    NotAvailable,
    PractitionerRole,
    Schedule,
    WeeklyRule,
)
from scheduling.domain.version import ExpectedVersion
from tests.builders import EIGHT, a_role, an_id, at, between

MORNINGS = WeeklyRule(days=(Day.MON,), start=time(9), end=time(12), slot_minutes=30)


def put(wanted: PractitionerRole, stored: PractitionerRole | None = None) -> Any:  # noqa: ANN401
    return wanted.put(stored, expected=None, now=EIGHT)


def stored(**told: Any) -> PractitionerRole:  # noqa: ANN401
    role: PractitionerRole = put(a_role(**told))
    return replace(role, is_new=False)


def told_of(
    role: PractitionerRole,
    before: PractitionerRole | None,
    calendar: Schedule | None = None,
) -> PractitionerRoleChanged:
    role, _ = role_and_calendar(role, before, calendar, timezone="UTC", now=EIGHT)
    (news,) = role.events
    assert isinstance(news, PractitionerRoleChanged)
    return news


def test_a_new_role_tells_of_itself_and_of_the_calendar_that_comes_with_it() -> None:
    role, calendar = role_and_calendar(
        put(a_role(timezone="Asia/Kathmandu", availability=(MORNINGS,))),
        None,
        None,
        timezone="UTC",
        now=EIGHT,
    )
    assert (calendar.timezone, calendar.availability) == ("Asia/Kathmandu", (MORNINGS,))
    assert role.events == (
        PractitionerRoleChanged(
            occurred_at=EIGHT,
            version=1,
            schedule_id=calendar.id,
            practitioner_id=role.practitioner_id,
            location_id=role.location_id,
            changed=("created",),
            practitioner_role_id=role.id,
            active=True,
        ),
    )
    assert role.events[0].aggregate_id == role.id


@pytest.mark.parametrize(
    ("told", "changed"),
    [
        ({"active": False}, ("active",)),
        ({"specialties": ("x",)}, ("specialties",)),
        ({"service_types": ("x",)}, ("serviceTypes",)),
        ({"timezone": "UTC"}, ("timezone",)),
        ({"availability": (MORNINGS,)}, ("availability",)),
        (
            {"not_available": (NotAvailable(period=between("09:00", "10:00")),)},
            ("notAvailable",),
        ),
        (
            {"period_start": date(2030, 1, 1), "period_end": date(2030, 2, 1)},
            ("period",),
        ),
        ({"period_end": date(2030, 2, 1), "active": False}, ("active", "period")),
    ],
)
def test_a_change_is_told_by_the_names_that_a_put_has(
    told: dict[str, Any], changed: tuple[str, ...]
) -> None:
    before = stored()
    role = put(replace(before, **told), before)
    news = told_of(role, before)
    assert (news.changed, news.version) == (changed, 2)
    assert news.active is role.active
    assert not news.deleted


def test_the_same_again_tells_nobody() -> None:
    before = stored()
    role = put(replace(before, version=0), before)
    assert role == before
    role, calendar = role_and_calendar(role, before, None, timezone="UTC", now=EIGHT)
    assert role.events == ()
    again = role_and_calendar(role, before, calendar, timezone="UTC", now=at("09:00"))
    assert again == (role, calendar)


def test_a_deleted_role_is_over_and_stays() -> None:
    before = stored(availability=(MORNINGS,))
    gone = before.deleted(now=at("09:00"))
    assert (gone.active, gone.deleted_at, gone.version) == (False, at("09:00"), 2)
    assert gone.availability == before.availability
    news = told_of(gone, before)
    assert (news.changed, news.active, news.deleted) == (("deleted",), False, True)


def test_a_deleted_role_is_made_anew_and_its_version_goes_on() -> None:
    before = stored()
    gone = before.deleted(now=at("09:00"))
    anew = replace(before, version=0).put(gone, expected=None, now=at("10:00"))
    assert (anew.active, anew.deleted_at, anew.version) == (True, None, 3)
    assert (anew.is_new, anew.created_at) == (True, before.created_at)
    assert told_of(anew, gone).changed == ("created",)
    # As inactive as it was: it is there again all the same.
    idle = replace(gone, deleted_at=None, version=0)
    assert idle.put(gone, expected=None, now=at("10:00")).version == 3


@pytest.mark.parametrize("named", [2, None])
def test_who_names_a_version_of_a_deleted_role_finds_none(named: int | None) -> None:
    gone = stored().deleted(now=EIGHT)
    with pytest.raises(PreconditionFailed):
        gone.put(gone, expected=ExpectedVersion(named, in_header=True), now=EIGHT)


def test_a_deleted_role_keeps_its_practitioner_when_it_is_made_anew() -> None:
    gone = stored().deleted(now=EIGHT)
    with pytest.raises(InvalidInput) as refused:
        put(replace(gone, practitioner_id=PractitionerId(an_id())), gone)
    assert refused.value.field == "practitionerId"


def test_a_period_does_not_end_before_it_starts() -> None:
    days: dict[str, Any] = {
        "period_start": date(2030, 1, 2),
        "period_end": date(2030, 1, 1),
    }
    with pytest.raises(InvalidInput) as refused:
        put(a_role(**days))
    assert refused.value.field == "period"
    a_day: dict[str, Any] = {
        "period_start": date(2030, 1, 2),
        "period_end": date(2030, 1, 2),
    }
    assert put(a_role(**a_day)).version == 1


def test_a_role_ends_where_it_was_active_and_is_no_more() -> None:
    active, idle = stored(), stored(active=False)
    assert ends(replace(active, active=False), active)
    assert ends(active.deleted(now=EIGHT), active)
    assert not ends(idle.deleted(now=EIGHT), idle)
    assert not ends(active, idle)
    assert not ends(idle, None)
