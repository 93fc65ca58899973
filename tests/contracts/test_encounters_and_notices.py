"""A visit that is written up is over; and who is told of what happens elsewhere."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from scheduling.domain.errors import AppointmentNotFound, InvalidStatusTransition
from scheduling.domain.routing import ROUTES, Recipient
from scheduling.domain.status import Status
from tests.builders import at
from tests.contracts.inbound import Hearing, Inbound
from tests.contracts.test_portal_requests import a_wish, accepted
from tests.contracts.visits import cancel

FINALIZED = "encounter.finalized"
STEPS = ("appointment.arrived", "checkin.completed", "appointment.completed")


async def finalized(inbound: Inbound, id: UUID) -> Status:
    await inbound.hears(FINALIZED, {"appointmentId": str(id)})
    return (await inbound.visit(id)).status


@pytest.mark.parametrize("before", [[], [Status.CONFIRMED]])
async def test_a_visit_that_nobody_checked_in_is_checked_in_and_over(
    hearing: Hearing, before: list[Status]
) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        for step in before:
            visit = await inbound.desk.step(visit, step)
        inbound.desk.now = at("09:20")
        assert await finalized(inbound, visit.id) is Status.COMPLETED
        told = await inbound.told(*STEPS)
        assert [one["type"] for one in told] == [*STEPS]
        versions = [one["aggregateversion"] for one in told]
        assert versions == [
            visit.version + 1,
            visit.version + 1,
            visit.version + 2,
        ]
        assert (await inbound.visit(visit.id)).version == visit.version + 2


@pytest.mark.parametrize("before", [[], [Status.IN_PROGRESS]])
async def test_a_visit_that_is_happening_is_over(
    hearing: Hearing, before: list[Status]
) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        inbound.desk.now = at("09:05")
        for step in (Status.ARRIVED, *before):
            visit = await inbound.desk.step(visit, step)
        assert await finalized(inbound, visit.id) is Status.COMPLETED
        assert len(await inbound.told("checkin.completed")) == 1
        assert len(await inbound.told("appointment.completed")) == 1
        audit = await inbound.desk.storage.audit(inbound.clinic.caller)
        assert [row.actor for row in audit if row.action == STEPS[-1]] == ["inbox"]


async def test_a_visit_that_is_over_stays_as_it_is(hearing: Hearing) -> None:
    async with hearing() as inbound:
        visit = await inbound.desk.book(inbound.clinic.request())
        for _ in range(3):
            assert await finalized(inbound, visit.id) is Status.COMPLETED
        assert len(await inbound.told(*STEPS)) == len(STEPS)


async def test_what_is_not_to_be_is_not_over(hearing: Hearing) -> None:
    async with hearing() as inbound:
        desk, clinic = inbound.desk, inbound.clinic
        cancelled = await desk.book(clinic.request(0, 0))
        await cancel(desk.storage, clinic, cancelled.id)
        missed = await desk.book(clinic.request(1, 1))
        await desk.step(missed, Status.NO_SHOW)
        held = await desk.hold(2, 2)
        proposed = await accepted(inbound, a_wish(inbound, 3, 3))
        for id in (cancelled.id, missed.id, held.id, proposed):
            before = await inbound.visit(id)
            with pytest.raises(InvalidStatusTransition):
                await finalized(inbound, id)
            assert await inbound.visit(id) == before
        with pytest.raises(AppointmentNotFound):
            await finalized(inbound, uuid4())


@pytest.mark.parametrize("type", ROUTES)
async def test_each_line_of_the_table_asks_for_one_notice(
    hearing: Hearing, type: str
) -> None:
    async with hearing() as inbound:
        route = ROUTES[type]
        data: dict[str, Any] = {
            **{name: str(uuid4()) for name in (*route.needs, *route.may)},
            **dict.fromkeys(route.numbers, 2),
        }
        for _ in range(2):
            await inbound.hears(type, data, id="happened")
        (notice,) = await inbound.told("notification.requested")
        staff = route.recipient is Recipient.STAFF
        assert notice["data"] == {
            "notificationId": notice["subject"],
            "template": route.template,
            "recipientType": route.recipient,
            "recipientId": None if staff else data[route.recipient.named_by],
            "priority": route.priority,
            "channel": None,
            "references": {name: str(value) for name, value in data.items()},
            "sourceEventId": "happened",
        }


def test_the_table_is_the_catalogue() -> None:
    told = {type: route.recipient for type, route in ROUTES.items()}
    assert told == {
        "equipment.low-stock": Recipient.STAFF,
        "feedback.submitted": Recipient.PRACTITIONER,
        "report.updated": Recipient.PATIENT,
    }
