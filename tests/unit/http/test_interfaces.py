"""The outside of the service as it was agreed: each route, each name, each code.

Clients are written from that agreement. What is there besides is told by the document.
"""

import json
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from scheduling.entrypoints.http.app import Wired, create_app

Document = dict[str, Any]

APPOINTMENT = (
    "id patientId practitionerId locationId slotIds start end timezone durationMinutes "
    "appointmentType status reason? notes? participants overbooked holdExpiresAt? "
    "subFileId? createdAt updatedAt version"
)
SLOT = (
    "id scheduleId practitionerId locationId start end timezone status capacity booked "
    "remaining serviceTypes version"
)
AVAILABLE = (
    "slotId scheduleId practitionerId locationId start end timezone remaining "
    "serviceTypes"
)
WINDOW = (
    "daysOfWeek startTime endTime slotMinutes capacity serviceTypes validFrom validTo"
)
ROLE = (
    "id practitionerId locationId active specialties serviceTypes timezone period "
    "availability notAvailable version"
)
RUN = (
    "generationRunId created updated retired retained conflicts unchanged firstDay "
    "lastDay"
)
PAGE = "items nextCursor"
HERE = "locationId practitionerId timezone"

QUERIES = {
    "/v1/availability": "practitionerId locationId specialty serviceType from to "
    "patientId timezone limit cursor",
    "/v1/availability/next": "practitionerId locationId specialty serviceType from "
    "patientId timezone",
    "/v1/availability/explain": "practitionerId locationId from to patientId "
    "serviceType timezone",
    "/v1/locations/available": "date limit cursor",
    "/v1/practitioners/{id}/slots": "date from to limit cursor",
    "/v1/locations/{id}/slots": "from to limit cursor",
    "/v1/slots/{id}": "id",
    "/v1/slots/{id}/waitlist-candidates": "id",
    "/v1/appointments/{id}": "id",
    "/v1/appointments/{id}/history": "id limit cursor",
    "/v1/appointments/{id}/reminders": "id limit cursor",
    "/v1/patients/{id}/sub-files": "id limit cursor",
    "/v1/practitioners/{id}/notifications": "id unread language limit cursor",
    "/v1/appointments/today": f"{HERE} limit cursor",
    "/v1/appointments/upcoming": f"{HERE} limit cursor summary",
    "/v1/patients/{id}/appointments": "id status limit cursor",
    "/v1/calendar": f"from to {HERE}",
    "/v1/events/stream": "Last-Event-ID locationId practitionerId",
    "/v1/locations": "active limit cursor",
    "/v1/practitioners": "locationId active limit cursor",
    "/v1/schedules": "actorId limit cursor",
    "/v1/schedules/{id}": "id",
    "/v1/schedules/{id}/slots": "id status limit cursor",
    "/v1/schedules/{id}/exceptions": "id limit cursor",
    "/v1/schedules/{id}/generation-runs": "id limit cursor",
    "/v1/practitioner-roles/{id}": "id",
    "/v1/waitlist": "status limit cursor",
    "/v1/settings": "",
    "/v1/statistics": f"from to {HERE}",
    "/livez": "",
    "/readyz": "",
    "/metrics": "",
}
"""What is read by GET, and its parameters."""

