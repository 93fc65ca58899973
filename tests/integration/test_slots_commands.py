"""`scheduling slots …`, as a person types it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.domain.schedule import PractitionerRole
from scheduling.entrypoints.cli.slots import app
from tests.builders import Clinic, a_role, open_clinic
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.integration.test_outbox_commands import typed
from tests.patterns import a_rule


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(database_url, size=2) as storage:
        yield storage


@pytest.fixture
async def clinic(storage: PostgresStorage) -> Clinic:
    return await open_clinic(storage.begin)


@pytest.fixture
async def role(storage: PostgresStorage, clinic: Clinic) -> PractitionerRole:
    """Two hours a day of half hours; no slots are made yet."""
    wanted = a_role(
        clinic.practitioner.id,
        clinic.location.id,
        availability=(a_rule("09:00", "11:00"),),
        # Which of today's and tomorrow's are made depends on when this is run.
        period_start=datetime.now(UTC).date() + timedelta(days=2),
    )
    put = PutPractitionerRole(storage.begin, lambda: datetime.now(UTC))
    return (await put(clinic.caller, wanted)).role


async def slots_of(storage: PostgresStorage, clinic: Clinic) -> int:
    return len(await storage.slots(clinic.caller))


async def slots(url: str, clinic: Clinic, *words: str) -> tuple[int, str, str]:
    tenant = ("--tenant", str(clinic.caller.tenant_id))
    return await typed("slots", *words, *tenant, SCHEDULING_DATABASE_URL=url)


async def test_a_preview_shows_what_would_be_made_and_makes_nothing(
    database_url: str, storage: PostgresStorage, clinic: Clinic, role: PractitionerRole
) -> None:
    before = await slots_of(storage, clinic)
    code, out, err = await slots(
        database_url, clinic, "preview", "--role", str(role.id), "--json"
    )
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["created"] >= 4 * 40
    assert len(told["changes"]) == min(200, told["created"])
    assert {change["action"] for change in told["changes"]} == {"create"}
    code, out, err = await slots(
        database_url, clinic, "preview", "--role", str(role.id)
    )
    assert (code, err) == (0, "")
    assert f"would be: {told['created']} created" in out
    assert "09:30" in out
    assert await slots_of(storage, clinic) == before


async def test_what_was_made_is_unchanged_the_second_time(
    database_url: str, storage: PostgresStorage, clinic: Clinic, role: PractitionerRole
) -> None:
    before = await slots_of(storage, clinic)
    words = ("generate", "--role", str(role.id))
    code, out, err = await slots(database_url, clinic, *words)
    assert code == 0
    assert out.startswith("1 calendar: ")
    made = await slots_of(storage, clinic) - before
    assert f"{made} created, 0 updated" in out
    assert err.startswith("1/1 ")
    code, out, _ = await slots(database_url, clinic, *words)
    assert code == 0
    assert out.startswith(f"1 calendar: 0 created, 0 updated, {made} unchanged")


async def test_all_calendars_are_rolled_forward_once_a_day(
    database_url: str, clinic: Clinic, role: PractitionerRole
) -> None:
    assert role.active
    words = ("generate", "--all", "--roll-forward")
    code, out, err = await slots(database_url, clinic, *words)
    assert (code, len(err.splitlines())) == (0, 2)
    assert out.startswith("2 calendars: ")
    code, out, err = await slots(database_url, clinic, *words)
    assert (code, err.count("done before today")) == (0, 2)
    assert out.startswith("2 calendars: 0 created")


async def test_one_that_fails_keeps_no_other_from_its_slots(
    database_url: str, storage: PostgresStorage, clinic: Clinic, role: PractitionerRole
) -> None:
    """The fault: a rule in storage that no rule can be."""
    before = await slots_of(storage, clinic)
    async with storage.pool.acquire() as connection, connection.transaction():
        tenant = clinic.caller.tenant_id
        await connection.execute(f"SET LOCAL app.tenant_id = '{tenant}'")
        await connection.execute(
            "UPDATE schedules SET availability = '[{}]' WHERE id = $1",
            clinic.schedule.id,
        )
    code, out, err = await slots(database_url, clinic, "generate", "--all")
    assert code == 1
    assert out.startswith("2 calendars: ")
    assert f"{clinic.schedule.id} failed: KeyError" in err
    assert "1 failed" in err
    assert await slots_of(storage, clinic) > before
    assert role.active


@pytest.mark.parametrize(
    "words",
    [
        ["preview"],
        ["generate"],
        ["generate", "--all", "--schedule", str(uuid4())],
        ["generate", "--role", str(uuid4()), "--schedule", str(uuid4())],
        ["generate", "--role", str(uuid4()), "--roll-forward"],
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], tmp_path: Path) -> None:
    asked = [*words, "--tenant", str(uuid4()), "--data-dir", str(tmp_path)]
    assert CliRunner().invoke(app, asked).exit_code == 2


async def test_a_calendar_that_there_is_not_is_told_in_a_line(
    database_url: str, clinic: Clinic
) -> None:
    code, out, err = await slots(
        database_url, clinic, "generate", "--schedule", str(uuid4())
    )
    assert (code, out) == (1, "")
    assert err.startswith("There is no schedule")
    assert len(err.splitlines()) == 1
