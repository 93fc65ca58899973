"""Who may see and do what: tenants, tokens, scopes, patients."""

from uuid import UUID, uuid4

import httpx2
import pytest

from tests.acceptance.conftest import ALL, Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product

# The same in every worker: the tests are named after the paths.
NOBODY = UUID("11111111-2222-4333-8444-555555555555")

BODIES: dict[str, object] = {
    "/v1/appointments": {
        "patientId": str(NOBODY),
        "slotId": str(NOBODY),
        "appointmentType": "visit",
    },
    "/v1/appointments/series": {
        "patientId": str(NOBODY),
        "slotId": str(NOBODY),
        "appointmentType": "visit",
        "occurrences": 2,
    },
    "/v1/appointments/status": {
        "items": [{"id": str(NOBODY), "status": "confirmed", "version": 1}]
    },
    f"/v1/appointments/{NOBODY}/cancel": {
        "reasonCode": "other",
        "initiatedBy": "staff",
        "version": 1,
    },
    "/v1/slots": {
        "scheduleId": str(NOBODY),
        "start": at("09:00").isoformat(),
        "end": at("10:00").isoformat(),
    },
    "/v1/schedules": {"practitionerId": str(NOBODY), "locationId": str(NOBODY)},
    f"/v1/waitlist/{NOBODY}/offer": {"slotId": str(NOBODY), "version": 1},
}
WAYS_IN = [
    *(("POST", path) for path in BODIES),
    *(
        (method, f"/v1/{kind}/{NOBODY}")
        for kind in ("practitioners", "locations", "patients", "practitioner-roles")
        for method in ("PUT", "GET")
    ),
    *(("GET", f"/v1/{kind}/{NOBODY}") for kind in ("slots", "schedules")),
    ("GET", f"/v1/slots/{NOBODY}/waitlist-candidates"),
    ("GET", f"/v1/appointments/{NOBODY}"),
    ("GET", f"/v1/appointments/{NOBODY}/history"),
    ("GET", f"/v1/appointments/{NOBODY}/reminders"),
    ("GET", f"/v1/patients/{NOBODY}/sub-files"),
    ("GET", "/v1/practitioners"),
    ("GET", "/v1/locations"),
    ("POST", "/v1/patients/search"),
    ("GET", f"/v1/practitioners/{NOBODY}/notifications"),
    ("POST", f"/v1/practitioners/{NOBODY}/notifications/read-all"),
    ("POST", f"/v1/practitioners/{NOBODY}/notifications/{NOBODY}/read"),
    ("GET", f"/v1/appointments/series/{NOBODY}"),
    ("GET", "/v1/availability?from=2030-01-01T00:00:00Z&to=2030-01-02T00:00:00Z"),
    ("GET", f"/v1/calendar?from=2030-01-01&to=2030-01-02&locationId={NOBODY}"),
    ("GET", "/v1/appointments/today"),
    ("GET", "/v1/appointments/upcoming"),
    ("GET", f"/v1/patients/{NOBODY}/appointments"),
    ("GET", "/v1/statistics?from=2030-01-01&to=2030-01-02"),
    ("GET", "/v1/settings"),
    ("PUT", "/v1/settings"),
]
ANYTHING = {
    "name": "x",
    "code": "X",
    "timezone": "UTC",
    "practitionerId": str(uuid4()),
    "locationId": str(uuid4()),
}


async def knock(desk: Desk, method: str, path: str) -> httpx2.Response:
    return await desk.ask(method, path, json=BODIES.get(path, {}))


@pytest.mark.parametrize(("method", "path"), WAYS_IN)
async def test_every_way_in_takes_a_token_and_its_scope(
    http: httpx2.AsyncClient, token: Token, method: str, path: str
) -> None:
    anonymous = await http.request(method, path, json=BODIES.get(path, {}))
    forged = await knock(Desk(http, token() + "x"), method, path)
    expired = await knock(Desk(http, token(lifetime=-3600)), method, path)
    powerless = await knock(Desk(http, token(scope="")), method, path)
    assert codes(anonymous, forged, expired, powerless) == [
        *[(401, "UNAUTHENTICATED")] * 3,
        (403, "FORBIDDEN"),
    ]
    assert expired.json()["reason"] == "expired"


