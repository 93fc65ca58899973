"""Old and new by field: everything that changed, and nobody's words."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta, timezone
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson
import pytest

from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.changes import PERSONAL, REDACTED, changes_between
from scheduling.domain.claim import ActorKind, Resource
from scheduling.domain.directory import (
    ContactPreferences,
    Location,
    Patient,
    Practitioner,
)
from scheduling.domain.identifiers import AppointmentId, ScheduleId
from scheduling.domain.period import Period
from scheduling.domain.schedule import (
    Day,
    Hours,
    NotAvailable,
    PractitionerRole,
    Schedule,
    WeeklyRule,
)
from scheduling.domain.schedule_exception import ScheduleException
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import Slot
from scheduling.domain.status import Status
from scheduling.domain.waitlist import WaitlistEntry
from scheduling.domain.waitlist_offer import OfferedTime, WaitlistOffer
from tests.builders import EIGHT, a_patient, a_role, an_id, between

AGGREGATES: tuple[Any, ...] = (
    Appointment,
    Hours,
    Location,
    Patient,
    Practitioner,
    NotAvailable,
    PractitionerRole,
    Schedule,
    ScheduleException,
    Settings,
    Slot,
    WaitlistEntry,
    WaitlistOffer,
    OfferedTime,
    WeeklyRule,
)

CODES = {
    "appointment_type",
    "code",
    "language",
    "country",
    "held_by",
    "service_type",
    "service_types",
    "source_event_id",
    "specialties",
    "status_reason_code",
    "subdivision",
    "timezone",
}
"""Texts that are no free text: codes, and the subject of a token."""


def an_appointment(**told: Any) -> Appointment:  # noqa: ANN401
    return Appointment(
        **{
            "id": AppointmentId(an_id()),
            "patient_id": an_id(),
            "practitioner_id": an_id(),
            "location_id": an_id(),
            "schedule_id": ScheduleId(an_id()),
            "slot_ids": (an_id(),),
            "period": between("09:00", "10:00"),
            "timezone": "UTC",
            "appointment_type": "consultation",
            "status": Status.BOOKED,
            "created_at": EIGHT,
            "updated_at": EIGHT,
            **told,
        }
    )


def test_of_a_new_thing_every_field_that_it_was_given_is_told() -> None:
    one = an_appointment(
        reason="knee", resources=(Resource(ActorKind.ROOM, an_id()),), overbooked=True
    )
    assert changes_between(None, one) == {
        "patientId": (None, str(one.patient_id)),
        "practitionerId": (None, str(one.practitioner_id)),
        "locationId": (None, str(one.location_id)),
        "scheduleId": (None, str(one.schedule_id)),
        "slotIds": (None, [str(one.slot_ids[0])]),
        "start": (None, one.period.start.isoformat().replace("+00:00", "Z")),
        "end": (None, one.period.end.isoformat().replace("+00:00", "Z")),
        "timezone": (None, "UTC"),
        "appointmentType": (None, "consultation"),
        "status": (None, "booked"),
        "reason": (None, REDACTED),
        "resources": (None, [{"kind": "room", "id": str(one.resources[0].id)}]),
        "overbooked": (None, True),
    }


def test_of_a_changed_thing_exactly_what_changed_is_told() -> None:
    one = an_appointment()
    later = replace(
        one,
        status=Status.CANCELLED,
        status_reason_code=CancelReason.PATIENT,
        cancelled_by=Initiator.STAFF,
        version=2,
        updated_at=EIGHT + timedelta(hours=1),
    )
    assert changes_between(one, later) == {
        "status": ("booked", "cancelled"),
        "reasonCode": (None, "patient"),
        "cancelledBy": (None, "staff"),
    }
    assert changes_between(later, replace(later, version=3)) == {}


def test_a_value_that_is_taken_away_is_told_too() -> None:
    held = an_appointment(hold_expires_at=EIGHT, notes="left-handed")
    free = replace(held, hold_expires_at=None, notes=None)
    assert changes_between(held, free) == {
        "holdExpiresAt": (EIGHT.isoformat().replace("+00:00", "Z"), None),
        "notes": (REDACTED, None),
    }


def test_who_holds_a_seat_is_told_by_the_record_and_not_among_its_fields() -> None:
    """A patient reads what changed, and not who of the staff it was."""
    hold = an_appointment(
        status=Status.PENDING, held_by="reception-3", hold_expires_at=EIGHT
    )
    assert "reception-3" not in repr(changes_between(None, hold))
    booked = replace(hold, status=Status.BOOKED, held_by=None, hold_expires_at=None)
    assert set(changes_between(hold, booked)) == {"status", "holdExpiresAt"}


def test_a_moved_visit_tells_the_fields_of_its_period() -> None:
    one = an_appointment()
    moved = replace(one, period=Period.of(one.period.start, timedelta(minutes=30)))
    (name,) = changes_between(one, moved)
    assert name == "end"


def test_personal_fields_are_told_as_changed_and_never_quoted() -> None:
    one = a_patient(name="Maria", phone="+49 1", email="maria@example.org")
    married = replace(one, name="Maria Silva", phone=None, file_number="7")
    assert changes_between(one, married) == {
        "name": (REDACTED, REDACTED),
        "phone": (REDACTED, None),
        "fileNumber": (None, REDACTED),
    }


def test_parts_are_compared_field_by_field() -> None:
    one = a_patient(preferences=ContactPreferences(sms=True))
    other = replace(one, preferences=ContactPreferences(sms=True, email=True))
    assert changes_between(one, other) == {"preferences.email": (False, True)}
    limited = Settings(limits=Limits(per_practitioner_day=3))
    assert changes_between(Settings(), limited) == {
        "limits.perPractitionerDay": (None, 3)
    }


def test_rules_are_told_whole_and_texts_in_them_are_not() -> None:
    away = NotAvailable(period=between("09:00", "10:00"), description="dentist")
    hours = WeeklyRule(days=(Day.MON,), start=time(9), end=time(17), slot_minutes=30)
    role = a_role(availability=(hours,))
    told = changes_between(role, replace(role, not_available=(away,)))
    assert told["notAvailable"][0] == []
    assert told["notAvailable"][1] == [
        {
            "period": {
                "start": away.period.start.isoformat().replace("+00:00", "Z"),
                "end": away.period.end.isoformat().replace("+00:00", "Z"),
            },
            "description": REDACTED,
        }
    ]
    ill = replace(away, description="ill")
    again = changes_between(
        replace(role, not_available=(away,)), replace(role, not_available=(ill,))
    )
    assert again["notAvailable"][0] == again["notAvailable"][1]
    made: Any = changes_between(None, role)["availability"][1]
    (rule,) = made
    assert rule["days"] == ["mon"]
    assert (rule["start"], rule["end"]) == ("09:00", "17:00")


def test_instants_are_told_in_utc_whatever_their_offset() -> None:
    there = datetime(2030, 1, 7, 9, tzinfo=timezone(timedelta(hours=-3)))
    here = there.astimezone(UTC)
    assert changes_between(
        an_appointment(hold_expires_at=EIGHT), an_appointment(hold_expires_at=there)
    )["holdExpiresAt"][1] == here.isoformat().replace("+00:00", "Z")


def test_what_json_keeps_is_what_was_told() -> None:
    """A record read back from storage is equal to the one that was written."""
    told = changes_between(None, an_appointment(reason="knee"))
    again = {k: tuple(v) for k, v in orjson.loads(orjson.dumps(told)).items()}
    assert again == told


@pytest.mark.parametrize("kind", AGGREGATES, ids=lambda kind: kind.__name__)
def test_every_text_of_an_aggregate_is_personal_or_known_to_be_a_code(
    kind: Any,  # noqa: ANN401
) -> None:
    hints = get_type_hints(kind)
    texts = {one.name for one in fields(kind) if str in _kinds_in(hints[one.name])}
    assert texts - CODES <= PERSONAL
    assert not CODES & PERSONAL


def _kinds_in(hint: Any) -> set[Any]:  # noqa: ANN401
    if get_origin(hint) in {Union, UnionType, tuple}:
        return set().union(*(_kinds_in(one) for one in get_args(hint)))
    return {hint}


def test_a_kind_of_value_that_nobody_thought_of_is_a_defect() -> None:
    @dataclass(frozen=True)
    class Odd:
        length: timedelta

    with pytest.raises(TypeError, match="timedelta"):
        changes_between(None, Odd(timedelta(1)))
