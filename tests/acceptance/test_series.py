"""Series: the same time on the wall, week after week, whole or not at all."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx2

from tests.acceptance.conftest import Token
from tests.acceptance.desk import TOMORROW, Desk, Thing, codes
from tests.acceptance.product import Product

SERIES = "/v1/appointments/series"
BERLIN = ZoneInfo("Europe/Berlin")
WEEK = timedelta(days=7)


async def book(
    desk: Desk,
    slot: Thing | None,
    patient: str | None = None,
    *,
    occurrences: int = 4,
    key: str | None = None,
    **told: Any,  # noqa: ANN401
) -> httpx2.Response:
    given = {
        "patientId": patient or await desk.a_patient(),
        **({} if slot is None else {"slotId": slot["id"]}),
        "appointmentType": "physiotherapy",
        "occurrences": occurrences,
        **told,
    }
    return await desk.post(SERIES, given, key=key)


async def booked(desk: Desk, slot: Thing, patient: str, occurrences: int) -> Thing:
    answer = await book(desk, slot, patient, occurrences=occurrences)
    assert answer.status_code == 201, answer.text
    series: Thing = answer.json()
    return series


async def a_weekly_desk(
    desk: Desk, count: int = 4, *, capacity: int = 1
) -> list[Thing]:
    """Return slots of the same time in that many weeks, from tomorrow on."""
    schedule = await desk.a_schedule()
    return [
        await desk.a_slot(TOMORROW + n * WEEK, schedule=schedule, capacity=capacity)
        for n in range(count)
    ]


async def statuses(desk: Desk, series: Thing) -> list[str]:
    answer = await desk.get(f"{SERIES}/{series['seriesId']}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["seriesId"] == series["seriesId"]
    return [one["status"] for one in answer.json()["items"]]


async def told(product: Product, tenant: UUID) -> Counter[str]:
    """Return how often what was told, but for how the clinic was made."""
    events = await product.events(tenant)
    types = Counter(e.subject.rpartition(f"{tenant}.")[2] for e in events)
    return Counter(
        {type: n for type, n in types.items() if type.startswith("appointment.")}
    )


async def test_a_series_is_booked_whole_and_read_by_its_id(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = await a_weekly_desk(desk)
    patient = await desk.a_patient()
    answer = await book(desk, slots[0], patient)
    assert answer.status_code == 201, answer.text
    series = answer.json()
    assert answer.headers["location"] == f"{SERIES}/{series['seriesId']}"
    items = series["items"]
    assert [one["slotIds"] for one in items] == [[slot["id"]] for slot in slots]
    assert [one["seriesIndex"] for one in items] == [1, 2, 3, 4]
    assert {one["seriesId"] for one in items} == {series["seriesId"]}
    assert {one["patientId"] for one in items} == {patient}
    read = await desk.get(f"{SERIES}/{series['seriesId']}")
    assert read.json() == series
    one = await desk.get(f"/v1/appointments/{items[2]['id']}")
    assert one.json() == items[2]
    assert await told(product, tenant) == {"appointment.created": 4}


async def test_the_third_in_conflict_is_named_and_nothing_is_written(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = await a_weekly_desk(desk)
    await desk.booked(slots[2])
    before = await product.count(tenant, "appointments")
    refused = await book(desk, slots[0])
    assert codes(refused) == [(409, "SLOT_NOT_AVAILABLE")]
    assert refused.json()["index"] == 3
    assert await product.count(tenant, "appointments") == before
    assert await told(product, tenant) == {"appointment.created": 1}
    assert [one["slotId"] for one in await desk.free()] == [slots[0]["id"]]


def week_before_clocks_change() -> datetime:
    """Return nine o'clock in Berlin, of a day whose next week has another offset."""
    day = datetime.now(BERLIN).replace(hour=9, minute=0, second=0, microsecond=0)
    day += timedelta(days=1)
    while day.utcoffset() == (day + WEEK).utcoffset():
        day += timedelta(days=1)
    return day


async def test_weekly_0900_stays_0900_on_the_wall_over_dst(desk: Desk) -> None:
    await desk.settings(horizonDays=365)
    location = await desk.a_location(timezone="Europe/Berlin")
    schedule = await desk.a_schedule(location=location)
    first = week_before_clocks_change()
    walls = [first + n * WEEK for n in range(3)]  # of a zone, the wall's arithmetic
    for wall in walls:
        await desk.a_slot(wall, schedule=schedule)
    answer = await book(
        desk,
        None,
        occurrences=3,
        practitionerId=schedule["practitionerId"],
        locationId=location,
        start=first.isoformat(),
        durationMinutes=30,
    )
    assert answer.status_code == 201, answer.text
    starts = [datetime.fromisoformat(one["start"]) for one in answer.json()["items"]]
    assert [start.astimezone(BERLIN).hour for start in starts] == [9, 9, 9]
    assert starts == [wall.astimezone(UTC) for wall in walls]
    assert starts[1] - starts[0] != WEEK


