"""What other services go on with: a record folder that was opened, a patient who waits
to be seen. Each is the only step of what it names.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from scheduling.domain.events import Event
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    SubFileId,
)
from scheduling.domain.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class SubFileCreated(Event):
    """`main_file_missing`: the patient has no main file, so its number was drawn."""

    sub_file_id: SubFileId
    number: str
    patient_id: PatientId
    location_id: LocationId
    practitioner_id: PractitionerId
    appointment_id: AppointmentId
    opened_at: datetime
    main_file_missing: bool

    @property
    def aggregate_id(self) -> UUID:
        return self.sub_file_id


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterRequested(Event):
    """The patient is here: what an encounter begins with. `sub_file_id` and
    `sub_file_number` are None where the patient was forgotten.
    """

    encounter_request_id: UUID
    appointment_id: AppointmentId
    patient_id: PatientId
    practitioner_id: PractitionerId
    location_id: LocationId
    period: Period
    timezone: str
    appointment_type: str
    arrived_at: datetime
    sub_file_id: SubFileId | None
    sub_file_number: str | None

    @property
    def aggregate_id(self) -> UUID:
        return self.encounter_request_id
