from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from scheduling.domain.directory import put
from scheduling.domain.errors import (
    OptimisticLockConflict,
    PreconditionFailed,
    PreconditionRequired,
)
from scheduling.domain.events import SchedulePublished
from scheduling.domain.schedule import Day, WeeklyRule, calendar_of
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.version import ExpectedVersion, check_version, demand_version
from tests.builders import (
    EIGHT,
    a_location,
    a_patient,
    a_practitioner,
    a_role,
    a_schedule,
    at,
)

NINE = at("09:00")
MORNINGS = WeeklyRule(
    days=(Day.MON, Day.WED), start=time(9), end=time(12), slot_minutes=30
)


def test_a_stale_version_in_the_body_is_a_conflict() -> None:
    with pytest.raises(OptimisticLockConflict):
        check_version(ExpectedVersion(1), 2)


def test_a_stale_if_match_is_a_failed_precondition() -> None:
    with pytest.raises(PreconditionFailed):
        check_version(ExpectedVersion(1, in_header=True), 2)


@pytest.mark.parametrize("in_header", [True, False])
def test_the_stored_version_passes(in_header: bool) -> None:  # noqa: FBT001
    demand_version(ExpectedVersion(2, in_header=in_header), 2)
    check_version(None, 2)


def test_a_change_that_names_no_version_is_asked_for_one() -> None:
    with pytest.raises(PreconditionRequired):
        demand_version(None, 2)


ENTRIES = (
    (a_practitioner(), {"name": "Another"}),
    (a_practitioner(), {"specialties": ("cardiology",)}),
    (a_location(), {"timezone": "Europe/Berlin"}),
    (a_patient(), {"active": False}),
    (a_patient(), {"phone": "+49 30 1"}),
)


@pytest.mark.parametrize(("entry", "changed"), ENTRIES)
def test_what_is_put_again_changes_nothing(
    entry: Any,  # noqa: ANN401  # of three kinds
    changed: dict[str, Any],
) -> None:
    first = put(None, entry, expected=None, now=EIGHT)
    assert (first.version, first.created_at, first.updated_at) == (1, EIGHT, EIGHT)
    assert put(first, entry, expected=None, now=NINE) is first

    second = put(first, replace(entry, **changed), expected=None, now=NINE)
    assert (second.version, second.created_at, second.updated_at) == (2, EIGHT, NINE)


def test_a_put_may_name_the_version_that_it_replaces() -> None:
    entry = a_patient()
    first = put(None, entry, expected=ExpectedVersion(0), now=EIGHT)
    again = replace(entry, name="Other")
    assert put(first, again, expected=ExpectedVersion(1), now=NINE).version == 2
    with pytest.raises(OptimisticLockConflict):
        put(first, again, expected=ExpectedVersion(2), now=NINE)
    with pytest.raises(PreconditionFailed):
        put(None, entry, expected=ExpectedVersion(1, in_header=True), now=NINE)


def test_a_role_that_is_put_again_changes_nothing() -> None:
    role = a_role(availability=(MORNINGS,))
    first = role.put(None, expected=None, now=EIGHT)
    assert role.put(first, expected=None, now=NINE) is first
    second = replace(role, active=False).put(first, expected=None, now=NINE)
    assert (second.version, second.created_at) == (2, EIGHT)
    with pytest.raises(OptimisticLockConflict):
        role.put(second, expected=ExpectedVersion(1), now=NINE)


def test_settings_that_are_put_again_change_nothing() -> None:
    first = Settings().replaced_by(Settings(buffer_minutes=15), now=EIGHT)
    assert (first.version, first.updated_at) == (1, EIGHT)
    assert first.replaced_by(Settings(buffer_minutes=15), now=NINE) is first
    limits = Limits(per_practitioner_day=3)
    second = first.replaced_by(Settings(limits=limits), now=NINE)
    assert (second.version, second.buffer_minutes, second.limits) == (2, 0, limits)


def test_the_defaults_that_are_put_first_are_a_version() -> None:
    assert Settings().replaced_by(Settings(), now=EIGHT).version == 1


def test_the_defaults_are_those_of_the_rules() -> None:
    assert Settings() == Settings(
        buffer_minutes=0,
        minimum_notice_minutes=0,
        horizon_days=90,
        hold_minutes=10,
        reminder_offsets_minutes=(1440, 120),
        no_show_grace_minutes=30,
        limits=Limits(),
        timezone="UTC",
        version=0,
    )


def test_a_schedule_is_announced_when_it_is_published() -> None:
    schedule = a_schedule(timezone="Europe/Berlin")
    (event,) = schedule.events
    assert isinstance(event, SchedulePublished)
    assert event.aggregate_id == schedule.id
    assert (event.version, event.timezone) == (1, "Europe/Berlin")


def test_a_roles_calendar_is_made_with_it_and_follows_it() -> None:
    role = a_role(availability=(MORNINGS,))
    made = calendar_of(role, None, timezone="Europe/Berlin", now=EIGHT)
    assert (made.practitioner_role_id, made.timezone) == (role.id, "Europe/Berlin")
    assert made.availability == (MORNINGS,)

    stored = replace(made, events=())
    assert calendar_of(role, stored, timezone="Europe/Berlin", now=NINE) is stored

    moved = replace(role, timezone="Africa/Cairo")
    changed = calendar_of(moved, stored, timezone="Europe/Berlin", now=NINE)
    assert (changed.version, changed.timezone) == (2, "Africa/Cairo")
    assert changed.id == made.id
    assert changed.events == ()


def test_a_patients_name_and_contacts_stay_out_of_what_is_printed() -> None:
    patient = a_patient(name="Ada Marker", phone="+49 30 1", email="ada@example.org")
    assert all(
        told not in f"{patient} {patient!r}" for told in ("Ada", "+49", "example.org")
    )