async def test_one_those_that_follow_or_all_are_cancelled(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    slots = await a_weekly_desk(desk, 6)
    patient = await desk.a_patient()
    series = await booked(desk, slots[0], patient, 6)
    items = series["items"]
    one = await desk.cancel(items[4])
    assert (one.status_code, one.json()["status"]) == (200, "cancelled")
    assert await statuses(desk, series) == [*["booked"] * 4, "cancelled", "booked"]

    stale = await desk.cancel(items[2], version=7, series="following")
    assert codes(stale) == [(409, "OPTIMISTIC_LOCK_CONFLICT")]
    following = await desk.cancel(items[2], if_match='"1"', series="following")
    assert following.json()["id"] == items[2]["id"]
    assert following.headers["etag"] == '"2"'
    assert await statuses(desk, series) == ["booked"] * 2 + ["cancelled"] * 4

    everything = await desk.cancel(items[1], series="all")
    assert everything.status_code == 200
    assert await statuses(desk, series) == ["cancelled"] * 6
    again = await desk.cancel(everything.json(), series="all")
    assert codes(again) == [(409, "INVALID_STATUS_TRANSITION")]
    assert await told(product, tenant) == {
        "appointment.created": 6,
        "appointment.cancelled": 6,
    }
    assert len((await booked(desk, slots[0], patient, 6))["items"]) == 6


async def test_a_patient_sees_and_cancels_the_own_series_only(
    desk: Desk, token: Token
) -> None:
    slots = await a_weekly_desk(desk, capacity=2)
    mine, other = await desk.a_patient(), await desk.a_patient()
    patient = Desk(desk.http, token(patient_id=UUID(mine), subject="patient"))
    series = await booked(patient, slots[0], mine, 4)
    theirs = await booked(desk, slots[0], other, 4)
    assert await statuses(patient, series) == ["booked"] * 4
    unknown = str(uuid4())
    hidden = await patient.get(f"{SERIES}/{theirs['seriesId']}")
    missing = await patient.get(f"{SERIES}/{unknown}")
    assert codes(hidden, missing) == [(404, "SERIES_NOT_FOUND")] * 2
    assert hidden.text == missing.text.replace(unknown, theirs["seriesId"])
    assert codes(
        await patient.cancel(theirs["items"][0], series="all"),
        await book(patient, slots[0], other),
    ) == [(404, "APPOINTMENT_NOT_FOUND"), (404, "PATIENT_NOT_FOUND")]
    assert (await patient.cancel(series["items"][0], series="all")).status_code == 200
    assert await statuses(desk, series) == ["cancelled"] * 4
    assert await statuses(desk, theirs) == ["booked"] * 4


async def test_a_series_is_booked_once_under_one_key(desk: Desk) -> None:
    slots = await a_weekly_desk(desk)
    patient = await desk.a_patient()
    first = await book(desk, slots[0], patient, key="k")
    again = await book(desk, slots[0], patient, key="k")
    assert (first.status_code, first.content) == (201, again.content)
    assert again.headers["idempotency-replayed"] == "true"
    other = await book(desk, slots[0], patient, key="k", occurrences=3)
    assert codes(other) == [(422, "IDEMPOTENCY_KEY_REUSED")]


async def test_what_is_no_series_is_refused_by_its_field(desk: Desk) -> None:
    slots = await a_weekly_desk(desk, 2)
    answers = [
        await book(desk, slots[0], occurrences=occurrences)
        for occurrences in (0, 1, 53)
    ]
    assert codes(*answers) == [(422, "VALIDATION_FAILED")] * 3
    assert {a.json()["errors"][0]["field"] for a in answers} == {"occurrences"}
    more = [
        await book(desk, slots[0], allowDoubleBooking=True),
        await book(desk, slots[0], holdId=str(uuid4())),
        await book(desk, None),
        await desk.cancel(await desk.booked(slots[0]), series="some"),
    ]
    assert codes(*more) == [(422, "VALIDATION_FAILED")] * 4
    beyond = await book(desk, slots[1], occurrences=2)
    assert codes(beyond) == [(409, "OUTSIDE_SCHEDULE")]
    assert beyond.json()["index"] == 2
    away = await desk.get(f"{SERIES}/nonsense")
    assert codes(away) == [(422, "VALIDATION_FAILED")]
