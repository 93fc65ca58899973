"""What use cases of exceptions and blocks add to the domain's rules."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from scheduling.application.commands.add_schedule_exception import AddScheduleException
from scheduling.application.commands.remove_schedule_exception import (
    RemoveScheduleException,
)
from scheduling.application.steps.reshape_calendar import MOST_SLOTS
from scheduling.domain.errors import InvalidInput
from scheduling.domain.identifiers import SlotId
from scheduling.domain.period import Period
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from tests.builders import EIGHT, MONDAY, Clinic, at, open_clinic, slots_from
from tests.fakes.storage import MemoryStorage

A_YEAR = Period.of(MONDAY, timedelta(days=366))


@pytest.fixture
async def clinic(storage: MemoryStorage) -> Clinic:
    return await open_clinic(storage.begin)


def fill(storage: MemoryStorage, clinic: Clinic, count: int) -> None:
    """Put slots there without asking anybody."""
    (slot,) = clinic.slots
    tables = storage.of(clinic.caller.tenant_id)
    for number, period in enumerate(slots_from("10:00", minutes=5, count=count)):
        id = SlotId(UUID(int=number))
        tables.slots[id] = replace(slot, id=id, period=period)


async def close(
    storage: MemoryStorage,
    clinic: Clinic,
    **told: Any,  # noqa: ANN401
) -> ScheduleException:
    exception, _ = await AddScheduleException(storage.begin, lambda: EIGHT)(
        clinic.caller,
        clinic.schedule.id,
        **{
            "kind": ExceptionKind.CLOSED,
            "on_date": None,
            "period": None,
            "windows": (),
            "service_types": (),
            "reason": None,
            **told,
        },
    )
    return exception


async def test_more_slots_than_one_request_can_take_are_refused(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    fill(storage, clinic, MOST_SLOTS)
    with pytest.raises(InvalidInput) as refused:
        await close(storage, clinic, period=A_YEAR)
    assert refused.value.field == "end"
    assert storage.of(clinic.caller.tenant_id).exceptions == {}


async def test_what_is_there_is_removed_however_many_slots_there_are(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    exception = await close(storage, clinic, period=A_YEAR)
    fill(storage, clinic, MOST_SLOTS)
    _, effect = await RemoveScheduleException(storage.begin, lambda: EIGHT)(
        clinic.caller, clinic.schedule.id, exception.id
    )
    assert [slot.period.start for slot in effect.done.opened] == [at("09:00")]


async def test_what_is_past_is_taken_down_and_changes_nothing(
    storage: MemoryStorage, clinic: Clinic
) -> None:
    await close(storage, clinic, on_date=date(2030, 1, 4))
    tables = storage.of(clinic.caller.tenant_id)
    assert len(tables.exceptions) == 1
    assert {slot.version for slot in tables.slots.values()} == {1}


@pytest.mark.parametrize("told", [{}, {"on_date": date(2030, 1, 7), "period": A_YEAR}])
async def test_either_a_date_or_a_period_is_said(
    storage: MemoryStorage, clinic: Clinic, told: dict[str, object]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await close(storage, clinic, **told)
    assert refused.value.field == "date"
