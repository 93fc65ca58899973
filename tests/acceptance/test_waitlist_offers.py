"""Freed time that is offered to those who wait, over HTTP and through the inbox."""

import json
from uuid import UUID

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, codes
from tests.acceptance.product import Product
from tests.acceptance.waiting_room import (
    PATH,
    answer_offer,
    offered,
    until_offered,
    waits,
    without_name,
)


async def told(product: Product, tenant: UUID, of: str) -> list[str]:
    """Return what was told of an aggregate, in the order of the stream."""
    events = [json.loads(one.data) for one in await product.events(tenant)]
    return [event["type"] for event in events if event["subject"] == of]


async def test_a_patient_takes_what_is_offered(
    desk: Desk, token: Token, product: Product, tenant: UUID
) -> None:
    entry = await offered(desk)
    offer = entry["offer"]
    assert entry["version"] == 2
    hold = (await desk.get(f"/v1/appointments/{offer['appointmentId']}")).json()
    assert hold["status"] == "pending"
    assert offer == {
        **{
            name: hold[name]
            for name in (
                "practitionerId",
                "locationId",
                "slotIds",
                "start",
                "end",
                "timezone",
                "appointmentType",
            )
        },
        "offerId": offer["offerId"],
        "appointmentId": hold["id"],
        "expiresAt": hold["holdExpiresAt"],
    }
    (listed,) = (await desk.get(PATH)).json()["items"]
    assert listed == entry
    own = Desk(
        desk.http, token(patient_id=entry["patientId"], subject="me"), desk.everything
    )
    answer = await answer_offer(own, entry, "accept", reason="my knee")
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert (done["appointment"]["id"], done["appointment"]["status"]) == (
        hold["id"],
        "booked",
    )
    assert done["appointment"]["reason"] == "my knee"
    assert (done["entry"]["status"], done["entry"]["offer"]) == ("fulfilled", None)
    assert done["entry"]["appointmentId"] == hold["id"]
    read = (await desk.get(f"{PATH}/{entry['id']}")).json()
    assert without_name(read) == done["entry"]
    again = await answer_offer(own, done["entry"], "accept")
    assert codes(again) == [(409, "INVALID_STATUS_TRANSITION")]
    assert await told(product, tenant, entry["id"]) == [
        "waitlist.offered",
        "waitlist.offer-accepted",
        "waitlist.fulfilled",
    ]


async def test_what_one_declines_is_offered_to_the_next_and_then_to_all(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    await desk.settings(waitlistOffers=True)
    slot = await desk.a_slot()
    visit = await desk.booked(slot)
    first, second = [await waits(desk, await desk.a_patient()) for _ in range(2)]
    await desk.cancel(visit)
    first = await until_offered(desk, first)
    assert await desk.free() == []
    declined = await answer_offer(desk, first, "decline")
    assert declined.status_code == 200
    assert (declined.json()["status"], declined.json()["offer"]) == ("waiting", None)
    second = (await desk.get(f"{PATH}/{second['id']}")).json()
    assert second["offer"]["slotIds"] == [slot["id"]]
    assert await desk.free() == []
    assert (await answer_offer(desk, second, "decline")).status_code == 200
    (free,) = await desk.free()
    assert free["slotId"] == slot["id"]
    for entry in (first, second):
        assert await told(product, tenant, entry["id"]) == [
            "waitlist.offered",
            "waitlist.offer-declined",
        ]


async def test_an_answer_names_the_version_that_carries_the_offer(desk: Desk) -> None:
    entry = await offered(desk)
    refused = [
        await answer_offer(desk, entry, "accept", version=None),
        await answer_offer(desk, entry, "decline", version=1),
    ]
    assert codes(*refused) == [
        (428, "PRECONDITION_REQUIRED"),
        (409, "OPTIMISTIC_LOCK_CONFLICT"),
    ]


async def test_anothers_offer_is_as_if_there_were_none(
    desk: Desk, token: Token
) -> None:
    entry = await offered(desk)
    other = Desk(desk.http, token(patient_id=await desk.a_patient()), desk.everything)
    for how in ("accept", "decline"):
        answer = await answer_offer(other, entry, how)
        assert codes(answer) == [(404, "WAITLIST_ENTRY_NOT_FOUND")]


async def test_who_polls_an_entry_is_told_when_something_is_offered(
    desk: Desk,
) -> None:
    """The version moves with the offer, and so does the ETag."""
    await desk.settings(waitlistOffers=True)
    visit = await desk.booked()
    entry = await waits(desk, await desk.a_patient())
    path = f"{PATH}/{entry['id']}"
    known = await desk.get(path, headers={"If-None-Match": '"1"'})
    assert known.status_code == 304
    await desk.cancel(visit)
    await until_offered(desk, entry)
    news = await desk.get(path, headers={"If-None-Match": '"1"'})
    assert (news.status_code, news.headers["ETag"]) == (200, '"2"')


async def test_settings_tell_whether_freed_time_is_offered(desk: Desk) -> None:
    assert (await desk.get("/v1/settings")).json()["waitlistOffers"] is False
    await desk.settings(waitlistOffers=True)
    assert (await desk.get("/v1/settings")).json()["waitlistOffers"] is True
    wrong = await desk.put("/v1/settings", {"waitlistOffers": "yes"})
    assert codes(wrong) == [(422, "VALIDATION_FAILED")]
