"""Who, what, when, outcome, old and new: for every command, attempt and read."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at
from tests.acceptance.product import Product


def old_and_new(row: asyncpg.Record) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(row["changes"])
    return told


async def the_record(product: Product, tenant: UUID, **like: object) -> asyncpg.Record:
    """Return the one row that has these values."""
    rows = await product.audit(tenant)
    found = [row for row in rows if all(row[k] == v for k, v in like.items())]
    assert len(found) == 1, [dict(row) for row in rows]
    return found[0]


async def history(desk: Desk, appointment: Thing, **asked: object) -> list[Thing]:
    """Return all of it, page by page."""
    items: list[Thing] = []
    while True:
        answer = await desk.get(
            f"/v1/appointments/{appointment['id']}/history", params=asked
        )
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if answer.json()["nextCursor"] is None:
            return items
        asked["cursor"] = answer.json()["nextCursor"]


def a_patients_desk(http: httpx2.AsyncClient, token: Token, patient: str) -> Desk:
    return Desk(
        http,
        token(
            subject=f"patient-{patient[:4]}",
            patient_id=UUID(patient),
            scope="scheduling:read scheduling:book",
        ),
    )


async def test_a_booking_and_its_end_are_seen_in_its_history(desk: Desk) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    patient = await desk.a_patient()
    slot = await desk.a_slot()
    booked = await desk.booked(slot, patient, reason="knee", notes="left-handed")
    cancelled = await desk.cancel(booked, comment="caught a cold")
    assert cancelled.status_code == 200
    first, last = await history(desk, booked)
    assert (first["actor"], first["action"]) == ("reception", "appointment.booked")
    assert (first["outcome"], first["version"]) == ("done", 1)
    assert before < datetime.fromisoformat(first["at"]) < datetime.now(UTC)
    told = first["changes"]
    assert told["status"] == {"old": None, "new": "booked"}
    assert told["patientId"] == {"old": None, "new": patient}
    assert told["slotIds"] == {"old": None, "new": [slot["id"]]}
    assert datetime.fromisoformat(told["start"]["new"]) == at("09:00")
    assert told["reason"] == told["notes"] == {"old": None, "new": "[redacted]"}
    assert (last["action"], last["version"]) == ("appointment.cancelled", 2)
    assert last["requestId"] == cancelled.headers["x-request-id"]
    assert last["changes"]["status"] == {"old": "booked", "new": "cancelled"}
    assert last["changes"]["reasonCode"] == {"old": None, "new": "patient"}
    assert last["changes"]["comment"] == {"old": None, "new": "[redacted]"}
    # Looking at it was looked at, too.
    assert [one["action"] for one in await history(desk, booked)][2:] == [
        "appointment.history.read"
    ]


async def test_a_history_comes_in_pages(desk: Desk) -> None:
    booked = await desk.booked()
    for _ in range(5):
        await desk.get(f"/v1/appointments/{booked['id']}")
    answer = await desk.get(
        f"/v1/appointments/{booked['id']}/history", params={"limit": 4}
    )
    assert len(answer.json()["items"]) == 4
    assert answer.json()["nextCursor"] is not None
    # Each page is a read that a later page shows.
    whole = await history(desk, booked, limit=2)
    told = Counter(one["action"] for one in whole)
    assert told["appointment.booked"] == 1
    assert told["appointment.read"] == 5
    assert [one["at"] for one in whole] == sorted(one["at"] for one in whole)
    for asked in ({"limit": 201}, {"limit": 0}, {"cursor": "x"}, {"cursr": "x"}):
        answer = await desk.get(
            f"/v1/appointments/{booked['id']}/history", params=asked
        )
        assert answer.status_code == 422


async def test_an_edit_of_a_practitioner_tells_what_it_was_before(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    id = await desk.a_practitioner(name="Ana", specialties=["cardiology"])
    await desk.put(
        f"/v1/practitioners/{id}",
        {"name": "Ana Souza", "active": False, "specialties": ["cardiology"]},
    )
    row = await the_record(product, tenant, entity_id=UUID(id), entity_version=2)
    assert (row["actor"], row["action"]) == ("reception", "practitioner.put")
    assert (row["outcome"], row["entity_type"]) == ("done", "practitioner")
    assert old_and_new(row) == {
        "name": ["[redacted]", "[redacted]"],
        "active": [True, False],
    }


async def test_a_denied_override_is_an_attempt_that_is_kept(
    desk: Desk, http: httpx2.AsyncClient, token: Token, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot()
    await desk.booked(slot)
    patient = await desk.a_patient()
    clerk = Desk(http, token(subject="clerk", scope="scheduling:book"))
    answer = await clerk.book(
        slot, patient, allowDoubleBooking=True, overrideReason="a friend"
    )
    assert answer.status_code == 403
    row = await the_record(product, tenant, actor="clerk")
    assert (row["action"], row["outcome"]) == ("appointment.book", "denied")
    assert (row["entity_type"], str(row["entity_id"])) == ("slot", slot["id"])
    assert row["request_id"] == answer.headers["x-request-id"]
    assert old_and_new(row) == {
        "code": [None, "DOUBLE_BOOKING_OVERRIDE_DENIED"],
        "patientId": [None, patient],
        "slotId": [None, slot["id"]],
    }


async def test_a_missing_scope_is_an_attempt_that_is_kept(
    desk: Desk, http: httpx2.AsyncClient, token: Token, product: Product, tenant: UUID
) -> None:
    patient = await desk.a_patient()
    clerk = Desk(http, token(subject="clerk", scope="scheduling:read"))
    answer = await clerk.put(f"/v1/patients/{patient}", {"name": "Somebody"})
    assert answer.status_code == 403
    row = await the_record(product, tenant, actor="clerk")
    assert (row["action"], row["outcome"]) == ("patient.put", "denied")
    assert str(row["entity_id"]) == patient
    assert old_and_new(row) == {
        "code": [None, "FORBIDDEN"],
        "scope": [None, "scheduling:manage"],
    }


async def test_a_patient_who_reaches_for_another_s_appointment_is_seen(
    desk: Desk, http: httpx2.AsyncClient, token: Token, product: Product, tenant: UUID
) -> None:
    booked = await desk.booked()
    stranger = a_patients_desk(http, token, await desk.a_patient())
    path = f"/v1/appointments/{booked['id']}"
    answers = [
        await stranger.get(path),
        await stranger.get(f"{path}/history"),
        await stranger.cancel(booked),
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    tried = [one for one in await history(desk, booked) if one["outcome"] == "denied"]
    assert [one["action"] for one in tried] == [
        "appointment.read",
        "appointment.history.read",
        "appointment.cancel",
    ]
    for one in tried:
        assert one["actor"].startswith("patient-")
        assert one["changes"] == {"code": {"old": None, "new": "APPOINTMENT_NOT_FOUND"}}
    # For another patient's data too.
    await stranger.get(f"/v1/patients/{booked['patientId']}")
    row = await the_record(product, tenant, action="patient.read")
    assert (row["outcome"], str(row["entity_id"])) == ("denied", booked["patientId"])


async def test_a_patient_sees_what_was_done_and_not_who_looked(
    desk: Desk, http: httpx2.AsyncClient, token: Token
) -> None:
    patient = await desk.a_patient()
    booked = await desk.booked(patient=patient)
    own = a_patients_desk(http, token, patient)
    await desk.get(f"/v1/appointments/{booked['id']}")
    await own.get(f"/v1/appointments/{booked['id']}")
    assert (await own.cancel(booked)).status_code == 200
    told = [(one["action"], one["actor"]) for one in await history(own, booked)]
    me = f"patient-{patient[:4]}"
    assert told == [
        ("appointment.booked", None),
        ("appointment.read", me),
        ("appointment.cancelled", me),
    ]
    assert ("appointment.read", "reception") in [
        (one["action"], one["actor"]) for one in await history(desk, booked)
    ]


async def test_what_staff_read_of_patients_is_kept(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    patient = await desk.a_patient()
    booked = await desk.booked(patient=patient)
    answers = [
        await desk.get(f"/v1/patients/{patient}"),
        await desk.get(f"/v1/appointments/{booked['id']}"),
        await desk.get(
            f"/v1/appointments/{booked['id']}", headers={"If-None-Match": '"1"'}
        ),
        await desk.get(f"/v1/practitioners/{booked['practitionerId']}"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 304, 200]
    reads = [
        (row["action"], str(row["entity_id"]), row["outcome"], row["request_id"])
        for row in await product.audit(tenant)
        if row["action"].endswith(".read")
    ]
    told = [answer.headers["x-request-id"] for answer in answers]
    assert reads == [
        ("patient.read", patient, "done", told[0]),
        ("appointment.read", booked["id"], "done", told[1]),
        ("appointment.read", booked["id"], "done", told[2]),
    ]


async def test_a_list_is_one_record_about_what_was_asked_for(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    patient = await desk.a_patient()
    booked = await desk.booked(patient=patient)
    location, practitioner = booked["locationId"], booked["practitionerId"]
    asked: list[tuple[str, dict[str, str], str, str]] = [
        (f"patients/{patient}/appointments", {}, "patient.appointments.read", patient),
        (
            "appointments/today",
            {"locationId": location},
            "appointments.today.read",
            location,
        ),
        (
            "appointments/upcoming",
            {"locationId": location, "practitionerId": practitioner},
            "appointments.upcoming.read",
            practitioner,
        ),
        (
            "calendar",
            {"from": at("00:00").isoformat(), "to": at("00:00", days=1).isoformat()}
            | {"locationId": location},
            "calendar.read",
            location,
        ),
        ("waitlist", {}, "waitlist.read", str(tenant)),
        (
            f"slots/{booked['slotIds'][0]}/waitlist-candidates",
            {},
            "slot.candidates.read",
            booked["slotIds"][0],
        ),
        (
            "availability/explain",
            {"from": at("00:00").isoformat(), "to": at("00:00", days=1).isoformat()}
            | {"practitionerId": practitioner, "patientId": patient},
            "availability.explanation.read",
            patient,
        ),
    ]
    for path, params, _, _ in asked:
        answer = await desk.get(f"/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
    reads = [
        (row["action"], str(row["entity_id"]))
        for row in await product.audit(tenant)
        if row["action"].endswith(".read")
    ]
    assert reads == [(action, id) for _, _, action, id in asked]


async def test_a_move_tells_the_old_time_and_the_new(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    first = await desk.a_slot(at("09:00"), schedule=schedule)
    second = await desk.a_slot(at("11:00"), schedule=schedule)
    booked = await desk.booked(first)
    moved = await desk.post(
        f"/v1/appointments/{booked['id']}/reschedule",
        {"slotId": second["id"], "version": 1, "reason": "asked to"},
    )
    assert moved.status_code == 200, moved.text
    told = (await history(desk, booked))[-1]
    assert (told["action"], told["version"]) == ("appointment.updated", 2)
    slots = {"old": [first["id"]], "new": [second["id"]]}
    assert told["changes"]["slotIds"] == slots
    assert datetime.fromisoformat(told["changes"]["start"]["old"]) == at("09:00")
    assert datetime.fromisoformat(told["changes"]["start"]["new"]) == at("11:00")


async def test_of_a_change_of_many_each_has_its_own_outcome(desk: Desk) -> None:
    arriving, stale = await desk.booked(), await desk.booked()
    answer = await desk.post(
        "/v1/appointments/status",
        {
            "items": [
                {"id": arriving["id"], "status": "arrived", "version": 1},
                {"id": stale["id"], "status": "arrived", "version": 7},
            ]
        },
    )
    assert answer.status_code == 200, answer.text
    done = (await history(desk, arriving))[-1]
    assert (done["action"], done["outcome"]) == ("appointment.arrived", "done")
    refused = (await history(desk, stale))[-1]
    assert refused["action"] == "appointment.update-status"
    assert refused["outcome"] == "refused"
    code = {"old": None, "new": "OPTIMISTIC_LOCK_CONFLICT"}
    assert refused["changes"] == {"code": code}
    assert refused["requestId"] == answer.headers["x-request-id"]


async def test_each_of_fifty_racers_but_the_first_leaves_a_refusal(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot()
    patients = [await desk.a_patient() for _ in range(50)]
    await asyncio.gather(*(desk.book(slot, who) for who in patients))
    rows = [
        row
        for row in await product.audit(tenant)
        if row["action"] == "appointment.book"
    ]
    assert {str(row["entity_id"]) for row in rows} == {slot["id"]}
    assert {row["outcome"] for row in rows} == {"refused"}
    losers = {old_and_new(row)["patientId"][1] for row in rows}
    assert len(rows) == len(losers) == 49
    assert losers < set(patients)


async def test_every_refused_change_leaves_its_code(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    booked = await desk.booked()
    path = f"/v1/appointments/{booked['id']}"
    why = {"reasonCode": "other", "initiatedBy": "staff"}
    stale = await desk.cancel(booked, if_match='"7"')
    unnamed = await desk.post(f"{path}/cancel", why)
    assert (await desk.cancel(booked)).status_code == 200
    again = await desk.cancel({**booked, "version": 2})
    shapeless = await desk.post(f"{path}/cancel", {"reasonCode": "no such"})
    told = [answer.status_code for answer in (stale, unnamed, again, shapeless)]
    assert told == [412, 428, 409, 422]
    refused = [one for one in await history(desk, booked) if one["outcome"] != "done"]
    assert [
        (one["action"], one["outcome"], one["changes"]["code"]["new"])
        for one in refused
    ] == [
        ("appointment.cancel", "refused", "OPTIMISTIC_LOCK_CONFLICT"),
        ("appointment.cancel", "refused", "PRECONDITION_REQUIRED"),
        ("appointment.cancel", "refused", "INVALID_STATUS_TRANSITION"),
    ]
    missing = uuid4()
    await desk.cancel({"id": str(missing), "version": 1})
    row = await the_record(product, tenant, entity_id=missing)
    assert old_and_new(row) == {"code": [None, "APPOINTMENT_NOT_FOUND"]}


async def test_another_tenant_s_history_is_not_there(
    desk: Desk, http: httpx2.AsyncClient, token: Token
) -> None:
    booked = await desk.booked()
    elsewhere = Desk(http, token(tenant_id=uuid4()))
    foreign = await elsewhere.get(f"/v1/appointments/{booked['id']}/history")
    unknown = await elsewhere.get(f"/v1/appointments/{uuid4()}/history")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["code"] == "APPOINTMENT_NOT_FOUND"
    own = await history(desk, booked)
    assert {one["actor"] for one in own} == {"reception"}
