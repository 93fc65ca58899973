"""Reminders that are due: once each, while they help, and never after a cancel."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduling.application.ports.reminders import (
    DispatchFailed,
    OutcomeUnknown,
    Undeliverable,
)
from scheduling.domain.directory import Channel
from scheduling.domain.due_reminder import Notice, Retrying
from scheduling.domain.errors import AppointmentNotFound
from scheduling.domain.status import Status
from tests.builders import a_patient, an_id, at
from tests.contracts.reminding import (
    A_DAY,
    BY_SMS,
    TWO_HOURS,
    OpenSweeping,
    Outgoing,
    cancel,
    sweeping_over,
    visit,
)
from tests.contracts.storages import Storage

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def sweeping(everywhere: Storage) -> OpenSweeping:
    return sweeping_over(everywhere)


async def test_one_that_is_due_is_told_once_with_all_that_a_sender_needs(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping(
        a_patient(preferences=BY_SMS, phone="+49 30 1", language="my")
    )
    booked = await visit(here)
    assert await here() == {"sent": 1}
    assert await here() == {}

    one = await here.only()
    assert (one.status, one.reason, one.attempts) == ("SENT", None, 1)
    assert one.sent_at is not None
    (asked,) = await here.told("notification.requested")
    assert asked["data"] == {
        "notificationId": str(one.id),
        "template": "appointment.reminder",
        "recipientType": "patient",
        "recipientId": str(booked.patient_id),
        "priority": "normal",
        "channel": "sms",
        "references": {
            "appointmentId": str(booked.id),
            "patientId": str(booked.patient_id),
            "practitionerId": str(booked.practitioner_id),
            "locationId": str(booked.location_id),
            "offsetMinutes": "120",
            "start": booked.period.start.isoformat().replace("+00:00", "Z"),
            "timezone": "UTC",
            "language": "my",
        },
        "sourceEventId": None,
    }
    (told,) = await here.told("appointment.reminder.sent")
    assert told["subject"] == str(one.id)
    assert told["data"]["appointmentId"] == str(booked.id)


async def test_one_that_is_not_due_yet_waits(sweeping: OpenSweeping) -> None:
    here = await sweeping()
    await visit(here, starts_in=2 * HOUR + MINUTE)
    assert await here() == {}
    assert (await here.only()).status == "SCHEDULED"


@pytest.mark.parametrize(
    ("starts_in", "minutes", "becomes"),
    [
        # A worker that was down for three hours.
        (21 * HOUR, A_DAY, ("SENT", None)),
        (-1 * HOUR, TWO_HOURS, ("SKIPPED", "TOO_LATE")),
        (-1 * MINUTE, A_DAY, ("SKIPPED", "TOO_LATE")),
        (6 * MINUTE, TWO_HOURS, ("SENT", None)),
        (4 * MINUTE, TWO_HOURS, ("SKIPPED", "TOO_LATE")),
        (2 * MINUTE, 3, ("SENT", None)),
        (1 * MINUTE, 3, ("SKIPPED", "TOO_LATE")),
    ],
)
async def test_late_it_is_sent_while_it_helps_and_never_after_the_start(
    sweeping: OpenSweeping, starts_in: timedelta, minutes: int, becomes: tuple[str, str]
) -> None:
    here = await sweeping()
    await visit(here, starts_in=starts_in, minutes=(minutes,))
    await here()
    one = await here.only()
    assert (one.status, one.reason) == becomes
    assert len(await here.told("notification.requested")) == (becomes[0] == "SENT")


async def test_of_two_that_are_due_at_once_the_later_one_is_enough(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping()
    await visit(here, starts_in=HOUR, minutes=(A_DAY, TWO_HOURS))
    assert await here() == {"sent": 1, "skipped": 1}
    became = {one.offset_minutes: one.status for one in await here.reminders()}
    assert became == {A_DAY: "SKIPPED", TWO_HOURS: "SENT"}


async def test_what_was_sent_for_the_old_time_is_no_later_one_of_the_new(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping()
    await visit(here, starts_in=21 * HOUR, minutes=(A_DAY, TWO_HOURS))
    early, late = sorted(await here.reminders(), key=lambda one: one.due_at)
    long_ago = datetime.now(UTC) - 24 * HOUR
    await here.change(late.id, status="SENT", due_at=long_ago, appointment_version=9)
    assert await here() == {"sent": 1}
    assert early.offset_minutes == A_DAY


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        (Status.CANCELLED, ("CANCELLED", "cancelled")),
        (Status.PROPOSED, ("CANCELLED", "proposed")),
        (Status.NO_SHOW, ("CANCELLED", "no-show")),
        (Status.COMPLETED, ("CANCELLED", "completed")),
        (Status.ENTERED_IN_ERROR, ("CANCELLED", "entered-in-error")),
        (Status.ARRIVED, ("SKIPPED", "TOO_LATE")),
        (Status.IN_PROGRESS, ("SKIPPED", "TOO_LATE")),
        (Status.PENDING, ("SENT", None)),
        (Status.BOOKED, ("SENT", None)),
        (Status.CONFIRMED, ("SENT", None)),
    ],
)
async def test_only_who_still_comes_is_reminded(
    sweeping: OpenSweeping, status: Status, becomes: tuple[str, str]
) -> None:
    here = await sweeping()
    await visit(here, status=status)
    await here()
    one = await here.only()
    assert (one.status, one.reason) == becomes
    assert len(await here.told("notification.requested")) == (becomes[0] == "SENT")


async def test_of_a_cancelled_one_nothing_is_sent(sweeping: OpenSweeping) -> None:
    here = await sweeping()
    booked = await visit(here)
    await cancel(here, booked.id)
    assert await here() == {}
    one = await here.only()
    assert (one.status, one.reason) == ("CANCELLED", "cancelled")


async def test_a_patient_who_was_forgotten_is_not_reminded(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping()
    await visit(here)
    async with here.storage.begin(here.clinic.caller) as work:
        work.patients.save(here.clinic.patients[0].forgotten(at("08:30")))
    await here()
    assert (await here.only()).reason == "PATIENT_INACTIVE"


async def test_many_are_looked_at_in_batches_each_once(sweeping: OpenSweeping) -> None:
    here = await sweeping()
    for n in range(25):
        await visit(here, patient=n % 4)
    assert await here(batch=4, lanes=3) == {"sent": 25}
    asked = await here.told("notification.requested")
    assert len({one["data"]["notificationId"] for one in asked}) == len(asked) == 25


async def test_one_bad_recipient_stops_nobody(sweeping: OpenSweeping) -> None:
    here = await sweeping()
    for patient in range(4):
        await visit(here, patient=patient)
    out = Outgoing()
    ids = [one.id for one in here.clinic.patients]
    out.refusals = {
        ids[0]: [Undeliverable("SMTP_550")],
        ids[1]: [DispatchFailed("SMTP_UNREACHABLE")],
        ids[2]: [OutcomeUnknown("OUTCOME_UNKNOWN")],
    }
    assert await here(out) == {"failed": 2, "put-off": 1, "sent": 1}
    assert [one.reminder.patient_id for one in out.sent] == [ids[3]]
    reasons = {one.reason for one in await here.reminders() if one.status == "FAILED"}
    assert reasons == {"SMTP_550", "OUTCOME_UNKNOWN"}
    told = await here.told("appointment.reminder.failed")
    assert {one["data"]["reason"] for one in told} == reasons


async def test_a_fault_nobody_thought_of_stops_nobody_else_and_is_told(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping()
    for patient in range(3):
        await visit(here, patient=patient)
    out = Outgoing()
    out.refusals = {here.clinic.patients[1].id: [RuntimeError("a defect")]}
    with pytest.RaisesGroup(RuntimeError):
        await here(out, lanes=3)
    await here(out)
    reached = {one.reminder.patient_id for one in out.sent}
    assert reached == {here.clinic.patients[0].id, here.clinic.patients[2].id}
    assert set(out.times.values()) == {1}


async def test_what_fails_is_tried_again_later_and_later_and_then_given_up(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping()
    booked = await visit(here, starts_in=21 * HOUR, minutes=(A_DAY,))
    out = Outgoing()
    out.refusals = {booked.patient_id: [DispatchFailed("HTTP_503")] * 3}
    retrying = Retrying(attempts=3, first_pause=MINUTE, longest_pause=HOUR)
    pauses = []
    for attempt in (1, 2):
        assert await here(out, retrying=retrying) == {"put-off": 1}
        one = await here.only()
        assert (one.status, one.reason, one.attempts) == (
            "SCHEDULED",
            "HTTP_503",
            attempt,
        )
        assert one.sending_since is None
        assert one.attempt_at is not None
        pauses.append(one.attempt_at - datetime.now(UTC))
        assert await here(out, retrying=retrying) == {}  # not before its time
        await here.change(one.id, attempt_at=datetime.now(UTC) - MINUTE)
    assert [round(pause / MINUTE) for pause in pauses] == [1, 2]
    assert await here(out, retrying=retrying) == {"failed": 1}
    one = await here.only()
    assert (one.status, one.reason, one.attempts) == ("FAILED", "HTTP_503", 3)
    (told,) = await here.told("appointment.reminder.failed")
    assert (told["data"]["reason"], told["data"]["attempts"]) == ("HTTP_503", 3)
    assert out.sent == []


async def test_it_is_not_put_off_beyond_what_it_is_good_for(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping()
    booked = await visit(here, starts_in=6 * MINUTE)
    out = Outgoing()
    out.refusals = {booked.patient_id: [DispatchFailed("HTTP_503")]}
    slow = Retrying(first_pause=2 * MINUTE)
    assert await here(out, retrying=slow) == {"failed": 1}


@pytest.mark.parametrize(
    ("repeatable", "becomes"),
    [(False, ("FAILED", "OUTCOME_UNKNOWN")), (True, ("SENT", None))],
)
async def test_of_a_sender_that_died_it_is_sent_again_only_where_that_is_known(
    sweeping: OpenSweeping, *, repeatable: bool, becomes: tuple[str, str | None]
) -> None:
    here = await sweeping()
    await visit(here)
    one = await here.only()
    long_ago = datetime.now(UTC) - HOUR
    await here.change(one.id, sending_since=long_ago, attempts=1)
    out = Outgoing(repeatable=repeatable)
    await here(out)
    one = await here.only()
    assert (one.status, one.reason) == becomes
    assert len(out.sent) == repeatable


async def test_one_that_is_being_sent_is_left_alone(sweeping: OpenSweeping) -> None:
    here = await sweeping()
    await visit(here)
    async with here.storage.begin(here.clinic.caller) as work:
        (due,) = await work.reminders.claim(10)
        assert await here() == {}  # somebody has it
        work.reminders.settle(Notice(due, Channel.SMS).being_sent(lease=HOUR))
    assert await here() == {}  # and is at it
    assert (await here.only()).attempts == 1


async def test_two_sweepers_send_it_once(sweeping: OpenSweeping) -> None:
    here = await sweeping()
    for n in range(12):
        await visit(here, patient=n % 4)
    out = Outgoing()
    await here(out, lanes=8)
    assert set(out.times.values()) == {1}
    assert len(out.times) == 12


async def test_the_reminders_of_an_appointment_are_read_page_by_page(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping()
    booked = await visit(here, starts_in=30 * HOUR, minutes=(A_DAY, TWO_HOURS, 30))
    async with here.storage.begin(here.clinic.caller) as work:
        first = await work.reminders.of_appointment(booked.id, after=None, limit=2)
        assert first.patient_id == booked.patient_id
        assert [one.offset_minutes for one in first.reminders] == [A_DAY, TWO_HOURS]
        last = first.reminders[-1]
        rest = await work.reminders.of_appointment(
            booked.id, after=(last.due_at, last.id), limit=2
        )
        assert [one.offset_minutes for one in rest.reminders] == [30]
        with pytest.raises(AppointmentNotFound):
            await work.reminders.of_appointment(an_id(), after=None, limit=2)


async def test_an_appointment_without_reminders_has_an_empty_page(
    sweeping: OpenSweeping,
) -> None:
    here = await sweeping()
    booked = await visit(here, minutes=())
    async with here.storage.begin(here.clinic.caller) as work:
        page = await work.reminders.of_appointment(booked.id, after=None, limit=2)
    assert page.reminders == []
