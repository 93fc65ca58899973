"""Many steps at once, each for itself."""

from dataclasses import replace
from datetime import datetime

import pytest

from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.ports.identity import Forbidden, Scope, StaffOnly
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import (
    AppointmentNotFound,
    DomainError,
    HoldExpired,
    InvalidInput,
    InvalidStatusTransition,
    OptimisticLockConflict,
)
from scheduling.domain.status import TRANSITIONS, Status
from tests.builders import EIGHT, an_id, at
from tests.fakes.storage import MemoryStorage
from tests.weekly import Weekly, a_weekly_clinic, change

EARLY = at("08:30")


@pytest.fixture
async def weekly(storage: MemoryStorage) -> Weekly:
    return await a_weekly_clinic(storage, 5, patients=6)


async def in_status(
    storage: MemoryStorage, weekly: Weekly, status: Status, slot: int = 0
) -> Appointment:
    """Put a visit there, as if all that leads to it had happened."""
    booked = await weekly.one(slot)
    tables = storage.tenants[weekly.clinic.caller.tenant_id]
    stored = replace(booked, status=status, events=(), before=None)
    tables.appointments[booked.id] = stored
    return stored


ALONE = {
    (Status.PROPOSED, Status.PENDING),
    (Status.PROPOSED, Status.BOOKED),
    (Status.PENDING, Status.BOOKED),
    (Status.NO_SHOW, Status.ARRIVED),
}
"""What looks for free time anew."""


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("wanted", list(Status))
async def test_the_whole_matrix_is_that_of_single_steps_but_for_those_that_take_time(
    storage: MemoryStorage, weekly: Weekly, status: Status, wanted: Status
) -> None:
    one = await in_status(storage, weekly, status)
    [outcome] = await weekly.change(change(one, wanted, reason_code="other"), now=EARLY)
    correction = wanted is Status.ENTERED_IN_ERROR and status is not wanted
    allowed = wanted in TRANSITIONS[status] or correction
    if (status, wanted) in ALONE:
        assert isinstance(outcome, InvalidStatusTransition)
        assert "by itself" in str(outcome)
    elif allowed:
        assert isinstance(outcome, Appointment), outcome
        assert (outcome.status, outcome.version) == (wanted, 2)
        assert await weekly.statuses(one) == [wanted]
    else:
        assert isinstance(outcome, InvalidStatusTransition)
        assert await weekly.statuses(one) == [status]


async def test_outcomes_come_in_the_order_in_which_they_were_asked_for(
    weekly: Weekly,
) -> None:
    booked = [await weekly.one(n) for n in range(5)]
    asked = [booked[n] for n in (3, 0, 4, 1, 2)]
    outcomes = await weekly.change(
        *(change(one, Status.CONFIRMED) for one in asked), now=EARLY
    )
    assert [one.id for one in outcomes if isinstance(one, Appointment)] == [
        one.id for one in asked
    ]


async def test_each_is_told_and_audited_as_if_it_were_alone(
    storage: MemoryStorage, weekly: Weekly
) -> None:
    booked = [await weekly.one(n) for n in range(3)]
    before = len(await weekly.told())
    await weekly.change(
        change(booked[0], Status.ARRIVED, comment="came early"),
        change(booked[1], Status.CANCELLED, reason_code="weather"),
        change(booked[2], Status.CONFIRMED, version=9),
        now=EARLY,
    )
    assert sorted(await weekly.told(since=before)) == [
        "appointment.arrived",
        "appointment.cancelled",
        "checkin.completed",
        "slot.opened",
    ]
    rows = await storage.audit(weekly.clinic.caller)
    assert [row.action for row in rows[-2:]] == [
        "appointment.arrived",
        "appointment.cancelled",
    ]
    gone = (await weekly.stored(booked[1]))[0]
    assert (gone.status_reason_code, gone.cancelled_by) == ("weather", "staff")


async def test_a_cancel_says_why(weekly: Weekly) -> None:
    booked = [await weekly.one(n) for n in range(3)]
    outcomes = await weekly.change(
        change(booked[0], Status.CANCELLED),
        change(booked[1], Status.CANCELLED, reason_code="no idea"),
        change(booked[2], Status.CANCELLED, reason_code="emergency"),
    )
    assert [type(one) for one in outcomes] == [InvalidInput, InvalidInput, Appointment]
    assert [one.field for one in outcomes if isinstance(one, InvalidInput)] == [
        "reasonCode"
    ] * 2


async def test_taking_back_what_happened_takes_the_right_to_it(weekly: Weekly) -> None:
    booked = [await weekly.one(n) for n in range(2)]
    clerk = replace(weekly.clinic.caller, scopes=frozenset({Scope.BOOK}))
    outcomes = await weekly.change(
        change(booked[0], Status.ENTERED_IN_ERROR),
        change(booked[1], Status.CONFIRMED),
        caller=clerk,
    )
    assert [type(one) for one in outcomes] == [Forbidden, Appointment]


async def test_a_patients_own_token_changes_nothing_in_bulk(weekly: Weekly) -> None:
    booked = await weekly.one(0, patient=0)
    with pytest.raises(StaffOnly):
        await weekly.change(
            change(booked, Status.CONFIRMED), caller=weekly.clinic.own_token(0)
        )
    assert await weekly.statuses(booked) == ["booked"]


async def test_a_hold_is_not_booked_in_bulk_and_one_that_has_run_out_is_said_to_have(
    storage: MemoryStorage, weekly: Weekly
) -> None:
    clinic = weekly.clinic
    hold = HoldSlot(storage.begin, lambda: EIGHT)
    held = await hold(clinic.caller, clinic.request(0, 0))

    async def refused(now: datetime) -> object:
        [outcome] = await weekly.change(change(held, Status.BOOKED), now=now)
        return type(outcome)

    assert await refused(at("08:09")) is InvalidStatusTransition
    assert await refused(at("08:10")) is HoldExpired


async def test_nothing_is_written_where_all_are_refused(
    storage: MemoryStorage, weekly: Weekly
) -> None:
    booked = await weekly.one(0)
    before = storage.of(weekly.clinic.caller.tenant_id)
    outcomes = await weekly.change(
        change(booked, Status.CONFIRMED, version=2),
        change(booked, Status.CONFIRMED, id=an_id()),
    )
    assert [type(one) for one in outcomes] == [
        OptimisticLockConflict,
        AppointmentNotFound,
    ]
    assert all(isinstance(one, DomainError) for one in outcomes)
    assert storage.of(weekly.clinic.caller.tenant_id) is before
