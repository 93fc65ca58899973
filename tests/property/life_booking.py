"""The machine books, holds, moves and edits."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from scheduling.application.commands.edit_appointment import Edits
from scheduling.domain.appointment import Appointment
from scheduling.domain.booking_request import BySlot, Override
from scheduling.domain.identifiers import SlotId
from scheduling.domain.moving import NewTime, Otherwise
from scheduling.domain.version import ExpectedVersion
from tests.property.life_desk import (
    STAFF,
    Desk,
    callers,
    id_of,
    numbers,
    patients,
    seldom,
    version_of,
    weeks,
)
from tests.property.life_rules import Wanted, no
from tests.property.life_world import PRACTITIONERS, Visit, Who

MINUTE = timedelta(minutes=1)
there_are_visits = precondition(lambda self: self.model.visits)


class Booking(Desk):
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
        who = self.who(kind, patient)
        wanted = self.wanted(
            patient,
            self.slot(slot, week),
            room=self.room.id if in_the_room else None,
            insists=insists,
        )
        if minutes is not None:
            wanted.slot, wanted.end = None, wanted.start + minutes * MINUTE
        override = Override(reason="it hurts", allowed=who.overrides)
        request = self.request(wanted, override=override if insists else None)
        said = "book in a patient's name" if who.patient is not None else "book"
        made = self.ask(
            self.commands.book_appointment(self.as_(who), request),
            self.model.book(who, wanted),
            f"{said}, insisting" if insists else said,
        )
        if made is not None:
            self.made(made, wanted)

    @rule(patient=patients, slot=numbers, week=weeks, kind=callers)
    def hold(self, patient: int, slot: int, week: int, kind: str) -> None:
        who = self.who(kind, patient)
        wanted = self.wanted(patient, self.slot(slot, week))
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

    @there_are_visits
    @rule(visit=numbers, slot=numbers, week=weeks, by_slot=st.booleans(), kind=callers)
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
            self._moved(one, wanted, done)

    def _moved(self, one: Visit, wanted: Wanted, done: Appointment) -> None:
        place = self.placed(self.model.answer(wanted), done.slot_ids)
        self.model.moved(one, wanted, place)

    @there_are_visits
    @rule(visit=numbers, minutes=st.sampled_from((15, 30, 45, 60, 90)), kind=callers)
    def resize(self, visit: int, minutes: int, kind: str) -> None:
        one = self.visit(visit)
        wanted = self._as_it_is(one)
        wanted.end = one.start + minutes * MINUTE
        self._edit(one, kind, wanted, "resize", place=Otherwise(minutes=minutes))

    @there_are_visits
    @rule(visit=numbers, practitioner=numbers, kind=callers)
    def change_practitioner(self, visit: int, practitioner: int, kind: str) -> None:
        one = self.visit(visit)
        wanted = self._as_it_is(one)
        wanted.practitioner = practitioner % PRACTITIONERS
        new = self.practitioners[wanted.practitioner].id
        place = Otherwise(practitioner_id=new)
        self._edit(one, kind, wanted, "change practitioner", place=place)

    @there_are_visits
    @rule(visit=numbers, in_the_room=st.booleans())
    def change_room(self, visit: int, in_the_room: bool) -> None:  # noqa: FBT001
        one = self.visit(visit)
        wanted = self._as_it_is(one)
        wanted.room = self.room.id if in_the_room else None
        rooms = (self.room,) if in_the_room else ()
        self._edit(one, "staff", wanted, "change room", fields={"resources": rooms})

    def _as_it_is(self, one: Visit) -> Wanted:
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

    def _edit(
        self,
        one: Visit,
        kind: str,
        wanted: Wanted,
        said: str,
        *,
        fields: dict[str, Any] | None = None,
        place: Otherwise | None = None,
    ) -> None:
        who = self.who(kind, one.patient)
        done = self.ask(
            self.commands.edit_appointment(
                self.as_(who),
                id_of(one),
                Edits(fields=fields or {}, place=place),
                expected=version_of(one),
            ),
            self.model.edit(who, one, wanted),
            said,
        )
        if done is not None:
            self._moved(one, wanted, done)

    @there_are_visits
    @rule(visit=numbers, name=st.sampled_from(("consultation", "follow-up")))
    def rename(self, visit: int, name: str) -> None:
        one = self.visit(visit)
        done = self.ask(
            self.commands.edit_appointment(
                self.caller,
                id_of(one),
                Edits(fields={"appointment_type": name}),
                expected=version_of(one),
            ),
            self.model.rename(STAFF, one),
            "rename",
        )
        if done is not None and one.kind != name:
            one.kind = name
            news = "appointment.updated"
            one.next("appointment.updated", news, was=one.status)

    @there_are_visits
    @rule(visit=numbers, off=st.sampled_from((-1, 1)), kind=callers)
    def insist_on_an_old_version(self, visit: int, off: int, kind: str) -> None:
        one = self.visit(visit)
        who = self.who(kind, one.patient)
        expected = ExpectedVersion(one.version + off)
        answer = no("OPTIMISTIC_LOCK_CONFLICT")
        if not who.sees(one.patient):
            answer = no("APPOINTMENT_NOT_FOUND")
        self.ask(
            self.commands.edit_appointment(
                self.as_(who),
                id_of(one),
                Edits(fields={"appointment_type": "never"}),
                expected=expected,
            ),
            answer,
            "an old version",
        )

    # Holds

    @there_are_visits
    @rule(visit=numbers, kind=callers)
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

    @there_are_visits
    @rule(visit=numbers, kind=callers, later=seldom, in_the_room=seldom)
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
        wanted = self._as_it_is(one)
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

    def _some_hold(self, number: int) -> Visit:
        """Mostly one that is held or was."""
        visits = self.model.visits.values()
        held = [one for one in visits if one.hold_until is not None]
        if not held or number >= 90:
            return self.visit(number)
        return held[number % len(held)]
