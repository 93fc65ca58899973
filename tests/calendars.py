"""A schedule with its exceptions and its slots, as storage would keep them."""

from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

from scheduling.domain.period import Period
from scheduling.domain.reshaping import Reshaping, Standing, around, reach_of, reshape
from scheduling.domain.schedule import Day, Hours, Schedule, WeeklyRule
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.slot import Slot, SlotStatus
from tests.builders import EIGHT, a_schedule, a_slot, at

LONG_AGO = EIGHT - timedelta(days=7)


def hours(start: str, end: str, minutes: int = 60, **told: object) -> Hours:
    return Hours(
        start=time.fromisoformat(start),
        end=time.fromisoformat(end),
        slot_minutes=minutes,
        **told,  # type: ignore[arg-type]
    )


def every_day(start: str, end: str, minutes: int = 60) -> WeeklyRule:
    one = hours(start, end, minutes)
    return WeeklyRule(
        days=tuple(Day), start=one.start, end=one.end, slot_minutes=minutes
    )


@dataclass
class Calendar:
    rules: tuple[WeeklyRule, ...] = (every_day("09:00", "12:00"),)
    now: datetime = LONG_AGO
    exceptions: list[ScheduleException] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    last: Reshaping = field(default_factory=Reshaping)

    def __post_init__(self) -> None:
        self.schedule: Schedule = replace(a_schedule(), availability=self.rules)

    def with_slots(self, *periods: Period, **told: object) -> "Calendar":
        made = (a_slot(one, schedule=self.schedule, **told) for one in periods)  # type: ignore[arg-type]
        self.slots += made
        return self

    def add(self, kind: ExceptionKind, **told: object) -> ScheduleException:
        added = ScheduleException.added(
            self.schedule,
            kind=kind,
            now=self.now + timedelta(minutes=len(self.exceptions)),
            **told,  # type: ignore[arg-type]
        )
        self.exceptions.append(added)
        self._carry_out(added)
        return added

    def remove(self, exception: ScheduleException) -> None:
        self.exceptions.remove(exception)
        self._carry_out(exception)

    def _carry_out(self, changed: ScheduleException) -> None:
        reach = reach_of(changed, "UTC", self.now)
        if reach is None:
            self.last = Reshaping()
            return
        near = around(reach)
        standing = Standing(
            schedule=self.schedule, exceptions=tuple(self.exceptions), reach=reach
        )
        read = [s for s in self.slots if near.start <= s.period.start < near.end]
        self.last = reshape(standing, read, self.now)
        gone = {slot.id for slot in self.last.retired}
        after = {slot.id: replace(slot, events=()) for slot in self.last.changed}
        kept = [after.pop(slot.id, slot) for slot in self.slots]
        self.slots = [slot for slot in (*kept, *after.values()) if slot.id not in gone]

    def book(self, start: str, day: int = 0) -> None:
        """Take the last seat of the slot that starts then."""
        for number, slot in enumerate(self.slots):
            if slot.period.start == at(start, day=day):
                self.slots[number] = replace(
                    slot,
                    booked=slot.capacity,
                    status=SlotStatus.BUSY,
                    version=slot.version + 1,
                )

    def shown(self, *, day: int = 0) -> dict[str, str]:
        """Return the status of each slot of a day, by its start."""
        of_day = (
            s for s in self.slots if s.period.start.date() == at("0:00", day=day).date()
        )
        return {f"{slot.period.start:%H:%M}": slot.status for slot in of_day}
