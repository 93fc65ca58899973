"""What a desk says about the waitlist."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2

from tests.acceptance.desk import TOMORROW, Desk, Thing

PATH = "/v1/waitlist"


def a_wish(patient: str, **told: object) -> Thing:
    """Anything of tomorrow, unless told otherwise."""
    return {
        "patientId": patient,
        "earliest": (TOMORROW - timedelta(hours=9)).isoformat(),
        "latest": (TOMORROW + timedelta(hours=15)).isoformat(),
        **told,
    }


async def waits(desk: Desk, patient: str, **told: object) -> Thing:
    answer = await desk.post(PATH, a_wish(patient, **told))
    assert answer.status_code == 201, answer.text
    entry: Thing = answer.json()
    return entry


async def fulfil(
    desk: Desk,
    entry: Thing,
    slot: Thing,
    *,
    key: str | None = None,
    **told: Any,  # noqa: ANN401
) -> httpx2.Response:
    given = {
        "slotId": slot["id"],
        "appointmentType": "consultation",
        "version": entry["version"],
        **told,
    }
    return await desk.post(f"{PATH}/{entry['id']}/fulfil", given, key=key)


async def remove(
    desk: Desk, entry: Thing, *, if_match: str | None = '"1"', key: str | None = None
) -> httpx2.Response:
    named = {"If-Match": if_match, "Idempotency-Key": key}
    headers = {name: value for name, value in named.items() if value is not None}
    return await desk.ask("DELETE", f"{PATH}/{entry['id']}", headers=headers)


async def until_offered(desk: Desk, entry: Thing) -> Thing:
    """Return the entry once something is offered to it; the inbox does that."""
    async with asyncio.timeout(60):
        while True:
            now: Thing = (await desk.get(f"{PATH}/{entry['id']}")).json()
            if now["offer"] is not None:
                return now
            await asyncio.sleep(0.02)  # it cannot be awaited


async def offered(desk: Desk) -> Thing:
    """Return an entry to which a slot is offered that somebody gave back."""
    await desk.settings(waitlistOffers=True)
    visit = await desk.booked()
    there = {"practitionerIds": [visit["practitionerId"]]}
    entry = await waits(desk, await desk.a_patient(), **there)
    await desk.cancel(visit)
    return await until_offered(desk, entry)


def without_name(entry: Thing) -> Thing:
    """As a command answers it, which looks no names up."""
    return {name: value for name, value in entry.items() if name != "patientName"}


async def offer(
    desk: Desk, entry: Thing, slot: Thing, *, key: str | None = None, **told: object
) -> httpx2.Response:
    given = {"slotId": slot["id"], "version": entry["version"], **told}
    return await desk.post(f"{PATH}/{entry['id']}/offer", given, key=key)


async def candidates(desk: Desk, slot: Thing) -> httpx2.Response:
    return await desk.get(f"/v1/slots/{slot['id']}/waitlist-candidates")


async def answer_offer(
    desk: Desk, entry: Thing, how: str, **told: object
) -> httpx2.Response:
    given = {"version": entry["version"], **told}
    return await desk.post(f"{PATH}/{entry['id']}/offer/{how}", given)


async def a_day_with_the_waitlist(desk: Desk) -> None:
    """Every operation, with its successes and as many of its refusals as there are."""
    patient, slot = await desk.a_patient(), await desk.a_slot()
    entry = await waits(desk, patient, practitionerIds=[slot["practitionerId"]])
    path = f"{PATH}/{entry['id']}"
    for asked in ("", f"?patientId={patient}&limit=1", "?status=fulfilled"):
        await desk.get(PATH + asked)
    await desk.get(f"{PATH}?status=elsewhere")
    await desk.get(path)
    await desk.get(path, headers={"If-None-Match": '"1"'})
    await desk.get(f"{PATH}/{patient}")
    await desk.post(PATH, a_wish(slot["id"]))
    await desk.post(PATH, a_wish(patient, locationIds=[patient]))
    await desk.post(PATH, a_wish(patient, latest="2020-01-01T00:00:00Z"))
    await fulfil(desk, entry, slot, version=None)
    await fulfil(desk, entry, slot, version=7)
    await fulfil(desk, entry, slot)
    await fulfil(desk, entry, slot, version=2)
    for how in ("accept", "decline"):
        kept = await offered(desk)
        await answer_offer(desk, kept, how, version=None)
        await answer_offer(desk, kept, how, version=7)
        await answer_offer(desk, kept, how)
        await answer_offer(desk, kept, how, version=3)
        await answer_offer(desk, {"id": patient, "version": 1}, how)
    chosen, free = await waits(desk, await desk.a_patient()), await desk.a_slot()
    await candidates(desk, free)
    await candidates(desk, chosen)
    for version in (None, 7, 1, 2):
        await offer(desk, chosen, free, version=version)
    await offer(desk, await waits(desk, patient), free)
    await offer(desk, await waits(desk, patient), {"id": patient})
    await offer(desk, {"id": patient, "version": 1}, free)
    gone = await waits(desk, patient)
    for if_match in (None, '"7"', '"1"', '"2"'):
        await remove(desk, gone, if_match=if_match)
    await remove(desk, {"id": patient})
