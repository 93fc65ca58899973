"""A visit's reminders, from the booking to the mail box."""

import asyncio
import os
import sys
from uuid import UUID, uuid4

import asyncpg
import httpx2

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing
from tests.acceptance.product import Product
from tests.mailing import MailSite


async def reminders(desk: Desk, appointment: Thing) -> list[Thing]:
    answer = await desk.get(f"/v1/appointments/{appointment['id']}/reminders")
    assert answer.status_code == 200, answer.text
    items: list[Thing] = answer.json()["items"]
    return items


async def time_has_come_for(product: Product, reminder: Thing) -> None:
    """The clock cannot be moved for PostgreSQL; what it is compared with can."""
    connection = await asyncpg.connect(
        product.database_url, server_settings={"role": "scheduling_cron"}
    )
    try:
        moved = await connection.execute(
            "UPDATE reminders SET due_at = now() WHERE id = $1", UUID(reminder["id"])
        )
    finally:
        await connection.close()
    assert moved == "UPDATE 1"


async def sweep(product: Product, **settings: str) -> None:
    """As a CronJob of Kubernetes does it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scheduling", "cron", "run", "reminder-sweep"),
        "--once",
        env={
            **os.environ,
            "SCHEDULING_DATABASE_URL": product.database_url,
            **settings,
        },
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_a_mail_comes_once_and_after_a_cancel_none(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    await desk.settings(reminderOffsetsMinutes=[120, 60, 30])
    address = f"{uuid4()}@example.org"
    patient = await desk.a_patient(
        email=address, preferences={"email": True}, language="my"
    )
    berlin = await desk.a_location(timezone="Europe/Berlin", name="Clinic Mitte")
    slot = await desk.a_slot(schedule=await desk.a_schedule(location=berlin))
    booked = await desk.booked(slot, patient)
    planned = await reminders(desk, booked)
    assert [one["offsetMinutes"] for one in planned] == [120, 60, 30]
    assert {one["status"] for one in planned} == {"SCHEDULED"}
    assert {one["channel"] for one in planned} == {"email"}

    await time_has_come_for(product, planned[0])
    async with MailSite().open() as site:
        told = {
            "SCHEDULING_REMINDERS": "smtp",
            "SCHEDULING_SMTP_URL": f"smtp://127.0.0.1:{site.port}",
            "SCHEDULING_SMTP_SENDER": "clinic@example.org",
        }
        await sweep(product, **told)
        await sweep(product, **told)
        (mail,) = [one for one in site.mails if one["To"] == address]
        assert "Clinic Mitte" in mail.get_content()
        assert "Europe/Berlin" in mail.get_content()
        assert mail["Content-Language"] == "my"

        first, *others = await reminders(desk, booked)
        assert (first["status"], first["reason"]) == ("SENT", None)
        assert first["sentAt"] is not None
        assert {one["status"] for one in others} == {"SCHEDULED"}

        assert (await desk.cancel(booked)).status_code == 200
        await sweep(product, **told)
        left = (await reminders(desk, booked))[1:]
        assert {(one["status"], one["reason"]) for one in left} == {
            ("CANCELLED", "cancelled")
        }
        assert sum(one["To"] == address for one in site.mails) == 1

    await product.until_in_stream(tenant, 1)
    for event in await product.events(tenant, whole=True):
        assert address.encode() not in event.data
    subjects = [event.subject for event in await product.events(tenant)]
    sent = [one for one in subjects if one.endswith("appointment.reminder.sent")]
    assert len(sent) == 1


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
