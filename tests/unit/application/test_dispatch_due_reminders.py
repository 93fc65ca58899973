"""All that is due is sent, of all organisations, whatever fails in one of them."""

from datetime import timedelta

import pytest

from scheduling.application.commands.dispatch_due_reminders import (
    DispatchDueReminders,
)
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.identifiers import PatientId, TenantId
from tests.builders import Clinic, a_patient, open_clinic
from tests.contracts.reminding import Outgoing, a_reminded_visit
from tests.fakes.storage import MemoryStorage


async def due_in(storage: MemoryStorage) -> tuple[Clinic, PatientId]:
    person = a_patient(preferences=ContactPreferences(sms=True), phone="+49 30 1")
    clinic = await open_clinic(storage.begin, patients=(person,))
    await a_reminded_visit(storage, clinic, starts_in=timedelta(minutes=119))
    return clinic, person.id


async def test_an_organisation_in_which_storage_is_too_slow_stops_no_other() -> None:
    storage = MemoryStorage()
    (slow, patient), (other, reached) = [await due_in(storage) for _ in range(2)]
    out = Outgoing()
    out.refusals = {patient: [DatabaseUnavailable()]}

    async def both() -> list[TenantId]:
        return [slow.caller.tenant_id, other.caller.tenant_id]

    sweep = DispatchDueReminders(storage.begin, both, out, lanes=1)
    with pytest.RaisesGroup(DatabaseUnavailable):
        async for _ in sweep():
            pass
    assert [one.reminder.patient_id for one in out.sent] == [reached]
