"""The steps of a visit over HTTP: which are taken, by whom, what is told of each."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from scheduling.domain.status import Status
from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import (
    BUSY,
    FREE,
    NOTHING,
    as_it_is,
    behind_the_back,
    check_in,
    edit,
    held,
    made,
    news,
    same,
    slot_now,
    soon,
    step,
    was_proposed,
    where_it_is_noon,
)
from tests.unit.domain.test_status_matrix import written

REFUSED = (409, "INVALID_STATUS_TRANSITION")
FORBIDDEN = (403, "FORBIDDEN")
WAYS = {
    "booked": (),
    "confirmed": ("confirmed",),
    "arrived": ("arrived",),
    "in-progress": ("arrived", "in-progress"),
    "completed": ("arrived", "completed"),
    "cancelled": ("cancelled",),
    "no-show": ("no-show",),
    "entered-in-error": ("entered-in-error",),
}
HOLDS_ITS_SEAT = {"pending", "booked", "confirmed", "arrived", "in-progress"}


class Today:
    """A practitioner's day, from an hour ahead on, with as many visits as it takes."""

    def __init__(self, desk: Desk, product: Product, tenant: UUID) -> None:
        self.desk, self.product, self.tenant = desk, product, tenant
        self._schedule: Thing = {}
        self._count = 0

    async def a_slot(self, **told: object) -> Thing:
        if not self._schedule:
            place = await self.desk.a_location(timezone=where_it_is_noon())
            self._schedule = await self.desk.a_schedule(location=place)
        self._count += 1
        start = soon() + timedelta(minutes=self._count)
        return await self.desk.a_slot(start, minutes=1, schedule=self._schedule, **told)

    async def a_visit(self, status: str = "booked") -> Thing:
        """Take one as far as that, over HTTP where there is a way."""
        slot = await self.a_slot()
        if status == "pending":
            return await held(self.desk, slot)
        visit = await self.desk.booked(slot)
        if status == "proposed":
            gone = made(await self.desk.cancel(visit))
            await was_proposed(self.product, self.tenant, gone)
            return await as_it_is(self.desk, gone)
        for way in WAYS[status]:
            visit = made(await step(self.desk, visit, way))
        return visit

    async def its_seat(self, visit: Thing) -> tuple[int, int, str]:
        return await slot_now(self.desk, {"id": visit["slotIds"][0]})


@pytest.fixture
def today(desk: Desk, product: Product, tenant: UUID) -> Today:
    return Today(desk, product, tenant)


@pytest.mark.parametrize("before", Status, ids=str)
async def test_each_step_is_taken_or_refused_as_the_matrix_says(
    today: Today, before: Status
) -> None:
    row = {to: mark for (start, to), mark in written().items() if start is before}
    standing = await today.a_visit(before)
    for wanted in [to for to, mark in row.items() if mark == "."]:
        answer = await step(today.desk, standing, wanted)
        assert codes(answer) == [REFUSED], wanted
    assert await as_it_is(today.desk, standing) == standing

    for wanted in [to for to, mark in row.items() if mark != "."]:
        visit = await today.a_visit(before)
        answer = await step(today.desk, visit, wanted, comment="a private comment")
        after = made(answer)
        assert (after["status"], after["version"]) == (wanted, visit["version"] + 1)
        assert answer.headers["etag"] == f'"{after["version"]}"'
        assert after == await as_it_is(today.desk, visit)
        keeps = wanted in HOLDS_ITS_SEAT | {"completed"}
        assert await today.its_seat(visit) == (BUSY if keeps else FREE)
        await it_was_told(today, visit, after)


