"""What follows from a visit by itself: over NATS, by the product as it runs."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import PATIENCE, Product
from tests.acceptance.test_inbound_events import World
from tests.following import sending

NOTICE = "notification.requested"


@pytest.fixture
async def world(product: Product, tenant: UUID) -> AsyncIterator[World]:
    async with sending(product.nats_url) as sender:
        yield World(product, tenant, sender)


async def shown(desk: Desk, practitioner: str, count: int, **asked: str) -> list[Thing]:
    """Wait until the practitioner finds as many in the app."""
    path = f"/v1/practitioners/{practitioner}/notifications"
    async with asyncio.timeout(PATIENCE):
        while True:
            found: list[Thing] = (await desk.get(path, params=asked)).json()["items"]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)


async def audited(product: Product, tenant: UUID, action: str) -> int:
    rows = await product.audit(tenant)
    return sum(row["action"] == action and row["outcome"] == "done" for row in rows)


async def test_a_booking_opens_a_sub_file_confirms_it_and_tells_the_practitioner(
    desk: Desk,
    world: World,
    product: Product,
    tenant: UUID,
) -> None:
    patient = str(uuid4())
    put = {"name": "x", "fileNumber": "FILE-2026-000123", "preferences": {"sms": True}}
    assert (await desk.put(f"/v1/patients/{patient}", put)).is_success
    visit = await desk.booked(patient=patient)
    [told] = await world.hears("subfile.created")
    assert told["data"]["number"].startswith("FILE-2026-000123-")
    files = (await desk.get(f"/v1/patients/{patient}/sub-files")).json()["items"]
    assert files == [
        {
            "id": told["subject"],
            "number": told["data"]["number"],
            "patientId": patient,
            "locationId": visit["locationId"],
            "practitionerId": visit["practitionerId"],
            "status": "open",
            "openedAt": told["data"]["openedAt"],
        }
    ]
    assert await audited(product, tenant, "patient.sub-files.read") == 1
    now = (await desk.get(f"/v1/appointments/{visit['id']}")).json()
    assert (now["subFileId"], now["version"]) == (told["subject"], visit["version"])
    [notice] = await world.hears(NOTICE)
    assert notice["data"]["template"] == "appointment.booked"
    assert notice["data"]["recipientId"] == patient
    assert notice["data"]["channel"] == "sms"
    [one] = await shown(desk, visit["practitionerId"], 1)
    assert one == {
        "id": one["id"],
        "template": "appointment.booked",
        "title": "New appointment",
        "patientId": patient,
        "appointmentId": visit["id"],
        "start": visit["start"],
        "timezone": visit["timezone"],
        "serviceType": visit["appointmentType"],
        "link": f"/calendar/#/day?appointment={visit['id']}",
        "createdAt": one["createdAt"],
        "readAt": None,
    }


async def test_a_practitioner_reads_what_was_moved_and_called_off(
    desk: Desk, token: Token
) -> None:
    visit = await desk.booked()
    who = visit["practitionerId"]
    await shown(desk, who, 1)
    slot = await desk.a_slot(at("13:00"), schedule=await schedule_of(desk, visit))
    move = {"slotId": slot["id"], "version": visit["version"]}
    moved = await desk.post(f"/v1/appointments/{visit['id']}/reschedule", move)
    assert moved.is_success, moved.text
    await shown(desk, who, 2)
    why = {"reasonCode": "other", "initiatedBy": "staff"}
    gone = await desk.post(
        f"/v1/appointments/{visit['id']}/cancel",
        {**why, "version": moved.json()["version"]},
    )
    assert gone.is_success, gone.text
    items = await shown(desk, who, 3, language="my")
    assert [one["template"] for one in items] == [
        "appointment.cancelled",
        "appointment.rescheduled",
        "appointment.booked",
    ]
    assert items[2]["title"] == "ရက်ချိန်းအသစ်"
    path = f"/v1/practitioners/{who}/notifications"
    read = await desk.ask("POST", f"{path}/{items[1]['id']}/read")
    assert read.json()["readAt"] is not None
    again = await desk.ask("POST", f"{path}/{items[1]['id']}/read")
    assert again.json() == read.json()
    unread = await shown(desk, who, 2, unread="true")
    assert [one["id"] for one in unread] == [items[0]["id"], items[2]["id"]]
    pages = (await desk.get(path, params={"limit": 2})).json()
    rest = (await desk.get(path, params={"cursor": pages["nextCursor"]})).json()
    assert [one["id"] for one in pages["items"] + rest["items"]] == [
        one["id"] for one in items
    ]
    assert (await desk.ask("POST", f"{path}/read-all")).json() == {"read": 2}
    assert (await desk.get(path, params={"unread": "true"})).json()["items"] == []
    # It is of patients: nothing for a patient's own token.
    own = Desk(desk.http, token(patient_id=UUID(visit["patientId"])))
    asked = [await own.get(path), await own.ask("POST", f"{path}/read-all")]
    assert codes(*asked) == [(403, "FORBIDDEN")] * 2
    mine = await own.get(f"/v1/patients/{visit['patientId']}/sub-files")
    assert len(mine.json()["items"]) == 1
    other = await own.get(f"/v1/patients/{await desk.a_patient()}/sub-files")
    assert codes(other) == [(404, "PATIENT_NOT_FOUND")]


async def schedule_of(desk: Desk, visit: Thing) -> Thing:
    slot = (await desk.get(f"/v1/slots/{visit['slotIds'][0]}")).json()
    found: Thing = (await desk.get(f"/v1/schedules/{slot['scheduleId']}")).json()
    return found


async def test_who_is_checked_in_is_handed_to_an_encounter(
    desk: Desk, world: World, product: Product
) -> None:
    visit = await desk.booked()
    here = await desk.post(f"/v1/appointments/{visit['id']}/check-in", {"version": 1})
    assert here.is_success, here.text
    [told] = await world.hears("encounter.requested")
    [file] = await world.hears("subfile.created")
    data = told["data"]
    assert data["appointmentId"] == visit["id"]
    assert data["subFileNumber"] == file["data"]["number"]
    # Without a main file there is a folder all the same, and a warning.
    assert file["data"]["mainFileMissing"]
    warned = [line for line in product.logs().splitlines() if file["subject"] in line]
    assert "patient has no main file" in warned[0]
    assert data["arrivedAt"] == here.json()["updatedAt"]