# A mark of interrogation: it may be left out.
BODIES = {
    "POST /v1/slots": "scheduleId start end capacity? serviceTypes?",
    "POST /v1/slots/{id}/block": "version?",
    "POST /v1/slots/{id}/unblock": "version?",
    "POST /v1/slots/{id}/hold": "patientId",
    "POST /v1/appointments": "patientId slotId? practitionerId? locationId? start? "
    "durationMinutes? appointmentType reason? notes? resources? holdId? "
    "allowDoubleBooking? overrideReason?",
    "POST /v1/appointments/self-book": "slotId? practitionerId? locationId? start? "
    "durationMinutes? appointmentType reason?",
    "POST /v1/appointments/series": "patientId slotId? practitionerId? locationId? "
    "start? durationMinutes? appointmentType occurrences",
    "PATCH /v1/appointments/{id}": "appointmentType? notes? durationMinutes? "
    "practitionerId? version?",
    "POST /v1/appointments/{id}/reschedule": "slotId? start? practitionerId? "
    "locationId? durationMinutes? reason? version?",
    "POST /v1/appointments/{id}/cancel": "reasonCode initiatedBy comment? version?",
    "POST /v1/appointments/{id}/check-in": "version?",
    "POST /v1/appointments/{id}/status": "status reasonCode? comment? version?",
    "POST /v1/appointments/status": "items",
    "POST /v1/schedules": "practitionerId locationId timezone? availability? "
    "horizonDays?",
    "POST /v1/schedules/{id}/exceptions": "kind date? start? end? windows? reason?",
    "POST /v1/schedules/{id}/generate": "dryRun?",
    "POST /v1/schedules/preview": "availability timezone from to exceptions?",
    "POST /v1/waitlist": "patientId practitionerIds? locationIds? serviceType? "
    "earliest latest priority?",
    "POST /v1/waitlist/{id}/fulfil": "version?",
    "POST /v1/waitlist/{id}/offer": "slotId appointmentType? version?",
    "PUT /v1/settings": "bufferMinutes? minimumNoticeMinutes? horizonDays? "
    "holdMinutes? reminderOffsetsMinutes? noShowGraceMinutes? limits? timezone?",
    "PUT /v1/practitioners/{id}": "name active? specialties?",
    "PUT /v1/locations/{id}": "name code timezone country? subdivision? active?",
    "POST /v1/patients/search": "query limit?",
    "PUT /v1/patients/{id}": "name active? fileNumber? phone? email? preferences? "
    "language?",
    "PUT /v1/practitioner-roles/{id}": "practitionerId locationId active? "
    "specialties? serviceTypes? timezone? period? availability? notAvailable?",
    "PATCH /v1/practitioner-roles/{id}": "practitionerId? locationId? active? "
    "specialties? serviceTypes? timezone? period? availability? notAvailable? "
    "version?",
}
"""What is asked for by a body. `occurrences` and `items` are ours: the agreement names
series and bulk changes without their shapes."""

INSIDE = {
    ("PUT /v1/settings", "limits"): "perPractitionerDay perPractitionerWeek",
    ("PUT /v1/patients/{id}", "preferences"): "whatsapp sms email",
    ("PUT /v1/practitioner-roles/{id}", "period"): "start end",
    ("PUT /v1/practitioner-roles/{id}", "availability"): WINDOW,
    ("PUT /v1/practitioner-roles/{id}", "notAvailable"): "start end description",
    ("PATCH /v1/practitioner-roles/{id}", "period"): "start end",
    ("PATCH /v1/practitioner-roles/{id}", "availability"): WINDOW,
    ("PATCH /v1/practitioner-roles/{id}", "notAvailable"): "start end description",
    ("POST /v1/schedules", "availability"): WINDOW,
    ("POST /v1/schedules/preview", "availability"): WINDOW,
    ("POST /v1/schedules/preview", "exceptions"): "kind date start end windows reason",
    ("POST /v1/schedules/{id}/exceptions", "windows"): "startTime endTime slotMinutes "
    "capacity serviceTypes",
    ("POST /v1/appointments", "resources"): "type id",
}

