"""Record folders of patients at clinics, and the numbers that are drawn for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from scheduling.application.ports.identity import Caller
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    SubFileId,
)
from scheduling.domain.sub_file import SubFile

SubFilePosition: TypeAlias = tuple[datetime, SubFileId]
"""Where a page of sub-files ended: when the last was opened, and its id."""


class SubFileRepository(Protocol):
    async def find(
        self, patient_id: PatientId, location_id: LocationId
    ) -> SubFile | None: ...

    async def hold(self, patient_id: PatientId) -> None:
        """Keep others from opening one for the patient, and from deleting the patient,
        until the transaction is left.
        """

    async def count(self, patient_id: PatientId) -> int: ...

    async def is_taken(self, number: str) -> bool:
        """Tell whether a sub-file has the number."""

    async def draw(self, year: int) -> int:
        """Return the next number of a year, each once, and none that is some patient's
        main file. Who draws one of the same year waits until the transaction is left.
        """

    def add(self, sub_file: SubFile) -> None:
        """Store one and tell it. Where a number or the patient's folder at the clinic
        came to be there meanwhile, leaving raises TransactionAborted.
        """

    def file(self, appointment_id: AppointmentId, sub_file: SubFile) -> None:
        """Let a visit of the patient at the clinic name its folder; its version stays.
        One that is elsewhere by now is left as it is.
        """

    async def of_patient(
        self, id: PatientId, *, after: SubFilePosition | None, limit: int
    ) -> Sequence[SubFile]:
        """Return up to `limit` behind a position, the oldest first."""


class Alarms(Protocol):
    """What somebody should look at, though it keeps nothing from being done."""

    def main_file_missing(self, caller: Caller, sub_file: SubFile, /) -> None:
        """A sub-file was opened for a patient who has no main file."""
