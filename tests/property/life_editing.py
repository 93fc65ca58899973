"""The machine mends what visits are about, how long they take and who they are with."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from scheduling.application.commands.edit_appointment import Edits
from scheduling.domain.moving import Otherwise
from scheduling.domain.version import ExpectedVersion
from tests.property.life_booking import MINUTE, Booking, there_are_visits
from tests.property.life_desk import callers, id_of, numbers, version_of
from tests.property.life_rules import Wanted, no
from tests.property.life_world import PRACTITIONERS, Visit

LENGTHS = (30, 60, 15, 45, 90)
TYPES = ("consultation", "follow-up")


class Editing(Booking):
    @rule(
        visit=numbers,
        what=st.sampled_from(("length", "practitioner", "room", "type", "old version")),
        number=numbers,
        kind=callers,
    )
    @there_are_visits
    def edit(self, visit: int, what: str, number: int, kind: str) -> None:
        one = self.visit(visit)
        do = {
            "length": self._resize,
            "practitioner": self._change_practitioner,
            "room": self._change_room,
            "type": self._rename,
            "old version": self._insist_on_an_old_version,
        }
        do[what](one, number, kind)

    def _resize(self, one: Visit, number: int, kind: str) -> None:
        wanted = self.as_it_is(one)
        minutes = LENGTHS[number % len(LENGTHS)]
        wanted.end = one.start + minutes * MINUTE
        self._edit(one, kind, wanted, "resize", place=Otherwise(minutes=minutes))

    def _change_practitioner(self, one: Visit, number: int, kind: str) -> None:
        wanted = self.as_it_is(one)
        wanted.practitioner = number % PRACTITIONERS
        new = self.practitioners[wanted.practitioner].id
        place = Otherwise(practitioner_id=new)
        self._edit(one, kind, wanted, "change practitioner", place=place)

    def _change_room(self, one: Visit, number: int, kind: str) -> None:
        wanted = self.as_it_is(one)
        wanted.room = self.room.id if number % 2 else None
        rooms = (self.room,) if number % 2 else ()
        self._edit(one, kind, wanted, "change room", fields={"resources": rooms})

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
        if done is not None and not self.model.is_so(one, wanted):
            self.moved(one, wanted, done)

    def _rename(self, one: Visit, number: int, kind: str) -> None:
        name, who = TYPES[number % len(TYPES)], self.who(kind, one.patient)
        done = self.ask(
            self.commands.edit_appointment(
                self.as_(who),
                id_of(one),
                Edits(fields={"appointment_type": name}),
                expected=version_of(one),
            ),
            self.model.rename(who, one),
            "rename",
        )
        if done is not None and one.kind != name:
            one.kind = name
            news = "appointment.updated"
            one.next("appointment.updated", news)

    def _insist_on_an_old_version(self, one: Visit, number: int, kind: str) -> None:
        who = self.who(kind, one.patient)
        answer = no("OPTIMISTIC_LOCK_CONFLICT")
        if not who.sees(one.patient):
            answer = no("APPOINTMENT_NOT_FOUND")
        self.ask(
            self.commands.edit_appointment(
                self.as_(who),
                id_of(one),
                Edits(fields={"appointment_type": "never"}),
                expected=ExpectedVersion(one.version + (1 if number % 2 else -1)),
            ),
            answer,
            "an old version",
        )
