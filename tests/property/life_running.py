"""The machine lets time pass, decides rules, and lets people come and go."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from scheduling.domain.period import Period
from scheduling.domain.schedule import NotAvailable, PractitionerRole
from scheduling.domain.settings import Limits, Settings
from tests.builders import a_role
from tests.property.life_desk import Desk, numbers, weeks
from tests.property.life_world import (
    CALENDARS,
    HALF_AN_HOUR,
    ZONES,
    Role,
    Rules,
    day_of,
)

MINUTE = timedelta(minutes=1)
QUARTER = HALF_AN_HOUR / 2


class Running(Desk):
    @rule(minutes=st.sampled_from((10, 10, 60, 25, 5, 1)))
    def wait(self, minutes: int) -> None:
        self.model.now += minutes * MINUTE

    @rule(
        buffer=st.sampled_from((15, 10, 30, 0)),
        notice=st.sampled_from((0, 0, 30)),
        horizon=st.sampled_from((90, 90, 7, 14)),
        hold=st.sampled_from((10, 30, 5)),
        a_day=st.sampled_from((None, 2, 3)),
        a_week=st.sampled_from((None, None, 3, 4)),
        notices=st.sampled_from(((24 * 60, 2 * 60), (30,))),
    )
    def decide_otherwise(  # noqa: PLR0917
        self,
        buffer: int,
        notice: int,
        horizon: int,
        hold: int,
        a_day: int | None,
        a_week: int | None,
        notices: tuple[int, ...],
    ) -> None:
        settings = Settings(
            buffer_minutes=buffer,
            minimum_notice_minutes=notice,
            horizon_days=horizon,
            hold_minutes=hold,
            reminder_offsets_minutes=notices,
            limits=Limits(a_day, a_week),
        )
        self.run(self.commands.put_settings(self.caller, settings))
        if horizon != self.model.house.horizon:
            theirs = zip(self.schedules, self.model.own_rules, strict=True)
            following = [one.id for one, own in theirs if own.horizon is None]
            for id in (*following, *(role.id for role in self.roles.values())):
                self.model.followed(id, {"settings.horizonDays"})
        self.model.buffer = buffer * MINUTE
        self.model.house = Rules(notice * MINUTE, horizon, a_day, a_week)
        self.model.notices = notices
        self.model.hold = hold * MINUTE

    @rule(
        kind=st.sampled_from(("patient", "patient", "practitioner", "location")),
        number=numbers,
        back=st.sampled_from((True, True, False)),
    )
    def come_or_go(self, kind: str, number: int, back: bool) -> None:  # noqa: FBT001
        """Whoever went mostly comes back before another one goes."""
        shelves: dict[str, tuple[list[Any], list[bool], Any]] = {
            "patient": (self.patients, self.model.patients, self.commands.put_patient),
            "practitioner": (
                self.practitioners,
                self.model.practitioners,
                self.commands.put_practitioner,
            ),
            "location": (
                self.locations,
                self.model.locations,
                self.commands.put_location,
            ),
        }
        if back:
            for shelf, active, put in shelves.values():
                for n, one in enumerate(shelf):
                    if not active[n]:
                        self.run(put(self.caller, replace(one, active=True)))
                        active[n] = True
            return
        shelf, active, put = shelves[kind]
        n = number % len(shelf)
        self.run(put(self.caller, replace(shelf[n], active=False)))
        active[n] = False

    @rule(
        calendar=numbers,
        active=st.sampled_from((True,) * 5 + (False,)),
        first=st.sampled_from((None, None, None, 0, 1)),
        last=st.sampled_from((None, None, None, 7, 0)),
        away=st.none() | st.tuples(weeks, numbers, st.sampled_from((20, 60))),
    )
    def assign(
        self,
        calendar: int,
        active: bool,  # noqa: FBT001
        first: int | None,
        last: int | None,
        away: tuple[int, int, int] | None,
    ) -> None:
        """From here on a role says when the practitioner is there."""
        where = CALENDARS[calendar % len(CALENDARS)]
        role = self.roles.get(where)
        if role is None:
            role = a_role(self.practitioners[where[0]].id, self.locations[where[1]].id)
        today = day_of(self.model.now, ZONES[where[1]])
        if first is not None and last is not None:
            last = max(first, last)
        period = self._away(*away) if away is not None else None
        wanted: PractitionerRole = replace(
            role,
            active=active,
            period_start=None if first is None else today + timedelta(first),
            period_end=None if last is None else today + timedelta(last),
            not_available=() if period is None else (NotAvailable(period=period),),
        )
        self.roles[where] = self.run(
            self.commands.put_practitioner_role(self.caller, wanted)
        ).role
        before = self.model.roles.get(where)
        now = self.model.roles[where] = Role(
            ZONES[where[1]],
            active,
            wanted.period_start,
            wanted.period_end,
            None if period is None else (period.start, period.end),
        )
        changed = {"created"} if before is None else _what_changed(before, now)
        self.model.followed(role.id, changed)

    def _away(self, week: int, slot: int, minutes: int) -> Period:
        return Period.of(self.slot(slot, week).start, minutes * MINUTE)


def _what_changed(before: Role, now: Role) -> set[str]:
    was = {
        "active": (before.active, now.active),
        "period": ((before.first, before.last), (now.first, now.last)),
        "notAvailable": (before.away, now.away),
    }
    return {name for name, (old, new) in was.items() if old != new}
