"""What is booked arrives as a CloudEvent: once, whole, and in order."""

import asyncio
import json
import re
from datetime import datetime
from pathlib import Path
from uuid import UUID

import httpx2
import nats
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from nats.aio.msg import Msg

from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.program import Running, start
from tests.acceptance.conftest import ALL
from tests.acceptance.desk import TOMORROW, Desk, Thing, at
from tests.acceptance.product import Product, running_product, what_is_wrong
from tests.fakes.outbox import an_event

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UUID7 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)


async def test_a_subscriber_sees_the_cloudevent_of_a_booking(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot, patient = await desk.a_slot(), await desk.a_patient()
    client = await nats.connect(product.nats_url)
    try:
        subject = f"scheduling.{tenant}.appointment.created"
        subscription = await client.subscribe(subject)
        await client.flush()
        answer = await desk.post(
            "/v1/appointments",
            {
                "patientId": patient,
                "slotId": slot["id"],
                "appointmentType": "consultation",
                "reason": "a private reason",
            },
            traceparent=TRACE,
        )
        message = await subscription.next_msg(timeout=10)
    finally:
        await client.close()

    made = answer.json()
    headers = message.headers or {}
    event = json.loads(message.data)
    assert UUID7.fullmatch(event["id"])
    assert headers["Nats-Msg-Id"] == event["id"]
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert message.subject == subject
    assert datetime.fromisoformat(event.pop("time")).utcoffset() is not None
    assert event == {
        "specversion": "1.0",
        "id": event["id"],
        "source": "/scheduling",
        "type": "appointment.created",
        "subject": made["id"],
        "datacontenttype": "application/json",
        "dataschema": event["dataschema"],
        "tenantid": str(tenant),
        "aggregateversion": 1,
        "partitionkey": made["id"],
        "traceparent": TRACE,
        "data": {
            "appointmentId": made["id"],
            "patientId": patient,
            "practitionerId": slot["practitionerId"],
            "locationId": slot["locationId"],
            "slotIds": [slot["id"]],
            "start": slot["start"],
            "end": slot["end"],
            "timezone": "UTC",
            "appointmentType": "consultation",
            "status": "booked",
            "overbooked": False,
        },
    }
    assert event["dataschema"]


async def test_every_event_is_a_cloudevent_to_the_library(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    appointment = await desk.booked()
    await desk.cancel(appointment)
    events = await product.events(tenant)
    kinds = set()
    for message in events:
        headers = message.headers or {}
        parsed = from_structured_event(
            HTTPMessage({"content-type": headers["Content-Type"]}, message.data),
            JSONFormat(),
        )
        raw = json.loads(message.data)
        assert {"id", "source", "type", "specversion"} <= set(raw)
        assert parsed.get_id() == headers["Nats-Msg-Id"]
        assert parsed.get_subject() == raw["subject"]
        assert parsed.get_extension("tenantid") == str(tenant)
        assert message.subject == f"scheduling.{tenant}.{parsed.get_type()}"
        kinds.add(parsed.get_type())
    assert kinds == {
        "schedule.published",
        "slot.opened",
        "appointment.created",
        "appointment.cancelled",
    }
    by_type = {json.loads(m.data)["type"]: json.loads(m.data)["data"] for m in events}
    assert by_type["appointment.cancelled"]["oldStatus"] == "booked"
    assert by_type["appointment.cancelled"]["newStatus"] == "cancelled"
    assert by_type["appointment.cancelled"]["reasonCode"] == "patient"
    assert what_is_wrong(await product.committed(tenant), events) == []


async def bookings(desk: Desk, count: int, *, at_once: int = 16) -> list[Thing]:
    """Book one group slot after the other, full, each seat by another patient.

    Every booking steps its appointment once; every tenth one is cancelled, so that
    appointments and slots have histories whose order can be judged.
    """
    schedule = await desk.a_schedule()
    patients = await asyncio.gather(*(desk.a_patient() for _ in range(min(count, 100))))
    room = asyncio.Semaphore(at_once)
    made: list[Thing] = []

    async def book(slot: Thing, patient: str, *, then_cancel: bool) -> None:
        async with room:
            answer = await desk.book(slot, patient)
            assert answer.status_code == 201, answer.text
            made.append(answer.json())
            if then_cancel:
                assert (await desk.cancel(answer.json())).status_code == 200

    for first in range(0, count, len(patients)):
        slot = await desk.a_slot(
            TOMORROW + (at("10:00") - at("09:00")) * (first // len(patients)),
            schedule=schedule,
            capacity=len(patients),
        )
        await asyncio.gather(
            *(
                book(slot, patient, then_cancel=number % 10 == 0)
                for number, patient in enumerate(patients[: count - first])
            )
        )
    return made


async def test_a_relay_killed_again_and_again_loses_doubles_and_reorders_nothing(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    working = asyncio.create_task(bookings(desk, 2000))
    for turn in range(5):
        await product.until_in_stream(tenant, 1 + 400 * turn)
        product.kill_relay()
        product.start_relay()
    made = await working
    events = await product.events(tenant)
    committed = await product.committed(tenant)
    assert len(made) == 2000
    assert what_is_wrong(committed, events) == []
    created = [m for m in events if m.subject.endswith(".appointment.created")]
    assert {json.loads(m.data)["subject"] for m in created} == {a["id"] for a in made}
    assert len(created) == len(made)


async def started(server: EmbeddedNats) -> Running:
    running = await start(server.program())
    await running.ready()
    return running


async def test_booking_works_without_the_broker_and_all_is_told_after(
    database_url: str, tmp_path: Path, tenant: UUID
) -> None:
    server = EmbeddedNats.on_free_port(tmp_path / "nats")
    broker = await started(server)
    try:
        with running_product(database_url, server.url, tmp_path / "run") as product:
            token = product.issuer.mint(tenant_id=tenant, scope=ALL)
            async with httpx2.AsyncClient(base_url=product.url, timeout=60) as http:
                desk = Desk(http, token)
                await bookings(desk, 20)
                await product.events(tenant)
                await broker.stop()
                away = await bookings(desk, 200)
                assert (await http.get("/readyz")).status_code == 200
                broker = await started(server)
                events = await product.events(tenant)
            assert len(away) == 200
            assert what_is_wrong(await product.committed(tenant), events) == []
    finally:
        await broker.stop()


def test_the_judge_of_bytes_sees_other_bytes() -> None:
    """A control: the ledger and the stream are compared, not just counted."""
    event = an_event(UUID(int=1), 1)
    message = Msg(
        _client=None,  # type: ignore[arg-type]  # never asked
        subject=event.subject,
        data=b"other",
        headers={"Nats-Msg-Id": str(event.event_id)},
    )
    assert what_is_wrong([event], [message]) == [f"{event.event_id} has other bytes"]
