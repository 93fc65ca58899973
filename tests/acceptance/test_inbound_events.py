"""What others tell over NATS, followed by the product as it runs."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import nats
import orjson
import pytest
from nats.js.api import DeliverPolicy

from tests.acceptance.desk import TOMORROW, Desk, Thing, at, codes
from tests.acceptance.product import PATIENCE, Product
from tests.following import Sender, an_event, sending, until_rows

REQUESTED = "portal.appointment.requested"
ACCEPTED, REJECTED = "portal.appointment.accepted", "portal.appointment.rejected"
NOTICE = "notification.requested"
FOLLOWED = "SELECT outcome FROM inbox WHERE event_id = $1"
DEAD = "SELECT reason FROM dead_letters WHERE event_id = $1"
EVERY_DAY = {
    "daysOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "startTime": "09:00",
    "endTime": "11:00",
    "slotMinutes": 30,
}


@dataclass(frozen=True)
class World:
    """Somebody else's service of the tenant, and what it hears of us."""

    product: Product
    tenant: UUID
    sender: Sender

    async def tells(self, type: str, data: Thing, **attributes: object) -> str:
        """Tell it and wait until it was followed; return the event's id."""
        event = an_event(type, data, **attributes)
        await self.sender.send(self.tenant, event)
        url = self.product.database_url
        await until_rows(url, 1, FOLLOWED, event["id"])
        return str(event["id"])

    async def hears(self, type: str, count: int = 1) -> list[Thing]:
        """Return the first so many events of a type, whole."""
        client = await nats.connect(self.product.nats_url)
        try:
            subscription = await client.jetstream().subscribe(
                f"scheduling.{self.tenant}.{type}",
                ordered_consumer=True,
                deliver_policy=DeliverPolicy.ALL,
            )
            return [
                json.loads((await subscription.next_msg(timeout=PATIENCE)).data)
                for _ in range(count)
            ]
        finally:
            await client.close()

    async def types(self) -> list[str]:
        """Return the types of all that the tenant's stream has, once it is whole."""
        told = await self.product.events(self.tenant)
        return [json.loads(message.data)["type"] for message in told]


@pytest.fixture
async def world(product: Product, tenant: UUID) -> AsyncIterator[World]:
    async with sending(product.nats_url) as sender:
        yield World(product, tenant, sender)


def a_wish(patient: str, slot: Thing, **told: Any) -> Thing:  # noqa: ANN401
    return {
        "requestId": str(uuid4()),
        "patientId": patient,
        "slotId": slot["id"],
        "appointmentType": "consultation",
        **told,
    }


async def step(desk: Desk, id: str, status: str) -> Any:  # noqa: ANN401
    visit = (await desk.get(f"/v1/appointments/{id}")).json()
    given = {"status": status, "version": visit["version"]}
    if status == "cancelled":
        given["reasonCode"] = "patient"
    return await desk.post(f"/v1/appointments/{id}/status", given)


async def test_a_patient_of_the_registry_asks_the_portal_and_staff_accept(
    desk: Desk, world: World
) -> None:
    patient, slot = str(uuid4()), await desk.a_slot()
    await world.tells("patient.created", {"patientId": patient, "name": "Maria"})
    assert (await desk.get(f"/v1/patients/{patient}")).json()["name"] == "Maria"
    wish = a_wish(patient, slot)
    event = await world.tells(REQUESTED, wish)
    [reply] = await world.hears(ACCEPTED)
    assert reply["data"]["requestId"] == wish["requestId"]
    assert reply["data"]["requestEventId"] == event
    id = reply["data"]["appointmentId"]
    visit = (await desk.get(f"/v1/appointments/{id}")).json()
    assert (visit["status"], visit["patientId"]) == ("proposed", patient)
    # It takes no time yet; booked, it does.
    assert slot["id"] in {one["slotId"] for one in await desk.free()}
    accepted = await step(desk, id, "booked")
    assert (accepted.status_code, accepted.json()["status"]) == (200, "booked")
    assert slot["id"] not in {one["slotId"] for one in await desk.free()}


