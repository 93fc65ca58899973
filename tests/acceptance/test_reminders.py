"""Whose reminders are seen by whom, and how."""

from uuid import UUID, uuid4

import httpx2

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing


async def reminders(desk: Desk, appointment: Thing) -> list[Thing]:
    answer = await desk.get(f"/v1/appointments/{appointment['id']}/reminders")
    assert answer.status_code == 200, answer.text
    items: list[Thing] = answer.json()["items"]
    return items


async def test_a_patient_sees_the_reminders_of_its_own_visits_only(
    desk: Desk, http: httpx2.AsyncClient, token: Token
) -> None:
    await desk.settings(reminderOffsetsMinutes=[30])
    mine = await desk.a_patient(preferences={"sms": True}, phone="+49 30 1")
    booked = await desk.booked(await desk.a_slot(), mine)

    def own(patient: str) -> Desk:
        return Desk(http, token(patient_id=UUID(patient), scope="scheduling:read"))

    assert len(await reminders(own(mine), booked)) == 1
    path = f"/v1/appointments/{booked['id']}/reminders"
    foreign = await own(await desk.a_patient()).get(path)
    unknown = await desk.get(f"/v1/appointments/{uuid4()}/reminders")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["code"] == unknown.json()["code"] == "APPOINTMENT_NOT_FOUND"


async def test_that_a_patient_cannot_be_reached_is_seen(desk: Desk) -> None:
    await desk.settings(reminderOffsetsMinutes=[30])
    unreached = await desk.booked(patient=await desk.a_patient())
    (shown,) = await reminders(desk, unreached)
    assert (shown["status"], shown["reason"]) == ("SCHEDULED", "NO_CHANNEL")
    assert shown["channel"] is None
    reached = await desk.a_patient(preferences={"sms": True}, phone="+49 30 1")
    (shown,) = await reminders(desk, await desk.booked(patient=reached))
    assert (shown["reason"], shown["channel"]) == (None, "sms")


async def test_they_come_in_pages(desk: Desk) -> None:
    await desk.settings(reminderOffsetsMinutes=[120, 60, 30])
    patient = await desk.a_patient(preferences={"sms": True})
    booked = await desk.booked(await desk.a_slot(), patient)
    path, asked = f"/v1/appointments/{booked['id']}/reminders", {"limit": 2}
    first = (await desk.get(path, params=asked)).json()
    rest = (
        await desk.get(path, params={**asked, "cursor": first["nextCursor"]})
    ).json()
    told = [one["offsetMinutes"] for one in (*first["items"], *rest["items"])]
    assert told == [120, 60, 30]
    assert rest["nextCursor"] is None
