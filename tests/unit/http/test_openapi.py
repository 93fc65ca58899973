"""The document: valid, whole, and stable where clients are generated from it."""

import json
import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import pytest
from openapi_spec_validator import validate
from pydantic import BaseModel

from scheduling.domain import errors
from scheduling.entrypoints.http import (
    appointment_bodies,
    booking,
    bulk_status,
    exception_bodies,
    generation,
    holds,
    locations,
    patients,
    practitioners,
    role_bodies,
    schedule_preview,
    schedules,
    series,
    settings,
    slots,
    waitlist,
    waitlist_offers,
)
from scheduling.entrypoints.http.app import Wired, create_app
from scheduling.entrypoints.http.problems import status_of
from tests.unit.http.test_problems import refusals

BODIES: list[type[BaseModel]] = [
    booking.BookingBody,
    booking.SelfBookingBody,
    series.SeriesBody,
    bulk_status.BulkStatusBody,
    generation.GenerationBody,
    holds.HoldBody,
    appointment_bodies.RescheduleBody,
    appointment_bodies.EditBody,
    appointment_bodies.StatusBody,
    appointment_bodies.CheckInBody,
    appointment_bodies.CancelBody,
    locations.LocationBody,
    patients.PatientBody,
    role_bodies.PractitionerRoleBody,
    role_bodies.PractitionerRolePatch,
    practitioners.PractitionerBody,
    exception_bodies.ExceptionBody,
    schedule_preview.PreviewBody,
    schedules.ScheduleBody,
    settings.SettingsBody,
    slots.SlotBody,
    slots.BlockBody,
    slots.UnblockBody,
    waitlist.WishBody,
    waitlist.FulfilmentBody,
    waitlist_offers.OfferBody,
    waitlist_offers.AcceptanceBody,
    waitlist_offers.DeclineBody,
]

Document = dict[str, Any]

WITHOUT_EFFECT = {"POST /v1/patients/search", "POST /v1/schedules/preview"}


def unwired() -> AbstractAsyncContextManager[Wired]:
    raise NotImplementedError("nothing is served here")


@pytest.fixture(scope="module")
def document() -> Document:
    text = json.dumps(create_app(unwired).openapi())
    read: Document = json.loads(text)
    return read


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def codes(operation: Document) -> dict[str, set[str]]:
    """Return the documented problem codes by status."""
    return {
        status: set(response["content"]["application/problem+json"]["examples"])
        for status, response in operation["responses"].items()
        if "application/problem+json" in response.get("content", {})
    }


