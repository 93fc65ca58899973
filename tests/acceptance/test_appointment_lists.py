"""Today's, upcoming and a patient's appointments over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes, unfiled


def a_zone_where_it_is_noon() -> str:
    """There the next hour is of the same day; in the zones' names west is +."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def soon(minutes: int) -> datetime:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return now + timedelta(minutes=minutes)


async def pages(desk: Desk, path: str, **asked: Any) -> list[Thing]:  # noqa: ANN401
    """Return all items, page by page."""
    items: list[Thing] = []
    while True:
        answer = await desk.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += map(unfiled, page["items"])
        if page["nextCursor"] is None:
            return items
        assert len(page["items"]) == asked.get("limit", 200)
        asked["cursor"] = page["nextCursor"]


@pytest.fixture
async def clinic(desk: Desk) -> Thing:
    """A schedule at a place where it is noon."""
    location = await desk.a_location(timezone=a_zone_where_it_is_noon())
    return await desk.a_schedule(location=location)


async def test_today_lists_the_clinic_s_day_and_counts_it_by_status(
    desk: Desk, clinic: Thing
) -> None:
    slots = [
        await desk.a_slot(soon(10 + 10 * n), minutes=10, schedule=clinic)
        for n in range(3)
    ]
    first, second, third = [await desk.booked(slot) for slot in slots]
    next_day = soon(10) + timedelta(days=1)
    await desk.booked(await desk.a_slot(next_day, schedule=clinic))
    assert (await desk.cancel(third)).status_code == 200
    here = {"locationId": clinic["locationId"]}
    answer = await desk.get("/v1/appointments/today", params=here)
    today = answer.json()
    zone = a_zone_where_it_is_noon()
    assert today["timezone"] == zone
    assert today["counts"] == {"booked": 2, "cancelled": 1}
    assert [one["id"] for one in today["items"]] == [
        one["id"] for one in (first, second, third)
    ]
    assert unfiled(today["items"][0]) == first
    booked = await desk.get(
        "/v1/appointments/today", params={**here, "status": "booked", "limit": 1}
    )
    assert [one["id"] for one in booked.json()["items"]] == [first["id"]]
    assert booked.json()["counts"] == today["counts"]
    paged = await pages(desk, "/v1/appointments/today", **here, limit=1)
    assert paged == [unfiled(one) for one in today["items"]]


async def test_upcoming_looks_ahead_and_sums_up(desk: Desk) -> None:
    one, other = await desk.a_schedule(), await desk.a_schedule()
    patient = await desk.a_patient()
    early = await desk.booked(await desk.a_slot(schedule=one), patient)
    late = await desk.booked(await desk.a_slot(at("09:00", days=2), schedule=one))
    theirs = await desk.booked(await desk.a_slot(at("10:00"), schedule=other))
    gone = await desk.booked(await desk.a_slot(at("11:00"), schedule=one))
    await desk.cancel(gone)
    path = "/v1/appointments/upcoming"
    everything = (await desk.get(path, params={"summary": "true"})).json()
    assert [one["id"] for one in everything["items"]] == [
        one["id"] for one in (early, theirs, late)
    ]
    days = [at("00:00", days=n).date().isoformat() for n in (0, 2)]
    assert everything["summary"] == {
        "total": 3,
        "byStatus": {"booked": 3},
        "byDay": [{"date": days[0], "count": 2}, {"date": days[1], "count": 1}],
        "byPractitioner": sorted(
            (
                {"practitionerId": schedule["practitionerId"], "count": count}
                for schedule, count in ((one, 2), (other, 1))
            ),
            key=lambda counted: str(counted["practitionerId"]),
        ),
    }

    async def found(**asked: Any) -> set[str]:  # noqa: ANN401
        return {one["id"] for one in await pages(desk, path, **asked)}

    assert await found(practitionerId=one["practitionerId"]) == {
        early["id"],
        late["id"],
    }
    assert await found(locationId=other["locationId"]) == {theirs["id"]}
    assert await found(patientId=patient) == {early["id"]}
    assert await found(days=2) == {early["id"], theirs["id"]}
    asked = {"from": at("09:30").isoformat(), "to": at("09:00", days=2).isoformat()}
    assert await found(**asked) == {theirs["id"]}
    assert await found(limit=1) == {early["id"], theirs["id"], late["id"]}
    assert (await desk.get(path)).json()["summary"] is None


