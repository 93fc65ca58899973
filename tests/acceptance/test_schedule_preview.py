"""A pattern is tried before anybody works by it."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from tests.acceptance.desk import Desk, codes

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def window(start: str, end: str, **told: object) -> dict[str, object]:
    return {
        "daysOfWeek": EVERY_DAY,
        "startTime": start,
        "endTime": end,
        "slotMinutes": 30,
        **told,
    }


async def preview(
    desk: Desk,
    *availability: dict[str, object],
    zone: str = "UTC",
    day: str = "2030-01-07",
    to: str | None = None,
    **told: object,
) -> httpx2.Response:
    asked = {
        "availability": availability,
        "timezone": zone,
        "from": day,
        "to": to or day,
    }
    return await desk.post("/v1/schedules/preview", {**asked, **told})


def clock(answer: httpx2.Response, zone: str = "UTC") -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.json()["nextCursor"] is None
    return [
        f"{datetime.fromisoformat(one['start']).astimezone(ZoneInfo(zone)):%d %H:%M}"
        for one in answer.json()["items"]
    ]


async def test_a_preview_shows_the_slots_of_both_days_and_makes_none(
    desk: Desk,
) -> None:
    answer = await preview(desk, window("09:00", "10:00", capacity=3), to="2030-01-08")
    assert clock(answer) == ["07 09:00", "07 09:30", "08 09:00", "08 09:30"]
    assert answer.json()["items"][0] == {
        "start": "2030-01-07T09:00:00Z",
        "end": "2030-01-07T09:30:00Z",
        "capacity": 3,
    }
    assert await desk.free() == []


async def test_a_preview_reads_the_wall_of_the_zone(desk: Desk) -> None:
    """New York goes forward at two: half past one lasts until three."""
    answer = await preview(
        desk, window("01:30", "24:00"), zone="America/New_York", day="2030-03-10"
    )
    shown = clock(answer, "America/New_York")
    assert shown[:2] == ["10 01:30", "10 03:00"]
    assert shown[-1] == "10 23:30"
    assert len(shown) == 43


async def test_a_preview_honours_exceptions(desk: Desk) -> None:
    answer = await preview(
        desk,
        window("09:00", "10:00"),
        window("22:00", "01:00", slotMinutes=60),
        to="2030-01-10",
        exceptions=[
            {"kind": "closed", "date": "2030-01-07", "reason": "Holiday"},
            {
                "kind": "replace",
                "date": "2030-01-08",
                "windows": [
                    {"startTime": "14:00", "endTime": "14:30", "slotMinutes": 30}
                ],
            },
            {
                "kind": "extra",
                "date": "2030-01-09",
                "windows": [
                    {"startTime": "09:30", "endTime": "10:30", "slotMinutes": 30}
                ],
            },
            {
                "kind": "closed",
                "start": "2030-01-09T23:30:00Z",
                "end": "2030-01-10T09:10:00Z",
            },
        ],
    )
    assert clock(answer) == [
        "08 14:00",
        "09 09:00",
        "09 09:30",
        "09 10:00",
        "09 22:00",
        "10 09:30",
        "10 22:00",
        "10 23:00",
        "11 00:00",
    ]


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"to": "2030-04-09"}, "to"),
        ({"to": "2030-01-06"}, "to"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"exceptions": [{"kind": "closed"}]}, "exceptions.0.date"),
        (
            {"exceptions": [{"kind": "extra", "date": "2030-01-07"}]},
            "exceptions.0.windows",
        ),
        (
            {
                "exceptions": [
                    {"kind": "closed", "date": "2030-01-07"},
                    {"kind": "closed", "start": "2030-01-07T00:00:00Z"},
                ]
            },
            "exceptions.1.end",
        ),
    ],
)
async def test_what_makes_no_sense_is_told_by_its_field(
    desk: Desk, told: dict[str, Any], field: str
) -> None:
    answer = await preview(desk, window("09:00", "10:00"), **told)
    assert codes(answer) == [(422, "VALIDATION_FAILED")]
    assert [error["field"] for error in answer.json()["errors"]] == [field]
