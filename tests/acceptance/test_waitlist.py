"""Waiting for time, over HTTP, and what subscribers hear of it."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import nats

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product, what_is_wrong
from tests.acceptance.visits import as_it_is
from tests.acceptance.waiting_room import (
    PATH,
    a_wish,
    candidates,
    fulfil,
    offer,
    remove,
    waits,
    without_name,
)


def of_a_patient(desk: Desk, token: Token, patient: str) -> Desk:
    return Desk(
        desk.http,
        token(patient_id=patient, subject=f"patient-{patient}"),
        desk.everything,
    )


async def told(product: Product, tenant: UUID) -> list[dict[str, Any]]:
    """Return all events of the tenant, once they are in the stream."""
    events = await product.events(tenant)
    assert what_is_wrong(await product.committed(tenant), events) == []
    return [json.loads(message.data) for message in events]


def announcements(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [e for e in events if e["type"] == "waitlist.slot-available"]


async def test_an_entry_is_made_shown_and_removed(desk: Desk) -> None:
    patient, location = await desk.a_patient(), await desk.a_location()
    wish = a_wish(patient, locationIds=[location], serviceType="x-ray", priority=3)
    answer = await desk.post(PATH, wish)
    entry = answer.json()
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Location"] == f"{PATH}/{entry['id']}"
    assert entry["status"] == "waiting"
    assert (entry["priority"], entry["serviceType"]) == (3, "x-ray")
    assert (entry["practitionerIds"], entry["locationIds"]) == ([], [location])
    read = (await desk.get(f"{PATH}/{entry['id']}")).json()
    assert read == {**entry, "patientName": "Maria Silva"}
    gone = await remove(desk, entry)
    assert (gone.status_code, gone.headers["ETag"]) == (200, '"2"')
    assert gone.json()["status"] == "removed"
    read = (await desk.get(f"{PATH}/{entry['id']}")).json()
    assert without_name(read) == gone.json()
    again = await remove(desk, entry, if_match='"2"')
    assert codes(again) == [(409, "INVALID_STATUS_TRANSITION")]


async def test_a_removal_names_the_version_by_if_match(desk: Desk) -> None:
    entry = await waits(desk, await desk.a_patient())
    refused = [await remove(desk, entry, if_match=tag) for tag in (None, '"2"', "*")]
    assert codes(*refused) == [
        (428, "PRECONDITION_REQUIRED"),
        (412, "OPTIMISTIC_LOCK_CONFLICT"),
        (428, "PRECONDITION_REQUIRED"),
    ]


async def test_a_removal_under_a_key_is_done_once(desk: Desk) -> None:
    entry = await waits(desk, await desk.a_patient())
    first, again = [await remove(desk, entry, key="k") for _ in range(2)]
    assert (first.status_code, first.content) == (200, again.content)
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_the_list_is_by_status_patient_and_page(desk: Desk) -> None:
    patients = [await desk.a_patient() for _ in range(2)]
    entries = [await waits(desk, patients[n % 2]) for n in range(5)]
    await remove(desk, entries[0])
    waiting: list[Thing] = []
    cursor: dict[str, str] = {}
    while True:
        asked = {"status": "waiting", "limit": "2", **cursor}
        page = (await desk.get(PATH, params=asked)).json()
        waiting += map(without_name, page["items"])
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert waiting == entries[1:]
    theirs = (await desk.get(PATH, params={"patientId": patients[1]})).json()["items"]
    assert [one["patientName"] for one in theirs] == ["Maria Silva"] * 2
    assert list(map(without_name, theirs)) == [entries[1], entries[3]]


async def test_what_a_wish_names_must_be_there(desk: Desk) -> None:
    patient, nobody = await desk.a_patient(), str(uuid4())
    inactive = await desk.a_patient(active=False)
    refused = [
        await desk.post(PATH, a_wish(nobody)),
        await desk.post(PATH, a_wish(inactive)),
        await desk.post(PATH, a_wish(patient, practitionerIds=[nobody])),
        await desk.post(PATH, a_wish(patient, locationIds=[nobody])),
    ]
    assert codes(*refused) == [
        (404, "PATIENT_NOT_FOUND"),
        (404, "PATIENT_NOT_FOUND"),
        (404, "PRACTITIONER_NOT_FOUND"),
        (404, "LOCATION_NOT_FOUND"),
    ]


async def test_a_wish_that_makes_no_sense_is_named_by_its_field(desk: Desk) -> None:
    patient = await desk.a_patient()
    twice = [str(uuid4())] * 2
    for field, wrong in (
        ("latest", {"latest": "2020-01-01T00:00:00Z"}),
        (
            "latest",
            {"earliest": "2020-01-01T00:00:00Z", "latest": "2020-01-02T00:00:00Z"},
        ),
        ("latest", {"latest": "2100-01-01T00:00:00Z"}),
        ("earliest", {"earliest": "tomorrow"}),
        ("priority", {"priority": 1001}),
        ("practitionerIds", {"practitionerIds": twice}),
        ("serviceType", {"serviceType": ""}),
        ("comment", {"comment": "please"}),
    ):
        answer = await desk.post(PATH, a_wish(patient, **wrong))
        assert codes(answer) == [(422, "VALIDATION_FAILED")], field
        assert answer.json()["errors"][0]["field"] == field


async def test_who_waits_hears_of_a_cancel_and_nobody_is_booked(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot()
    booked = await desk.booked(slot)
    old = await waits(desk, await desk.a_patient())
    new = await waits(desk, await desk.a_patient(), serviceType="x-ray")
    urgent = await waits(desk, await desk.a_patient(), priority=1)
    busy = await desk.a_patient()
    await waits(desk, busy)
    await desk.booked(await desk.a_slot(at("09:15")), busy)
    await waits(desk, await desk.a_patient(), earliest=at("09:01").isoformat())
    await waits(desk, await desk.a_patient(), locationIds=[await desk.a_location()])
    client = await nats.connect(product.nats_url)
    try:
        subject = f"scheduling.{tenant}.waitlist.slot-available"
        subscription = await client.subscribe(subject)
        await client.flush()
        cancels = [await desk.cancel(booked, key="once") for _ in range(2)]
        message = await subscription.next_msg(timeout=10)
    finally:
        await client.close()
    assert [one.status_code for one in cancels] == [200, 200]
    event = json.loads(message.data)
    assert event["subject"] == booked["id"]
    assert event["aggregateversion"] == 2
    assert event["data"] == {
        "appointmentId": booked["id"],
        "practitionerId": slot["practitionerId"],
        "locationId": slot["locationId"],
        "slotIds": [slot["id"]],
        "start": slot["start"],
        "end": slot["end"],
        "timezone": "UTC",
        "appointmentType": "consultation",
        "candidates": [
            {"waitlistEntryId": one["id"], "patientId": one["patientId"]}
            for one in (urgent, old, new)
        ],
    }
    events = await told(product, tenant)
    assert len(announcements(events)) == 1
    assert (await desk.get(f"/v1/slots/{slot['id']}")).json()["booked"] == 0
    waiting = (await desk.get(PATH, params={"status": "waiting"})).json()["items"]
    assert len(waiting) == 6


async def test_who_waits_hears_of_a_move(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    schedule = await desk.a_schedule()
    old = await desk.a_slot(schedule=schedule)
    new = await desk.a_slot(at("11:00"), schedule=schedule)
    booked = await desk.booked(old)
    await waits(desk, await desk.a_patient())
    moved = await desk.post(
        f"/v1/appointments/{booked['id']}/reschedule",
        {"slotId": new["id"], "version": booked["version"]},
    )
    assert moved.status_code == 200, moved.text
    (event,) = announcements(await told(product, tenant))
    assert (event["subject"], event["aggregateversion"]) == (booked["id"], 2)
    assert event["data"]["start"] == old["start"]


async def test_inside_the_minimum_notice_nobody_is_told(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    booked = await desk.booked()
    await waits(desk, await desk.a_patient())
    await desk.settings(minimumNoticeMinutes=3 * 24 * 60)
    assert (await desk.cancel(booked)).status_code == 200
    assert announcements(await told(product, tenant)) == []


async def test_a_fulfilled_wish_is_a_booking_and_is_told(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    patient, slot = await desk.a_patient(), await desk.a_slot()
    entry = await waits(desk, patient)
    answer = await fulfil(desk, entry, slot, key="k")
    again = await fulfil(desk, entry, slot, key="k")
    assert (answer.status_code, again.content) == (201, answer.content)
    done, booked = answer.json()["entry"], answer.json()["appointment"]
    assert answer.headers["Location"] == f"/v1/appointments/{booked['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert (booked["patientId"], booked["slotIds"]) == (patient, [slot["id"]])
    assert (done["status"], done["version"]) == ("fulfilled", 2)
    assert done["appointmentId"] == booked["id"]
    assert await as_it_is(desk, booked) == booked
    (event,) = (
        e for e in await told(product, tenant) if e["type"] == "waitlist.fulfilled"
    )
    assert (event["subject"], event["aggregateversion"]) == (entry["id"], 2)
    assert event["data"] == {
        "waitlistEntryId": entry["id"],
        "patientId": patient,
        "appointmentId": booked["id"],
    }


async def test_of_two_who_accept_at_once_one_wins(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    slots = [await desk.a_slot(at(f"1{n}:00"), schedule=schedule) for n in range(4)]
    entry = await waits(desk, await desk.a_patient())
    answers = await asyncio.gather(*(fulfil(desk, entry, slot) for slot in slots))
    won = [one for one in answers if one.status_code == 201]
    assert len(won) == 1
    assert set(codes(*(one for one in answers if one not in won))) <= {
        (409, "OPTIMISTIC_LOCK_CONFLICT"),
        (409, "INVALID_STATUS_TRANSITION"),
    }
    booked = [(await desk.get(f"/v1/slots/{s['id']}")).json()["booked"] for s in slots]
    assert sorted(booked) == [0, 0, 0, 1]


async def test_a_wish_is_fulfilled_by_the_rules_of_any_booking(desk: Desk) -> None:
    slot = await desk.a_slot()
    entry = await waits(desk, await desk.a_patient())
    refused = [
        await fulfil(desk, entry, slot, version=None),
        await fulfil(desk, entry, slot, version=7),
        await fulfil(desk, entry, {"id": str(uuid4())}),
    ]
    await desk.booked(slot)
    refused.append(await fulfil(desk, entry, slot))
    assert codes(*refused) == [
        (428, "PRECONDITION_REQUIRED"),
        (409, "OPTIMISTIC_LOCK_CONFLICT"),
        (404, "SLOT_NOT_FOUND"),
        (409, "SLOT_NOT_AVAILABLE"),
    ]
    read = (await desk.get(f"{PATH}/{entry['id']}")).json()
    assert without_name(read) == entry


async def test_a_wish_is_fulfilled_by_a_start_too(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    await desk.a_slot(schedule=schedule)
    entry = await waits(desk, await desk.a_patient())
    answer = await desk.post(
        f"{PATH}/{entry['id']}/fulfil",
        {
            "practitionerId": schedule["practitionerId"],
            "locationId": schedule["locationId"],
            "start": at("09:00").isoformat(),
            "durationMinutes": 30,
            "appointmentType": "procedure",
        },
        If_Match='"1"',
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["appointment"]["appointmentType"] == "procedure"


async def test_a_patient_waits_sees_and_leaves_in_person_only(
    desk: Desk, token: Token
) -> None:
    patient, other = await desk.a_patient(), await desk.a_patient()
    own = of_a_patient(desk, token, patient)
    theirs = await waits(desk, other)
    mine = await waits(own, patient)
    seen = {**mine, "patientName": None}
    assert (await own.get(PATH)).json()["items"] == [seen]
    assert (await own.get(f"{PATH}/{mine['id']}")).json() == seen
    unknown = {"id": str(uuid4()), "version": 1}
    refused = [
        await own.post(PATH, a_wish(other)),
        await own.get(PATH, params={"patientId": other}),
        await own.get(f"{PATH}/{theirs['id']}"),
        await remove(own, theirs),
        await remove(own, unknown),
        await own.post(PATH, a_wish(patient, priority=1)),
        await fulfil(own, mine, await desk.a_slot()),
        await offer(own, mine, await desk.a_slot()),
        await candidates(own, await desk.a_slot()),
    ]
    assert codes(*refused) == [
        (404, "PATIENT_NOT_FOUND"),
        (404, "PATIENT_NOT_FOUND"),
        (404, "WAITLIST_ENTRY_NOT_FOUND"),
        (404, "WAITLIST_ENTRY_NOT_FOUND"),
        (404, "WAITLIST_ENTRY_NOT_FOUND"),
        *[(403, "FORBIDDEN")] * 4,
    ]
    assert (await remove(own, mine)).json()["status"] == "removed"


async def test_another_tenants_entry_is_as_unknown_as_any(
    desk: Desk, token: Token
) -> None:
    entry = await waits(desk, await desk.a_patient())
    stranger = Desk(desk.http, token(tenant_id=uuid4()), desk.everything)
    assert (await stranger.get(PATH)).json()["items"] == []
    for mine in (entry, {"id": str(uuid4()), "version": 1}):
        answers = [
            await stranger.get(f"{PATH}/{mine['id']}"),
            await remove(stranger, mine),
            await fulfil(stranger, mine, {"id": str(uuid4())}),
        ]
        assert codes(*answers) == [(404, "WAITLIST_ENTRY_NOT_FOUND")] * 3


async def test_reading_and_booking_take_their_scopes(desk: Desk, token: Token) -> None:
    entry = await waits(desk, await desk.a_patient())
    reader = Desk(desk.http, token(scope="scheduling:read"), desk.everything)
    booker = Desk(desk.http, token(scope="scheduling:book"), desk.everything)
    assert (await reader.get(PATH)).status_code == 200
    refused = [
        await reader.post(PATH, a_wish(entry["patientId"])),
        await remove(reader, entry),
        await fulfil(reader, entry, {"id": str(uuid4())}),
        await booker.get(PATH),
        await booker.get(f"{PATH}/{entry['id']}"),
    ]
    assert codes(*refused) == [(403, "FORBIDDEN")] * 5


async def test_who_looked_at_the_waitlist_is_in_the_audit(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    entry = await waits(desk, await desk.a_patient())
    await desk.get(PATH)
    await desk.get(f"{PATH}/{entry['id']}")
    await remove(desk, entry)
    actions = [row["action"] for row in await product.audit(tenant)]
    assert actions[-4:] == [
        "waitlist-entry.added",
        "waitlist.read",
        "waitlist-entry.read",
        "waitlist-entry.removed",
    ]
