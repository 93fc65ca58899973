"""The staff calendar over HTTP: names, zones, nights, bounds and who may see it."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes

Days = dict[str, tuple[set[str], set[str]]]


async def calendar(desk: Desk, **asked: Any) -> httpx2.Response:  # noqa: ANN401
    named = {name.rstrip("_"): value for name, value in asked.items()}
    return await desk.get("/v1/calendar", params=named)


async def days_of(desk: Desk, **asked: Any) -> list[Thing]:  # noqa: ANN401
    answer = await calendar(desk, **asked)
    assert answer.status_code == 200, answer.text
    found: list[Thing] = answer.json()["days"]
    return found


def starts(days: list[Thing]) -> Days:
    """Return the starts of appointments and slots by day; days without are left out."""
    return {
        day["date"]: (
            {one["start"] for one in day["appointments"]},
            {one["start"] for one in day["slots"]},
        )
        for day in days
        if day["appointments"] or day["slots"]
    }


def tomorrow(days: int = 0) -> str:
    return at("00:00", days=days).date().isoformat()


async def test_a_day_at_the_clinic_with_names_and_seats(desk: Desk) -> None:
    practitioner = await desk.a_practitioner(name="Dr. Ana Souza")
    schedule = await desk.a_schedule(practitioner)
    group = await desk.a_slot(schedule=schedule, capacity=3, serviceTypes=["checkup"])
    free = await desk.a_slot(at("11:00"), schedule=schedule)
    patient = await desk.a_patient(name="Maria Silva")
    booked = await desk.booked(group, patient, reason="private", notes="private")
    [day] = await days_of(
        desk, from_=tomorrow(), to=tomorrow(1), locationId=schedule["locationId"]
    )
    [appointment] = day["appointments"]
    same = {name: booked[name] for name in appointment if name in booked}
    assert {**appointment, **same, "start": None, "end": None} == {
        **appointment,
        "start": None,
        "end": None,
        "patientName": "Maria Silva",
        "practitionerName": "Dr. Ana Souza",
    }
    assert _instants(appointment) == _instants(booked)
    assert "private" not in str(day)
    taken, open_ = day["slots"]
    assert (taken["id"], taken["status"]) == (group["id"], "free")
    assert [taken[name] for name in ("capacity", "booked", "remaining")] == [3, 1, 2]
    assert taken["serviceTypes"] == ["checkup"]
    assert (open_["id"], open_["remaining"]) == (free["id"], 1)


def _instants(thing: Thing) -> list[datetime]:
    return [datetime.fromisoformat(thing[name]) for name in ("start", "end")]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
async def test_whoever_looks_from_wherever_sees_the_same_instants_once(
    desk: Desk, zone: str
) -> None:
    schedule = await desk.a_schedule()
    for hour in ("00:30", "09:00", "12:00", "23:30"):
        await desk.booked(await desk.a_slot(at(hour), minutes=15, schedule=schedule))
    asked = {
        "from_": at("00:00").isoformat(),
        "to": at("00:00", days=1).isoformat(),
        "locationId": schedule["locationId"],
    }
    home = await days_of(desk, **asked)
    away = await days_of(desk, **asked, timezone=zone)

    def all_of(days: list[Thing], what: str) -> list[Thing]:
        return [one for day in days for one in day[what]]

    for what in ("appointments", "slots"):
        seen = all_of(away, what)
        assert len(seen) == 4
        assert seen == all_of(home, what)
    ahead = {"Pacific/Kiritimati": 14, "Pacific/Pago_Pago": -11, "UTC": 0}[zone]
    for day in away:
        for one in day["appointments"]:
            wall = datetime.fromisoformat(one["start"]) + timedelta(hours=ahead)
            assert wall.date() == date.fromisoformat(day["date"])


async def test_days_are_the_clinic_s_where_no_zone_is_asked(desk: Desk) -> None:
    location = await desk.a_location(timezone="Pacific/Kiritimati")
    schedule = await desk.a_schedule(location=location)
    await desk.a_slot(at("09:00"), schedule=schedule)
    await desk.a_slot(at("10:00"), schedule=schedule)
    asked = {"locationId": location, "from_": tomorrow(1), "to": tomorrow(2)}
    answer = (await calendar(desk, **asked)).json()
    assert answer["timezone"] == "Pacific/Kiritimati"
    begins = datetime.fromisoformat(answer["from"])
    assert begins == at("10:00")
    [day] = answer["days"]
    assert (day["date"], len(day["slots"])) == (tomorrow(1), 1)
    whole = (await calendar(desk, **asked, timezone="UTC")).json()
    assert starts(whole["days"]) == {}


async def test_a_day_shows_what_began_the_evening_before(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    night = await desk.a_slot(at("22:00"), minutes=480, schedule=schedule)
    await desk.booked(night)
    [day] = await days_of(
        desk, from_=tomorrow(1), to=tomorrow(2), locationId=schedule["locationId"]
    )
    assert day["date"] == tomorrow(1)
    assert [one["id"] for one in day["slots"]] == [night["id"]]
    assert [one["slotIds"] for one in day["appointments"]] == [[night["id"]]]
    two = await days_of(
        desk, from_=tomorrow(), to=tomorrow(2), locationId=schedule["locationId"]
    )
    assert [len(day["slots"]) for day in two] == [1, 0], "once, where it begins"


async def test_what_was_called_off_is_shown_where_it_is_asked_for(desk: Desk) -> None:
    schedule = await desk.a_schedule()
    booked = await desk.booked(await desk.a_slot(schedule=schedule))
    assert (await desk.cancel(booked)).status_code == 200
    asked = {
        "from_": tomorrow(),
        "to": tomorrow(1),
        "practitionerId": schedule["practitionerId"],
    }
    [day] = await days_of(desk, **asked)
    assert day["appointments"] == []
    assert [slot["status"] for slot in day["slots"]] == ["free"]
    [day] = await days_of(desk, **asked, includeCancelled="true")
    assert [one["status"] for one in day["appointments"]] == ["cancelled"]


async def test_several_practitioners_and_locations_can_be_named(desk: Desk) -> None:
    schedules = [await desk.a_schedule() for _ in range(3)]
    slots = [await desk.a_slot(schedule=one) for one in schedules]
    asked: list[tuple[str, Any]] = [("from", tomorrow()), ("to", tomorrow(1))]
    for name in ("practitionerId", "locationId"):
        two = [(name, one[name]) for one in schedules[:2]]
        answer = await desk.get("/v1/calendar", params=[*asked, *two])
        [day] = answer.json()["days"]
        assert {one["id"] for one in day["slots"]} == {one["id"] for one in slots[:2]}


async def test_what_is_not_a_question_is_refused(desk: Desk) -> None:
    location = await desk.a_location()
    here = {"locationId": location}
    day = {"from_": tomorrow(), "to": tomorrow(1)}
    wrong: list[tuple[dict[str, Any], str]] = [
        (day, "locationId"),
        ({**here, "from_": tomorrow()}, "to"),
        ({**here, "from_": tomorrow(), "to": tomorrow()}, "to"),
        ({**here, "from_": tomorrow(1), "to": tomorrow()}, "to"),
        ({**here, "from_": tomorrow(), "to": at("12:00").isoformat()}, "to"),
        ({**here, "from_": tomorrow(), "to": tomorrow(32)}, "to"),
        ({**here, "from_": "2030-02-30", "to": "2030-03-01"}, "from"),
        ({**here, "from_": "9999-12-30", "to": "9999-12-31"}, "from"),
        ({**here, "from_": "2030-01-01T00:00:60Z", "to": tomorrow()}, "from"),
        ({**here, **day, "timezone": "Mars/Olympus"}, "timezone"),
        ({**here, **day, "includeCancelled": "maybe"}, "includeCancelled"),
        ({**day, "locationId": "here"}, "locationId.0"),
        ({**here, **day, "unknown": "x"}, "unknown"),
    ]
    for asked, field in wrong:
        answer = await calendar(desk, **asked)
        assert codes(answer) == [(422, "VALIDATION_FAILED")], asked
        assert answer.json()["errors"][0]["field"] == field, answer.text
    whole = await days_of(desk, **here, from_=tomorrow(), to=tomorrow(31))
    assert len(whole) == 31


async def test_another_tenant_s_places_and_people_have_an_empty_calendar(
    desk: Desk, token: Token
) -> None:
    """Just as those that there are not."""
    schedule = await desk.a_schedule()
    await desk.booked(await desk.a_slot(schedule=schedule))
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    for name in ("locationId", "practitionerId"):
        asked = {"from_": tomorrow(), "to": tomorrow(1)}
        foreign = await calendar(stranger, **asked, **{name: schedule[name]})
        missing = await calendar(stranger, **asked, **{name: str(uuid4())})
        assert foreign.status_code == missing.status_code == 200
        assert foreign.content == missing.content
        assert starts(foreign.json()["days"]) == {}


async def test_the_calendar_is_for_staff(desk: Desk, token: Token) -> None:
    patient = await desk.a_patient()
    own = Desk(desk.http, token(patient_id=patient))
    answer = await calendar(
        own, from_=tomorrow(), to=tomorrow(1), locationId=await desk.a_location()
    )
    assert codes(answer) == [(403, "FORBIDDEN")]
