"""The clinic's record folder of a patient, opened on the first booking there.

Its number is FILE-YYYY-NNNNNN-CLINIC-NN: the patient's main file, the clinic's code,
and which of the patient's sub-files it is. Where a patient has no main file of that
form, year and number are drawn: a folder is needed all the same.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from scheduling.domain.directory import Location, Patient
from scheduling.domain.events import Event
from scheduling.domain.handover_events import SubFileCreated
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    SubFileId,
    new_id,
)
from scheduling.domain.period import local_day

_MAIN = re.compile(r"FILE-[0-9]{4}-[0-9]{6,9}")


class SubFileStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubFile:
    """`practitioner_id`: to whom it was assigned when it was opened.

    `main_file_missing` is told of one that was just opened, never of one read back.
    """

    id: SubFileId
    number: str
    patient_id: PatientId
    location_id: LocationId
    practitioner_id: PractitionerId
    opened_at: datetime
    status: SubFileStatus = SubFileStatus.OPEN
    version: int = 1
    main_file_missing: bool = field(default=False, compare=False)
    events: tuple[Event, ...] = field(default=(), compare=False)

    @classmethod
    def opened(
        cls,
        number: str,
        patient: Patient,
        location: Location,
        *,
        practitioner_id: PractitionerId,
        appointment_id: AppointmentId,
        at: datetime,
        now: datetime,
    ) -> Self:
        """`at`: when the visit was booked that it is opened for."""
        one = cls(
            id=SubFileId(new_id(now)),
            number=number,
            patient_id=patient.id,
            location_id=location.id,
            practitioner_id=practitioner_id,
            opened_at=at,
            main_file_missing=patient.file_number is None,
        )
        told = SubFileCreated(
            occurred_at=now,
            version=one.version,
            sub_file_id=one.id,
            number=number,
            patient_id=one.patient_id,
            location_id=one.location_id,
            practitioner_id=practitioner_id,
            appointment_id=appointment_id,
            opened_at=at,
            main_file_missing=one.main_file_missing,
        )
        return replace(one, events=(told,))


def main_file_of(patient: Patient) -> str | None:
    """Return the number of the main file, where it has the form of ours."""
    number = patient.file_number or ""
    return number if _MAIN.fullmatch(number) else None


def drawn_file(year: int, drawn: int) -> str:
    return f"FILE-{year:04}-{drawn:06}"


def year_at(location: Location, instant: datetime) -> int:
    """The year on the clinic's wall."""
    return local_day(instant, location.timezone).year


def number_in(file: str, location: Location, nth: int) -> str:
    """`nth` counts the patient's sub-files from 1."""
    return f"{file}-{location.code}-{nth:02}"
