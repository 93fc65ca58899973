"""Why nothing is free: a reason for every moment that is not offered, and no data."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from scheduling.domain.explaining import Reason
from tests.acceptance.conftest import Token
from tests.acceptance.desk import TOMORROW, Desk, Thing, at, codes
from tests.acceptance.product import Product
from tests.acceptance.visits import held, made

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CLOSED_LIST = {
    "NO_RULE",
    "OUTSIDE_HOURS",
    "EXCEPTION",
    "BOOKED",
    "BUFFER",
    "HELD",
    "CAPACITY_FULL",
    "MIN_NOTICE",
    "BEYOND_HORIZON",
    "LIMIT_REACHED",
    "PATIENT_CONFLICT",
    "RESOURCE_CONFLICT",
    "ROLE_INACTIVE",
    "PRACTITIONER_INACTIVE",
    "LOCATION_INACTIVE",
}


@pytest.fixture
def by_hand(product: Product) -> Iterator[None]:
    """Nobody makes the slots of a working day: the test opens those that it needs."""
    product.kill_inbox()
    yield
    product.start_inbox()


async def a_working_day(desk: Desk, **told: object) -> Thing:
    """A calendar that works tomorrow from eight to six, and on no other weekday."""
    rule = {
        "daysOfWeek": [WEEK[TOMORROW.weekday()]],
        "startTime": "08:00",
        "endTime": "18:00",
        "slotMinutes": 30,
    }
    given = {
        "practitionerId": await desk.a_practitioner(name="Dr. Marker"),
        "locationId": await desk.a_location(),
        "availability": [rule],
        **told,
    }
    return made(await desk.post("/v1/schedules", given), 201)


async def ask(desk: Desk, schedule: Thing, **told: Any) -> httpx2.Response:  # noqa: ANN401
    """About tomorrow, unless told otherwise."""
    asked = {
        "practitionerId": schedule["practitionerId"],
        "from": at("00:00").isoformat(),
        "to": at("00:00", days=1).isoformat(),
        **told,
    }
    return await desk.get("/v1/availability/explain", params=asked)


async def explained(desk: Desk, schedule: Thing, **told: Any) -> list[Thing]:  # noqa: ANN401
    """Return the stretches: they cover what was asked for, each with what it needs."""
    answer = await ask(desk, schedule, **told)
    stretches: list[Thing] = made(answer)["items"]
    reached = datetime.fromisoformat(told.get("from", at("00:00").isoformat()))
    for one in stretches:
        assert set(one) == {"start", "end", "slotId", "offered", "reasons"}
        assert one["offered"] is (one["reasons"] == [])
        assert set(one["reasons"]) <= CLOSED_LIST
        assert datetime.fromisoformat(one["start"]) <= reached, "no gap"
        reached = max(reached, datetime.fromisoformat(one["end"]))
    last = told.get("to", at("00:00", days=1).isoformat())
    assert reached == datetime.fromisoformat(last)
    return stretches


async def why(desk: Desk, schedule: Thing, slot: Thing, **told: Any) -> list[str]:  # noqa: ANN401
    start = datetime.fromisoformat(slot["start"])
    day = {
        "from": (start - timedelta(hours=1)).isoformat(),
        "to": (start + timedelta(hours=1)).isoformat(),
    }
    stretches = await explained(desk, schedule, **day, **told)
    [one] = [one for one in stretches if one["slotId"] == slot["id"]]
    reasons: list[str] = one["reasons"]
    return reasons


def test_the_list_of_reasons_is_closed() -> None:
    assert set(Reason) == CLOSED_LIST


@pytest.mark.usefixtures("by_hand")
async def test_every_moment_that_is_not_offered_has_a_reason_and_no_other_has_one(
    desk: Desk,
) -> None:
    await desk.settings(bufferMinutes=10)
    schedule = await a_working_day(desk)
    clocks = ("08:00", "09:00", "09:35", "11:00", "13:00", "14:00", "15:00", "16:00")
    slots = {one: await desk.a_slot(at(one), schedule=schedule) for one in clocks}
    slots["12:00"] = await desk.a_slot(at("12:00"), schedule=schedule, capacity=2)

    marker = await desk.a_patient(name="Maria Marker", phone="+55 27 91234-5678")
    booked = await desk.booked(slots["09:00"], marker, reason="Marker")
    hold = await held(desk, slots["11:00"])
    for _ in range(2):
        await desk.booked(slots["12:00"])
    path = f"/v1/slots/{slots['13:00']['id']}/block"
    made(await desk.post(path, {"version": 1, "reason": "Marker meeting"}))
    exceptions = f"/v1/schedules/{schedule['id']}/exceptions"
    lunch = {"start": at("16:10").isoformat(), "end": at("17:00").isoformat()}
    closed = {"kind": "closed", "reason": "Marker lunch", **lunch}
    made(await desk.post(exceptions, closed), 201)
    busy, room = await desk.a_patient(), {"type": "room", "id": str(uuid4())}
    await desk.booked(await desk.a_slot(at("14:15")), busy)
    await desk.booked(await desk.a_slot(at("15:15")), resources=[room])

    answer = await ask(desk, schedule, patientId=busy, roomId=room["id"])
    for data in ("Marker", "91234", marker, busy, booked["id"], hold["id"], room["id"]):
        assert data not in answer.text, "nobody's data"
    stretches = await explained(desk, schedule, patientId=busy, roomId=room["id"])
    told = {
        one["start"][11:16] if one["slotId"] else f"{one['start'][11:16]}-": one[
            "reasons"
        ]
        for one in stretches
    }
    assert told == {
        "00:00-": ["OUTSIDE_HOURS"],
        "08:00": [],
        "08:30-": ["OUTSIDE_HOURS"],
        "09:00": ["BOOKED"],
        "09:30-": ["OUTSIDE_HOURS"],
        "09:35": ["BUFFER"],
        "10:05-": ["OUTSIDE_HOURS"],
        "11:00": ["HELD"],
        "11:30-": ["OUTSIDE_HOURS"],
        "12:00": ["CAPACITY_FULL"],
        "12:30-": ["OUTSIDE_HOURS"],
        "13:00": ["EXCEPTION"],
        "13:30-": ["OUTSIDE_HOURS"],
        "14:00": ["PATIENT_CONFLICT"],
        "14:30-": ["OUTSIDE_HOURS"],
        "15:00": ["RESOURCE_CONFLICT"],
        "15:30-": ["OUTSIDE_HOURS"],
        "16:00": ["EXCEPTION"],
        "16:30-": ["EXCEPTION"],
        "17:00-": ["OUTSIDE_HOURS"],
    }

    def shown(found: list[Thing]) -> set[str]:
        return {one["slotId"] for one in found}

    of_them = {"practitionerId": schedule["practitionerId"]}
    for_him = [one for one in stretches if one["offered"] or "RESOURCE" in str(one)]
    assert shown(await desk.free(**of_them, patientId=busy)) == shown(for_him)
    plain = [one for one in await explained(desk, schedule) if one["offered"]]
    assert shown(await desk.free(**of_them)) == shown(plain)
    assert len(plain) == 3, "who asks for nobody has nobody in the way"

    after = {
        "from": at("00:00", days=1).isoformat(),
        "to": at("00:00", days=2).isoformat(),
    }
    [day_off] = await explained(desk, schedule, **after)
    assert (day_off["slotId"], day_off["reasons"]) == (None, ["NO_RULE"])


@pytest.mark.usefixtures("by_hand")
async def test_rules_of_time_and_number_are_told_as_such(desk: Desk) -> None:
    schedule = await a_working_day(desk)
    slot = await desk.a_slot(at("09:00"), schedule=schedule)
    past = await desk.a_slot(at("09:00", days=-3), schedule=schedule)
    far = await desk.a_slot(at("09:00", days=4), schedule=schedule)
    assert await why(desk, schedule, slot) == []
    assert await why(desk, schedule, past) == ["MIN_NOTICE"]
    await desk.settings(minimumNoticeMinutes=3 * 24 * 60)
    assert await why(desk, schedule, slot) == ["MIN_NOTICE"]
    await desk.settings(horizonDays=2)
    assert await why(desk, schedule, far) == ["BEYOND_HORIZON"]
    await desk.settings(horizonDays=1, minimumNoticeMinutes=30 * 24 * 60)
    assert await why(desk, schedule, far) == ["MIN_NOTICE", "BEYOND_HORIZON"]
    found = await desk.free(practitionerId=schedule["practitionerId"])
    assert found == [], "a notice beyond the horizon: nothing, and a reason for it"

    await desk.settings(limits={"perPractitionerDay": 1})
    await desk.booked(await desk.a_slot(at("15:00"), schedule=schedule))
    assert await why(desk, schedule, slot) == ["LIMIT_REACHED"]


@pytest.mark.usefixtures("by_hand")
async def test_who_and_what_is_not_working_is_told_as_such(desk: Desk) -> None:
    schedule = await a_working_day(desk)
    slot = await desk.a_slot(at("09:00"), schedule=schedule)
    who, where = schedule["practitionerId"], schedule["locationId"]
    assert await why(desk, schedule, slot) == []
    await desk.a_role(who, where, active=False)
    assert await why(desk, schedule, slot) == ["ROLE_INACTIVE"]
    location = (await desk.get(f"/v1/locations/{where}")).json()
    sane = {name: location[name] for name in ("name", "code", "timezone")}
    await desk.put(f"/v1/locations/{where}", {**sane, "active": False})
    told = await why(desk, schedule, slot, locationId=where)
    assert told == ["LOCATION_INACTIVE", "ROLE_INACTIVE"]
    await desk.put(f"/v1/practitioners/{who}", {"name": "Dr. Marker", "active": False})
    told = await why(desk, schedule, slot)
    assert told == ["PRACTITIONER_INACTIVE", "LOCATION_INACTIVE", "ROLE_INACTIVE"]


async def test_what_makes_no_sense_or_is_not_there_is_refused(
    desk: Desk, token: Token
) -> None:
    schedule = await a_working_day(desk)
    nobody, other = str(uuid4()), await desk.a_patient()
    own = Desk(desk.http, token(patient_id=UUID(await desk.a_patient())))
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    refused = [
        await ask(desk, schedule | {"practitionerId": nobody}),
        await ask(stranger, schedule),
        await ask(desk, schedule, locationId=nobody),
        await ask(desk, schedule, patientId=nobody),
        await ask(own, schedule, patientId=other),
        await ask(desk, schedule, to=at("00:01", days=7).isoformat()),
        await ask(desk, schedule, to=at("00:00").isoformat()),
        await ask(desk, schedule, **{"from": "2030-01-01T00:00:60Z"}),
        await ask(desk, schedule, timezone="Mars/Olympus"),
        await ask(Desk(desk.http, token(scope="scheduling:book")), schedule),
    ]
    assert codes(*refused) == [
        *[(404, "PRACTITIONER_NOT_FOUND")] * 2,
        (404, "LOCATION_NOT_FOUND"),
        *[(404, "PATIENT_NOT_FOUND")] * 2,
        *[(422, "VALIDATION_FAILED")] * 4,
        (403, "FORBIDDEN"),
    ]
    fields = [one.json()["errors"][0]["field"] for one in refused[5:9]]
    assert fields == ["to", "to", "from", "timezone"]
    assert (await ask(own, schedule)).status_code == 200