async def a_whole_clinic(desk: Desk) -> dict[str, str]:
    """Make one thing of each kind; return where each is found."""
    schedule = await desk.a_schedule()
    appointment = await desk.booked(await desk.a_slot(schedule=schedule))
    place = schedule["practitionerId"], schedule["locationId"]
    return {
        "appointments": appointment["id"],
        "slots": appointment["slotIds"][0],
        "schedules": schedule["id"],
        "practitioners": place[0],
        "locations": place[1],
        "patients": appointment["patientId"],
        "practitioner-roles": await desk.a_role(*place),
    }


async def test_what_is_another_tenants_is_as_if_it_were_not(
    desk: Desk, token: Token
) -> None:
    clinic = await a_whole_clinic(desk)
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    for kind, id in clinic.items():
        assert (await desk.get(f"/v1/{kind}/{id}")).status_code == 200
        unknown = str(uuid4())
        foreign = await stranger.get(f"/v1/{kind}/{id}")
        missing = await stranger.get(f"/v1/{kind}/{unknown}")
        assert foreign.status_code == missing.status_code == 404
        assert foreign.text == missing.text.replace(unknown, id)
        assert set(foreign.headers) == set(missing.headers)


async def test_nothing_of_another_tenant_can_be_used_or_changed(
    desk: Desk, token: Token
) -> None:
    clinic = await a_whole_clinic(desk)
    free = await desk.a_slot()
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    their_patient = await stranger.a_patient()
    place = {
        "practitionerId": clinic["practitioners"],
        "locationId": clinic["locations"],
    }
    refused = [
        await stranger.book(free, their_patient),
        await stranger.book(await stranger.a_slot(), clinic["patients"]),
        await stranger.cancel({"id": clinic["appointments"], "version": 1}),
        await stranger.post("/v1/schedules", place),
        await stranger.put(f"/v1/practitioner-roles/{uuid4()}", place),
        await stranger.post(
            "/v1/slots",
            {
                "scheduleId": clinic["schedules"],
                "start": at("11:00").isoformat(),
                "end": at("12:00").isoformat(),
            },
        ),
    ]
    assert codes(*refused) == [
        (404, "SLOT_NOT_FOUND"),
        (404, "PATIENT_NOT_FOUND"),
        (404, "APPOINTMENT_NOT_FOUND"),
        (404, "PRACTITIONER_NOT_FOUND"),
        (404, "PRACTITIONER_NOT_FOUND"),
        (404, "SCHEDULE_NOT_FOUND"),
    ]
    assert {one["slotId"] for one in await stranger.free()}.isdisjoint({free["id"]})
    before = (await desk.get(f"/v1/patients/{clinic['patients']}")).json()
    theirs = await stranger.put(f"/v1/patients/{clinic['patients']}", {"name": "Other"})
    assert theirs.status_code == 201, "the same id in another tenant is another thing"
    assert (await desk.get(f"/v1/patients/{clinic['patients']}")).json() == before


async def test_a_tenant_cannot_be_chosen_in_a_body(desk: Desk) -> None:
    answer = await desk.put(
        f"/v1/patients/{uuid4()}", {"name": "x", "tenantId": str(uuid4())}
    )
    assert codes(answer) == [(422, "VALIDATION_FAILED")]


@pytest.fixture
def patient_desk(desk: Desk, token: Token) -> "PatientDesk":
    return PatientDesk(desk, token)


class PatientDesk:
    def __init__(self, desk: Desk, token: Token) -> None:
        self._desk, self._token = desk, token

    def of(self, patient: str, scope: str = ALL) -> Desk:
        own = self._token(scope=scope, subject="patient", patient_id=UUID(patient))
        return Desk(self._desk.http, own)


async def test_a_patient_books_sees_and_cancels_their_own(
    desk: Desk, patient_desk: PatientDesk
) -> None:
    patient, slot = await desk.a_patient(), await desk.a_slot()
    own = patient_desk.of(patient, "scheduling:read scheduling:book")
    appointment = await own.booked(slot, patient)
    assert (await own.get(f"/v1/appointments/{appointment['id']}")).status_code == 200
    assert (await own.get(f"/v1/patients/{patient}")).status_code == 200
    assert (await own.cancel(appointment)).status_code == 200