ANSWERS = {
    "POST /v1/slots": SLOT,
    "GET /v1/slots/{id}": SLOT,
    "POST /v1/slots/{id}/block": SLOT,
    "POST /v1/slots/{id}/unblock": SLOT,
    "POST /v1/slots/{id}/hold": APPOINTMENT,
    "DELETE /v1/holds/{id}": APPOINTMENT,
    "POST /v1/appointments": APPOINTMENT,
    "POST /v1/appointments/self-book": APPOINTMENT,
    "GET /v1/appointments/{id}": APPOINTMENT,
    "PATCH /v1/appointments/{id}": APPOINTMENT,
    "POST /v1/appointments/{id}/reschedule": APPOINTMENT,
    "POST /v1/appointments/{id}/cancel": APPOINTMENT,
    "POST /v1/appointments/{id}/check-in": APPOINTMENT,
    "POST /v1/appointments/{id}/status": APPOINTMENT,
    "GET /v1/settings": BODIES["PUT /v1/settings"].replace("?", ""),
    "DELETE /v1/waitlist/{id}": "id patientId practitionerIds locationIds serviceType? "
    "earliest latest priority status version",
    "POST /v1/waitlist/{id}/offer": "id patientId status offer version",
    "GET /v1/waitlist/{id}": "id patientId patientName status offer version",
    "DELETE /v1/schedules/{id}/exceptions/{exceptionId}": "id kind "
    "affectedAppointments",
    "PATCH /v1/practitioner-roles/{id}": f"{ROLE} affectedAppointments",
    "DELETE /v1/practitioner-roles/{id}": "id version affectedAppointments",
    "POST /v1/schedules/{id}/generate": f"{RUN} dryRun",
}
LISTS = {
    "GET /v1/availability": AVAILABLE,
    "GET /v1/availability/next": AVAILABLE,
    "GET /v1/availability/explain": "start end reasons",
    "GET /v1/locations/available": "locationId",
    "GET /v1/practitioners/{id}/slots": SLOT,
    "GET /v1/locations/{id}/slots": SLOT,
    "GET /v1/schedules/{id}/slots": SLOT,
    "GET /v1/appointments/today": APPOINTMENT,
    "GET /v1/appointments/upcoming": APPOINTMENT,
    "GET /v1/patients/{id}/appointments": APPOINTMENT,
    "GET /v1/patients/{id}/sub-files": "id number patientId locationId practitionerId "
    "status openedAt",
    "GET /v1/practitioners/{id}/notifications": "id title patientId start timezone "
    "serviceType link readAt",
    "GET /v1/schedules": "id practitionerId locationId timezone availability",
    "GET /v1/schedules/{id}/exceptions": "id kind date start end windows reason",
    "GET /v1/schedules/{id}/generation-runs": RUN,
    "GET /v1/waitlist": "id patientId patientName practitionerIds locationIds "
    "serviceType earliest latest priority status",
    "GET /v1/slots/{id}/waitlist-candidates": "entry patientName",
    "POST /v1/schedules/preview": "start end capacity",
}
"""What the items are."""

WITHOUT_PAGES = {
    "GET /v1/availability/next",
    "GET /v1/availability/explain",
    "GET /v1/slots/{id}/waitlist-candidates",
}

CODES = {
    "SLOT_NOT_AVAILABLE": {409},
    "NEW_SLOT_NOT_AVAILABLE": {409},
    "DOUBLE_BOOKING_DETECTED": {409},
    "DOUBLE_BOOKING_OVERRIDE_DENIED": {403},
    "BUFFER_TIME_CONFLICT": {409},
    "OUTSIDE_SCHEDULE": {409},
    "OUTSIDE_BOOKING_WINDOW": {409},
    "BOOKING_LIMIT_REACHED": {409},
    "PRACTITIONER_NOT_AVAILABLE": {409},
    "PRACTITIONER_NOT_ASSIGNED": {409},
    "OPTIMISTIC_LOCK_CONFLICT": {409, 412},
    "INVALID_STATUS_TRANSITION": {409},
    "HOLD_EXPIRED": {409},
    "APPOINTMENT_NOT_FOUND": {404},
    "SCHEDULE_NOT_FOUND": {404},
    "SLOT_NOT_FOUND": {404},
    "PATIENT_NOT_FOUND": {404},
    "PRACTITIONER_NOT_FOUND": {404},
    "LOCATION_NOT_FOUND": {404},
    "WAITLIST_ENTRY_NOT_FOUND": {404},
    "PATIENT_ID_CLAIM_REQUIRED": {400},
    "IDEMPOTENCY_KEY_REUSED": {422},
    "VALIDATION_FAILED": {400, 422},
    "PRECONDITION_REQUIRED": {428},
    "UNAUTHENTICATED": {401},
    "FORBIDDEN": {403},
    "RATE_LIMITED": {429},
    "SERVICE_UNAVAILABLE": {503},
}


