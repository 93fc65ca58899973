"""What storage does for a patient to be forgotten."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from scheduling.domain.appointment import Appointment
from scheduling.domain.identifiers import AppointmentId, PatientId
from scheduling.domain.slot import Slot


class ForgettingRepository(Protocol):
    """All of it in as many statements for a thousand visits as for one."""

    async def hold(self, id: PatientId) -> None:
        """Wait for who books for the patient, and keep others from it until the
        transaction is left: they learn then that the patient is not there.
        """

    async def visits(
        self, id: PatientId, now: datetime
    ) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
        """Return what has to be called off, by id and with its slots, all locked: what
        is booked and begins after `now`, and whenever it is what was only asked for or
        held, also where it has run out.
        """

    async def forget(self, id: PatientId, *, but: Collection[AppointmentId]) -> None:
        """Clear what was written about the patient anywhere but in the patient's own
        row: the texts of visits `but` of those that are stored without them anyway, and
        the bodies of stored answers and of dead letters that name the patient.

        An emptied answer is still the answer to its key: nothing is done anew.
        """
