"""Schedule exceptions in memory, and the slots that they shape."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduling.application.ports.schedule_exceptions import (
    Affected,
    ExceptionPosition,
    ScheduleExceptionRepository,
)
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.changes import changes_between
from scheduling.domain.errors import (
    OptimisticLockConflict,
    ScheduleExceptionNotFound,
    ScheduleNotFound,
)
from scheduling.domain.identifiers import ScheduleExceptionId, ScheduleId
from scheduling.domain.period import Period
from scheduling.domain.reshaping import Reshaping
from scheduling.domain.schedule import Schedule
from scheduling.domain.schedule_exception import ScheduleException
from scheduling.domain.slot import Slot
from tests.fakes.slots import add_slot, keep_slot
from tests.fakes.transaction import Tables, Transaction


@dataclass
class MemoryScheduleExceptions(ScheduleExceptionRepository):
    transaction: Transaction

    async def hold(self, id: ScheduleId) -> Schedule:
        schedule = self.transaction.tables.schedules.get(id)
        if schedule is not None:
            await self.transaction.lock("practitioner", schedule.practitioner_id)
        return await self.rely_on(id)

    async def rely_on(self, id: ScheduleId) -> Schedule:
        await self.transaction.lock("exceptions of", id)
        try:
            return self.transaction.tables.schedules[id]
        except KeyError:
            raise ScheduleNotFound(id) from None

    async def get(
        self, schedule_id: ScheduleId, id: ScheduleExceptionId
    ) -> ScheduleException:
        found = self.transaction.tables.exceptions.get(id)
        if found is None or found.schedule_id != schedule_id:
            raise ScheduleExceptionNotFound(id)
        return found

    async def touching(
        self, schedule_id: ScheduleId, period: Period
    ) -> Sequence[ScheduleException]:
        found = [
            one for one in self._all_of(schedule_id) if one.period.overlaps(period)
        ]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    async def page(
        self, schedule_id: ScheduleId, after: ExceptionPosition | None, limit: int
    ) -> Sequence[ScheduleException]:
        found = sorted(
            self._all_of(schedule_id), key=lambda one: (one.period.start, one.id)
        )
        behind = (
            one for one in found if after is None or (one.period.start, one.id) > after
        )
        return list(behind)[:limit]

    def _all_of(self, schedule_id: ScheduleId) -> list[ScheduleException]:
        exceptions = self.transaction.tables.exceptions.values()
        return [one for one in exceptions if one.schedule_id == schedule_id]

    async def slots(self, schedule_id: ScheduleId, period: Period) -> Sequence[Slot]:
        found = [
            slot
            for slot in self.transaction.tables.slots.values()
            if slot.schedule_id == schedule_id
            and period.start <= slot.period.start < period.end
        ]
        return sorted(found, key=lambda slot: (slot.period.start, slot.id))

    async def affected(
        self, schedule: Schedule, slots: Collection[Slot], now: datetime
    ) -> Sequence[Affected]:
        ids = {slot.id for slot in slots}
        found = [
            Affected(
                one.id,
                one.period,
                one.status,
                one.patient_id,
                self.transaction.tables.patients[one.patient_id].name,
            )
            for one in self.transaction.tables.appointments.values()
            if one.schedule_id == schedule.id
            and one.status.takes_time
            and not ids.isdisjoint(one.slot_ids)
            and (one.hold_expires_at is None or one.hold_expires_at > now)
        ]
        return sorted(found, key=lambda one: (one.period.start, one.id))

    def add(self, exception: ScheduleException, done: Reshaping) -> None:
        def write(tables: Tables) -> None:
            tables.exceptions[exception.id] = exception

        self.transaction.change(write)
        self._carry_out(done)
        self.transaction.audit(
            "schedule-exception.added",
            exception.id,
            1,
            {**changes_between(None, exception), **done.counts()},
            at=exception.created_at,
        )

    def remove(
        self, exception: ScheduleException, done: Reshaping, now: datetime
    ) -> None:
        def write(tables: Tables) -> None:
            if tables.exceptions.pop(exception.id, None) is None:
                raise DecisionOutdated(OptimisticLockConflict("It has gone."))

        self.transaction.change(write)
        self._carry_out(done)
        was = changes_between(None, exception)
        gone = {name: (value, None) for name, (_, value) in was.items()}
        self.transaction.audit(
            "schedule-exception.removed",
            exception.id,
            1,
            {**gone, **done.counts()},
            at=now,
        )

    def _carry_out(self, done: Reshaping) -> None:
        def write(tables: Tables) -> None:
            for slot in done.made:
                add_slot(tables, slot)
            for slot in (*done.blocked, *done.opened, *done.moved_on):
                keep_slot(tables, slot)
            for slot in done.retired:
                keep_slot(tables, slot)
                if tables.slots.pop(slot.id).booked > 0:
                    raise DecisionOutdated(OptimisticLockConflict("It is booked."))

        self.transaction.change(write)
        for slot in done.changed:
            self.transaction.announce(slot.events)