async def test_a_patient_sees_and_changes_nobody_else(
    desk: Desk, patient_desk: PatientDesk
) -> None:
    patient, other = await desk.a_patient(), await desk.a_patient()
    theirs: Thing = await desk.booked(await desk.a_slot(), other)
    free = await desk.a_slot(at("12:00"))
    own = patient_desk.of(patient)
    day = {"from": at("00:00").isoformat(), "to": at("23:00").isoformat()}
    refused = [
        await own.get(f"/v1/appointments/{theirs['id']}"),
        await own.cancel(theirs),
        await own.get(f"/v1/patients/{other}"),
        await own.book(free, other),
        await own.get("/v1/availability", params={**day, "patientId": other}),
    ]
    assert codes(*refused) == [
        (404, "APPOINTMENT_NOT_FOUND"),
        (404, "APPOINTMENT_NOT_FOUND"),
        *[(404, "PATIENT_NOT_FOUND")] * 3,
    ]


async def test_a_patients_token_never_carries_staff_rights(
    desk: Desk, patient_desk: PatientDesk
) -> None:
    patient = await desk.a_patient()
    slot = await desk.a_slot()
    await desk.booked(slot)
    own = patient_desk.of(patient, ALL)
    for method, path in WAYS_IN:
        if method == "PUT" or path in {"/v1/slots", "/v1/schedules"}:
            assert codes(await own.ask(method, path, json=ANYTHING)) == [
                (403, "FORBIDDEN")
            ]
    override: Thing = {"allowDoubleBooking": True, "overrideReason": "because"}
    assert codes(await own.book(slot, patient, **override)) == [
        (403, "DOUBLE_BOOKING_OVERRIDE_DENIED")
    ]
    room: Thing = {"resources": [{"type": "room", "id": str(NOBODY)}]}
    assert codes(await own.book(slot, patient, **room)) == [(403, "FORBIDDEN")]


async def test_a_patient_does_not_learn_whose_appointment_is_in_the_way(
    desk: Desk, patient_desk: PatientDesk
) -> None:
    practitioner = await desk.a_practitioner()
    outer, inner = [
        await desk.a_slot(
            at(start), minutes=length, schedule=await desk.a_schedule(practitioner)
        )
        for start, length in (("09:00", 60), ("09:15", 15))
    ]
    await desk.booked(outer)
    patient = await desk.a_patient()
    answer = await patient_desk.of(patient).book(inner, patient)
    assert codes(answer) == [(409, "DOUBLE_BOOKING_DETECTED")]
    assert "conflictingAppointmentIds" not in answer.json()


async def test_a_patient_is_shown_what_their_own_bookings_leave_free(
    desk: Desk, patient_desk: PatientDesk
) -> None:
    patient = await desk.a_patient()
    await desk.booked(await desk.a_slot(at("09:00")), patient)
    same_time, later = await desk.a_slot(at("09:15")), await desk.a_slot(at("10:00"))
    assert len(await desk.free()) == 2
    free = [one["slotId"] for one in await patient_desk.of(patient).free()]
    assert free == [later["id"]]
    assert same_time["id"] not in free


async def test_a_patient_cancels_as_the_patient(
    desk: Desk, patient_desk: PatientDesk
) -> None:
    patient = await desk.a_patient()
    appointment = await desk.booked(await desk.a_slot(), patient)
    own = patient_desk.of(patient)
    assert codes(await own.cancel(appointment, initiatedBy="staff")) == [
        (422, "VALIDATION_FAILED")
    ]


async def test_why_a_practitioner_is_away_is_for_staff(
    desk: Desk, patient_desk: PatientDesk
) -> None:
    away = {
        "start": at("09:00").isoformat(),
        "end": at("10:00").isoformat(),
        "description": "operation",
    }
    role = await desk.a_role(
        await desk.a_practitioner(), await desk.a_location(), notAvailable=[away]
    )
    path = f"/v1/practitioner-roles/{role}"
    own = patient_desk.of(await desk.a_patient())
    [seen] = (await desk.get(path)).json()["notAvailable"]
    [told] = (await own.get(path)).json()["notAvailable"]
    assert (seen["description"], told["description"]) == ("operation", None)


async def test_health_and_figures_need_no_token(
    http: httpx2.AsyncClient, product: Product
) -> None:
    documents = ("/docs", "/openapi.json", "/asyncapi.json")
    for path in ("/livez", "/readyz", "/metrics", *documents):
        assert (await http.get(path)).status_code == 200, product.logs()
