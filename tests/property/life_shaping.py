"""The machine opens, blocks and unblocks slots, and closes and opens hours."""

from datetime import date, time, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from scheduling.domain.identifiers import ScheduleExceptionId, ScheduleId, SlotId
from scheduling.domain.period import Period
from scheduling.domain.schedule import Hours as ProductHours
from scheduling.domain.schedule_exception import ExceptionKind
from scheduling.domain.version import ExpectedVersion
from tests.property.life_closing import Hours, Said
from tests.property.life_desk import Desk, numbers, seldom, weeks
from tests.property.life_rules import YES, Answer, no
from tests.property.life_world import (
    CALENDARS,
    HALF_AN_HOUR,
    OPENING,
    WEEK,
    ModelSlot,
)

MINUTE = timedelta(minutes=1)
QUARTER = HALF_AN_HOUR / 2
SECOND = timedelta(seconds=1)

# By location: around the hours that are there, on Sunday and on Monday.
WINDOWS = (
    (
        (Hours(time(10), time(11), 30),),
        (Hours(time(10), time(12), 60, 2),),
        (Hours(time(10, 15), time(11, 15), 30), Hours(time(12), time(13), 30)),
        (Hours(time(11, 30), time(12, 30), 30, 2),),
    ),
    (
        (Hours(time(23), time(0), 30),),
        (Hours(time(22, 30), time(0), 30, 2), Hours(time(0), time(1), 30)),
        (Hours(time(0), time(1), 60),),
        (Hours(time(22), time(23), 30), Hours(time(23, 15), time(0), 15)),
    ),
)


backs = st.none() | numbers
"""Half of the time something that was said is taken back instead."""


