"""Figures over HTTP: what became of a period's appointments."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.visits import made, step


def day(days: int = 0) -> str:
    return at("00:00", days=days).date().isoformat()


async def figures(desk: Desk, **asked: Any) -> Thing:  # noqa: ANN401
    given = {"from": day(), "to": day(7), **asked}
    answer = await desk.get("/v1/statistics", params=given)
    assert answer.status_code == 200, answer.text
    found: Thing = answer.json()
    sums = {
        found["total"],
        sum(found["byStatus"].values()),
        sum(found["byType"].values()),
        sum(one["count"] for one in found["byDay"]),
        sum(one["count"] for one in found["busiestHours"]),
        sum(one["total"] for one in found["perPractitioner"]),
    }
    assert sums == {found["total"]}
    by_status: Counter[str] = Counter()
    for one in found["byDay"]:
        by_status.update(one["byStatus"])
        assert sum(one["byStatus"].values()) == one["count"]
    assert by_status == found["byStatus"]
    return found


async def test_figures_of_a_week(desk: Desk) -> None:
    one, other = await desk.a_schedule(), await desk.a_schedule()
    regular, newcomer = await desk.a_patient(), await desk.a_patient()
    await desk.booked(await desk.a_slot(at("08:00"), schedule=one), regular)
    second = await desk.booked(
        await desk.a_slot(at("09:00", days=1), schedule=one),
        regular,
        appointmentType="x-ray",
    )
    overnight = await desk.a_slot(at("23:00", days=2), minutes=480, schedule=other)
    await desk.booked(overnight, newcomer)
    await desk.cancel(second)
    found = await figures(desk, **{"from": day(1), "to": day(3)})
    assert found == {
        "timezone": "UTC",
        "from": day(1),
        "to": day(3),
        "total": 2,
        "byStatus": {"booked": 1, "cancelled": 1},
        "byType": {"consultation": 1, "x-ray": 1},
        "byDay": [
            {"date": day(1), "count": 1, "byStatus": {"cancelled": 1}},
            {"date": day(2), "count": 1, "byStatus": {"booked": 1}},
        ],
        "perDayAverage": 1.0,
        "noShowRate": None,
        "newPatients": 1,
        "returningPatients": 1,
        "perPractitioner": sorted(
            (
                {
                    "practitionerId": schedule["practitionerId"],
                    "total": 1,
                    "byStatus": {status: 1},
                    "noShowRate": None,
                }
                for schedule, status in ((one, "cancelled"), (other, "booked"))
            ),
            key=lambda counted: str(counted["practitionerId"]),
        ),
        "busiestHours": [{"hour": 9, "count": 1}, {"hour": 23, "count": 1}],
    }
    assert (await figures(desk))["total"] == 3
    assert (await figures(desk, locationId=one["locationId"]))["total"] == 2
    by_practitioner = await figures(desk, practitionerId=other["practitionerId"])
    assert (by_practitioner["total"], by_practitioner["newPatients"]) == (1, 1)
    assert (await figures(desk, **{"from": day(3), "to": day(4)}))["total"] == 0


async def test_a_rate_is_of_who_came_or_did_not_and_none_of_nobody(desk: Desk) -> None:
    one, other = await desk.a_schedule(), await desk.a_schedule()
    ways = (
        ("arrived", "completed"),
        ("arrived", "completed"),
        ("no-show",),
        ("confirmed",),
        ("arrived", "in-progress"),
        ("cancelled",),
        ("entered-in-error",),
    )
    for hour, way in enumerate(ways, start=9):
        slot = await desk.a_slot(at(f"{hour:02}:00"), schedule=one)
        visit = await desk.booked(slot)
        for status in way:
            visit = made(await step(desk, visit, status))
    await desk.booked(await desk.a_slot(at("09:00"), schedule=other))
    found = await figures(desk)
    assert found["byStatus"] == {
        "booked": 1,
        "cancelled": 1,
        "completed": 2,
        "confirmed": 1,
        "in-progress": 1,
        "no-show": 1,
    }
    assert found["noShowRate"] == pytest.approx(1 / 3)
    assert found["perDayAverage"] == pytest.approx(7 / 7)
    rates = {
        counted["practitionerId"]: counted["noShowRate"]
        for counted in found["perPractitioner"]
    }
    assert rates == {
        one["practitionerId"]: pytest.approx(1 / 3),
        other["practitionerId"]: None,
    }
    nobody = await figures(desk, **{"from": day(3), "to": day(4)})
    assert (nobody["noShowRate"], nobody["perDayAverage"]) == (None, 0)
    document = (await desk.http.get("/openapi.json")).json()
    told = document["components"]["schemas"]["StatisticsView"]["properties"]
    assert "no-show + completed" in told["noShowRate"]["description"]
    assert "all days of the period" in told["perDayAverage"]["description"]


async def test_days_and_hours_are_those_of_the_zone(desk: Desk) -> None:
    await desk.booked(await desk.a_slot(at("12:15")))
    for zone, days, hour in (
        ("Pacific/Kiritimati", 1, 2),
        ("Pacific/Pago_Pago", 0, 1),
        ("Asia/Kathmandu", 0, 18),
    ):
        found = await figures(desk, timezone=zone)
        told = {"date": day(days), "count": 1, "byStatus": {"booked": 1}}
        assert told in found["byDay"], zone
        assert found["busiestHours"] == [{"hour": hour, "count": 1}], zone


async def test_what_is_not_a_period_of_days_is_refused(desk: Desk) -> None:
    too_late = (at("00:00") + timedelta(days=367)).date().isoformat()
    wrong = [
        ({"to": day()}, "to"),
        ({"to": too_late}, "to"),
        ({"to": at("00:00", days=1).isoformat()}, "to"),
        ({"from": "2030-02-30"}, "from"),
    ]
    for asked, field in wrong:
        given = {"from": day(), "to": day(7), **asked}
        answer = await desk.get("/v1/statistics", params=given)
        assert codes(answer) == [(422, "VALIDATION_FAILED")]
        assert answer.json()["errors"][0]["field"] == field


async def test_figures_are_for_staff_who_read_or_manage_and_of_their_tenant(
    desk: Desk, token: Token
) -> None:
    schedule = await desk.a_schedule()
    await desk.booked(await desk.a_slot(schedule=schedule))
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    found = await figures(stranger, locationId=schedule["locationId"])
    assert (found["total"], found["newPatients"]) == (0, 0)
    for scope in ("scheduling:read", "scheduling:manage"):
        staff = Desk(desk.http, token(scope=scope))
        assert (await figures(staff))["total"] == 1
    others = [
        Desk(desk.http, token(scope="scheduling:book")),
        Desk(desk.http, token(patient_id=await desk.a_patient())),
    ]
    asked = {"from": day(), "to": day(7)}
    refused = [await one.get("/v1/statistics", params=asked) for one in others]
    assert codes(*refused) == [(403, "FORBIDDEN")] * 2
