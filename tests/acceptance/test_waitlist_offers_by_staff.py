"""The front desk sees who waits for a free slot, and offers it, over HTTP."""

import asyncio
from uuid import UUID, uuid4

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.waiting_room import (
    PATH,
    answer_offer,
    candidates,
    offer,
    remove,
    waits,
)


async def named(desk: Desk, slot: Thing) -> list[tuple[str, str]]:
    """Return who waits for it: whose entry it is, and their name."""
    answer = await candidates(desk, slot)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert all(one["entry"]["patientName"] == one["patientName"] for one in items)
    return [(one["entry"]["id"], one["patientName"]) for one in items]


async def test_who_waits_for_a_free_slot_is_shown_best_first(desk: Desk) -> None:
    slot = await desk.a_slot()
    first = await waits(desk, await desk.a_patient(name="Ana Lima"))
    urgent = await waits(desk, await desk.a_patient(name="Rui Costa"), priority=2)
    await waits(desk, await desk.a_patient(), latest=at("09:29").isoformat())
    assert await named(desk, slot) == [
        (urgent["id"], "Rui Costa"),
        (first["id"], "Ana Lima"),
    ]
    (
        await desk.post(f"/v1/slots/{slot['id']}/block", {"version": 1})
    ).raise_for_status()
    assert await named(desk, slot) == []


async def test_the_desk_offers_a_slot_and_the_patient_takes_it(
    desk: Desk, token: Token, product: Product, tenant: UUID
) -> None:
    assert (await desk.get("/v1/settings")).json()["waitlistOffers"] is False
    patient, slot = await desk.a_patient(), await desk.a_slot()
    entry = await waits(desk, patient)
    done = await offer(desk, entry, slot, key="k")
    assert (done.status_code, done.headers["ETag"]) == (200, '"2"')
    offered = done.json()
    assert offered["offer"]["slotIds"] == [slot["id"]]
    assert offered["offer"]["appointmentType"] == "unspecified"
    again = await offer(desk, entry, slot, key="k")
    assert (again.content, again.headers["Idempotency-Replayed"]) == (
        done.content,
        "true",
    )
    [(found, _)] = await named(desk, await desk.a_slot(at("15:00")))
    assert found == entry["id"]
    assert await named(desk, slot) == []
    own = Desk(desk.http, token(patient_id=patient, subject="me"), desk.everything)
    taken = await answer_offer(own, offered, "accept", appointmentType="visit")
    assert taken.status_code == 200, taken.text
    assert taken.json()["appointment"]["id"] == offered["offer"]["appointmentId"]
    actions = [row["action"] for row in await product.audit(tenant)]
    assert actions.count("waitlist-entry.offered") == 1
    assert actions.count("slot.candidates.read") == 2


async def test_what_cannot_be_offered_is_said_by_its_code(desk: Desk) -> None:
    slot, other = await desk.a_slot(), await desk.a_slot(at("15:00"))
    entry = await waits(desk, await desk.a_patient(), latest=at("12:00").isoformat())
    gone = await waits(desk, await desk.a_patient())
    await remove(desk, gone)
    held = (await offer(desk, await waits(desk, await desk.a_patient()), slot)).json()
    late = await offer(desk, entry, other)
    refused = [
        await offer(desk, entry, slot),
        late,
        await offer(desk, {**gone, "version": 2}, other),
        await offer(desk, held, other),
        await offer(desk, entry, {"id": str(uuid4())}),
        await offer(desk, {"id": str(uuid4()), "version": 1}, slot),
        await offer(desk, entry, slot, version=None),
        await offer(desk, entry, slot, version=7),
        await desk.post(
            f"{PATH}/{entry['id']}/offer", {"slotId": slot["id"]}, If_Match='"7"'
        ),
    ]
    assert codes(*refused) == [
        (409, "SLOT_NOT_AVAILABLE"),
        (422, "VALIDATION_FAILED"),
        (409, "INVALID_STATUS_TRANSITION"),
        (409, "INVALID_STATUS_TRANSITION"),
        (404, "SLOT_NOT_FOUND"),
        (404, "WAITLIST_ENTRY_NOT_FOUND"),
        (428, "PRECONDITION_REQUIRED"),
        (409, "OPTIMISTIC_LOCK_CONFLICT"),
        (412, "OPTIMISTIC_LOCK_CONFLICT"),
    ]
    assert late.json()["errors"][0]["field"] == "slotId"


async def test_of_two_at_the_desk_who_offer_one_seat_one_wins(desk: Desk) -> None:
    slot = await desk.a_slot()
    entries = [await waits(desk, await desk.a_patient()) for _ in range(4)]
    answers = await asyncio.gather(*(offer(desk, entry, slot) for entry in entries))
    refused = [one for one in answers if one.status_code != 200]
    assert codes(*refused) == [(409, "SLOT_NOT_AVAILABLE")] * 3
    assert (await desk.get(f"/v1/slots/{slot['id']}")).json()["booked"] == 1


async def test_another_tenants_slot_has_no_candidates(desk: Desk, token: Token) -> None:
    slot, entry = await desk.a_slot(), await waits(desk, await desk.a_patient())
    stranger = Desk(desk.http, token(tenant_id=uuid4()), desk.everything)
    unknown = {"id": str(uuid4()), "version": 1}
    for mine in (slot, unknown):
        assert codes(await candidates(stranger, mine)) == [(404, "SLOT_NOT_FOUND")]
    for theirs in (entry, unknown):
        answer = await offer(stranger, theirs, slot)
        assert codes(answer) == [(404, "WAITLIST_ENTRY_NOT_FOUND")]
