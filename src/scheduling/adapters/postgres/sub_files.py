"""Record folders of patients, and the numbers that are drawn for them.

Who opens one holds the patient's row: those of one patient are counted one after the
other, and whoever deletes the patient waits. Numbers are drawn under the lock of the
year's counter. The unique keys have the last word on both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    cast,
    exists,
    func,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import (
    SUB_FILES,
    TENANT,
    VISITS_FILED,
    Row,
)
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.sub_files import SubFilePosition, SubFileRepository
from scheduling.domain.changes import changes_between
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    SubFileId,
)
from scheduling.domain.sub_file import SubFile, SubFileStatus, drawn_file

_PATIENT = given("patient_id", Uuid)
_YEAR = given("year", Integer)


@cache
def _finding() -> Statement:
    files = t.sub_files
    return compiled(
        select(files).where(
            files.c.tenant_id == TENANT,
            files.c.patient_id == _PATIENT,
            files.c.location_id == given("location_id", Uuid),
        )
    )


@cache
def _holding() -> Statement:
    patients = t.patients
    return compiled(
        select(patients.c.id)
        .where(patients.c.tenant_id == TENANT, patients.c.id == _PATIENT)
        .with_for_update(key_share=True),
        locks=True,
    )


@cache
def _counting() -> Statement:
    files = t.sub_files
    return compiled(
        select(func.count().label("count")).where(
            files.c.tenant_id == TENANT, files.c.patient_id == _PATIENT
        )
    )


@cache
def _looking_up() -> Statement:
    files = t.sub_files
    return compiled(
        select(files.c.id).where(
            files.c.tenant_id == TENANT, files.c.number == given("number", Text)
        )
    )


@cache
def _drawing() -> Statement:
    counters = t.sub_file_counters
    one: ColumnElement[int] = literal_column("1")
    return compiled(
        postgresql.insert(counters)
        .values(tenant_id=TENANT, year=_YEAR, last=one)
        .on_conflict_do_update(
            index_elements=list(counters.primary_key),
            set_={"last": counters.c.last + one},
        )
        .returning(counters.c.last),
        locks=True,
    )


@cache
def _looking_up_a_main_file() -> Statement:
    patients = t.patients
    is_there = exists().where(
        patients.c.tenant_id == TENANT, patients.c.file_number == given("number", Text)
    )
    return compiled(select(is_there.label("is_there")))


@cache
def _drawing_past_main_files() -> Statement:
    """Looks at all of the tenant's patients: seldom, since all are passed at once."""
    counters, number = t.sub_file_counters, t.patients.c.file_number
    of_year = func.concat(literal_column("'^FILE-'"), cast(_YEAR, Text))
    drawn = func.substring(number, literal_column("'^FILE-[0-9]{4}-([0-9]{6,9})$'"))
    highest = (
        select(func.max(cast(drawn, Integer)))
        .where(
            t.patients.c.tenant_id == TENANT,
            number.regexp_match(func.concat(of_year, literal_column("'-[0-9]{6,9}$'"))),
        )
        .scalar_subquery()
    )
    return compiled(
        update(counters)
        .where(counters.c.tenant_id == TENANT, counters.c.year == _YEAR)
        .values(
            last=func.greatest(counters.c.last, highest) + literal_column("1"),
        )
        .returning(counters.c.last),
        locks=True,
    )


@cache
def _paging(*, further: bool) -> Statement:
    files = t.sub_files
    position = tuple_(files.c.opened_at, files.c.id)
    after = tuple_(given("after_at", DateTime(timezone=True)), given("after_id", Uuid))
    return compiled(
        select(files)
        .where(
            files.c.tenant_id == TENANT,
            files.c.patient_id == _PATIENT,
            *([position > after] if further else []),
        )
        .order_by(files.c.opened_at, files.c.id)
        .limit(given("limit", Integer))
    )


@dataclass(frozen=True, slots=True)
class PostgresSubFiles(SubFileRepository):
    transaction: Transaction

    async def find(
        self, patient_id: PatientId, location_id: LocationId
    ) -> SubFile | None:
        row = await self.transaction.row(
            _finding(), patient_id=patient_id, location_id=location_id
        )
        return None if row is None else _from(row)

    async def hold(self, patient_id: PatientId) -> None:
        await self.transaction.rows(_holding(), patient_id=patient_id)

    async def count(self, patient_id: PatientId) -> int:
        row = await self.transaction.row(_counting(), patient_id=patient_id)
        count: int = row["count"]
        return count

    async def is_taken(self, number: str) -> bool:
        return await self.transaction.row(_looking_up(), number=number) is not None

    async def draw(self, year: int) -> int:
        transaction = self.transaction
        drawn: int = (await transaction.row(_drawing(), year=year))["last"]
        number = drawn_file(year, drawn)
        main = await transaction.row(_looking_up_a_main_file(), number=number)
        if main["is_there"]:
            row = await transaction.row(_drawing_past_main_files(), year=year)
            drawn = row["last"]
        return drawn

    def add(self, sub_file: SubFile) -> None:
        self.transaction.batch.add(SUB_FILES, _row(sub_file))
        self.transaction.announce(sub_file.events)
        self.transaction.audit(
            "sub-file.opened",
            "sub-file",
            sub_file.id,
            version=sub_file.version,
            changes=changes_between(None, sub_file),
            at=sub_file.events[0].occurred_at,
        )

    def file(self, appointment_id: AppointmentId, sub_file: SubFile) -> None:
        self.transaction.batch.add(
            VISITS_FILED,
            {
                "id": appointment_id,
                "patient_id": sub_file.patient_id,
                "location_id": sub_file.location_id,
                "sub_file_id": sub_file.id,
            },
        )

    async def of_patient(
        self, id: PatientId, *, after: SubFilePosition | None, limit: int
    ) -> Sequence[SubFile]:
        at, last = after or (None, None)
        rows = await self.transaction.rows(
            _paging(further=after is not None),
            patient_id=id,
            after_at=at,
            after_id=last,
            limit=limit,
        )
        return [_from(row) for row in rows]


def _row(one: SubFile) -> Row:
    return {
        "id": one.id,
        "number": one.number,
        "patient_id": one.patient_id,
        "location_id": one.location_id,
        "practitioner_id": one.practitioner_id,
        "status": one.status,
        "opened_at": one.opened_at,
        "version": one.version,
    }


def _from(row: Row) -> SubFile:
    return SubFile(
        id=SubFileId(row["id"]),
        number=row["number"],
        patient_id=PatientId(row["patient_id"]),
        location_id=LocationId(row["location_id"]),
        practitioner_id=PractitionerId(row["practitioner_id"]),
        status=SubFileStatus(row["status"]),
        opened_at=row["opened_at"],
        version=row["version"],
    )
