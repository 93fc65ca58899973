"""The next step of many appointments at once: a result per item."""

from collections import Counter
from uuid import UUID, uuid4

import httpx2

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes, unfiled
from tests.acceptance.product import Product
from tests.acceptance.visits import as_it_is

STATUS = "/v1/appointments/status"


def step(appointment: Thing, status: str, **told: object) -> Thing:
    """The next step of the version in hand, unless told otherwise."""
    given = {"id": appointment["id"], "version": appointment["version"]}
    return {**given, "status": status, **told}


async def change(desk: Desk, *items: Thing, key: str | None = None) -> httpx2.Response:
    return await desk.post(STATUS, {"items": items}, key=key)


async def outcomes(desk: Desk, *items: Thing) -> list[Thing]:
    answer = await change(desk, *items)
    assert answer.status_code == 200, answer.text
    found: list[Thing] = answer.json()["items"]
    assert [one["id"] for one in found] == [item["id"] for item in items]
    for one in found:
        done = one["outcome"] == "done"
        assert (one["appointment"] is not None, one["problem"] is None) == (done, done)
    return found


def told(found: list[Thing]) -> list[tuple[int, str]]:
    """Return status and code of each, or the status that an appointment has now."""
    return [
        (
            one["status"],
            one["appointment"]["status"]
            if one["outcome"] == "done"
            else one["problem"]["code"],
        )
        for one in found
    ]


async def a_day(desk: Desk, count: int) -> list[Thing]:
    """Return appointments of one calendar, each an hour after the other."""
    schedule = await desk.a_schedule()
    return [
        await desk.booked(await desk.a_slot(at(f"{9 + n}:00"), schedule=schedule))
        for n in range(count)
    ]


async def test_each_item_has_a_result_of_its_own(
    desk: Desk, token: Token, product: Product, tenant: UUID
) -> None:
    day = await a_day(desk, 6)
    gone = (await desk.cancel(day[5])).json()
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    foreign = await stranger.booked()
    unknown = {**day[0], "id": str(uuid4())}
    found = await outcomes(
        desk,
        step(day[3], "arrived"),
        step(day[0], "confirmed"),
        step(day[1], "confirmed", version=7),
        step(gone, "booked"),
        step(foreign, "confirmed"),
        step(unknown, "confirmed"),
        step(day[2], "cancelled", reasonCode="weather", comment="snow"),
        step(day[4], "cancelled"),
    )
    assert told(found) == [
        (200, "arrived"),
        (200, "confirmed"),
        (409, "OPTIMISTIC_LOCK_CONFLICT"),
        (409, "INVALID_STATUS_TRANSITION"),
        (404, "APPOINTMENT_NOT_FOUND"),
        (404, "APPOINTMENT_NOT_FOUND"),
        (200, "cancelled"),
        (422, "VALIDATION_FAILED"),
    ]
    assert "snow" not in str(found)
    missing, hidden = found[5]["problem"]["detail"], found[4]["problem"]["detail"]
    assert missing == hidden.replace(foreign["id"], unknown["id"])
    read = [await as_it_is(desk, one) for one in day]
    assert unfiled(found[0]["appointment"]) == read[3]
    assert [one["status"] for one in read] == [
        "confirmed",
        "booked",
        "cancelled",
        "arrived",
        "booked",
        "cancelled",
    ]
    types = Counter(
        event.subject.rpartition(f"{tenant}.")[2]
        for event in await product.events(tenant)
    )
    assert types["appointment.cancelled"] == 2
    assert types["appointment.arrived"] == types["checkin.completed"] == 1
    assert types["appointment.confirmed"] == 1
    # Who is not there any more can be replaced at once.
    assert (await desk.book({"id": day[2]["slotIds"][0]})).status_code == 201


async def test_steps_that_take_time_anew_are_for_the_single_route(desk: Desk) -> None:
    [late] = await a_day(desk, 1)
    [missed] = await outcomes(desk, step(late, "no-show"))
    [back] = await outcomes(desk, step(missed["appointment"], "arrived"))
    assert told([back]) == [(409, "INVALID_STATUS_TRANSITION")]
    slot, patient = await desk.a_slot(at("15:00")), await desk.a_patient()
    held = await desk.post(f"/v1/slots/{slot['id']}/hold", {"patientId": patient})
    [kept] = await outcomes(desk, step(held.json(), "booked"))
    assert told([kept]) == [(409, "INVALID_STATUS_TRANSITION")]
    assert "by itself" in kept["problem"]["detail"]
    alone = await desk.post(
        f"/v1/appointments/{held.json()['id']}/status",
        {"status": "booked", "version": 1},
    )
    assert alone.status_code == 200


async def test_rights_are_asked_for_each_item(desk: Desk, token: Token) -> None:
    day = await a_day(desk, 2)
    clerk = Desk(desk.http, token(scope="scheduling:read scheduling:book"))
    found = await outcomes(
        clerk, step(day[0], "entered-in-error"), step(day[1], "confirmed")
    )
    assert told(found) == [(403, "FORBIDDEN"), (200, "confirmed")]
    patient = Desk(desk.http, token(patient_id=UUID(day[0]["patientId"])))
    assert codes(await change(patient, step(day[0], "confirmed"))) == [
        (403, "FORBIDDEN")
    ]


async def test_what_is_refused_of_an_item_is_in_its_history(desk: Desk) -> None:
    day = await a_day(desk, 2)
    await outcomes(
        desk, step(day[0], "confirmed", version=7), step(day[1], "confirmed")
    )
    answer = await desk.get(f"/v1/appointments/{day[0]['id']}/history")
    refused = [one for one in answer.json()["items"] if one["outcome"] == "refused"]
    assert [one["action"] for one in refused] == ["appointment.update-status"]


async def test_a_bulk_change_is_done_once_under_one_key(desk: Desk) -> None:
    day = await a_day(desk, 2)
    items = (step(day[0], "confirmed"), step(day[1], "completed"))
    first = await change(desk, *items, key="k")
    again = await change(desk, *items, key="k")
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert told(first.json()["items"]) == [
        (200, "confirmed"),
        (409, "INVALID_STATUS_TRANSITION"),
    ]


async def test_a_request_that_makes_no_sense_is_refused_whole(desk: Desk) -> None:
    [one] = await a_day(desk, 1)
    nobody = {"id": str(uuid4()), "version": 1}
    answers = [
        await change(desk),
        await change(desk, step(one, "confirmed"), step(one, "arrived")),
        await change(desk, step(one, "asleep")),
        await change(desk, {"id": one["id"], "status": "confirmed"}),
        await change(
            desk,
            *(step({**nobody, "id": str(uuid4())}, "confirmed") for _ in range(101)),
        ),
    ]
    assert codes(*answers) == [(422, "VALIDATION_FAILED")] * 5
    assert answers[1].json()["errors"] == [
        {"field": "items", "message": "must not name an appointment twice"}
    ]
    assert await as_it_is(desk, one) == one
    hundred = [step({**nobody, "id": str(uuid4())}, "confirmed") for _ in range(100)]
    assert Counter(told(await outcomes(desk, *hundred))) == {
        (404, "APPOINTMENT_NOT_FOUND"): 100
    }
    wrong = await desk.ask("GET", STATUS)
    assert wrong.status_code == 405