async def it_was_told(today: Today, before: Thing, after: Thing) -> None:
    told = (await news(today.product, today.tenant)).of(after)
    new = [event for event in told if event["aggregateversion"] == after["version"]]
    status = after["status"]
    name = "updated" if status in {"pending", "booked"} else status
    arrival = ["checkin.completed"] if status == "arrived" else []
    assert [event["type"] for event in new] == [f"appointment.{name}", *arrival]
    data = new[0]["data"]
    if name == "updated":
        assert (data["changed"], data["status"]) == (["status"], status)
        assert data["old"]["status"] == before["status"]
    else:
        assert (data["oldStatus"], data["newStatus"]) == (before["status"], status)
    for event in new:
        assert event["data"]["appointmentId"] == after["id"]
        assert event["data"]["start"] == after["start"]
        assert "private" not in str(event)


async def test_a_whole_visit_is_told_step_by_step_in_order(
    today: Today, product: Product, tenant: UUID
) -> None:
    visit = await today.a_visit()
    slot = {"id": visit["slotIds"][0]}
    for status in ("confirmed", "arrived", "in-progress", "completed"):
        visit = made(await step(today.desk, visit, status))
    told = await news(product, tenant)
    assert told.types_of(visit) == [
        "appointment.created",
        "appointment.confirmed",
        "appointment.arrived",
        "checkin.completed",
        "appointment.in-progress",
        "appointment.completed",
    ]
    assert [event["aggregateversion"] for event in told.of(visit)] == [1, 2, 3, 3, 4, 5]
    assert told.types_of(slot) == ["slot.opened"], "who came keeps the time"


async def test_who_said_yes_is_a_participant_who_accepted(today: Today) -> None:
    visit = await today.a_visit()
    said = {one["type"]: one["status"] for one in visit["participants"]}
    assert said["patient"] == "needs-action"
    confirmed = made(await step(today.desk, visit, "confirmed"))
    said = {one["type"]: one["status"] for one in confirmed["participants"]}
    assert said == dict.fromkeys(("patient", "practitioner", "location"), "accepted")


async def test_a_check_in_is_told_as_such(
    today: Today, product: Product, tenant: UUID
) -> None:
    visit = await today.a_visit("confirmed")
    answer = await check_in(today.desk, visit, comment="in a wheelchair")
    arrived = made(answer)
    assert (arrived["status"], answer.headers["etag"]) == ("arrived", '"3"')
    told = await news(product, tenant)
    assert told.types_of(visit)[-2:] == ["appointment.arrived", "checkin.completed"]
    assert told.the("checkin.completed", visit) == {
        name: visit[name]
        for name in (
            "patientId",
            "practitionerId",
            "locationId",
            "slotIds",
            "start",
            "end",
            "timezone",
            "appointmentType",
        )
    } | {"appointmentId": visit["id"]}
    assert codes(await check_in(today.desk, arrived)) == [REFUSED]


async def test_who_did_not_come_gives_the_seat_back_at_once(
    today: Today, product: Product, tenant: UUID
) -> None:
    slot = await today.a_slot()
    visit = await today.desk.booked(slot)
    missed = made(await step(today.desk, visit, "no-show", reasonCode="no-call"))
    assert await slot_now(today.desk, slot) == FREE
    told = await news(product, tenant)
    assert told.the("appointment.no-show", visit)["reasonCode"] == "no-call"
    assert told.types_of(slot) == ["slot.opened"] * 2
    rebooked = await today.desk.booked(slot)
    late = await check_in(today.desk, missed)
    assert codes(late) == [(409, "SLOT_NOT_AVAILABLE")]
    assert await as_it_is(today.desk, missed) == missed

    assert (await today.desk.cancel(rebooked)).status_code == 200
    assert made(await check_in(today.desk, missed))["status"] == "arrived"
    assert await slot_now(today.desk, slot) == BUSY


async def test_who_comes_on_another_day_does_not_arrive(desk: Desk) -> None:
    missed = made(await step(desk, await desk.booked(), "no-show"))
    assert codes(await check_in(desk, missed)) == [REFUSED]


