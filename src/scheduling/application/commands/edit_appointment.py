from dataclasses import dataclass, replace
from typing import Any

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork, UnitOfWork
from scheduling.application.steps.move_there import move_there
from scheduling.domain.appointment import Appointment
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.moving import Otherwise, asked_again, decide_edit
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion, demand_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """`fields` replace those of the appointment by name; `place` says otherwise who it
    is with or how long it takes, which is a new booking check, as is `resources`.
    """

    fields: dict[str, Any]
    place: Otherwise | None = None

    @property
    def may_take_time(self) -> bool:
        return self.place is not None or "resources" in self.fields

    def take_time_of(self, appointment: Appointment) -> bool:
        """Whether they ask for other time than it has: what it has is not asked anew,
        though by now it could not be had.
        """
        place = self.place or Otherwise()
        resources = self.fields.get("resources", appointment.resources)
        return (
            place.of(appointment) != Otherwise().of(appointment)
            or resources != appointment.resources
        )


@dataclass(frozen=True, slots=True)
class EditAppointment:
    """Mend what a visit is about, how long it takes or who it is with."""

    begin: BeginWork
    now: Clock

    async def __call__(
        self,
        caller: Caller,
        id: AppointmentId,
        edits: Edits,
        *,
        expected: ExpectedVersion | None,
    ) -> Appointment:
        async with self.begin(caller) as work:
            before, slots = await _found(work, id, edits)
            if not caller.sees(before.patient_id):
                raise AppointmentNotFound(id)
            demand_version(expected, before.version)
            now = self.now()
            if not edits.take_time_of(before):
                after = before.edited(now=now, **edits.fields)
                if after is not before:
                    work.appointments.keep(after)
                return after
            request = replace(asked_again(before, edits.place), **edits.fields)
            facts = await work.appointments.facts_for(request, now=now, own=id)
            move = decide_edit(before, slots, request, facts, now=now)
            if move is None:
                return before
            return await move_there(work, before, move, now=now)


async def _found(
    work: UnitOfWork, id: AppointmentId, edits: Edits
) -> tuple[Appointment, tuple[Slot, ...]]:
    if not edits.may_take_time:
        return await work.appointments.with_slots(id)
    with_whom = None if edits.place is None else edits.place.practitioner_id
    return await work.appointments.to_move(id, practitioner_id=with_whom)