class Shaping(Desk):
    # Slots

    @rule(
        slot=numbers,
        week=weeks,
        later=st.sampled_from((0, 1, 4)),
        quarters=st.sampled_from((1, 2, 4)),
        capacity=st.sampled_from((1, 2)),
    )
    def open_a_slot(
        self, slot: int, week: int, later: int, quarters: int, capacity: int
    ) -> None:
        """Perhaps upon another one: a calendar may have slots that overlap."""
        near = self.slot(slot, week)
        period = Period.of(near.start + later * QUARTER, quarters * QUARTER)
        there = any(
            one.calendar == near.calendar
            and (one.start, one.end) == (period.start, period.end)
            for one in self.model.slots.values()
        )
        made = self.ask(
            self.commands.create_slot(
                self.caller,
                schedule_id=self.schedules[near.calendar].id,
                period=period,
                capacity=capacity,
                service_types=(),
                id=self.new_slot_id(),
            ),
            no("VALIDATION_FAILED") if there else YES,
            "open a slot",
        )
        if made is not None:
            self.opened(made)
            closing = self.model.closing(self.model.slots[made.id])
            assert made.blocked_by == (closing[0].id if closing else None)
            assert made.is_open is not bool(closing)

    @rule(slot=numbers, week=weeks, again=seldom, stale=seldom)
    def block_or_unblock(
        self,
        slot: int,
        week: int,
        again: bool,  # noqa: FBT001
        stale: bool,  # noqa: FBT001
    ) -> None:
        blocked = [one for one in self.model.slots.values() if one.blocked]
        one = blocked[slot % len(blocked)] if slot > 60 and blocked else None
        one = one or self.slot(slot, week)
        if one.blocked is again:
            self._block(one, stale=stale)
        else:
            self._unblock(one, stale=stale)

    def _block(self, one: ModelSlot, *, stale: bool) -> None:
        answer = no("INVALID_STATUS_TRANSITION") if one.blocked else YES
        done = self.ask(
            self.commands.block_slot(
                self.caller,
                SlotId(one.id),
                expected=ExpectedVersion(one.version + stale),
                reason=None,
            ),
            no("OPTIMISTIC_LOCK_CONFLICT") if stale else answer,
            "block",
        )
        if done is not None:
            one.blocked = True
            self.model.changed(one, "slot.blocked")

    def _unblock(self, one: ModelSlot, *, stale: bool) -> None:
        stays = not one.blocked or self.model.closing(one)
        answer = no("INVALID_STATUS_TRANSITION") if stays else YES
        done = self.ask(
            self.commands.unblock_slot(
                self.caller,
                SlotId(one.id),
                expected=ExpectedVersion(one.version + stale),
            ),
            no("OPTIMISTIC_LOCK_CONFLICT") if stale else answer,
            "unblock",
        )
        if done is not None:
            one.blocked, one.blocked_by = False, None
            self.model.changed(one, "slot.unblocked")

    # Exceptions

    @rule(
        calendar=numbers,
        week=weeks,
        kind=st.sampled_from(("closed", "replace", "extra", "extra")),
        monday=seldom,
        windows=st.sampled_from((0, 1, 2, 3, None)),
        services=st.sampled_from(((), (), ("x-ray",), ("ecg",))),
        back=backs,
    )
    def say_of_a_day(  # noqa: PLR0917
        self,
        calendar: int,
        week: int,
        kind: str,
        monday: bool,  # noqa: FBT001
        windows: int | None,
        services: tuple[str, ...],
        back: int | None,
    ) -> None:
        if back is not None and self._take_back(back):
            return
        number = calendar % len(CALENDARS)
        where = CALENDARS[number][1]
        day = (OPENING[number] + week * WEEK).date() + timedelta(days=monday)
        hours = () if windows is None else WINDOWS[where][windows]
        closed = kind == "closed"
        answer = YES if closed or hours or kind == "replace" else _INVALID
        self._say(
            number,
            kind,
            answer,
            day=day,
            windows=() if closed else hours,
            services=services if closed else (),
        )

    @rule(
        slot=numbers,
        week=weeks,
        quarters=st.sampled_from((-4, -1, 0, 1)),
        minutes=st.sampled_from((15, 30, 30, 60, 24 * 60)),
        services=st.sampled_from(((), (), ("x-ray",), ("ecg",))),
        back=backs,
    )
    def close_exactly(  # noqa: PLR0917
        self,
        slot: int,
        week: int,
        quarters: int,
        minutes: int,
        services: tuple[str, ...],
        back: int | None,
    ) -> None:
        if back is not None and self._take_back(back):
            return
        near = self.slot(slot, week)
        start = near.start + quarters * QUARTER
        period = Period.of(start, minutes * MINUTE)
        self._say(near.calendar, "closed", YES, period=period, services=services)

    def _say(
        self,
        calendar: int,
        kind: str,
        answer: Answer,
        *,
        day: date | None = None,
        period: Period | None = None,
        windows: tuple[Hours, ...] = (),
        services: tuple[str, ...] = (),
    ) -> None:
        # Of several for one date the last one stands: no two are said at once.
        self.model.now += SECOND
        done = self.ask(
            self.commands.add_schedule_exception(
                self.caller,
                ScheduleId(self.schedules[calendar].id),
                kind=ExceptionKind(kind),
                on_date=day,
                period=period,
                windows=tuple(_hours(one) for one in windows),
                service_types=services,
                reason=None,
            ),
            answer,
            f"say {kind}",
        )
        if done is None:
            return
        exception, effect = done
        start, end = exception.period.start, exception.period.end
        said = Said(exception.id, calendar, kind, day, start, end, windows, services)
        self.model.said[said.id] = said
        slots = [s for s in self.model.slots.values() if s.calendar == calendar]
        self._carried_out(said, "added", effect.done.made)
        closed = [
            slot.id
            for slot in slots
            if self.model.is_in_reach(slot.start, said)
            and said in self.model.closing(slot)
        ]
        assert {one.id for one in effect.affected} == {
            visit.id for visit in self.model.affected(closed)
        }

    def _take_back(self, number: int) -> bool:
        """Mostly one that stands; return whether there was any."""
        gone = number >= 90
        standing = [s for s in self.model.said.values() if s.stands is not gone]
        if not standing:
            return False
        said = standing[number % len(standing)]
        done = self.ask(
            self.commands.remove_schedule_exception(
                self.caller,
                ScheduleId(self.schedules[said.calendar].id),
                ScheduleExceptionId(said.id),
            ),
            no("SCHEDULE_EXCEPTION_NOT_FOUND") if gone else YES,
            "take back",
        )
        if done is not None:
            said.stands = False
            self._carried_out(said, "removed", done[1].done.made)
        return True

    def _carried_out(self, said: Said, action: str, made: object) -> None:
        counts, wanted = self.model.reshape(said)
        assert isinstance(made, list)
        assert sorted(
            (one.period.start, one.period.end, one.capacity, one.opened_by)
            for one in made
        ) == sorted((s.start, s.end, s.capacity, s.opened_by) for s in wanted)
        for one in made:
            self.opened(one)
        told = {name: count for name, count in counts.items() if count}
        said.audit.append((f"schedule-exception.{action}", told))
        self.model.followed(self.schedules[said.calendar].id, {"exceptions"})


_INVALID = no("VALIDATION_FAILED")


def _hours(one: Hours) -> ProductHours:
    return ProductHours(
        start=one.start, end=one.end, slot_minutes=one.minutes, capacity=one.capacity
    )