async def test_cancelled_and_rebooked_by_another_it_is_not_restored(desk: Desk) -> None:
    slot = await desk.a_slot()
    gone = made(await desk.cancel(await desk.booked(slot)))
    await desk.booked(slot)
    for status in ("booked", "confirmed", "pending", "arrived"):
        assert codes(await step(desk, gone, status)) == [REFUSED]
    assert await as_it_is(desk, gone) == gone


async def test_of_two_proposals_for_one_slot_the_second_is_refused(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot()
    proposals = []
    for _ in range(2):
        gone = made(await desk.cancel(await desk.booked(slot)))
        await was_proposed(product, tenant, gone)
        proposals.append(gone)
    assert await slot_now(desk, slot) == FREE
    answers = await asyncio.gather(*(step(desk, one, "booked") for one in proposals))
    assert Counter(a.status_code for a in answers) == {200: 1, 409: 1}
    [lost] = [answer for answer in answers if answer.status_code == 409]
    assert codes(lost)[0][1] in {"SLOT_NOT_AVAILABLE", "DOUBLE_BOOKING_DETECTED"}
    assert await slot_now(desk, slot) == BUSY


async def test_of_two_confirmed_for_the_last_seat_of_a_group_one_is(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slot = await desk.a_slot(capacity=3)
    visits = [await desk.booked(slot) for _ in range(3)]
    for one in visits:
        gone = made(await desk.cancel(one))
        await was_proposed(product, tenant, gone)
    await desk.booked(slot)
    await desk.booked(slot)
    waiting = [await as_it_is(desk, one) for one in visits]
    answers = await asyncio.gather(*(step(desk, one, "booked") for one in waiting))
    assert Counter(a.status_code for a in answers) == {200: 1, 409: 2}
    assert await slot_now(desk, slot) == (3, 0, "busy")


async def test_a_stale_version_takes_no_step(desk: Desk) -> None:
    visit = await desk.booked()
    for change in (step, check_in):
        told = {"status": "arrived"} if change is step else {}
        answers = [
            await change(desk, visit, version=7, **told),
            await change(desk, visit, if_match='"7"', **told),
            await change(desk, visit, if_match='"7"', version=1, **told),
            await change(desk, visit, version=NOTHING, **told),
            await change(desk, visit | {"id": str(uuid4())}, **told),
        ]
        assert codes(*answers) == [
            (409, "OPTIMISTIC_LOCK_CONFLICT"),
            *[(412, "OPTIMISTIC_LOCK_CONFLICT")] * 2,
            (428, "PRECONDITION_REQUIRED"),
            (404, "APPOINTMENT_NOT_FOUND"),
        ]
    assert await as_it_is(desk, visit) == visit
    assert (await check_in(desk, visit, if_match='"1"')).status_code == 200


async def test_of_many_who_take_a_step_at_once_one_does(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    visit = await desk.booked()
    answers = await asyncio.gather(
        *(step(desk, visit, status) for status in ("confirmed", "arrived") * 6)
    )
    assert Counter(a.status_code for a in answers) == {200: 1, 409: 11}
    told = (await news(product, tenant)).types_of(visit)
    assert Counter(told)["appointment.created"] == 1
    assert len([one for one in told if one.startswith("appointment.")]) == 2


async def test_a_step_is_taken_once_under_its_key(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    visit = await desk.booked()
    first = await step(desk, visit, "confirmed", key="yes")
    same(first, await step(desk, visit, "confirmed", key="yes"))
    arrived = await check_in(desk, made(first), key="here")
    same(arrived, await check_in(desk, made(first), key="here"))
    same(first, await step(desk, visit, "confirmed", key="yes"))
    other = await step(desk, visit, "arrived", key="yes")
    assert codes(other) == [(422, "IDEMPOTENCY_KEY_REUSED")]
    told = (await news(product, tenant)).types_of(visit)
    assert told.count("appointment.confirmed") == told.count("checkin.completed") == 1


async def test_taking_back_what_happened_is_for_who_manages(
    today: Today, token: Token
) -> None:
    clerk = Desk(today.desk.http, token(scope="scheduling:read scheduling:book"))
    visit = await today.a_visit()
    assert codes(await step(clerk, visit, "entered-in-error")) == [FORBIDDEN]
    missed = made(await step(clerk, visit, "no-show"))
    assert codes(await check_in(clerk, missed)) == [FORBIDDEN]
    arrived = made(await check_in(today.desk, missed))
    done = made(await step(clerk, arrived, "completed"))
    assert codes(await step(clerk, done, "entered-in-error")) == [FORBIDDEN]
    assert (await step(today.desk, done, "entered-in-error")).status_code == 200
    reader = Desk(today.desk.http, token(scope="scheduling:read scheduling:manage"))
    assert codes(await step(reader, visit, "confirmed")) == [FORBIDDEN]


async def test_a_patient_says_yes_or_no_to_their_own_visit_and_no_more(
    desk: Desk, token: Token, product: Product, tenant: UUID
) -> None:
    patient = await desk.a_patient()
    own = await desk.booked(await desk.a_slot(), patient)
    other = await desk.booked(await desk.a_slot(at("11:00")))
    me = Desk(desk.http, token(subject="patient", patient_id=UUID(patient)))
    for status in Status:
        if status not in {"confirmed", "cancelled"}:
            assert codes(await step(me, own, status)) == [FORBIDDEN], status
        refused = await step(me, other, status)
        assert codes(refused) == [(404, "APPOINTMENT_NOT_FOUND")], status
    assert codes(await check_in(me, own)) == [FORBIDDEN]
    assert await as_it_is(desk, own) == own
    confirmed = made(await step(me, own, "confirmed"))
    assert codes(await edit(me, confirmed, notes="mine")) == [FORBIDDEN]
    gone = made(await step(me, confirmed, "cancelled", reasonCode="patient"))
    told = (await news(product, tenant)).the("appointment.cancelled", gone)
    assert (told["initiatedBy"], told["reasonCode"]) == ("patient", "patient")


async def test_a_cancel_by_status_says_one_of_the_reasons(desk: Desk) -> None:
    visit = await desk.booked()
    for told in ({"reasonCode": NOTHING}, {"reasonCode": "because"}):
        answer = await step(desk, visit, "cancelled", **told)
        assert codes(answer) == [(422, "VALIDATION_FAILED")]
        assert answer.json()["errors"][0]["field"] == "reasonCode"
    assert (await step(desk, visit, "cancelled")).status_code == 200


async def test_a_reason_is_a_code_and_no_text(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    """It is told to whoever follows the events."""
    visit = await desk.booked()
    for word in ("Maria is ill", "", "x" * 65, "é", "a\nb"):
        answer = await step(desk, visit, "no-show", reasonCode=word)
        assert codes(answer) == [(422, "VALIDATION_FAILED")], word
    assert (await step(desk, visit, "no-show", reasonCode="no-call")).status_code == 200
    told = (await news(product, tenant)).the("appointment.no-show", visit)
    assert told["reasonCode"] == "no-call"


async def test_a_day_has_gone_by_and_nobody_came(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    """What nobody closed yet still holds its time; a no-show in the past does not."""
    slot = await desk.a_slot()
    visit = await desk.booked(slot)
    await behind_the_back(
        product,
        tenant,
        "WITH gone AS (UPDATE appointments SET starts_at = starts_at - "
        "interval '3 days', ends_at = ends_at - interval '3 days' WHERE id = $1) "
        "UPDATE claims SET starts_at = starts_at - interval '3 days', ends_at = "
        "ends_at - interval '3 days', until = until - interval '3 days', taken = "
        "tstzrange(lower(taken) - interval '3 days', upper(taken) - interval '3 days')"
        " WHERE appointment_id = $1",
        UUID(visit["id"]),
    )
    assert made(await step(desk, visit, "no-show"))["status"] == "no-show"
    assert await slot_now(desk, slot) == FREE
    owned = await product.count(tenant, "claims")
    assert owned == 0