def test_the_document_is_a_valid_one(document: Document) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_names_of_operations_never_change(document: Document) -> None:
    named = {o["operationId"]: where for where, o in operations(document)}
    assert named == {
        "bookAppointment": "POST /v1/appointments",
        "bookAppointmentSeries": "POST /v1/appointments/series",
        "getAppointmentSeries": "GET /v1/appointments/series/{id}",
        "updateAppointmentStatuses": "POST /v1/appointments/status",
        "selfBookAppointment": "POST /v1/appointments/self-book",
        "holdSlot": "POST /v1/slots/{id}/hold",
        "releaseHold": "DELETE /v1/holds/{id}",
        "getAppointment": "GET /v1/appointments/{id}",
        "editAppointment": "PATCH /v1/appointments/{id}",
        "rescheduleAppointment": "POST /v1/appointments/{id}/reschedule",
        "checkInPatient": "POST /v1/appointments/{id}/check-in",
        "updateAppointmentStatus": "POST /v1/appointments/{id}/status",
        "getAppointmentHistory": "GET /v1/appointments/{id}/history",
        "listReminders": "GET /v1/appointments/{id}/reminders",
        "listSubFiles": "GET /v1/patients/{id}/sub-files",
        "listNotifications": "GET /v1/practitioners/{id}/notifications",
        "readNotification": "POST /v1/practitioners/{id}/notifications/"
        "{notificationId}/read",
        "readAllNotifications": "POST /v1/practitioners/{id}/notifications/read-all",
        "listTodaysAppointments": "GET /v1/appointments/today",
        "listUpcomingAppointments": "GET /v1/appointments/upcoming",
        "listPatientAppointments": "GET /v1/patients/{id}/appointments",
        "getCalendar": "GET /v1/calendar",
        "getStatistics": "GET /v1/statistics",
        "cancelAppointment": "POST /v1/appointments/{id}/cancel",
        "searchAvailableSlots": "GET /v1/availability",
        "findNextAvailable": "GET /v1/availability/next",
        "explainAvailability": "GET /v1/availability/explain",
        "findOpenLocations": "GET /v1/locations/available",
        "listSlotsOfLocation": "GET /v1/locations/{id}/slots",
        "listSlotsOfPractitioner": "GET /v1/practitioners/{id}/slots",
        "createSlot": "POST /v1/slots",
        "getSlot": "GET /v1/slots/{id}",
        "createSchedule": "POST /v1/schedules",
        "getSchedule": "GET /v1/schedules/{id}",
        "listSchedules": "GET /v1/schedules",
        "listScheduleSlots": "GET /v1/schedules/{id}/slots",
        "addScheduleException": "POST /v1/schedules/{id}/exceptions",
        "listScheduleExceptions": "GET /v1/schedules/{id}/exceptions",
        "getScheduleException": "GET /v1/schedules/{id}/exceptions/{exceptionId}",
        "removeScheduleException": (
            "DELETE /v1/schedules/{id}/exceptions/{exceptionId}"
        ),
        "blockSlot": "POST /v1/slots/{id}/block",
        "unblockSlot": "POST /v1/slots/{id}/unblock",
        "previewAvailabilityPattern": "POST /v1/schedules/preview",
        "addToWaitlist": "POST /v1/waitlist",
        "listLocations": "GET /v1/locations",
        "listPractitioners": "GET /v1/practitioners",
        "searchPatients": "POST /v1/patients/search",
        "getWaitlist": "GET /v1/waitlist",
        "getWaitlistEntry": "GET /v1/waitlist/{id}",
        "fulfillWaitlistEntry": "POST /v1/waitlist/{id}/fulfil",
        "findWaitlistCandidates": "GET /v1/slots/{id}/waitlist-candidates",
        "makeWaitlistOffer": "POST /v1/waitlist/{id}/offer",
        "acceptWaitlistOffer": "POST /v1/waitlist/{id}/offer/accept",
        "declineWaitlistOffer": "POST /v1/waitlist/{id}/offer/decline",
        "removeFromWaitlist": "DELETE /v1/waitlist/{id}",
        "putPractitioner": "PUT /v1/practitioners/{id}",
        "getPractitioner": "GET /v1/practitioners/{id}",
        "putLocation": "PUT /v1/locations/{id}",
        "getLocation": "GET /v1/locations/{id}",
        "putPatient": "PUT /v1/patients/{id}",
        "getPatient": "GET /v1/patients/{id}",
        "generateSlots": "POST /v1/schedules/{id}/generate",
        "listGenerationRuns": "GET /v1/schedules/{id}/generation-runs",
        "putPractitionerRole": "PUT /v1/practitioner-roles/{id}",
        "patchPractitionerRole": "PATCH /v1/practitioner-roles/{id}",
        "deletePractitionerRole": "DELETE /v1/practitioner-roles/{id}",
        "getPractitionerRole": "GET /v1/practitioner-roles/{id}",
        "putSettings": "PUT /v1/settings",
        "getSettings": "GET /v1/settings",
        "followEvents": "GET /v1/events/stream",
        "livez": "GET /livez",
        "readyz": "GET /readyz",
        "metrics": "GET /metrics",
    }


def test_every_operation_says_what_it_is_what_it_takes_and_how_it_refuses(
    document: Document,
) -> None:
    for where, operation in operations(document):
        assert operation["summary"], where
        assert operation["description"], where
        assert all(r["description"] for r in operation["responses"].values()), where
        if "/v1/" not in where:
            continue
        assert operation["security"] == [{"token": []}], where
        told = codes(operation)
        assert told["401"] == {"UNAUTHENTICATED"}, where
        assert "FORBIDDEN" in told["403"], where
        assert "VALIDATION_FAILED" in told["422"], where
        assert told["429"] == {"RATE_LIMITED"}, where
        assert told["503"] == {"SERVICE_UNAVAILABLE"}, where
        assert told["500"] == {"INTERNAL_ERROR"}, where
        if not where.startswith("GET"):
            assert "VALIDATION_FAILED" in told["400"], where
        if not where.startswith("GET") and where not in WITHOUT_EFFECT:
            assert "IDEMPOTENCY_KEY_REUSED" in told["422"], where
            assert "REQUEST_IN_PROGRESS" in told["409"], where


def test_every_refusal_is_documented_where_it_can_happen(document: Document) -> None:
    told = {
        (int(status), code)
        for _, operation in operations(document)
        for status, of_status in codes(operation).items()
        for code in of_status
    }
    abstract = {errors.DomainError, errors.NotFound, errors.NotBookable}
    for refusal in refusals(errors.DomainError) - abstract:
        assert (status_of(refusal), refusal.code) in told, refusal


@pytest.mark.parametrize("body", BODIES)
def test_examples_are_what_they_are_examples_of(body: type[BaseModel]) -> None:
    examples = body.model_json_schema()["examples"]
    assert examples
    for example in examples:
        body.model_validate(example)


def test_no_body_takes_a_field_that_it_does_not_know(document: Document) -> None:
    for name, schema in document["components"]["schemas"].items():
        if schema["type"] == "object" and name != "Problem":
            assert schema["additionalProperties"] is False, name
            assert all(re.fullmatch("[a-z][A-Za-z]*", p) for p in schema["properties"])


async def test_the_page_for_people_loads_nothing_from_anywhere() -> None:
    transport = httpx2.ASGITransport(app=create_app(unwired))
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        page = await client.get("/docs")
        document = (await client.get("/openapi.json")).json()
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"<script|src=|https?://|@import|url\(", page.text)
    for _, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page.text
