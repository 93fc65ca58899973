import pytest

from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.queries.list_reminders import ListReminders
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import AppointmentNotFound
from tests.builders import EIGHT, between, open_clinic
from tests.fakes.storage import MemoryStorage


async def test_reminders_are_read_page_by_page_and_that_is_recorded(
    storage: MemoryStorage,
) -> None:
    clinic = await open_clinic(
        storage.begin,
        between("09:00", "09:30", day=3),
        preferences=ContactPreferences(sms=True),
    )
    book = BookAppointment(storage.begin, lambda: EIGHT)
    booked = await book(clinic.caller, clinic.request())
    look = ListReminders(storage.begin, storage.recorder)

    first = await look(clinic.own_token(), booked.id, limit=1)
    assert [one.offset_minutes for one in first.reminders] == [24 * 60]
    assert first.more
    last = first.reminders[-1]
    rest = await look(clinic.caller, booked.id, after=(last.due_at, last.id), limit=1)
    assert [one.offset_minutes for one in rest.reminders] == [2 * 60]
    assert not rest.more

    with pytest.raises(AppointmentNotFound):
        await look(clinic.own_token(1), booked.id, limit=1)
    reads = [
        (row.actor, row.entity_id)
        for row in await storage.audit(clinic.caller)
        if row.action == "appointment.reminders.read"
    ]
    assert reads == [("patient-0", booked.id), ("reception", booked.id)]
