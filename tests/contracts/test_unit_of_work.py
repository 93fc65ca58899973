"""One transaction of one tenant: whole or not at all."""

import asyncio

import orjson
import pytest

from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.booking import (
    decide_booking,
)
from scheduling.domain.errors import AppointmentNotFound, SlotNotFound
from tests.builders import EIGHT, a_caller, a_patient, open_clinic
from tests.contracts.storages import Storage


async def test_leaving_the_block_commits_everything(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    request = clinic.request()
    async with everywhere.begin(clinic.caller) as work:
        facts = await work.appointments.facts_for(request, now=EIGHT)
        booking = decide_booking(request, facts, now=EIGHT)
        work.appointments.add(booking)

    async with everywhere.begin(clinic.caller) as work:
        assert await work.appointments.find(booking.appointment.id)
        assert (await work.slots.get(clinic.slots[0].id)).booked == 1
    assert len(await everywhere.claims(clinic.caller)) == len(booking.claims)
    told = [e.subject.rsplit(".", 2) for e in await everywhere.outbox(clinic.caller)]
    assert told[-1][1:] == ["appointment", "created"]


async def test_an_exception_undoes_everything(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    events = await everywhere.outbox(clinic.caller)
    audit = await everywhere.audit(clinic.caller)
    request = clinic.request()
    with pytest.raises(ZeroDivisionError):
        async with everywhere.begin(clinic.caller) as work:
            facts = await work.appointments.facts_for(request, now=EIGHT)
            booking = decide_booking(request, facts, now=EIGHT)
            work.appointments.add(booking)
            raise ZeroDivisionError

    async with everywhere.begin(clinic.caller) as work:
        assert await work.appointments.find(booking.appointment.id) is None
        assert await work.slots.get(clinic.slots[0].id) == clinic.slots[0]
    assert await everywhere.claims(clinic.caller) == []
    assert await everywhere.outbox(clinic.caller) == events
    assert await everywhere.audit(clinic.caller) == audit


async def test_a_refused_part_undoes_the_rest(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    stranger = a_patient(version=1, created_at=EIGHT, updated_at=EIGHT)
    async with everywhere.begin(clinic.caller) as slow:
        facts = await slow.appointments.facts_for(clinic.request(), now=EIGHT)
    late = decide_booking(clinic.request(0), facts, now=EIGHT)
    async with everywhere.begin(clinic.caller) as work:
        work.appointments.add(decide_booking(clinic.request(1), facts, now=EIGHT))

    with pytest.raises(DecisionOutdated):
        async with everywhere.begin(clinic.caller) as work:
            work.patients.save(stranger)
            work.appointments.add(late)
    async with everywhere.begin(clinic.caller) as work:
        assert await work.patients.find(stranger.id) is None
        assert await work.appointments.find(late.appointment.id) is None


async def test_a_cancelled_task_undoes_everything_and_leaves_storage_usable(
    everywhere: Storage,
) -> None:
    clinic = await open_clinic(everywhere.begin)
    stranger = a_patient(version=1, created_at=EIGHT, updated_at=EIGHT)
    inside = asyncio.Event()

    async def hang() -> None:
        async with everywhere.begin(clinic.caller) as work:
            work.patients.save(stranger)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with everywhere.begin(clinic.caller) as work:
        assert await work.patients.find(stranger.id) is None


async def test_another_tenant_finds_nothing(everywhere: Storage) -> None:
    clinic = await open_clinic(everywhere.begin)
    request = clinic.request()
    async with everywhere.begin(clinic.caller) as work:
        facts = await work.appointments.facts_for(request, now=EIGHT)
        booking = decide_booking(request, facts, now=EIGHT)
        work.appointments.add(booking)

    foreign = a_caller()
    async with everywhere.begin(foreign) as work:
        assert await work.patients.find(clinic.patients[0].id) is None
        assert await work.practitioners.find(clinic.practitioner.id) is None
        assert await work.locations.find(clinic.location.id) is None
        with pytest.raises(AppointmentNotFound):
            await work.appointments.get(booking.appointment.id)
        with pytest.raises(AppointmentNotFound):
            await work.appointments.with_slots(booking.appointment.id)
        with pytest.raises(SlotNotFound):
            await work.slots.get(clinic.slots[0].id)
        known = await work.appointments.facts_for(request, now=EIGHT)
        assert known.patient_active is known.practitioner_active is None
        assert (known.slots, known.claims, known.assignments) == ((), (), ())
    assert await everywhere.outbox(foreign) == []


async def test_two_tenants_may_use_the_same_ids(everywhere: Storage) -> None:
    first = await open_clinic(everywhere.begin)
    second = a_caller()
    twin = a_patient(
        id=first.patients[0].id, version=1, created_at=EIGHT, updated_at=EIGHT
    )
    async with everywhere.begin(second) as work:
        work.patients.save(twin)
    async with everywhere.begin(second) as work:
        assert await work.patients.find(twin.id) == twin
    async with everywhere.begin(first.caller) as work:
        assert await work.patients.find(twin.id) == first.patients[0]


async def test_events_carry_the_callers_tenant_and_trace(everywhere: Storage) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    caller = a_caller(traceparent=trace)
    await open_clinic(everywhere.begin, caller=caller)
    events = await everywhere.outbox(caller)
    assert [e.subject for e in events] == [
        f"scheduling.{caller.tenant_id}.schedule.published",
        f"scheduling.{caller.tenant_id}.slot.opened",
    ]
    for event in events:
        body = orjson.loads(event.body)
        assert body["traceparent"] == trace
        assert body["tenantid"] == str(caller.tenant_id)
        assert body["id"] == str(event.event_id)
        assert body["subject"] == str(event.aggregate_id)
        assert body["aggregateversion"] == event.aggregate_version


async def test_a_transaction_that_only_reads_writes_nothing(
    everywhere: Storage,
) -> None:
    caller = a_caller()
    async with everywhere.begin(caller) as work:
        assert (await work.settings.get()).version == 0
    assert await everywhere.audit(caller) == []
