"""Days off, other hours and extra hours: their effect is there at once."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import httpx2

from tests.acceptance.conftest import Token
from tests.acceptance.desk import TOMORROW, Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import as_it_is

DATE = TOMORROW.date().isoformat()


async def except_for(desk: Desk, schedule: Thing, **told: object) -> httpx2.Response:
    path = f"/v1/schedules/{schedule['id']}/exceptions"
    return await desk.post(path, {"kind": "closed", **told})


async def excepted(desk: Desk, schedule: Thing, **told: object) -> Thing:
    answer = await except_for(desk, schedule, **told)
    assert answer.status_code == 201, answer.text
    thing: Thing = answer.json()
    return thing


async def remove(desk: Desk, exception: Thing) -> httpx2.Response:
    place = f"/v1/schedules/{exception['scheduleId']}/exceptions/{exception['id']}"
    return await desk.ask("DELETE", place)


async def a_morning(desk: Desk) -> tuple[Thing, list[Thing]]:
    """Nine to half past ten, tomorrow."""
    schedule = await desk.a_schedule()
    starts = (at("09:00"), at("09:30"), at("10:00"))
    return schedule, [await desk.a_slot(one, schedule=schedule) for one in starts]


async def offered(desk: Desk, schedule: Thing) -> list[str]:
    free = await desk.free(practitionerId=schedule["practitionerId"])
    return [one["start"][11:16] for one in free]


async def test_a_day_off_closes_the_day_and_lists_who_is_booked(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    schedule, slots = await a_morning(desk)
    appointment = await desk.booked(slots[1])
    closed = await except_for(desk, schedule, date=DATE, reason="Marker holiday")
    assert closed.status_code == 201
    told = closed.json()
    assert closed.headers["location"].endswith(
        f"/v1/schedules/{schedule['id']}/exceptions/{told['id']}"
    )
    assert told["affectedAppointments"] == [
        {
            "id": appointment["id"],
            "start": appointment["start"],
            "end": appointment["end"],
            "status": "booked",
            "patientId": appointment["patientId"],
            "patientName": "Maria Silva",
        }
    ]
    counts = {name: told[name] for name in told if name.startswith("slots")}
    assert counts == {"slotsBlocked": 3, "slotsOpened": 0, "slotsRetired": 0}
    assert (told["date"], told["reason"]) == (DATE, "Marker holiday")
    assert told["start"] == at("00:00").strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await offered(desk, schedule) == []
    refused = await desk.book(slots[0])
    assert codes(refused) == [(409, "SLOT_NOT_AVAILABLE")]
    assert await as_it_is(desk, appointment) == appointment

    removed = await remove(desk, told)
    assert removed.status_code == 200
    assert removed.json()["slotsOpened"] == 3
    assert await offered(desk, schedule) == ["09:00", "10:00"]
    news = Counter(
        e.subject.rpartition(f"{tenant}.")[2] for e in await product.events(tenant)
    )
    assert news["slot.blocked"] == 3
    assert news["slot.opened"] == 3 + 2  # the full one is open to nobody
    assert codes(await remove(desk, told)) == [(404, "SCHEDULE_EXCEPTION_NOT_FOUND")]


async def test_an_override_replaces_the_day_and_extra_hours_add_to_it(
    desk: Desk,
) -> None:
    schedule, _ = await a_morning(desk)
    window = {"startTime": "09:30", "endTime": "10:00", "slotMinutes": 30}
    other = {"startTime": "14:00", "endTime": "15:00", "slotMinutes": 30}
    replaced = await excepted(
        desk, schedule, kind="replace", date=DATE, windows=[window, other]
    )
    assert await offered(desk, schedule) == ["09:30", "14:00", "14:30"]
    extra = await excepted(
        desk, schedule, kind="extra", date=DATE, windows=[{**other, "endTime": "16:00"}]
    )
    assert extra["slotsOpened"] == 2
    assert len(await offered(desk, schedule)) == 5
    await remove(desk, replaced)
    assert await offered(desk, schedule) == [
        "09:00",
        "09:30",
        "10:00",
        "14:00",
        "14:30",
        "15:00",
        "15:30",
    ]
    await remove(desk, extra)
    assert await offered(desk, schedule) == ["09:00", "09:30", "10:00"]


async def test_a_block_for_one_service_leaves_the_others(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    for clock, services in (("09:00", ["x-ray"]), ("09:30", ["x-ray", "cast"])):
        await desk.a_slot(at(clock), schedule=schedule, serviceTypes=services)
    await excepted(
        desk,
        schedule,
        start=at("08:00").isoformat(),
        end=at("12:00").isoformat(),
        serviceTypes=["x-ray"],
    )
    assert await offered(desk, schedule) == ["09:30"]


async def test_why_is_told_to_staff_only(
    desk: Desk, http: httpx2.AsyncClient, token: Token
) -> None:
    schedule, _ = await a_morning(desk)
    exception = await excepted(desk, schedule, date=DATE, reason="Marker reason")
    path = f"/v1/schedules/{schedule['id']}/exceptions"
    patient = Desk(http, token(patient_id=uuid4()))
    for one in (path, f"{path}/{exception['id']}"):
        assert "Marker reason" in (await desk.get(one)).text
        read = await patient.get(one)
        assert read.status_code == 200
        assert "Marker" not in read.text


async def test_exceptions_are_read_one_by_one_and_in_pages(desk: Desk) -> None:
    schedule, _ = await a_morning(desk)
    made = [
        await excepted(desk, schedule, date=at("09:00", days=n).date().isoformat())
        for n in (2, 0, 1)
    ]
    path = f"/v1/schedules/{schedule['id']}/exceptions"
    first = (await desk.get(path, params={"limit": 2})).json()
    rest = (
        await desk.get(path, params={"limit": 2, "cursor": first["nextCursor"]})
    ).json()
    listed = [*first["items"], *rest["items"]]
    assert [one["id"] for one in listed] == [made[n]["id"] for n in (1, 2, 0)]
    assert rest["nextCursor"] is None
    one = await desk.get(f"{path}/{made[0]['id']}")
    assert one.json() == listed[2]


async def test_what_makes_no_sense_or_is_not_there_is_refused(desk: Desk) -> None:
    schedule, _ = await a_morning(desk)
    answers = [
        await except_for(desk, schedule),
        await except_for(desk, schedule, date=DATE, start=at("09:00").isoformat()),
        await except_for(desk, schedule, kind="extra", date=DATE),
        await except_for(
            desk,
            schedule,
            start=at("09:00").isoformat(),
            end=at("09:00", days=367).isoformat(),
        ),
        await except_for(
            desk, schedule, start=at("09:00").isoformat(), end=at("08:00").isoformat()
        ),
        await except_for(desk, {"id": str(uuid4())}, date=DATE),
        await desk.get(f"/v1/schedules/{uuid4()}/exceptions"),
        await desk.get(f"/v1/schedules/{schedule['id']}/exceptions/{uuid4()}"),
    ]
    assert codes(*answers) == [
        (422, "VALIDATION_FAILED"),
        (422, "VALIDATION_FAILED"),
        (422, "VALIDATION_FAILED"),
        (422, "VALIDATION_FAILED"),
        (422, "VALIDATION_FAILED"),
        (404, "SCHEDULE_NOT_FOUND"),
        (404, "SCHEDULE_NOT_FOUND"),
        (404, "SCHEDULE_EXCEPTION_NOT_FOUND"),
    ]


async def test_an_exception_is_added_once_per_key(desk: Desk) -> None:
    schedule, _ = await a_morning(desk)
    path = f"/v1/schedules/{schedule['id']}/exceptions"
    wish = {"kind": "closed", "date": DATE}
    first = await desk.post(path, wish, key="one")
    again = await desk.post(path, wish, key="one")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await desk.get(path)).json()["items"]) == 1


# Slots


async def test_a_slot_is_blocked_and_given_again(desk: Desk) -> None:
    schedule, (slot, *_) = await a_morning(desk)
    path = f"/v1/slots/{slot['id']}"
    blocked = await desk.post(f"{path}/block", {"reason": "Meeting", "version": 1})
    assert blocked.status_code == 200
    assert blocked.headers["etag"] == '"2"'
    assert (blocked.json()["status"], blocked.json()["remaining"]) == (
        "busy-unavailable",
        0,
    )
    assert await offered(desk, schedule) == ["09:30", "10:00"]
    assert codes(await desk.book(slot)) == [(409, "SLOT_NOT_AVAILABLE")]
    opened = await desk.post(f"{path}/unblock", {}, If_Match='"2"')
    assert opened.json() == slot | {"version": 3}
    assert len(await offered(desk, schedule)) == 3


async def test_blocking_names_the_version_and_happens_once(desk: Desk) -> None:
    schedule, (slot, *_) = await a_morning(desk)
    path = f"/v1/slots/{slot['id']}"
    assert codes(
        await desk.post(f"{path}/block", {}),
        await desk.post(f"{path}/block", {"version": 9}),
        await desk.post(f"{path}/block", {}, If_Match='"9"'),
        await desk.post(f"{path}/unblock", {"version": 1}),
        await desk.post(f"/v1/slots/{uuid4()}/block", {"version": 1}),
    ) == [
        (428, "PRECONDITION_REQUIRED"),
        (409, "OPTIMISTIC_LOCK_CONFLICT"),
        (412, "OPTIMISTIC_LOCK_CONFLICT"),
        (409, "INVALID_STATUS_TRANSITION"),
        (404, "SLOT_NOT_FOUND"),
    ]
    answers = await asyncio.gather(
        *(desk.post(f"{path}/block", {"version": 1}) for _ in range(6))
    )
    assert Counter(one.status_code for one in answers) == {200: 1, 409: 5}
    await excepted(desk, schedule, date=DATE)
    assert codes(await desk.post(f"{path}/unblock", {"version": 2})) == [
        (409, "INVALID_STATUS_TRANSITION")
    ]


async def test_a_schedules_slots_are_listed_as_they_are(desk: Desk) -> None:
    schedule, slots = await a_morning(desk)
    await desk.booked(slots[1])
    path = f"/v1/schedules/{schedule['id']}/slots"
    range_ = {"from": at("00:00").isoformat(), "to": at("00:00", days=1).isoformat()}
    found = (await desk.get(path, params=range_)).json()
    assert [one["id"] for one in found["items"]] == [slot["id"] for slot in slots]
    assert found["items"][0] == slots[0]
    assert [one["status"] for one in found["items"]] == ["free", "busy", "free"]
    free = (await desk.get(path, params={**range_, "status": "free"})).json()
    assert [one["id"] for one in free["items"]] == [slots[0]["id"], slots[2]["id"]]
    first = (await desk.get(path, params={**range_, "limit": 2})).json()
    rest = (
        await desk.get(path, params={**range_, "cursor": first["nextCursor"]})
    ).json()
    assert [*first["items"], *rest["items"]] == found["items"]
    assert codes(
        await desk.get(f"/v1/schedules/{uuid4()}/slots", params=range_),
        await desk.get(path),
        await desk.get(path, params={**range_, "to": at("00:00", days=93).isoformat()}),
        await desk.get(path, params={**range_, "to": range_["from"]}),
    ) == [
        (404, "SCHEDULE_NOT_FOUND"),
        (422, "VALIDATION_FAILED"),
        (422, "VALIDATION_FAILED"),
        (422, "VALIDATION_FAILED"),
    ]


async def test_schedules_are_listed_by_who_or_where(desk: Desk) -> None:
    one, other = await desk.a_schedule(), await desk.a_schedule()

    async def ids(**asked: object) -> list[str]:
        answer = await desk.get("/v1/schedules", params=asked)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await ids(actorId=one["practitionerId"]) == [one["id"]]
    assert await ids(actorId=other["locationId"]) == [other["id"]]
    assert await ids() == sorted([one["id"], other["id"]])
    first = (await desk.get("/v1/schedules", params={"limit": 1})).json()
    rest = await ids(cursor=first["nextCursor"])
    assert [first["items"][0]["id"], *rest] == await ids()
    assert first["items"][0] in (one, other)


async def test_a_schedule_may_have_rules_of_its_own(desk: Desk) -> None:
    answer = await desk.post(
        "/v1/schedules",
        {
            "practitionerId": await desk.a_practitioner(),
            "locationId": await desk.a_location(),
            "horizonDays": 30,
            "minimumNoticeMinutes": 120,
            "limits": {"perDay": 8},
        },
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["minimumNoticeMinutes"] == 120
    assert made["limits"] == {"perDay": 8, "perWeek": None}
    assert (await desk.get(f"/v1/schedules/{made['id']}")).json() == made


async def test_all_of_it_takes_a_scope_and_is_of_one_tenant(
    desk: Desk, http: httpx2.AsyncClient, token: Token
) -> None:
    schedule, (slot, *_) = await a_morning(desk)
    exception = await excepted(desk, schedule, date=DATE)
    its_place = f"/v1/schedules/{schedule['id']}"
    place = f"{its_place}/exceptions/{exception['id']}"
    range_ = (
        f"from={at('00:00'):%Y-%m-%dT%H:%M:%SZ}&to={at('23:00'):%Y-%m-%dT%H:%M:%SZ}"
    )
    changes: list[tuple[str, str, object]] = [
        ("POST", f"{its_place}/exceptions", {"kind": "closed", "date": DATE}),
        ("DELETE", place, None),
        ("POST", f"/v1/slots/{slot['id']}/block", {"version": 2}),
        ("POST", f"/v1/slots/{slot['id']}/unblock", {"version": 2}),
    ]
    reads: list[tuple[str, str, object]] = [
        ("GET", f"{its_place}/exceptions", None),
        ("GET", place, None),
        ("GET", f"{its_place}/slots?{range_}", None),
    ]
    reader = Desk(http, token(scope="scheduling:read"))
    stranger = Desk(http, token(tenant_id=uuid4()))
    nobody = Desk(http, token(scope=""))
    for method, path, body in (*changes, *reads):
        assert (await stranger.ask(method, path, json=body)).status_code == 404, path
        refused = await nobody.ask(method, path, json=body)
        assert codes(refused) == [(403, "FORBIDDEN")], path
    for method, path, body in changes:
        assert (await reader.ask(method, path, json=body)).status_code == 403, path
    for method, path, body in reads:
        assert (await reader.ask(method, path, json=body)).status_code == 200, path
    assert (await stranger.get("/v1/schedules")).json()["items"] == []