async def test_a_patient_s_appointments_come_newest_first_in_pages(desk: Desk) -> None:
    patient = await desk.a_patient()
    booked = [
        await desk.booked(await desk.a_slot(at("09:00", days=n)), patient)
        for n in (1, 3, 0, 2)
    ]
    cancelled = await desk.cancel(booked[0])
    assert cancelled.status_code == 200
    booked[0] = unfiled(cancelled.json())
    path = f"/v1/patients/{patient}/appointments"
    newest_first = [booked[n] for n in (1, 3, 0, 2)]
    assert await pages(desk, path) == newest_first
    assert await pages(desk, path, limit=1) == newest_first
    assert await pages(desk, path, limit=3) == newest_first
    assert await pages(desk, path, status="cancelled") == [booked[0]]
    days = [at("00:00", days=n).date().isoformat() for n in range(4)]
    assert await pages(desk, path, **{"from": days[2]}) == newest_first[:2]
    assert await pages(desk, path, to=days[1]) == newest_first[3:]
    some = {"from": days[1], "to": at("09:00", days=3).date().isoformat()}
    assert await pages(desk, path, **some) == newest_first[1:3]
    since = {"from": at("09:00", days=2).isoformat()}
    assert await pages(desk, path, **since) == newest_first[:2]


async def test_a_patient_sees_their_own_and_nobody_else_s(
    desk: Desk, token: Token
) -> None:
    patient, other = await desk.a_patient(), await desk.a_patient()
    mine = await desk.booked(await desk.a_slot(), patient)
    await desk.booked(await desk.a_slot(at("10:00")), other)
    own = Desk(desk.http, token(patient_id=patient))
    assert await pages(own, f"/v1/patients/{patient}/appointments") == [mine]
    assert await pages(own, "/v1/appointments/upcoming") == [mine]
    assert await pages(own, "/v1/appointments/upcoming", patientId=patient) == [mine]
    assert await pages(own, "/v1/appointments/today") == []
    refused = [
        await own.get(f"/v1/patients/{other}/appointments"),
        await own.get(f"/v1/patients/{uuid4()}/appointments"),
        await own.get("/v1/appointments/upcoming", params={"patientId": other}),
    ]
    assert codes(*refused) == [(404, "PATIENT_NOT_FOUND")] * 3


async def test_another_tenant_s_are_not_there(desk: Desk, token: Token) -> None:
    patient, schedule = await desk.a_patient(), await desk.a_schedule()
    await desk.booked(await desk.a_slot(schedule=schedule), patient)
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    foreign = await stranger.get(f"/v1/patients/{patient}/appointments")
    unknown = str(uuid4())
    missing = await stranger.get(f"/v1/patients/{unknown}/appointments")
    assert codes(foreign, missing) == [(404, "PATIENT_NOT_FOUND")] * 2
    assert foreign.text == missing.text.replace(unknown, patient)
    for path in ("/v1/appointments/upcoming", "/v1/appointments/today"):
        for name in ("locationId", "practitionerId"):
            assert await pages(stranger, path, **{name: schedule[name]}) == []


async def test_what_is_not_a_question_is_refused(desk: Desk) -> None:
    upcoming, today = "/v1/appointments/upcoming", "/v1/appointments/today"
    history = f"/v1/patients/{await desk.a_patient()}/appointments"
    yesterday = at("00:00", days=-2).isoformat()
    wrong: list[tuple[str, dict[str, Any], str]] = [
        (upcoming, {"days": 0}, "days"),
        (upcoming, {"days": 93}, "days"),
        (upcoming, {"from": yesterday}, "to"),
        (upcoming, {"to": at("09:00").isoformat()}, "from"),
        (upcoming, {"from": yesterday, "to": at("00:00").isoformat(), "days": 1}, "to"),
        (upcoming, {"from": yesterday, "to": at("00:00", days=-1).isoformat()}, "to"),
        (upcoming, {"from": "2030-01-01", "to": "2030-05-01"}, "to"),
        (upcoming, {"cursor": "nonsense"}, "cursor"),
        (upcoming, {"summary": "perhaps"}, "summary"),
        (today, {"status": "asleep"}, "status.0"),
        (today, {"limit": 201}, "limit"),
        (today, {"timezone": "Mars/Olympus"}, "timezone"),
        (history, {"from": "2030-01-02", "to": "2030-01-01"}, "to"),
        (history, {"from": "2030-01-02", "to": "2030-01-03T00:00:00Z"}, "to"),
        (history, {"cursor": "AAAA"}, "cursor"),
        (history, {"locationId": str(uuid4())}, "locationId"),
    ]
    for path, asked, field in wrong:
        answer = await desk.get(path, params=asked)
        assert codes(answer) == [(422, "VALIDATION_FAILED")], (path, asked)
        assert answer.json()["errors"][0]["field"] == field, answer.text


async def test_a_fixed_word_is_no_id(desk: Desk) -> None:
    for word in ("today", "upcoming"):
        assert (await desk.get(f"/v1/appointments/{word}")).status_code == 200
    assert codes(await desk.get("/v1/appointments/tomorrow")) == [
        (422, "VALIDATION_FAILED")
    ]