def unwired() -> AbstractAsyncContextManager[Wired]:
    raise NotImplementedError("nothing is served here")


@pytest.fixture(scope="module")
def document() -> Document:
    read: Document = json.loads(json.dumps(create_app(unwired).openapi()))
    return read


def names(told: str) -> set[str]:
    return {one.rstrip("?") for one in told.split()}


def operation(document: Document, route: str) -> Document:
    method, path = route.split()
    found: Document = document["paths"][path][method.lower()]
    return found


def shape(document: Document, schema: Document) -> Document:
    """Return the object that a schema is, or is an array of, or null."""
    while "properties" not in schema:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
        elif "items" in schema:
            schema = schema["items"]
        else:
            [schema] = [one for one in schema["anyOf"] if one.get("type") != "null"]
    return schema


def body(document: Document, route: str) -> Document:
    content = operation(document, route)["requestBody"]["content"]
    return shape(document, content["application/json"]["schema"])


def answer(document: Document, route: str) -> Document:
    responses = operation(document, route)["responses"]
    [success] = {status for status in responses if status in {"200", "201"}}
    return shape(document, responses[success]["content"]["application/json"]["schema"])


@pytest.mark.parametrize("path", QUERIES)
def test_what_is_read_is_asked_for_by_the_agreed_names(
    document: Document, path: str
) -> None:
    parameters = operation(document, f"GET {path}").get("parameters", [])
    assert names(QUERIES[path]) <= {one["name"] for one in parameters}


@pytest.mark.parametrize("route", BODIES)
def test_what_is_sent_has_the_agreed_names_and_no_more_is_demanded(
    document: Document, route: str
) -> None:
    taken = body(document, route)
    assert names(BODIES[route]) <= set(taken["properties"])
    demanded = {one for one in BODIES[route].split() if not one.endswith("?")}
    # A fulfilment says by which time; the agreement leaves its shape to us.
    ours = {"appointmentType"} if route.endswith("/fulfil") else set()
    assert set(taken.get("required", ())) - ours == demanded
    assert taken["additionalProperties"] is False


@pytest.mark.parametrize(("route", "name"), INSIDE)
def test_what_is_inside_of_a_body_has_the_agreed_names(
    document: Document, route: str, name: str
) -> None:
    inner = shape(document, body(document, route)["properties"][name])
    assert names(INSIDE[route, name]) <= set(inner["properties"])


@pytest.mark.parametrize("route", ANSWERS)
def test_what_is_answered_has_the_agreed_names_always(
    document: Document, route: str
) -> None:
    told = answer(document, route)
    assert names(ANSWERS[route]) <= set(told["required"])


@pytest.mark.parametrize("route", LISTS)
def test_lists_have_items_of_the_agreed_names_and_a_cursor(
    document: Document, route: str
) -> None:
    told = answer(document, route)
    page = names("items" if route in WITHOUT_PAGES else PAGE)
    assert page <= set(told["required"])
    of = shape(document, told["properties"]["items"])
    assert names(LISTS[route]) <= set(of["required"])


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_its_status_wherever_it_is_answered(
    document: Document, code: str
) -> None:
    statuses = {
        int(status)
        for methods in document["paths"].values()
        for told in methods.values()
        for status, response in told["responses"].items()
        if code
        in response.get("content", {})
        .get("application/problem+json", {})
        .get("examples", {})
    }
    assert statuses == CODES[code]