async def test_of_two_who_ask_for_one_seat_staff_accept_one(
    desk: Desk, world: World
) -> None:
    slot = await desk.a_slot()
    for _ in range(2):
        await world.tells(REQUESTED, a_wish(await desk.a_patient(), slot))
    first, second = [
        one["data"]["appointmentId"] for one in await world.hears(ACCEPTED, 2)
    ]
    assert (await step(desk, first, "booked")).status_code == 200
    assert codes(await step(desk, second, "booked")) == [(409, "SLOT_NOT_AVAILABLE")]
    kept = (await desk.get(f"/v1/appointments/{second}")).json()
    assert kept["status"] == "proposed"
    # A proposal that is called off gives nothing back.
    assert (await step(desk, second, "cancelled")).status_code == 200
    assert (await world.types()).count("slot.opened") == 1


async def test_the_same_message_twice_is_one_proposal(
    desk: Desk, world: World, product: Product, tenant: UUID
) -> None:
    event = an_event(REQUESTED, a_wish(await desk.a_patient(), await desk.a_slot()))
    for _ in range(5):
        await world.sender.send(tenant, event)
    await world.tells(REQUESTED, event["data"], source="/another-portal")
    replies = await world.hears(ACCEPTED, 2)
    assert len({one["data"]["appointmentId"] for one in replies}) == 1
    assert (await world.types()).count("appointment.proposed") == 1
    assert (await world.types()).count(ACCEPTED) == 2
    assert await product.count(tenant, "appointments") == 1


async def test_who_cannot_be_booked_for_is_told_why(desk: Desk, world: World) -> None:
    slot = await desk.a_slot()
    await world.tells(REQUESTED, a_wish(str(uuid4()), slot))
    await desk.booked(slot)
    await world.tells(REQUESTED, a_wish(await desk.a_patient(), slot))
    told = [one["data"]["code"] for one in await world.hears(REJECTED, 2)]
    assert told == ["PATIENT_NOT_FOUND", "SLOT_NOT_AVAILABLE"]


async def test_poison_is_put_aside_and_the_next_goes_on(
    desk: Desk, world: World, product: Product, tenant: UUID
) -> None:
    patient, slot = await desk.a_patient(), await desk.a_slot()
    poison = [
        an_event(REQUESTED, {**a_wish(patient, slot), "hurry": True}),
        an_event("encounter.finalized", {"appointmentId": str(uuid4())}),
        an_event("patient.merged", {}),
    ]
    for event in poison:
        await world.sender.send(tenant, event)
    await world.tells(REQUESTED, a_wish(patient, slot))
    assert len(await world.hears(ACCEPTED)) == 1
    reasons = [
        (await until_rows(product.database_url, 1, DEAD, event["id"]))[0]["reason"]
        for event in poison
    ]
    assert reasons == ["VALIDATION_FAILED", "APPOINTMENT_NOT_FOUND", "UNKNOWN_TYPE"]


async def test_a_patient_who_is_deleted_is_gone_and_their_time_is_free(
    desk: Desk, world: World
) -> None:
    patient, slot = await desk.a_patient(), await desk.a_slot()
    visit = await desk.booked(slot, patient, reason="Marker-Reason")
    await world.tells("patient.deleted", {"patientId": patient}, aggregateversion=9)
    [cancelled] = await world.hears("appointment.cancelled")
    assert cancelled["data"]["reasonCode"] == "patient-deleted"
    assert (await desk.get(f"/v1/patients/{patient}")).status_code == 404
    left = (await desk.get(f"/v1/appointments/{visit['id']}")).json()
    assert (left["status"], left["reason"]) == ("cancelled", None)
    assert codes(await desk.book(slot, patient)) == [(404, "PATIENT_NOT_FOUND")]
    await desk.booked(slot)
    late = {"patientId": patient, "name": "Maria"}
    await world.tells("patient.updated", late, aggregateversion=8)
    assert (await desk.get(f"/v1/patients/{patient}")).status_code == 404
    await world.tells("patient.created", late, aggregateversion=10)
    assert (await desk.get(f"/v1/patients/{patient}")).json()["name"] == "Maria"


