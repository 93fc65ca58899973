"""Record folders in memory; numbers are drawn one after the other."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduling.application.ports.sub_files import SubFilePosition, SubFileRepository
from scheduling.application.ports.unit_of_work import TransactionAborted
from scheduling.domain.changes import changes_between
from scheduling.domain.identifiers import AppointmentId, LocationId, PatientId
from scheduling.domain.sub_file import SubFile, drawn_file
from tests.fakes.transaction import Tables, Transaction


@dataclass
class MemorySubFiles(SubFileRepository):
    transaction: Transaction

    async def find(
        self, patient_id: PatientId, location_id: LocationId
    ) -> SubFile | None:
        for one in self.transaction.tables.sub_files.values():
            if (one.patient_id, one.location_id) == (patient_id, location_id):
                return one
        return None

    async def hold(self, patient_id: PatientId) -> None:
        await self.transaction.lock("booking for", patient_id)

    async def count(self, patient_id: PatientId) -> int:
        files = self.transaction.tables.sub_files.values()
        return sum(one.patient_id == patient_id for one in files)

    async def is_taken(self, number: str) -> bool:
        files = self.transaction.tables.sub_files.values()
        return any(one.number == number for one in files)

    async def draw(self, year: int) -> int:
        await self.transaction.lock("drawing", year)
        tables = self.transaction.tables
        drawn = tables.drawn.get(year, 0) + 1
        main = {one.file_number or "" for one in tables.patients.values()}
        if drawn_file(year, drawn) in main:
            form = re.compile(f"FILE-{year}-([0-9]{{6,9}})")
            given = [int(found[1]) for one in main if (found := form.fullmatch(one))]
            drawn = max(drawn, *given) + 1
        self.transaction.change(lambda tables: tables.drawn.update({year: drawn}))
        return drawn

    def add(self, sub_file: SubFile) -> None:
        stored = replace(sub_file, events=(), main_file_missing=False)
        key = (stored.patient_id, stored.location_id)

        def write(tables: Tables) -> None:
            for one in tables.sub_files.values():
                if one.number == stored.number or key == (
                    one.patient_id,
                    one.location_id,
                ):
                    raise TransactionAborted
            tables.sub_files[stored.id] = stored

        self.transaction.change(write)
        self.transaction.announce(sub_file.events)
        self.transaction.audit(
            "sub-file.opened",
            sub_file.id,
            sub_file.version,
            changes_between(None, sub_file),
            at=sub_file.events[0].occurred_at,
        )

    def file(self, appointment_id: AppointmentId, sub_file: SubFile) -> None:
        def write(tables: Tables) -> None:
            visit = tables.appointments.get(appointment_id)
            if visit is not None and (visit.patient_id, visit.location_id) == (
                sub_file.patient_id,
                sub_file.location_id,
            ):
                filed = replace(visit, sub_file_id=sub_file.id)
                tables.appointments[appointment_id] = filed

        self.transaction.change(write)

    async def of_patient(
        self, id: PatientId, *, after: SubFilePosition | None, limit: int
    ) -> Sequence[SubFile]:
        theirs = sorted(
            (
                one
                for one in self.transaction.tables.sub_files.values()
                if one.patient_id == id
                and (after is None or (one.opened_at, one.id) > after)
            ),
            key=lambda one: (one.opened_at, one.id),
        )
        return theirs[:limit]
