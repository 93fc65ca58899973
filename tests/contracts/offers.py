"""What storage offers, in the words of the contracts."""

from datetime import datetime
from typing import Any

from scheduling.application.ports.availability import Candidate, First, SlotFilter
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from tests.builders import EIGHT, Clinic, between
from tests.contracts.storages import Storage

THE_DAY = between("00:00", "23:59")
FIRST = First(200)


async def offered(
    storage: Storage,
    clinic: Clinic,
    settings: Settings | None = None,
    *,
    period: Period = THE_DAY,
    first: First = FIRST,
    now: datetime = EIGHT,
    **asked: Any,  # noqa: ANN401
) -> list[Candidate]:
    async with storage.begin(clinic.caller) as work:
        found = await work.availability.offered(
            SlotFilter(**asked), period, first, settings=settings or Settings(), now=now
        )
        return list(found)


def numbers(clinic: Clinic, candidates: list[Candidate]) -> list[int]:
    ids = [slot.id for slot in clinic.slots]
    return [ids.index(candidate.slot_id) for candidate in candidates]