async def test_somebody_new_has_slots_and_is_welcomed(desk: Desk, world: World) -> None:
    location, practitioner = await desk.a_location(), str(uuid4())
    away = {"start": at("00:00"), "end": at("00:00") + timedelta(days=1)}
    doctor = {
        "practitionerId": practitioner,
        "name": "Dr. Marker",
        "locationId": location,
        "availability": [EVERY_DAY],
        "vacations": [{name: one.isoformat() for name, one in away.items()}],
    }
    await world.tells("doctor.created", doctor)
    [welcome] = await world.hears(NOTICE)
    assert welcome["data"]["template"] == "practitioner.welcome"
    assert welcome["data"]["recipientId"] == practitioner
    assert "Marker" not in str(welcome)
    [completed] = await world.hears("slots.generation.completed")
    assert completed["data"]["created"] > 300
    free = await desk.free(practitionerId=practitioner)
    # Not tomorrow, which is vacation, but the day after.
    day_after = TOMORROW + timedelta(days=1)
    assert [one["start"] for one in free] == [
        (day_after + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
        for minutes in (0, 30, 60, 90)
    ]


async def test_a_directory_puts_and_ends_roles(desk: Desk, world: World) -> None:
    role = {
        "practitionerRoleId": str(uuid4()),
        "practitionerId": await desk.a_practitioner(),
        "locationId": await desk.a_location(),
        "availability": [EVERY_DAY],
    }
    path = f"/v1/practitioner-roles/{role['practitionerRoleId']}"
    await world.tells("practitioner-role.created", role, aggregateversion=1)
    assert len((await desk.get(path)).json()["availability"]) == 1
    await world.hears("slots.generation.completed")
    closed = {**role, "availability": []}
    await world.tells("practitioner-role.updated", closed, aggregateversion=3)
    await world.tells("practitioner-role.updated", role, aggregateversion=2)
    assert (await desk.get(path)).json()["availability"] == []
    *_, emptied = await world.hears("slots.generation.completed", 2)
    assert emptied["data"]["retired"] > 300
    gone = {"practitionerRoleId": role["practitionerRoleId"]}
    await world.tells("practitioner-role.deleted", gone, aggregateversion=4)
    assert codes(await desk.get(path)) == [(404, "PRACTITIONER_ROLE_NOT_FOUND")]


async def test_a_visit_that_is_written_up_is_completed(
    desk: Desk, world: World
) -> None:
    visit = await desk.booked()
    await world.tells("encounter.finalized", {"appointmentId": visit["id"]})
    done = (await desk.get(f"/v1/appointments/{visit['id']}")).json()
    assert (done["status"], done["version"]) == ("completed", visit["version"] + 2)
    await world.tells("encounter.finalized", {"appointmentId": visit["id"]})
    types = await world.types()
    assert types.count("appointment.completed") == 1
    assert types.count("checkin.completed") == 1


async def test_news_of_others_is_told_on_to_whom_it_concerns(
    world: World, tenant: UUID
) -> None:
    ids = {name: str(uuid4()) for name in ("locationId", "practitionerId", "patientId")}
    news: list[tuple[str, Thing, str, str | None]] = [
        (
            "equipment.low-stock",
            {"equipmentId": str(uuid4()), "locationId": ids["locationId"]},
            "staff",
            None,
        ),
        (
            "feedback.submitted",
            {"feedbackId": str(uuid4()), "practitionerId": ids["practitionerId"]},
            "practitioner",
            ids["practitionerId"],
        ),
        (
            "report.updated",
            {"reportId": str(uuid4()), "patientId": ids["patientId"]},
            "patient",
            ids["patientId"],
        ),
    ]
    for type, data, _, _ in news:
        headers = {
            "ce-specversion": "1.0",
            "ce-id": str(uuid4()),
            "ce-source": "/somebody",
            "ce-type": type,
            "Content-Type": "application/json",
        }
        subject = f"inbox.{tenant}.{type}"
        await world.sender.send_bytes(subject, orjson.dumps(data), headers)
    told = {
        one["data"]["template"]: one["data"] for one in await world.hears(NOTICE, 3)
    }
    for type, data, kind, recipient in news:
        assert told[type]["recipientType"] == kind
        assert told[type]["recipientId"] == recipient
        assert told[type]["references"] == data
