"""No personal data in events, logs, figures, problem documents or the audit."""

import json
from uuid import UUID, uuid4

import httpx2

from tests.acceptance.desk import Desk, Thing, at
from tests.acceptance.product import Product

MARK = "xMARKERx"


async def test_marked_personal_data_turns_up_nowhere_it_should_not(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    patient = await desk.a_patient(
        name=f"Name {MARK}",
        fileNumber=f"file-{MARK}",
        email=f"{MARK}@example.org",
        phone="+55 27 91234-5678",
    )
    practitioner = await desk.a_practitioner(name=f"Dr {MARK}")
    location = await desk.a_location(name=f"Clinic {MARK}")
    await desk.a_role(
        practitioner,
        location,
        notAvailable=[
            {
                "start": at("20:00").isoformat(),
                "end": at("21:00").isoformat(),
                "description": MARK,
            }
        ],
    )
    schedule = await desk.a_schedule(practitioner, location)
    slot = await desk.a_slot(schedule=schedule)
    private = {"reason": f"reason {MARK}", "notes": f"notes {MARK}"}
    appointment = await desk.booked(slot, patient, **private)
    override: Thing = {"allowDoubleBooking": True, "overrideReason": f"because {MARK}"}
    await desk.booked(slot, **override, **private)
    await desk.cancel(appointment, comment=f"comment {MARK}")

    changed = {"name": f"New {MARK}", "fileNumber": f"file-{MARK}", "phone": None}
    await desk.put(f"/v1/patients/{patient}", changed)

    refused = await _everything_refused(desk, slot["id"], patient)
    assert len(refused) > 10
    for answer in refused:
        assert answer.status_code >= 400, answer.text
        assert MARK not in answer.text
        assert MARK not in str(answer.headers)

    told = await desk.get(f"/v1/appointments/{appointment['id']}/history")
    assert "appointment.cancelled" in told.text
    assert MARK not in told.text
    audit = await product.audit(tenant)
    assert {"done", "refused"} <= {row["outcome"] for row in audit}
    for row in audit:
        assert MARK not in str(dict(row))
        assert "91234-5678" not in str(dict(row))

    events = await product.events(tenant, whole=True)
    assert len(events) >= 5
    for event in events:
        assert MARK.encode() not in event.data
        assert b"91234-5678" not in event.data
        assert MARK not in str(event.headers)
    metrics = (await desk.http.get("/metrics")).text
    assert "scheduling_http_requests_total" in metrics
    assert MARK not in metrics
    logs = product.logs()
    assert logs
    assert MARK not in logs
    assert "91234-5678" not in logs


async def test_the_marker_would_be_seen(desk: Desk) -> None:
    """A control: reads of the thing itself do carry it."""
    patient = await desk.a_patient(name=f"Name {MARK}")
    assert MARK in (await desk.get(f"/v1/patients/{patient}")).text


async def _everything_refused(
    desk: Desk, slot: str, patient: str
) -> list[httpx2.Response]:
    """Provoke problems with the marker in every place that could be quoted."""
    wish = {"patientId": patient, "slotId": slot, "appointmentType": "visit"}
    path = f"/v1/patients/{uuid4()}"
    file_number = {"name": f"Other {MARK}", "fileNumber": f"file-{MARK}"}
    answers = [
        await desk.book({"id": slot}, patient, reason=MARK, notes=MARK),
        await desk.post("/v1/appointments", wish | {"patientId": MARK}),
        await desk.post("/v1/appointments", wish | {"durationMinutes": MARK}),
        await desk.post("/v1/appointments", wish | {"start": MARK}),
        await desk.post("/v1/appointments", wish | {"resources": [{"type": MARK}]}),
        await desk.post("/v1/appointments", wish | {f"name {MARK}": MARK}),
        await desk.post("/v1/appointments", wish | {"reason": MARK * 1000}),
        await desk.post("/v1/appointments", [MARK]),
        await desk.put(path, file_number),
        await desk.put(path, {"name": "x", "email": MARK}),
        await desk.put(path, {"name": "x", "phone": MARK}),
        await desk.put(path, {"name": "x", "active": MARK}),
        await desk.put(path, {"name": "x", "preferences": {"sms": MARK}}),
        await desk.put(f"/v1/locations/{uuid4()}", {"name": "x", "timezone": MARK}),
        await desk.get(f"/v1/patients/{MARK}"),
        await desk.get("/v1/availability", params={"from": MARK, "cursor": MARK}),
        await desk.get(
            "/v1/calendar", params={"from": MARK, "to": MARK, f"x {MARK}": MARK}
        ),
        await desk.get("/v1/appointments/today", params={"status": MARK}),
        await desk.get("/v1/appointments/upcoming", params={"summary": MARK}),
        await desk.ask(
            "POST",
            "/v1/appointments",
            content=json.dumps(wish)[:-1] + MARK,
            headers={"Content-Type": "application/json"},
        ),
        await desk.get(f"/nowhere/{MARK}"),
        await desk.get("/v1/settings", headers={"Authorization": f"Bearer {MARK}"}),
        await desk.post("/v1/appointments", wish, If_Match=MARK, key=f"a {MARK}"),
    ]
    cancel = {"reasonCode": MARK, "initiatedBy": MARK, "comment": MARK}
    answers.append(await desk.post(f"/v1/appointments/{slot}/cancel", cancel))
    return answers
