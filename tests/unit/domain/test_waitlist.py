"""Wishes, and what becomes of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduling.domain.errors import (
    InvalidInput,
    InvalidPeriod,
    InvalidStatusTransition,
    LocationNotFound,
    PatientNotFound,
    PractitionerNotFound,
)
from scheduling.domain.events import WaitlistFulfilled
from scheduling.domain.waitlist import Known, WaitlistEntry, WaitlistStatus
from tests.builders import EIGHT, an_id, at
from tests.waiting import a_wish, an_entry


def test_an_entry_waits_from_when_it_was_added() -> None:
    entry = an_entry(priority=3, service_type="checkup")
    assert (entry.status, entry.version) == (WaitlistStatus.WAITING, 1)
    assert entry.created_at == entry.updated_at == EIGHT
    assert (entry.priority, entry.service_type) == (3, "checkup")
    assert entry.events == ()


def test_a_window_that_is_no_time_is_refused() -> None:
    nine = at("09:00")
    for latest in (nine, at("08:59")):
        with pytest.raises(InvalidPeriod) as refused:
            an_entry(earliest=nine, latest=latest)
        assert refused.value.field == "latest"


def test_a_window_that_has_closed_is_refused() -> None:
    wish = a_wish(earliest=at("07:00"), latest=at("08:00"))
    with pytest.raises(InvalidInput) as refused:
        WaitlistEntry.added(wish, now=at("08:00"))
    assert refused.value.field == "latest"
    WaitlistEntry.added(wish, now=at("07:59"))


def test_nobody_waits_for_longer_than_a_year() -> None:
    year = timedelta(days=366)
    an_entry(earliest=EIGHT, latest=EIGHT + year)
    with pytest.raises(InvalidInput):
        an_entry(earliest=EIGHT, latest=EIGHT + year + timedelta(seconds=1))


def test_a_fulfilled_entry_says_by_which_appointment() -> None:
    entry, appointment_id = an_entry(), an_id()
    done = entry.fulfilled(appointment_id, now=at("08:30"))
    assert (done.status, done.version) == (WaitlistStatus.FULFILLED, 2)
    assert (done.appointment_id, done.updated_at) == (appointment_id, at("08:30"))
    assert done.events == (
        WaitlistFulfilled(
            occurred_at=at("08:30"),
            version=2,
            waitlist_entry_id=entry.id,
            patient_id=entry.patient_id,
            appointment_id=appointment_id,
        ),
    )


def test_a_removed_entry_stays_as_removed() -> None:
    gone = an_entry().removed(now=at("08:30"))
    assert (gone.status, gone.version) == (WaitlistStatus.REMOVED, 2)
    assert gone.appointment_id is None
    assert gone.events == ()


@pytest.mark.parametrize("ended", [WaitlistStatus.FULFILLED, WaitlistStatus.REMOVED])
def test_waiting_ends_once(ended: WaitlistStatus) -> None:
    entry = replace(an_entry(), status=ended)
    with pytest.raises(InvalidStatusTransition):
        entry.fulfilled(an_id(), now=EIGHT)
    with pytest.raises(InvalidStatusTransition):
        entry.removed(now=EIGHT)
    with pytest.raises(InvalidStatusTransition):
        entry.demand_waiting()


def test_a_higher_priority_comes_first_then_who_waited_longest() -> None:
    late = an_entry(now=at("07:30"))
    early = an_entry(now=at("07:00"))
    urgent = an_entry(now=at("07:59"), priority=1)
    patient_one = an_entry(now=at("06:00"), priority=-1)
    ranked = sorted((late, early, urgent, patient_one), key=lambda one: one.rank)
    assert ranked == [urgent, early, late, patient_one]


def test_of_two_that_are_alike_the_id_decides() -> None:
    one, other = an_entry(), an_entry()
    first = min(one, other, key=lambda entry: entry.rank)
    assert first.id == min(one.id, other.id)


@pytest.mark.parametrize(
    ("unknown", "refusal"),
    [
        ({"patient_active": None}, PatientNotFound),
        ({"patient_active": False}, PatientNotFound),
        ({"practitioner_ids": frozenset()}, PractitionerNotFound),
        ({"location_ids": frozenset()}, LocationNotFound),
    ],
)
def test_everybody_whom_a_wish_names_must_be_there(
    unknown: dict[str, Any], refusal: type[Exception]
) -> None:
    wish = a_wish(practitioner_ids=(an_id(),), location_ids=(an_id(),))
    known = Known(
        patient_active=True,
        practitioner_ids=frozenset(wish.practitioner_ids),
        location_ids=frozenset(wish.location_ids),
    )
    known.demand_all_of(wish)
    with pytest.raises(refusal):
        replace(known, **unknown).demand_all_of(wish)
