"""The words in which contracts speak of closed, replaced and extra hours."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

import orjson

from scheduling.application.commands.add_schedule_exception import AddScheduleException
from scheduling.application.commands.remove_schedule_exception import (
    RemoveScheduleException,
)
from scheduling.application.ports.schedule_lists import (
    ScheduleSlotFilter,
)
from scheduling.application.queries.list_schedule_slots import ListScheduleSlots
from scheduling.application.steps.reshape_calendar import Effect
from scheduling.domain.identifiers import ScheduleExceptionId
from scheduling.domain.period import Period
from scheduling.domain.schedule import Hours
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.slot import Slot
from tests.builders import (
    EIGHT,
    MONDAY,
    Clinic,
    open_clinic,
    slots_from,
)
from tests.contracts.storages import Storage

MON = MONDAY.date()
WHOLE_DAY = Period.of(MONDAY, timedelta(days=1))
AFTERNOON = Hours(
    start=time(14), end=time(15), slot_minutes=30, capacity=2, service_types=("x-ray",)
)


def now() -> Any:  # noqa: ANN401
    return EIGHT


async def add(
    storage: Storage,
    clinic: Clinic,
    kind: ExceptionKind = ExceptionKind.CLOSED,
    **told: Any,  # noqa: ANN401
) -> tuple[ScheduleException, Effect]:
    if "period" not in told:
        told.setdefault("on_date", MON)
    return await AddScheduleException(storage.begin, now)(
        clinic.caller,
        clinic.schedule.id,
        **{
            "kind": kind,
            "on_date": None,
            "period": None,
            "windows": (),
            "service_types": (),
            "reason": None,
            **told,
        },
    )


async def remove(storage: Storage, clinic: Clinic, id: ScheduleExceptionId) -> Effect:
    removing = RemoveScheduleException(storage.begin, now)
    _, effect = await removing(clinic.caller, clinic.schedule.id, id)
    return effect


async def listed(
    storage: Storage,
    clinic: Clinic,
    *,
    then: datetime = EIGHT,
    **asked: Any,  # noqa: ANN401
) -> list[Slot]:
    wanted = ScheduleSlotFilter(
        **{
            "schedule_id": clinic.schedule.id,
            "period": WHOLE_DAY,
            **asked,
        }
    )
    found = await ListScheduleSlots(storage.begin, lambda: then)(clinic.caller, wanted)
    return list(found.items)


async def shown(storage: Storage, clinic: Clinic) -> Mapping[str, str]:
    return {
        f"{slot.period.start:%H:%M}": slot.status
        for slot in await listed(storage, clinic)
    }


async def told(storage: Storage, clinic: Clinic) -> Counter[str]:
    return Counter(
        orjson.loads(one.body)["type"] for one in await storage.outbox(clinic.caller)
    )


async def a_morning(storage: Storage, **more: Any) -> Clinic:  # noqa: ANN401
    """Nine to half past ten in three slots."""
    return await open_clinic(storage.begin, *slots_from("09:00", count=3), **more)
