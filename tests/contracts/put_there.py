"""Visits of any status and time, put there as they are: lists do not ask how."""

from dataclasses import replace
from typing import Any

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import Booking
from scheduling.domain.period import Period
from tests.builders import Clinic, an_appointment, an_id
from tests.contracts.storages import Storage


def a_visit(clinic: Clinic, period: Period, patient: int = 0, **told: Any) -> Booking:  # noqa: ANN401
    """Return one without seats and claims: nothing is in its way."""
    return Booking(
        appointment=replace(
            an_appointment(clinic.slots[0]),
            **{
                "id": an_id(),
                "patient_id": clinic.patients[patient].id,
                "practitioner_id": clinic.practitioner.id,
                "location_id": clinic.location.id,
                "period": period,
                **told,
            },
        ),
        claims=(),
        seats=(),
        reminders=(),
    )


async def put_there(
    storage: Storage, clinic: Clinic, *visits: Booking
) -> list[Appointment]:
    async with storage.begin(clinic.caller) as work:
        for visit in visits:
            work.appointments.add(visit)
    return [visit.appointment for visit in visits]
