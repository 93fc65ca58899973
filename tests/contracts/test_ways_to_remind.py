"""By which way a reminder goes, and what becomes of it where there is none."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduling.domain.directory import ContactPreferences, put
from tests.builders import a_patient, at
from tests.contracts.reminding import (
    BY_SMS,
    OpenSweeping,
    Sweeping,
    cancel,
    sweeping_over,
    visit,
)
from tests.contracts.storages import Storage

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def sweeping(everywhere: Storage) -> OpenSweeping:
    return sweeping_over(everywhere)


@pytest.mark.parametrize(
    ("patient", "becomes"),
    [
        ({"active": False}, ("SKIPPED", "PATIENT_INACTIVE", "sms")),
        ({"preferences": ContactPreferences()}, ("SKIPPED", "NO_CHANNEL", "sms")),
        ({"phone": None, "email": "a@b.c"}, ("SKIPPED", "NO_CHANNEL", "sms")),
        # Whoever listens looks addresses up where we have none at all.
        ({"phone": None}, ("SENT", None, "sms")),
        (
            {"preferences": ContactPreferences(whatsapp=True, sms=True)},
            ("SENT", None, "whatsapp"),
        ),
        (
            {
                "preferences": ContactPreferences(whatsapp=True, email=True),
                "phone": None,
                "email": "a@b.c",
            },
            ("SENT", None, "email"),
        ),
    ],
)
async def test_it_goes_the_first_way_that_was_agreed_to_and_leads_somewhere(
    sweeping: OpenSweeping,
    patient: dict[str, Any],
    becomes: tuple[str, str | None, str],
) -> None:
    told = {"preferences": BY_SMS, "phone": "+49 30 1"}
    here = await sweeping(a_patient(**told))
    await visit(here)
    await becomes_of(here, **patient)
    await here()
    one = await here.only()
    assert (one.status, one.reason, one.channel) == becomes


@pytest.mark.parametrize(
    ("agrees", "becomes"),
    [
        ({"phone": "+49 30 2"}, ("SKIPPED", "NO_CHANNEL", None)),
        ({"preferences": BY_SMS}, ("SENT", None, "sms")),
    ],
)
async def test_who_had_no_way_when_booking_may_have_one_when_it_is_due(
    sweeping: OpenSweeping, agrees: dict[str, Any], becomes: tuple[str, str | None, str]
) -> None:
    here = await sweeping(a_patient(phone="+49 30 1"))
    booked = await visit(here, channel=None)
    one = await here.only()
    assert (one.status, one.reason, one.channel) == ("SCHEDULED", "NO_CHANNEL", None)
    await becomes_of(here, **agrees)
    assert await here() == {becomes[0].lower(): 1}
    async with here.storage.begin(here.clinic.caller) as work:
        shown = await work.reminders.of_appointment(booked.id, after=None, limit=9)
    (kept,) = shown.reminders
    assert (kept.status, kept.reason, kept.channel) == becomes


async def test_without_a_way_what_comes_too_late_or_is_called_off_is_said_to_be_so(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping(a_patient())
    await visit(here, starts_in=MINUTE, channel=None)
    off = await visit(here, starts_in=HOUR, channel=None)
    await cancel(here, off.id)
    assert await here() == {"skipped": 1}
    became = {(one.status, one.reason) for one in await here.reminders()}
    assert became == {("SKIPPED", "TOO_LATE"), ("CANCELLED", "cancelled")}
    assert await here.told("appointment.reminder.failed") == []


async def becomes_of(here: Sweeping, **told: Any) -> None:  # noqa: ANN401
    """Put the first patient anew: this is so when the reminder is due."""
    before = here.clinic.patients[0]
    after = replace(before, **told)
    async with here.storage.begin(here.clinic.caller) as work:
        work.patients.save(put(before, after, expected=None, now=at("08:30")))
