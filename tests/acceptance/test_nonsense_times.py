"""Times that are none: each command says so by the field, at once, and does nothing."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.acceptance.desk import Desk, Thing, codes
from tests.acceptance.product import Product

SOMEBODY = str(UUID(int=1))
PLACE = {"practitionerId": SOMEBODY, "locationId": SOMEBODY}
WISH = {"patientId": SOMEBODY, "appointmentType": "visit"}
NINE, TEN = "2030-01-07T09:00:00Z", "2030-01-07T10:00:00Z"
BY_START: Thing = {**PLACE, "start": NINE, "durationMinutes": 30}
RULE: Thing = {
    "daysOfWeek": ["mon"],
    "startTime": "09:00",
    "endTime": "17:00",
    "slotMinutes": 30,
}

COMMANDS: dict[str, tuple[str, Thing]] = {
    "book": ("/v1/appointments", {**WISH, **BY_START}),
    "series": ("/v1/appointments/series", {**WISH, **BY_START, "occurrences": 2}),
    "move": ("/v1/appointments/{id}/reschedule", {"start": NINE, "version": 1}),
    "wait": ("/v1/waitlist", {"patientId": SOMEBODY, "earliest": NINE, "latest": TEN}),
    "open": ("/v1/slots", {"scheduleId": SOMEBODY, "start": NINE, "end": TEN}),
    "close": ("/v1/schedules/{id}/exceptions", {"kind": "closed"}),
    "publish": ("/v1/schedules", {**PLACE, "availability": [RULE]}),
    "preview": (
        "/v1/schedules/preview",
        {
            "availability": [RULE],
            "timezone": "UTC",
            "from": "2030-01-07",
            "to": "2030-01-08",
        },
    ),
}
INSTANTS = {
    "book": ["start"],
    "series": ["start"],
    "move": ["start"],
    "wait": ["earliest", "latest"],
    "open": ["start", "end"],
}
NO_INSTANTS = (
    "2030-06-30T23:59:60Z",
    "10000-01-01T00:00:00Z",
    "+010000-01-01T00:00:00Z",
    "2030-01-07T09:00:00",
    "2030-01-07",
    "2030-02-30T09:00:00Z",
    "2030-01-07T24:00:00Z",
    "2030-01-07T09:00:00+24:00",
    "0000-01-01T00:00:00Z",
    "-2030-01-07T09:00:00Z",
    "tomorrow",
    "",
    1893488400,
    ["2030-01-07T09:00:00Z"],
)


async def refused(desk: Desk, command: str, told: Thing) -> list[str]:
    """Return which fields are named."""
    path, sane = COMMANDS[command]
    path = path.replace("{id}", str(uuid4()))
    answer = await desk.post(path, {**sane, **told})
    assert codes(answer) == [(422, "VALIDATION_FAILED")], (told, answer.text)
    return [one["field"] for one in answer.json()["errors"]]


@pytest.mark.parametrize("command", INSTANTS)
async def test_what_is_no_instant_is_named(desk: Desk, command: str) -> None:
    for field in INSTANTS[command]:
        for wrong in NO_INSTANTS:
            named = await refused(desk, command, {field: wrong})
            assert field in named, (field, wrong, named)


NO_STRETCHES: list[tuple[str, Thing, str]] = [
    ("book", {"durationMinutes": 0}, "durationMinutes"),
    ("book", {"durationMinutes": -30}, "durationMinutes"),
    ("book", {"durationMinutes": 24 * 60 + 1}, "durationMinutes"),
    ("book", {"durationMinutes": 10**30}, "durationMinutes"),
    ("book", {"durationMinutes": 29.5}, "durationMinutes"),
    ("book", {"durationMinutes": "30"}, "durationMinutes"),
    ("series", {"durationMinutes": 0}, "durationMinutes"),
    ("series", {"occurrences": -1}, "occurrences"),
    ("move", {"durationMinutes": -1}, "durationMinutes"),
    ("wait", {"latest": NINE}, "latest"),
    ("wait", {"earliest": TEN, "latest": NINE}, "latest"),
    ("wait", {"latest": "2199-01-01T00:00:00Z"}, "latest"),
    ("open", {"end": NINE}, "end"),
    ("open", {"start": TEN, "end": NINE}, "end"),
    ("open", {"end": "2030-01-08T09:00:01Z"}, "end"),
    ("close", {"start": NINE, "end": NINE}, "end"),
    ("close", {"start": TEN, "end": NINE}, "end"),
    ("close", {"start": "2030-01-07T09:00:60Z", "end": TEN}, "start"),
    ("close", {"date": "10000-01-01"}, "date"),
    ("close", {"date": "2030-02-30"}, "date"),
    ("close", {"date": NINE}, "date"),
    ("publish", {"availability": [{**RULE, "slotMinutes": 0}]}, "slotMinutes"),
    ("publish", {"availability": [{**RULE, "slotMinutes": -5}]}, "slotMinutes"),
    ("publish", {"availability": [{**RULE, "endTime": "24:30"}]}, "endTime"),
    ("publish", {"availability": [{**RULE, "startTime": "09:00:60"}]}, "startTime"),
    ("publish", {"availability": [{**RULE, "validFrom": "10000-01-01"}]}, "validFrom"),
    ("publish", {"timezone": "+03:00"}, "timezone"),
    ("publish", {"horizonDays": 10**9}, "horizonDays"),
    ("preview", {"to": "2030-01-06"}, "to"),
    ("preview", {"to": "2035-01-06"}, "to"),
    ("preview", {"from": "10000-01-01"}, "from"),
    ("preview", {"to": "9999-12-31"}, "to"),
]


@pytest.mark.parametrize(
    ("command", "told", "field"), NO_STRETCHES, ids=lambda one: str(one)[:60]
)
async def test_what_is_no_stretch_of_time_is_named(
    desk: Desk, command: str, told: Thing, field: str
) -> None:
    assert field in [
        name.rpartition(".")[2] for name in await refused(desk, command, told)
    ]


async def test_nothing_is_left_of_what_was_refused(
    desk: Desk, product: Product, tenant: UUID
) -> None:
    for command, told, _ in NO_STRETCHES:
        await refused(desk, command, told)
    tables: dict[str, Any] = {
        one: await product.count(tenant, one)
        for one in ("appointments", "slots", "schedules", "waitlist_entries", "claims")
    }
    assert set(tables.values()) == {0}, tables
    assert await product.committed(tenant) == []
