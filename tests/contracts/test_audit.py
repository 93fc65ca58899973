"""Who did what, when, with which outcome, and old and new by field: kept and read."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduling.application.ports.audit import (
    APPOINTMENT_READ,
    HISTORY_READ,
    AuditPosition,
    Entity,
    Outcome,
    asked_for,
)
from scheduling.application.ports.identity import Caller
from scheduling.domain.appointment import Appointment
from scheduling.domain.changes import REDACTED
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.settings import Limits, Settings
from tests.builders import (
    EIGHT,
    Clinic,
    a_caller,
    a_location,
    a_patient,
    a_practitioner,
    a_role,
    an_id,
    open_clinic,
)
from tests.contracts.storages import Storage
from tests.contracts.visits import book, cancel
from tests.fakes.transaction import AuditRow

PUT: dict[str, Any] = {"version": 1, "created_at": EIGHT, "updated_at": EIGHT}
LATER = EIGHT + timedelta(minutes=5)


@pytest.fixture
def caller() -> Caller:
    return a_caller()


async def put(storage: Storage, caller: Caller, shelf: str, entry: Any) -> None:  # noqa: ANN401
    """Find and save, as commands do."""
    async with storage.begin(caller) as work:
        repository = getattr(work, shelf)
        await repository.find(entry.id)
        repository.save(entry)


async def told_of(storage: Storage, caller: Caller, id: object) -> list[AuditRow]:
    """Return what the audit has of a thing, the oldest first."""
    rows = [row for row in await storage.audit(caller) if row.entity_id == id]
    return sorted(rows, key=lambda row: (row.at, row.entity_version or 0))


async def test_a_record_is_kept_as_it_was_given(
    everywhere: Storage, caller: Caller
) -> None:
    entity = Entity("slot", an_id())
    changes = {"code": (None, "SLOT_NOT_AVAILABLE"), "index": (None, 3)}
    await everywhere.recorder.record(
        caller,
        "appointment.book",
        entity,
        outcome=Outcome.REFUSED,
        changes=changes,
    )
    (row,) = await everywhere.audit(caller)
    assert replace(row, id=entity.id) == AuditRow(
        id=entity.id,
        at=EIGHT,
        actor=caller.subject,
        action="appointment.book",
        outcome=Outcome.REFUSED,
        entity_type="slot",
        entity_id=entity.id,
        entity_version=None,
        changes=changes,
        request_id=caller.request_id,
    )


async def test_a_read_is_done_and_changes_nothing(
    everywhere: Storage, caller: Caller
) -> None:
    await everywhere.recorder.record(caller, "calendar.read", asked_for(caller))
    (row,) = await everywhere.audit(caller)
    assert (row.outcome, row.changes) == (Outcome.DONE, {})
    assert (row.entity_type, row.entity_id) == ("tenant", caller.tenant_id)


async def test_of_many_at_once_none_is_lost_or_doubled_or_another_tenants(
    everywhere: Storage,
) -> None:
    callers = [a_caller() for _ in range(3)]
    asked = [(caller, Entity("patient", an_id())) for caller in callers * 40]
    await asyncio.gather(
        *(
            everywhere.recorder.record(caller, "patient.read", entity)
            for caller, entity in asked
        )
    )
    for caller in callers:
        kept = [row.entity_id for row in await everywhere.audit(caller)]
        assert sorted(kept) == sorted(e.id for who, e in asked if who == caller)


async def test_a_list_is_about_the_narrowest_that_was_named(caller: Caller) -> None:
    patient, practitioner, location = an_id(), an_id(), an_id()
    assert asked_for(caller, location=location) == ("location", location)
    assert asked_for(caller, location=location, practitioner=practitioner) == (
        "practitioner",
        practitioner,
    )
    assert asked_for(caller, patient=patient, location=location) == (
        "patient",
        patient,
    )


ENTRIES: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "practitioners": (
        a_practitioner(name="Ana", specialties=("cardiology",), **PUT),
        {"name": "Ana Souza", "active": False},
        {"name": (REDACTED, REDACTED), "active": (True, False)},
    ),
    "locations": (
        a_location(timezone="Europe/Berlin", **PUT),
        {"timezone": "UTC", "country": "DE"},
        {"timezone": ("Europe/Berlin", "UTC"), "country": (None, "DE")},
    ),
    "patients": (
        a_patient(phone="+49 30 1", email="a@example.org", **PUT),
        {"phone": None, "preferences": ContactPreferences(sms=True)},
        {"phone": (REDACTED, None), "preferences.sms": (False, True)},
    ),
}


@pytest.mark.parametrize("shelf", ENTRIES)
async def test_a_directory_entry_tells_what_was_set_and_what_changed(
    everywhere: Storage, caller: Caller, shelf: str
) -> None:
    first, change, told = ENTRIES[shelf]
    # Tests share a database, and none but this one has these ids and codes.
    first = replace(first, id=an_id())
    await put(everywhere, caller, shelf, first)
    second = replace(first, **change, version=2, updated_at=LATER)
    await put(everywhere, caller, shelf, second)
    made, edited = await told_of(everywhere, caller, first.id)
    thing = shelf.removesuffix("s")
    assert (made.action, made.entity_type) == (f"{thing}.put", thing)
    assert made.changes["active"] == (None, True)
    assert made.changes["name"] == (None, REDACTED)
    assert (made.actor, made.at, made.entity_version) == ("reception", EIGHT, 1)
    assert (made.outcome, made.request_id) == (Outcome.DONE, caller.request_id)
    assert edited.changes == told
    assert (edited.at, edited.entity_version) == (LATER, 2)


async def test_a_role_tells_its_rules(everywhere: Storage, caller: Caller) -> None:
    clinic = await open_clinic(everywhere.begin, caller=caller)
    role = a_role(clinic.practitioner.id, clinic.location.id, **PUT)
    await put(everywhere, caller, "practitioner_roles", role)
    away = replace(role, active=False, version=2, updated_at=LATER)
    await put(everywhere, caller, "practitioner_roles", away)
    made, edited = await told_of(everywhere, caller, role.id)
    assert made.changes == {
        "practitionerId": (None, str(clinic.practitioner.id)),
        "locationId": (None, str(clinic.location.id)),
        "active": (None, True),
    }
    assert edited.changes == {"active": (True, False)}


async def test_settings_tell_what_was_set_and_what_changed(
    everywhere: Storage, caller: Caller
) -> None:
    first = Settings(buffer_minutes=15, version=1, updated_at=EIGHT)
    second = replace(
        first, limits=Limits(per_practitioner_day=3), version=2, updated_at=LATER
    )
    for settings in (first, second):
        async with everywhere.begin(caller) as work:
            await work.settings.get()
            work.settings.save(settings)
    made, edited = await told_of(everywhere, caller, caller.tenant_id)
    assert made.changes["bufferMinutes"] == (None, 15)
    assert made.changes["reminderOffsetsMinutes"] == (None, [1440, 120])
    assert edited.changes == {"limits.perPractitionerDay": (None, 3)}


async def test_schedules_and_slots_tell_what_they_were_made_of(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    (schedule,) = await told_of(everywhere, clinic.caller, clinic.schedule.id)
    assert schedule.action == "schedule.published"
    assert schedule.changes == {
        "practitionerId": (None, str(clinic.practitioner.id)),
        "locationId": (None, str(clinic.location.id)),
        "timezone": (None, "UTC"),
    }
    (slot,) = await told_of(everywhere, clinic.caller, clinic.slots[0].id)
    assert slot.action == "slot.opened"
    assert slot.changes["scheduleId"] == (None, str(clinic.schedule.id))
    assert slot.changes["start"] == (None, "2030-01-07T09:00:00Z")
    assert slot.changes["status"] == (None, "free")
    async with everywhere.begin(clinic.caller) as work:
        stored = await work.schedules.get(clinic.schedule.id)
        shorter = replace(stored, horizon_days=7, version=2, updated_at=LATER)
        work.schedules.save(shorter)
    _, edited = await told_of(everywhere, clinic.caller, clinic.schedule.id)
    assert edited.changes == {"horizonDays": (None, 7)}


async def history(
    storage: Storage,
    caller: Caller,
    one: Appointment,
    after: AuditPosition | None = None,
    limit: int = 100,
) -> list[tuple[str, str]]:
    async with storage.begin(caller) as work:
        found = await work.audit.of_appointment(
            one.id, to=caller, after=after, limit=limit
        )
    assert found.patient_id == one.patient_id
    return [(record.actor, record.action) for record in found.records]


async def a_visit_with_a_past(storage: Storage) -> tuple[Clinic, Appointment]:
    """Booked and cancelled; read by staff and its patient; tried by another patient."""
    clinic = await open_clinic(storage.begin)
    booked = await book(storage, clinic, clinic.request())
    record = storage.recorder.record
    entity = Entity("appointment", booked.id)
    await record(clinic.caller, APPOINTMENT_READ, entity)
    await record(clinic.own_token(0), HISTORY_READ, entity)
    stranger = clinic.own_token(1)
    await record(stranger, APPOINTMENT_READ, entity, outcome=Outcome.DENIED)
    await record(clinic.caller, "slot.read", Entity("slot", clinic.slots[0].id))
    return clinic, await cancel(storage, clinic, booked.id)


async def test_a_history_is_all_that_happened_to_the_appointment(
    everywhere: Storage,
) -> None:
    clinic, visit = await a_visit_with_a_past(everywhere)
    told = await history(everywhere, clinic.caller, visit)
    assert sorted(told[:-1]) == [
        ("patient-0", HISTORY_READ),
        ("patient-1", APPOINTMENT_READ),
        ("reception", "appointment.booked"),
        ("reception", APPOINTMENT_READ),
    ]
    # Half an hour after all else, which happened at eight.
    assert told[-1] == ("reception", "appointment.cancelled")


async def test_a_patient_is_told_what_was_done_and_what_that_token_tried(
    everywhere: Storage,
) -> None:
    clinic, visit = await a_visit_with_a_past(everywhere)
    told = await history(everywhere, clinic.own_token(0), visit)
    assert sorted(told) == [
        ("patient-0", HISTORY_READ),
        ("reception", "appointment.booked"),
        ("reception", "appointment.cancelled"),
    ]


async def test_a_history_comes_in_pages_that_join_without_a_gap(
    everywhere: Storage,
) -> None:
    clinic, visit = await a_visit_with_a_past(everywhere)
    whole = await history(everywhere, clinic.caller, visit)
    pages: list[tuple[str, str]] = []
    after = None
    while True:
        async with everywhere.begin(clinic.caller) as work:
            found = await work.audit.of_appointment(
                visit.id, to=clinic.caller, after=after, limit=2
            )
        if not found.records:
            break
        pages += [(record.actor, record.action) for record in found.records]
        after = found.records[-1].at, found.records[-1].id
    assert pages == whole


async def test_a_record_is_read_back_whole(everywhere: Storage) -> None:
    clinic, visit = await a_visit_with_a_past(everywhere)
    async with everywhere.begin(clinic.caller) as work:
        found = await work.audit.of_appointment(
            visit.id, to=clinic.caller, after=None, limit=100
        )
    last = found.records[-1]
    assert (last.outcome, last.version) == (Outcome.DONE, 2)
    assert last.at == visit.updated_at
    assert last.request_id == clinic.caller.request_id
    assert last.changes["status"] == ("booked", "cancelled")


async def test_there_is_no_history_of_what_is_not_there(everywhere: Storage) -> None:
    clinic, visit = await a_visit_with_a_past(everywhere)
    for caller, id in ((clinic.caller, an_id()), (a_caller(), visit.id)):
        with pytest.raises(AppointmentNotFound):
            async with everywhere.begin(caller) as work:
                await work.audit.of_appointment(id, to=caller, after=None, limit=10)
