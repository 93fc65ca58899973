"""The data of inbound events: read strictly, and by the rules that REST has."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, ValidationError

from scheduling.adapters.cloud_events.fields import Data
from scheduling.adapters.cloud_events.messages import INBOUND, message_of
from scheduling.adapters.cloud_events.own_messages import OWN
from scheduling.adapters.cloud_events.rejections import InvalidMessage, UnknownType
from scheduling.application.ports.messages import (
    AppointmentRequested,
    CalendarNews,
    DoctorCreated,
    PatientNews,
    PractitionerRoleNews,
    RoutedNews,
)
from scheduling.domain.booking_request import BySlot, ByStart
from scheduling.domain.routing import ROUTES
from scheduling.entrypoints.http.booking import BookingBody
from scheduling.entrypoints.http.patients import PatientBody
from scheduling.entrypoints.http.role_bodies import PractitionerRoleBody
from tests.builders import at

ID = str(uuid4())
NINE_TO_FIVE = {
    "daysOfWeek": ["mon"],
    "startTime": "09:00",
    "endTime": "17:00",
    "slotMinutes": 30,
}
PATIENT = {"name": "Marker-Name", "phone": "+49 1", "preferences": {"sms": True}}
ROLE: dict[str, Any] = {
    "practitionerId": ID,
    "locationId": ID,
    "availability": [NINE_TO_FIVE],
    "notAvailable": [{"start": "2030-01-07T09:00:00Z", "end": "2030-01-07T10:00:00Z"}],
}
BY_SLOT = {"patientId": ID, "slotId": ID, "appointmentType": "consultation"}
BY_START = {
    "patientId": ID,
    "practitionerId": ID,
    "locationId": ID,
    "start": "2030-01-07T09:00:00+00:00",
    "durationMinutes": 30,
    "appointmentType": "consultation",
}
DOCTOR = {
    "practitionerId": ID,
    "name": "Dr. Marker",
    "locationId": ID,
    "availability": [NINE_TO_FIVE],
}


def test_a_wish_names_a_slot_or_a_start() -> None:
    by_slot = message_of("portal.appointment.requested", {"requestId": ID, **BY_SLOT})
    assert isinstance(by_slot, AppointmentRequested)
    assert by_slot.request_id == UUID(ID)
    assert isinstance(by_slot.wanted.when, BySlot)
    by_start = message_of("portal.appointment.requested", {"requestId": ID, **BY_START})
    assert isinstance(by_start, AppointmentRequested)
    assert isinstance(by_start.wanted.when, ByStart)
    assert by_start.wanted.when.period.end == at("09:30")


def test_a_role_of_a_doctor_follows_from_who_and_where() -> None:
    first, second = (message_of("doctor.created", DOCTOR) for _ in range(2))
    other = message_of("doctor.created", {**DOCTOR, "locationId": str(uuid4())})
    named = message_of("doctor.created", {**DOCTOR, "practitionerRoleId": ID})
    assert isinstance(first, DoctorCreated)
    assert isinstance(second, DoctorCreated)
    assert isinstance(other, DoctorCreated)
    assert isinstance(named, DoctorCreated)
    assert first.role.id == second.role.id != other.role.id
    assert named.role.id == UUID(ID)


def test_vacations_are_when_a_doctor_is_not_available() -> None:
    away = {"start": "2030-01-08T00:00:00Z", "end": "2030-01-09T00:00:00Z"}
    message = message_of("doctor.created", {**DOCTOR, "vacations": [away]})
    assert isinstance(message, DoctorCreated)
    (absence,) = message.role.not_available
    assert (absence.period.start, absence.period.end) == (
        at("00:00", day=1),
        at("00:00", day=2),
    )


@pytest.mark.parametrize("type", ["patient.created", "patient.updated"])
def test_creating_a_patient_is_told_from_updating_one(type: str) -> None:
    message = message_of(type, {"patientId": ID, **PATIENT})
    assert isinstance(message, PatientNews)
    assert message.created is (type == "patient.created")


def test_the_version_of_our_own_news_is_that_of_the_role() -> None:
    changed = {"scheduleId": ID, "practitionerRoleId": ID, "more": "one day"}
    news = message_of("practitioner-role.changed", changed, version=7, known=OWN)
    assert isinstance(news, CalendarNews)
    assert news.role_version == 7
    staff_made = message_of(
        "schedule.changed", {"scheduleId": ID}, version=7, known=OWN
    )
    assert isinstance(staff_made, CalendarNews)
    assert staff_made.role_version is None


def test_what_nobody_listens_to_is_of_an_unknown_type() -> None:
    for type in ("patient.merged", "practitioner-role.changed", ""):
        with pytest.raises(UnknownType):
            message_of(type, {})


@pytest.mark.parametrize("type", INBOUND)
@pytest.mark.parametrize("data", [None, [], "x", 5, {}, {"Marker-Name": "Marker-Name"}])
def test_data_that_is_none_is_refused(type: str, data: object) -> None:
    with pytest.raises(InvalidMessage) as refused:
        message_of(type, data)
    assert "Marker" not in str(refused.value)


def test_a_refusal_names_fields_and_quotes_nothing() -> None:
    data = {
        "patientId": ID,
        "name": "\x00Marker-Name",
        "phone": "Marker-Phone",
        "email": "Marker-Mail",
        "Marker-Field": "Marker-Value",
        "preferences": {"sms": "Marker"},
    }
    with pytest.raises(InvalidMessage) as refused:
        message_of("patient.updated", data)
    told = str(refused.value)
    assert "phone: string_pattern_mismatch" in told
    assert "(unknown): extra_forbidden" in told
    assert "preferences.sms: bool_type" in told
    assert "marker" not in told.lower()


def test_a_long_list_of_errors_is_cut_short() -> None:
    with pytest.raises(InvalidMessage) as refused:
        message_of("patient.deleted", {f"field-{n}": n for n in range(5000)})
    assert len(str(refused.value)) < 500


def test_a_message_is_not_printed_with_what_is_personal() -> None:
    messages = (
        message_of("patient.created", {"patientId": ID, **PATIENT}),
        message_of("doctor.created", DOCTOR),
        message_of(
            "portal.appointment.requested",
            {"requestId": ID, **BY_SLOT, "reason": "Marker-Reason"},
        ),
    )
    assert "Marker" not in repr(messages)


@pytest.mark.parametrize("type", ROUTES)
def test_each_line_of_the_routing_table_says_what_its_data_is(type: str) -> None:
    route = ROUTES[type]
    needed = {name: str(uuid4()) for name in route.needs}
    optional = {name: str(uuid4()) for name in route.may}
    numbers = dict.fromkeys(route.numbers, 3)
    whole = message_of(type, {**needed, **optional, **numbers})
    assert isinstance(whole, RoutedNews)
    assert whole.type == type
    assert whole.references == {
        **needed,
        **optional,
        **dict.fromkeys(route.numbers, "3"),
    }
    least = message_of(type, needed)
    assert isinstance(least, RoutedNews)
    assert least.references == needed
    for name in needed:
        with pytest.raises(InvalidMessage):
            message_of(type, {**needed, name: None})
    with pytest.raises(InvalidMessage):
        message_of(type, {**needed, "comment": "Marker"})


MISSING: Any = object()
SAME_RULES: list[tuple[str, dict[str, Any], type[BaseModel], dict[str, Any]]] = [
    (
        "patient.updated",
        {"patientId": ID},
        PatientBody,
        PATIENT,
    ),
    (
        "practitioner-role.updated",
        {"practitionerRoleId": ID},
        PractitionerRoleBody,
        ROLE,
    ),
    ("portal.appointment.requested", {"requestId": ID}, BookingBody, BY_SLOT),
    ("portal.appointment.requested", {"requestId": ID}, BookingBody, BY_START),
]
VALUES: list[Any] = [
    MISSING,
    None,
    True,
    "true",
    0,
    1,
    5,
    5.0,
    5.5,
    10_001,
    1441,
    -1,
    "",
    " ",
    "x",
    "x" * 201,
    "x" * 4001,
    "a\x00b",
    "a\nb",
    "+49 1",
    "a@b",
    "Europe/Berlin",
    "localtime",
    "2030-01-07",
    "2030-01-07T09:00:00Z",
    "2030-01-07T09:00:60Z",
    "2030-01-07T09:00:00",
    "9999-12-31T23:59:59-14:00",
    "09:00",
    "24:00",
    "25:00",
    ID,
    "mon",
    [],
    ["mon", "mon"],
    ["mon", "tue"],
    ["x"],
    ["x"] * 2,
    [str(n) for n in range(51)],
    [NINE_TO_FIVE],
    [NINE_TO_FIVE] * 101,
    [{**NINE_TO_FIVE, "slotMinutes": 481}],
    [{**NINE_TO_FIVE, "slotMinutes": 1441}],
    [{**NINE_TO_FIVE, "endTime": "24:00", "capacity": 10_000}],
    [{**NINE_TO_FIVE, "capacity": 10_001}],
    [{**NINE_TO_FIVE, "daysOfWeek": []}],
    [{**NINE_TO_FIVE, "validFrom": "2030-02-01", "validTo": "2030-01-01"}],
    [{**NINE_TO_FIVE, "validFrom": "2030-02-01", "validTo": "2030-02-01"}],
    [{"start": "2030-01-07T09:00:00Z", "end": "2030-01-07T09:00:00Z"}],
    [{"start": "2030-01-07T09:00:00Z", "end": "2030-01-08T09:00:00Z"}] * 501,
    {},
    {"start": "2030-01-07"},
    {"start": "2030-01-07", "end": "2030-01-06"},
    {"sms": 1},
    {"sms": True, "fax": True},
]


@pytest.mark.parametrize(
    ("type", "id", "body", "right"),
    SAME_RULES,
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_an_event_is_read_by_the_rules_of_rest(
    type: str, id: dict[str, Any], body: type[BaseModel], right: dict[str, Any]
) -> None:
    """Where both know a field, whatever stands in it."""
    model = INBOUND[type]
    names = {field.alias for field in model.model_fields.values()} - id.keys()
    shared = names & {field.alias for field in body.model_fields.values()}
    assert shared == names
    accepted = 0
    for name in sorted(str(one) for one in names):
        for value in VALUES:
            data = {**right, name: value}
            if value is MISSING:
                del data[name]
            both = is_right(model, {**id, **data}), is_right(body, data)
            assert both[0] == both[1], (name, value)
            accepted += both[0]
    assert accepted > len(names)


def is_right(model: type[BaseModel], data: dict[str, Any]) -> bool:
    try:
        model.model_validate(data)
    except ValidationError:
        return False
    return True


def test_what_an_event_says_of_a_role_is_what_a_put_says() -> None:
    message = message_of(
        "practitioner-role.created", {"practitionerRoleId": ID, **ROLE}
    )
    assert isinstance(message, PractitionerRoleNews)
    body = PractitionerRoleBody.model_validate(ROLE)
    assert message.role == body.to_role(UUID(ID))


def test_what_an_event_says_of_a_patient_is_what_a_put_says() -> None:
    message = message_of("patient.updated", {"patientId": ID, **PATIENT})
    assert isinstance(message, PatientNews)
    assert message.patient == PatientBody.model_validate(PATIENT).to_patient(UUID(ID))


def test_all_data_refuses_what_it_does_not_know() -> None:
    for model in INBOUND.values():
        assert issubclass(model, Data)
        assert model.model_config["extra"] == "forbid"
