"""One visit from its booking to its cancel, with all that follows from it by itself."""

import asyncio
import json
import os
import sys
from email.message import EmailMessage
from uuid import UUID, uuid4

import asyncpg

from tests.acceptance.desk import Desk, Thing
from tests.acceptance.product import Product
from tests.acceptance.test_automations import shown
from tests.acceptance.test_inbound_events import NOTICE, World
from tests.acceptance.test_reminders import reminders
from tests.following import sending
from tests.mailing import MailSite


async def time_has_come_for(product: Product, *planned: Thing) -> None:
    """The clock cannot be moved for PostgreSQL; what it is compared with can."""
    connection = await asyncpg.connect(
        product.database_url, server_settings={"role": "scheduling_cron"}
    )
    try:
        moved = await connection.execute(
            "UPDATE reminders SET due_at = now() WHERE id = ANY($1)",
            [UUID(one["id"]) for one in planned],
        )
    finally:
        await connection.close()
    assert moved == f"UPDATE {len(planned)}"


async def sweep(product: Product, site: MailSite) -> None:
    """As a CronJob of Kubernetes does it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scheduling", "cron", "run", "reminder-sweep"),
        "--once",
        env={
            **os.environ,
            "SCHEDULING_DATABASE_URL": product.database_url,
            "SCHEDULING_REMINDERS": "smtp",
            "SCHEDULING_SMTP_URL": f"smtp://127.0.0.1:{site.port}",
            "SCHEDULING_SMTP_SENDER": "clinic@example.org",
        },
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def told_in_events(
    product: Product, tenant: UUID, patient: str, address: str
) -> list[str]:
    """Return what was asked to be told to the patient, and of mails; the address is in
    no event.
    """
    stream = await product.events(tenant, whole=True)
    assert not [one for one in stream if address.encode() in one.data]
    events = [json.loads(one.data) for one in stream]
    return [
        one["data"].get("template", one["type"])
        for one in events
        if one["data"].get("recipientId") == patient
        or ("reminder" in one["type"] and one["data"]["patientId"] == patient)
    ]


async def test_a_booking_is_filed_confirmed_shown_and_reminded_of_once_until_a_cancel(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    await desk.settings(reminderOffsetsMinutes=[120, 60, 30])
    to, to_another = f"{uuid4()}@example.org", f"{uuid4()}@example.org"
    by_mail = {"preferences": {"email": True}}
    patient = await desk.a_patient(email=to, language="my", **by_mail)
    berlin = await desk.a_location(timezone="Europe/Berlin", name="Clinic Mitte")
    booked = await desk.booked(
        await desk.a_slot(schedule=await desk.a_schedule(location=berlin)), patient
    )

    # A folder, a confirmation, and a line on the practitioner's screen.
    async with sending(product.nats_url) as sender:
        world = World(product, tenant, sender)
        [filed] = await world.hears("subfile.created")
        [confirmed] = await world.hears(NOTICE)
    files = (await desk.get(f"/v1/patients/{patient}/sub-files")).json()["items"]
    assert [one["id"] for one in files] == [filed["subject"]]
    assert filed["data"]["appointmentId"] == booked["id"]
    assert confirmed["data"]["template"] == "appointment.booked"
    assert confirmed["data"]["recipientId"] == patient
    [on_screen] = await shown(desk, booked["practitionerId"], 1)
    assert on_screen["appointmentId"] == booked["id"]

    # Somebody else's visit, which is not called off, is reminded of again.
    another = await desk.a_patient(email=to_another, **by_mail)
    others = await reminders(desk, await desk.booked(patient=another))
    planned = await reminders(desk, booked)
    assert [one["offsetMinutes"] for one in planned] == [120, 60, 30]
    assert {(one["status"], one["channel"]) for one in planned} == {
        ("SCHEDULED", "email")
    }
    async with MailSite().open() as site:

        def mails(address: str) -> list[EmailMessage]:
            return [one for one in site.mails if one["To"] == address]

        await time_has_come_for(product, planned[0], others[0])
        await asyncio.gather(*(sweep(product, site) for _ in range(3)))
        await sweep(product, site)
        [mail] = mails(to)
        assert "Clinic Mitte" in mail.get_content()
        assert "Europe/Berlin" in mail.get_content()
        assert mail["Content-Language"] == "my"
        first, *left = await reminders(desk, booked)
        assert (first["status"], first["reason"]) == ("SENT", None)
        assert first["sentAt"] is not None
        assert {one["status"] for one in left} == {"SCHEDULED"}

        # One is due already when the visit is called off, one is not.
        await time_has_come_for(product, planned[1], others[1])
        assert (await desk.cancel(booked)).status_code == 200
        await time_has_come_for(product, planned[2])
        await asyncio.gather(*(sweep(product, site) for _ in range(2)))
        assert (len(mails(to)), len(mails(to_another))) == (1, 2)
        ended = {
            one["offsetMinutes"]: (one["status"], one["reason"])
            for one in await reminders(desk, booked)
        }
        off = ("CANCELLED", "cancelled")
        assert ended == {120: ("SENT", None), 60: off, 30: off}

    [last, _] = await shown(desk, booked["practitionerId"], 2)
    assert last["template"] == "appointment.cancelled"
    assert await told_in_events(product, tenant, patient, to) == [
        "appointment.booked",
        "appointment.reminder.sent",
        "appointment.cancelled",
    ]
