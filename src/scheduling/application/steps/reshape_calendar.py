"""Carry a schedule's exceptions out on its slots, after one was added or removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.application.ports.schedule_exceptions import Affected
from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.errors import InvalidInput
from scheduling.domain.identifiers import ScheduleExceptionId
from scheduling.domain.period import Period
from scheduling.domain.reshaping import Reshaping, Standing, around, reach_of, reshape
from scheduling.domain.schedule import Schedule
from scheduling.domain.schedule_exception import ScheduleException
from scheduling.domain.slot import LONGEST_SLOT, Slot

# A date's hours may last until the next day's end, and what is laid on one day gives
# way to what two days before have laid.
_MARGIN = timedelta(days=5)

MOST_SLOTS = 10_000
"""That one exception may concern when it is added, about a second's work; a year of
half hours by day is 6 000.
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """What was done to the slots, and the appointments that keep their time though it
    is closed now.
    """

    done: Reshaping
    affected: Sequence[Affected]


async def reshape_calendar(
    work: UnitOfWork,
    schedule: Schedule,
    changed: ScheduleException,
    *,
    removed: bool = False,
    now: datetime,
) -> Effect:
    """Work it out; whoever stores the change stores `done` with it.

    The schedule is held, so nobody changes its exceptions meanwhile. Raise InvalidInput
    for an exception that concerns more than MOST_SLOTS; one that is there is removed
    whatever it takes.
    """
    reach = reach_of(changed, schedule.timezone, now)
    if reach is None:
        return Effect(Reshaping(), ())
    stored = await standing_over(work, schedule, reach)
    others = (one for one in stored.exceptions if one.id != changed.id)
    standing = Standing(
        schedule=schedule,
        exceptions=(*others,) if removed else (*others, changed),
        reach=reach,
    )
    slots = await work.schedule_exceptions.slots(schedule.id, around(reach))
    if len(slots) > MOST_SLOTS and not removed:
        raise InvalidInput(f"it concerns more than {MOST_SLOTS} slots", "end")
    done = reshape(standing, slots, now)
    kept = done.stranded if removed else done.closed.get(changed.id, [])
    return Effect(done, await work.schedule_exceptions.affected(schedule, kept, now))


async def standing_over(
    work: UnitOfWork, schedule: Schedule, reach: Period
) -> Standing:
    """Read the exceptions that shape the slots that start in a stretch of time."""
    near = Period(reach.start - _MARGIN, reach.end + _MARGIN)
    found = await work.schedule_exceptions.touching(schedule.id, near)
    return Standing(schedule=schedule, exceptions=tuple(found), reach=reach)


async def closing(
    work: UnitOfWork, schedule: Schedule, slot: Slot
) -> Sequence[ScheduleExceptionId]:
    """Return the exceptions that close a slot of the schedule, as they stand."""
    reach = Period.of(slot.period.start, LONGEST_SLOT)
    standing = await standing_over(work, schedule, reach)
    return [one.id for one in standing.closing(slot)]
