"""The machine books, holds, moves and edits."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from scheduling.application.commands.expire_holds import ExpireHolds
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BySlot, Override
from scheduling.domain.identifiers import SlotId
from scheduling.domain.moving import NewTime, Otherwise
from scheduling.domain.settings import Limits, Settings
from tests.property.life_desk import (
    Desk,
    callers,
    id_of,
    numbers,
    patients,
    seldom,
    version_of,
    weeks,
)
from tests.property.life_rules import Wanted
from tests.property.life_world import (
    CALENDARS,
    HALF_AN_HOUR,
    ModelSlot,
    Rules,
    Visit,
    Who,
)

Rule = Callable[..., None]
MINUTE = timedelta(minutes=1)
own_rules = st.builds(
    Rules,
    notice=st.sampled_from((None, None, None, timedelta(), timedelta(minutes=45))),
    horizon=st.sampled_from((None, None, None, 7)),
    per_day=st.sampled_from((None, None, None, 2)),
    per_week=st.sampled_from((None, None, None, 3)),
)


def only_if(so: Callable[[Any], object]) -> Callable[[Rule], Rule]:
    """Let a rule do nothing where it is not so. A precondition would be asked before
    the choices are drawn; what there is hangs on ids, which are not the same twice.
    """

    def of(rule: Rule) -> Rule:
        @wraps(rule)
        def done(self: Any, *said: Any, **drawn: Any) -> None:  # noqa: ANN401
            if so(self):
                rule(self, *said, **drawn)

        return done

    return of


there_are_visits = only_if(lambda self: self.model.visits)
there_are_holds = only_if(
    lambda self: any(one.hold_until for one in self.model.visits.values())
)


class Booking(Desk):
    @initialize(
        capacities=st.tuples(*[st.sampled_from((1, 1, 2, 3))] * len(CALENDARS)),
        services=st.tuples(*[st.sampled_from(((), (), ("x-ray",)))] * len(CALENDARS)),
        rules=st.tuples(*[own_rules] * len(CALENDARS)),
        buffer=st.sampled_from((0, 0, 15, 30)),
        a_day=st.sampled_from((None, None, 2, 3)),
        there=st.lists(
            st.tuples(patients, numbers, st.sampled_from((30, 30, 60, None))),
            max_size=8,
        ),
    )
    def open(  # noqa: PLR0917
        self,
        capacities: tuple[int, ...],
        services: tuple[tuple[str, ...], ...],
        rules: tuple[Rules, ...],
        buffer: int,
        a_day: int | None,
        there: list[tuple[int, int, int | None]],
    ) -> None:
        """Some are booked or held already, as far as that can be."""
        self.opens(capacities, services, rules)
        if buffer or a_day:
            limits = Limits(per_practitioner_day=a_day)
            settings = Settings(buffer_minutes=buffer, limits=limits)
            self.run(self.commands.put_settings(self.caller, settings))
            self.model.buffer = buffer * MINUTE
            self.model.house.per_day = a_day
        for patient, slot, minutes in there:
            if minutes is None:
                self.hold(patient, slot, 0, in_the_room=False, kind="staff")
            else:
                self._book(patient, self.slot(slot), minutes, "staff")

    @rule(
        patient=patients,
        slot=numbers,
        week=weeks,
        minutes=st.sampled_from((None, None, 15, 30, 45, 60, 90)),
        in_the_room=seldom,
        insists=seldom,
        kind=callers,
    )
    def book(  # noqa: PLR0917
        self,
        patient: int,
        slot: int,
        week: int,
        minutes: int | None,
        in_the_room: bool,  # noqa: FBT001
        insists: bool,  # noqa: FBT001
        kind: str,
    ) -> None:
        self._book(
            patient,
            self.slot(slot, week),
            minutes,
            kind,
            room=self.room.id if in_the_room else None,
            insists=insists,
        )

    @rule(patient=patients, visit=numbers, slot=numbers, insists=seldom)
    @there_are_visits
    def book_beside(
        self,
        patient: int,
        visit: int,
        slot: int,
        insists: bool,  # noqa: FBT001
    ) -> None:
        """Where somebody is already, just before or just after, wherever that is; also
        in a slot that is gone.
        """
        one = self.visit(visit)
        near = [
            other
            for other in [*self.model.slots.values(), *self.model.gone]
            if one.start - HALF_AN_HOUR <= other.start <= one.end
        ]
        if near:
            target = near[slot % len(near)]
            self._book(patient, target, None, "staff", insists=insists)

    def _book(
        self,
        patient: int,
        slot: ModelSlot,
        minutes: int | None,
        kind: str,
        **told: Any,  # noqa: ANN401
    ) -> None:
        who = self.who(kind, patient)
        wanted = self.wanted(patient, slot, **told)
        if minutes is not None:
            wanted.slot, wanted.end = None, wanted.start + minutes * MINUTE
        override = Override(reason="it hurts", allowed=who.overrides)
        request = self.request(wanted, override=override if wanted.insists else None)
        said = "book in a patient's name" if who.patient is not None else "book"
        made = self.ask(
            self.commands.book_appointment(self.as_(who), request),
            self.model.book(who, wanted),
            f"{said}, insisting" if wanted.insists else said,
        )
        if made is not None:
            self.made(made, wanted)

    @rule(patient=patients, slot=numbers, week=weeks, in_the_room=seldom, kind=callers)
    def hold(
        self,
        patient: int,
        slot: int,
        week: int,
        in_the_room: bool,  # noqa: FBT001
        kind: str,
    ) -> None:
        who, room = self.who(kind, patient), self.room.id if in_the_room else None
        wanted = self.wanted(patient, self.slot(slot, week), room=room)
        made = self.ask(
            self.commands.hold_slot(self.as_(who), self.request(wanted)),
            self.model.book(who, wanted, hold=True),
            "hold",
        )
        if made is not None:
            self.made(made, wanted, by=who)

    def made(
        self,
        made: Appointment,
        wanted: Wanted,
        *,
        by: Who | None = None,
        series: tuple[UUID, int] | None = None,
    ) -> None:
        """`by` is who holds it."""
        model = self.model
        place = self.placed(model.answer(wanted), made.slot_ids)
        visit = model.visit_of(made.id, wanted, place)
        visit.series = series
        if by is not None:
            visit.status, visit.held_by = "pending", by.subject
            visit.hold_until = model.now + model.hold
        model.booked(visit, wanted, place)

    @rule(visit=numbers, slot=numbers, week=weeks, by_slot=st.booleans(), kind=callers)
    @there_are_visits
    def move(
        self,
        visit: int,
        slot: int,
        week: int,
        by_slot: bool,  # noqa: FBT001
        kind: str,
    ) -> None:
        one, target = self.visit(visit), self.slot(slot, week)
        who = self.who(kind, one.patient)
        wanted = self.wanted(one.patient, target, room=one.room, own=one)
        when: NewTime = BySlot(SlotId(target.id))
        if not by_slot:
            wanted.slot, wanted.end = None, target.start + (one.end - one.start)
            when = Otherwise(
                start=target.start,
                practitioner_id=self.practitioners[wanted.practitioner].id,
                location_id=self.locations[wanted.location].id,
            )
        answer = self.model.move(who, one, wanted)
        done = self.ask(
            self.commands.reschedule_appointment(
                self.as_(who), id_of(one), expected=version_of(one), when=when
            ),
            answer,
            "move",
        )
        if done is not None and not self.model.is_there(one, wanted):
            self.moved(one, wanted, done)

    def moved(self, one: Visit, wanted: Wanted, done: Appointment) -> None:
        answer = self.model.answer(wanted)
        place = self.placed(answer, done.slot_ids)
        stays = any(one.slots == own.slots for own in answer.places)
        assert not stays or place.slots == one.slots
        self.model.moved(one, wanted, place)

    def as_it_is(self, one: Visit) -> Wanted:
        return Wanted(
            patient=one.patient,
            practitioner=one.practitioner,
            location=one.location,
            start=one.start,
            end=one.end,
            room=one.room,
            own=one,
            any_time=True,
        )

    # Holds

    @rule(visit=numbers, kind=callers)
    @there_are_holds
    def release(self, visit: int, kind: str) -> None:
        one = self._some_hold(visit)
        who = self.who(kind, one.patient)
        done = self.ask(
            self.commands.release_hold(self.as_(who), id_of(one)),
            self.model.release(who, one),
            "release",
        )
        if done is not None:
            self.model.leave([(one, "cancelled")])

    @rule(visit=numbers, kind=callers, later=seldom, in_the_room=seldom)
    @there_are_holds
    def use_up(
        self,
        visit: int,
        kind: str,
        later: bool,  # noqa: FBT001
        in_the_room: bool,  # noqa: FBT001
    ) -> None:
        one = self._some_hold(visit)
        who = self.who(kind, one.patient)
        start = one.start + (one.end - one.start) * later
        room = self.room.id if in_the_room else None
        wanted = self.as_it_is(one)
        wanted.start, wanted.end = start, start + (one.end - one.start)
        wanted.room = room
        done = self.ask(
            self.commands.book_held_appointment(
                self.as_(who), id_of(one), self.request(wanted, appointment_type="x")
            ),
            self.model.use_up(who, one, one.patient, start, room),
            "use up",
        )
        if done is not None:
            one.kind, one.room = "x", room
            self.model.stepped(one, "booked")

    @rule()
    @there_are_holds
    def sweep_holds(self) -> None:
        """Somebody comes by for those that have run out, and tells who waits."""
        visits = self.model.visits.values()
        gone = sorted(
            (one for one in visits if self.model.lapsed(one)), key=lambda one: one.id
        )
        sweep = ExpireHolds(self.storage.begin, lambda: self.model.now)
        self.actor = self.caller.subject
        assert self.run(sweep(self.caller)) == len(gone)
        self.model.leave([(one, "cancelled") for one in gone], by_themselves=True)
        self.seen[f"sweep: {'done' if gone else 'nothing'}"] += 1

    def _some_hold(self, number: int) -> Visit:
        """Mostly one that is held or was."""
        visits = self.model.visits.values()
        held = [one for one in visits if one.hold_until is not None]
        pending = [one for one in held if one.status == "pending"]
        some = pending if pending and number < 60 else held
        return self.visit(number) if number >= 90 else some[number % len(some)]
