from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from scheduling.domain.directory import Channel, ContactPreferences
from scheduling.domain.due_reminder import (
    Contact,
    DueReminder,
    Notice,
    Reach,
    Retrying,
    SettledReminder,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    TenantId,
)
from scheduling.domain.reminder import ReminderStatus, Why
from scheduling.domain.status import Status

NOW = datetime(2030, 1, 7, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ALL_WAYS = ContactPreferences(whatsapp=True, sms=True, email=True)


def a_due_one(**told: Any) -> DueReminder:  # noqa: ANN401
    return DueReminder(
        **{
            "tenant_id": TenantId(uuid4()),
            "id": uuid4(),
            "appointment_id": AppointmentId(uuid4()),
            "patient_id": PatientId(uuid4()),
            "practitioner_id": PractitionerId(uuid4()),
            "location_id": LocationId(uuid4()),
            "start": NOW + timedelta(hours=2),
            "status": Status.BOOKED,
            "offset_minutes": 120,
            "channel": Channel.SMS,
            "look_at": NOW,
            "attempts": 0,
            "reason": None,
            "sending_since": None,
            "overtaken": False,
            "patient_active": True,
            "contact": Contact(ContactPreferences(sms=True), phone="+49 30 1"),
            "location_name": "Clinic",
            "timezone": "UTC",
            "now": NOW,
            **told,
        }
    )


@pytest.mark.parametrize(
    ("preferences", "phone", "email", "reach", "channel"),
    [
        (ALL_WAYS, "1", "a@b", Reach(), "whatsapp"),
        (ALL_WAYS, None, "a@b", Reach(), "email"),
        (ALL_WAYS, None, None, Reach(), None),
        (ALL_WAYS, None, None, Reach(looks_up=True), "whatsapp"),
        (ALL_WAYS, None, "a@b", Reach(looks_up=True), "email"),
        (ALL_WAYS, "1", "a@b", Reach(frozenset({Channel.EMAIL})), "email"),
        (ALL_WAYS, "1", None, Reach(frozenset({Channel.EMAIL})), None),
        (ContactPreferences(sms=True), "1", "a@b", Reach(), "sms"),
        (ContactPreferences(), "1", "a@b", Reach(looks_up=True), None),
    ],
)
def test_the_way_is_agreed_to_leads_somewhere_and_can_be_gone(
    preferences: ContactPreferences,
    phone: str | None,
    email: str | None,
    reach: Reach,
    channel: str | None,
) -> None:
    assert Contact(preferences, phone, email).channel(reach) == channel


def test_a_contact_does_not_show_itself() -> None:
    due = a_due_one(contact=Contact(ALL_WAYS, "+49 marker", "marker@x.org"))
    assert "marker" not in f"{due!r} {Notice(due, Channel.SMS)!r}"


@pytest.mark.parametrize("offset", [1, 9, 10, 120, 1440])
def test_it_helps_until_five_minutes_before_or_half_of_what_was_left(
    offset: int,
) -> None:
    due = a_due_one(offset_minutes=offset)
    assert due.of_use_until == due.start - min(5 * MINUTE, offset * MINUTE / 2)
    last = a_due_one(offset_minutes=offset, start=NOW + (due.start - due.of_use_until))
    assert isinstance(last.judged(Reach()), Notice)
    late = a_due_one(offset_minutes=offset, start=last.start - timedelta(seconds=1))
    assert isinstance(late.judged(Reach()), SettledReminder)


def test_what_was_tried_and_is_too_late_has_failed_by_its_last_reason() -> None:
    due = a_due_one(start=NOW, attempts=2, reason="SMTP_450")
    judged = due.judged(Reach())
    assert isinstance(judged, SettledReminder)
    assert (judged.status, judged.reason) == (ReminderStatus.FAILED, "SMTP_450")
    assert len(judged.events) == 1


def test_that_a_patient_is_gone_is_said_before_that_there_is_no_way() -> None:
    due = a_due_one(patient_active=False, contact=Contact(ContactPreferences()))
    judged = due.judged(Reach())
    assert isinstance(judged, SettledReminder)
    assert judged.reason == Why.PATIENT_INACTIVE


def test_a_send_that_is_ours_is_no_dead_ones() -> None:
    due = a_due_one(sending_since=NOW)
    assert isinstance(due.judged(Reach(), ours=True), Notice)
    unknown = due.judged(Reach())
    assert isinstance(unknown, SettledReminder)
    assert unknown.reason == Why.OUTCOME_UNKNOWN


@pytest.mark.parametrize("late", [False, True])
def test_one_that_was_never_tried_by_any_way_is_skipped_and_has_not_failed(
    *, late: bool
) -> None:
    nobody = Contact(ContactPreferences())
    start = NOW if late else NOW + 120 * MINUTE
    due = a_due_one(channel=None, reason="NO_CHANNEL", contact=nobody, start=start)
    judged = due.judged(Reach())
    assert isinstance(judged, SettledReminder)
    why = Why.TOO_LATE if late else Why.NO_CHANNEL
    assert (judged.status, judged.reason) == (ReminderStatus.SKIPPED, why)
    assert (judged.channel, judged.events) == (None, ())


def test_pauses_double_up_to_the_longest() -> None:
    retrying = Retrying(first_pause=MINUTE, longest_pause=10 * MINUTE)
    pauses = [retrying.pause_after(n) / MINUTE for n in (1, 2, 3, 4, 5, 99)]
    assert pauses == [1, 2, 4, 8, 10, 10]
