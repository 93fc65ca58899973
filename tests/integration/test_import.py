"""Imports into a real database, and what they leave there."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from scheduling.application.ports.identity import Scope
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.identifiers import TenantId
from scheduling.entrypoints.importing.keeping import Keep
from scheduling.entrypoints.importing.mapping import read_mapping
from scheduling.entrypoints.importing.records import Kind
from scheduling.entrypoints.importing.report import Report, Tallies, Tally
from scheduling.entrypoints.importing.running import Checkpoint, Import
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.wiring import storage as wiring
from tests.builders import a_caller

EXAMPLES = Path(__file__).parents[2] / "examples" / "import"
VISITS = EXAMPLES / "visits.csv"
VISITS_MAPPING = EXAMPLES / "visits.toml"

EVERYTHING = (
    "locations",
    "practitioners",
    "practitioner_roles",
    "schedules",
    "patients",
    "slots",
    "appointments",
    "claims",
    "reminders",
    "outbox",
    "audit",
)


@dataclass
class Clinic:
    """A tenant of its own, into which files are imported."""

    database_url: str
    folder: Path
    tenant_id: TenantId = field(default_factory=lambda: TenantId(uuid4()))

    @property
    def settings(self) -> Settings:
        return Settings(database_url=SecretStr(self.database_url), database_pool_size=4)

    @property
    def report(self) -> Path:
        return self.folder / "refused.ndjson"

    async def imports(
        self,
        data: Path,
        mapping: Path,
        *,
        dry_run: bool = False,
        window: int = 500,
        moved: Callable[[Kind, int, Tally], None] = lambda _kind, _bytes, _tally: None,
    ) -> Tallies:
        mapped = read_mapping(mapping, data, self.tenant_id)
        caller = a_caller(self.tenant_id, subject="import", scopes=frozenset(Scope))
        opened = self._rehearsal() if dry_run else self._storage()
        async with opened as begin:
            return await Import(
                mapped=mapped,
                kinds=mapped.kinds,
                keep=Keep(begin, wiring.system_clock, caller),
                concurrency=1 if dry_run else 4,
                report=Report(self.report),
                checkpoint=None
                if dry_run
                else Checkpoint(self.folder / "checkpoint", "this one"),
                window=window,
                moved=moved,
            )()

    def _rehearsal(self) -> AbstractAsyncContextManager[BeginWork]:
        return wiring.open_rehearsal(self.settings, self.tenant_id)

    @asynccontextmanager
    async def _storage(self) -> AsyncIterator[BeginWork]:
        async with wiring.open_storage(self.settings) as storage:
            yield storage.begin

    async def rows(self, query: str) -> list[Any]:
        connection = await asyncpg.connect(
            self.database_url,
            server_settings={
                "role": "scheduling_api",
                "app.tenant_id": str(self.tenant_id),
            },
        )
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def all_of_it(self) -> dict[str, Any]:
        """Return a digest of every row of every table."""
        return {
            table: await self.rows(
                f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) "  # noqa: S608
                f"FROM {table} t"
            )
            for table in EVERYTHING
        }

    def refused(self) -> list[tuple[int, str, str, str]]:
        told = [json.loads(line) for line in self.report.read_text().splitlines()]
        return [(one["row"], one["kind"], one["code"], one["field"]) for one in told]

    def file(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content)
        return path


@pytest.fixture
def clinic(database_url: str, tmp_path: Path) -> Clinic:
    return Clinic(database_url, tmp_path)


def _created(tallies: Tallies) -> dict[str, int]:
    return {str(kind): tally.created for kind, tally in tallies.items()}


ALL_OF_VISITS = {
    "locations": 2,
    "practitioners": 2,
    "schedules": 2,
    "patients": 5,
    "slots": 96,
    "appointments": 6,
}


async def test_one_file_of_visits_makes_all_that_booking_needs(clinic: Clinic) -> None:
    tallies = await clinic.imports(VISITS, VISITS_MAPPING)

    assert _created(tallies) == ALL_OF_VISITS
    assert clinic.refused() == []
    statuses = await clinic.rows("SELECT status, count(*) FROM appointments GROUP BY 1")
    assert dict(statuses) == {"completed": 4, "no-show": 2}
    booked = await clinic.rows(
        "SELECT created_at AT TIME ZONE 'America/Sao_Paulo' FROM appointments "
        "ORDER BY created_at LIMIT 1"
    )
    assert str(booked[0][0]) == "2016-04-25 08:12:00"


async def test_each_booking_is_told_as_created_once(clinic: Clinic) -> None:
    await clinic.imports(VISITS, VISITS_MAPPING)

    told = await clinic.rows(
        "SELECT aggregate_id, count(*) FROM outbox "
        "WHERE subject LIKE '%.appointment.created' GROUP BY 1"
    )
    assert [count for _, count in told] == [1] * 6


async def test_a_second_run_changes_nothing(clinic: Clinic) -> None:
    await clinic.imports(VISITS, VISITS_MAPPING)
    before = await clinic.all_of_it()

    again = await clinic.imports(VISITS, VISITS_MAPPING)

    assert set(_created(again).values()) == {0}
    assert {str(k): tally.unchanged for k, tally in again.items()} == ALL_OF_VISITS
    assert await clinic.all_of_it() == before


async def test_a_dry_run_says_the_same_and_leaves_nothing(clinic: Clinic) -> None:
    before = await clinic.all_of_it()

    tallies = await clinic.imports(VISITS, VISITS_MAPPING, dry_run=True)

    assert _created(tallies) == ALL_OF_VISITS
    assert await clinic.all_of_it() == before


class _Killed(Exception):
    pass


async def test_a_killed_import_goes_on_where_it_was(clinic: Clinic) -> None:
    def kill(kind: Kind, _read: int, tally: Tally) -> None:
        if kind is Kind.APPOINTMENTS and tally.rows == 4:
            raise _Killed

    with pytest.raises(_Killed):
        await clinic.imports(VISITS, VISITS_MAPPING, window=2, moved=kill)
    assert len(await clinic.rows("SELECT id FROM appointments")) == 4

    tallies = await clinic.imports(VISITS, VISITS_MAPPING, window=2)

    assert _created(tallies) == ALL_OF_VISITS
    assert not (clinic.folder / "checkpoint").exists()
    seats = await clinic.rows("SELECT DISTINCT cardinality(slot_ids) FROM appointments")
    assert seats == [(1,)]


async def test_rows_done_after_the_last_checkpoint_come_back_as_unchanged(
    clinic: Clinic,
) -> None:
    def kill(kind: Kind, _read: int, tally: Tally) -> None:
        if kind is Kind.APPOINTMENTS and tally.rows == 2:
            saved.append((clinic.folder / "checkpoint").read_bytes())
        if kind is Kind.APPOINTMENTS and tally.rows == 4:
            raise _Killed

    saved: list[bytes] = []
    with pytest.raises(_Killed):
        await clinic.imports(VISITS, VISITS_MAPPING, window=2, moved=kill)
    (clinic.folder / "checkpoint").write_bytes(saved[0])

    tallies = await clinic.imports(VISITS, VISITS_MAPPING, window=2)

    last = tallies[Kind.APPOINTMENTS]
    assert (last.created, last.unchanged) == (4, 2)
    assert len(await clinic.rows("SELECT id FROM appointments")) == 6


async def test_each_refused_row_is_reported_with_its_code_and_no_more(
    clinic: Clinic,
) -> None:
    data = clinic.file(
        "visits.csv",
        "PatientId,AppointmentID,ScheduledDay,AppointmentDay,Neighbourhood,No-show\n"
        "1,1,2016-04-25T08:12:08Z,2016-04-29T00:00:00Z,NORTH,No\n"
        "Marie Curie,2,sometime,2016-04-29T00:00:00Z,NORTH,No\n"
        "3,3,2016-04-25T08:12:08Z,2016-04-29T00:00:00Z,NORTH,Perhaps\n"
        "4,4,2016-04-25T08:12:08Z,the day after,NORTH,No\n"
        "5,5,2016-04-25T08:12:08Z,2016-04-29T00:00:00Z,NORTH\n"
        ",6,2016-04-25T08:12:08Z,2016-04-29T00:00:00Z,NORTH,No\n",
    )

    await clinic.imports(data, VISITS_MAPPING)

    visits = [told for told in clinic.refused() if told[1] == "appointments"]
    assert visits == [
        (2, "appointments", "VALIDATION_FAILED", "bookedAt"),
        (3, "appointments", "VALIDATION_FAILED", "status"),
        (4, "appointments", "VALIDATION_FAILED", "day"),
        (5, "appointments", "VALIDATION_FAILED", ""),
        (6, "appointments", "VALIDATION_FAILED", "spread.patient"),
    ]
    assert "Curie" not in clinic.report.read_text()


async def test_who_comes_first_in_the_file_gets_the_seat(clinic: Clinic) -> None:
    mapping = clinic.file(
        "visits.toml",
        VISITS_MAPPING.read_text()
        .replace("count = 48", "count = 1")
        .replace("capacity = 4", "capacity = 2"),
    )

    await clinic.imports(VISITS, mapping)

    # The third of VALE VERDE. In MORRO ALTO two of three did not come: no seat is held.
    assert clinic.refused() == [
        (5, "appointments", "SLOT_NOT_AVAILABLE", ""),
    ]


ROLES_MAPPING = """
[locations]
id = { from = ["place"] }
name = "place"
code = "place"
timezone = { constant = "Europe/Berlin" }
[practitioners]
id = { from = ["who"] }
name = "who"
specialties = { column = "skills", split = ";" }
[practitioner-roles]
id = { from = ["who", "place"] }
practitionerId = { ref = "practitioners" }
locationId = { ref = "locations" }
availability = [
  { daysOfWeek = ["mon"], startTime = "09:00", endTime = "12:00", slotMinutes = 30 },
]
[patients]
id = { from = ["patient.no"] }
name = "patient.name"
preferences.sms = true
[slots]
id = { from = ["who", "at"] }
practitionerRoleId = { ref = "practitioner-roles" }
start = "at"
durationMinutes = "minutes"
[appointments]
id = { from = ["who", "at", "patient.no"] }
patientId = { ref = "patients" }
practitionerId = { ref = "practitioners" }
locationId = { ref = "locations" }
start = "at"
durationMinutes = "minutes"
appointmentType = { constant = "visit" }
status = { column = "status", default = "booked" }
"""


def _future(**given: object) -> str:
    row = {
        "place": "EAST",
        "who": "Ada",
        "skills": "ecg;mri",
        "patient": {"no": 7, "name": "Ben"},
        "at": f"{wiring.system_clock().year + 1}-01-15T09:00:00+01:00",
        "minutes": 30,
    }
    return json.dumps({**row, **given}) + "\n"


async def test_a_visit_to_come_is_booked_like_any_other(clinic: Clinic) -> None:
    data = clinic.file("visits.ndjson", _future())
    mapping = clinic.file("roles.toml", ROLES_MAPPING)
    await clinic.imports(data, mapping)

    refused = clinic.refused()
    stored = await clinic.rows("SELECT status, version FROM appointments")
    reminders = await clinic.rows("SELECT offset_minutes FROM reminders ORDER BY 1")
    assert refused == []
    assert stored == [("booked", 1)]
    assert reminders == [(120,), (1440,)]
    assert await clinic.rows("SELECT specialties FROM practitioners") == [
        (["ecg", "mri"],)
    ]


async def test_a_visit_to_come_cannot_be_over_already(clinic: Clinic) -> None:
    data = clinic.file("visits.ndjson", _future(status="completed"))
    mapping = clinic.file("roles.toml", ROLES_MAPPING)

    await clinic.imports(data, mapping)

    assert clinic.refused() == [(1, "appointments", "VALIDATION_FAILED", "status")]


async def test_what_the_file_says_anew_of_a_person_is_a_new_version(
    clinic: Clinic,
) -> None:
    mapping = clinic.file("roles.toml", ROLES_MAPPING)
    await clinic.imports(clinic.file("a.ndjson", _future()), mapping)

    tallies = await clinic.imports(
        clinic.file("b.ndjson", _future(patient={"no": 7, "name": "Benjamin"})), mapping
    )

    assert (tallies[Kind.PATIENTS].changed, tallies[Kind.PATIENTS].unchanged) == (1, 0)
    assert await clinic.rows("SELECT name, version FROM patients") == [("Benjamin", 2)]


def _command(clinic: Clinic, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "scheduling", "import", *words],
        cwd=clinic.folder,
        env={**os.environ, "SCHEDULING_DATABASE_URL": clinic.database_url},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_tells_what_it_did(clinic: Clinic) -> None:
    tenant = str(UUID(int=clinic.tenant_id.int))
    mapping = ("--mapping", str(VISITS_MAPPING), "--tenant", tenant)

    done = _command(clinic, "all", str(VISITS), *mapping)

    assert (done.returncode, done.stderr) == (0, "")
    assert "appointments" in done.stdout
    assert {path.name for path in clinic.folder.iterdir()} == {
        "visits.all.refused.ndjson"
    }


def test_the_command_refuses_a_kind_that_the_mapping_has_not(clinic: Clinic) -> None:
    mapping = ("--mapping", str(VISITS_MAPPING), "--tenant", str(clinic.tenant_id))

    done = _command(clinic, "practitioner-roles", str(VISITS), *mapping)

    assert done.returncode == 2
    assert "practitioner-roles" in done.stderr
