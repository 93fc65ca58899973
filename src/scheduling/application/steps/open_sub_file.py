"""Find a patient's record folder at a clinic, or open it."""

from datetime import datetime

from scheduling.application.ports.identity import Caller
from scheduling.application.ports.sub_files import Alarms
from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.domain.directory import Location, Patient
from scheduling.domain.sub_file import (
    SubFile,
    drawn_file,
    main_file_of,
    number_in,
    year_at,
)
from scheduling.domain.visit_news import VisitNews


async def open_sub_file(
    work: UnitOfWork,
    caller: Caller,
    visit: VisitNews,
    *,
    alarms: Alarms,
    at: datetime,
    now: datetime,
) -> SubFile | None:
    """Let the visit name the folder; `at` is when it was booked, whose year is that of
    a number that is drawn. None: the patient was forgotten, and no folder was open.
    """
    files, patient_id = work.sub_files, visit.patient_id
    found = await files.find(patient_id, visit.location_id)
    if found is None:
        await files.hold(patient_id)
        # Whom we waited for may have opened it.
        found = await files.find(patient_id, visit.location_id)
    if found is None:
        patient = await work.patients.find(patient_id)
        location = await work.locations.find(visit.location_id)
        if patient is None or patient.is_deleted or location is None:
            return None
        found = SubFile.opened(
            await _number(work, patient, location, at),
            patient,
            location,
            practitioner_id=visit.practitioner_id,
            appointment_id=visit.appointment_id,
            at=at,
            now=now,
        )
        files.add(found)
        if found.main_file_missing:
            alarms.main_file_missing(caller, found)
    files.file(visit.appointment_id, found)
    return found


async def _number(
    work: UnitOfWork, patient: Patient, location: Location, at: datetime
) -> str:
    """Of the patient's main file; drawn where there is none, or where its number was
    drawn for somebody before it was given to the patient.
    """
    nth = await work.sub_files.count(patient.id) + 1
    main = main_file_of(patient)
    if main is not None:
        number = number_in(main, location, nth)
        if not await work.sub_files.is_taken(number):
            return number
    year = year_at(location, at)
    drawn = drawn_file(year, await work.sub_files.draw(year))
    return number_in(drawn, location, nth)
