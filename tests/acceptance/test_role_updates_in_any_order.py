"""Fifty versions of a role arrive in any order, some twice, while patients book: in the
end the calendar is that of the fiftieth, and nobody has lost a visit.

What should be there is computed here, from the version's numbers alone, in a zone that
never changes its clocks.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from tests.acceptance.desk import Desk, Thing
from tests.acceptance.product import PATIENCE, Product
from tests.acceptance.visits import as_it_is
from tests.following import an_event, sending

VERSIONS = 50
DAYS = 6
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SOURCE = "/directory"
KOLKATA = timezone(timedelta(hours=5, minutes=30))

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Version:
    """What a version of the role says: hours of every day, cut into slots."""

    number: int
    opens: time
    closes: time
    minutes: int

    @classmethod
    def of(cls, number: int) -> "Version":
        chance = Random(number)  # noqa: S311  # no secret
        return cls(
            number,
            time(chance.randrange(6, 11), chance.choice((0, 15, 30))),
            time(chance.randrange(13, 20), chance.choice((0, 20, 40))),
            chance.choice((15, 20, 25, 30, 45, 60)),
        )

    def spans(self, first: date, last: date) -> Iterator[Span]:
        length = timedelta(minutes=self.minutes)
        day = first
        while day <= last:
            start = datetime.combine(day, self.opens, KOLKATA)
            while start + length <= datetime.combine(day, self.closes, KOLKATA):
                yield start.astimezone(UTC), (start + length).astimezone(UTC)
                start += length
            day += timedelta(days=1)


@dataclass
class World:
    tenant: UUID
    role: str
    practitioner: str
    location: str

    def event(self, version: Version) -> Thing:
        """Return the version's event; told twice it is the same one."""
        return an_event(
            "practitioner-role.updated",
            {
                "practitionerRoleId": self.role,
                "practitionerId": self.practitioner,
                "locationId": self.location,
                "availability": [
                    {
                        "daysOfWeek": EVERY_DAY,
                        "startTime": version.opens.isoformat("minutes"),
                        "endTime": version.closes.isoformat("minutes"),
                        "slotMinutes": version.minutes,
                    }
                ],
            },
            id=f"{self.role}-v{version.number}",
            source=SOURCE,
            subject=self.role,
            aggregateversion=version.number,
        )


async def test_the_last_version_stands_and_no_booking_is_harmed(
    product: Product, desk: Desk, tenant: UUID
) -> None:
    await desk.settings(horizonDays=DAYS)
    world = World(
        tenant,
        str(uuid4()),
        await desk.a_practitioner(),
        await desk.a_location(timezone="Asia/Kolkata"),
    )
    patients = [await desk.a_patient() for _ in range(4)]
    versions = [Version.of(number) for number in range(1, VERSIONS + 1)]
    chance = Random(4)  # noqa: S311  # no secret
    told = [*versions, *chance.sample(versions, 20)]
    chance.shuffle(told)
    # Who tells of the first version: from here on there is something to book.
    await _tell(product, world, versions[:1])
    await _until_generated(product, world, at_least=1)

    over = asyncio.Event()
    booked: list[dict[str, Any]] = []
    booking = [
        asyncio.create_task(_book(desk, world, one, booked, over)) for one in patients
    ]
    for first in range(0, len(told), 10):
        before = len(booked)
        await _tell(product, world, told[first : first + 10])
        async with asyncio.timeout(PATIENCE):
            while len(booked) < before + 2:  # noqa: ASYNC110  # so that both go on
                await asyncio.sleep(0.02)
    await _until_generated(product, world, at_least=VERSIONS)
    over.set()
    await asyncio.gather(*booking)
    await _until_quiet(product, world)

    await _assert_unharmed(desk, booked)
    tomorrow = (datetime.now(KOLKATA) + timedelta(days=1)).date()
    wanted = set(versions[-1].spans(tomorrow, tomorrow + timedelta(days=DAYS - 1)))
    await _assert_calendar(product, world, wanted, tomorrow)
    seen = await _versions_seen(product, world)
    assert seen == sorted(seen)


async def _tell(product: Product, world: World, versions: list[Version]) -> None:
    async with sending(product.nats_url) as sender:
        for version in versions:
            await sender.send(world.tenant, world.event(version))


async def _book(
    desk: Desk,
    world: World,
    patient: str,
    booked: list[dict[str, Any]],
    over: asyncio.Event,
) -> None:
    """Book one free time after the other until it is over."""
    chance = Random(patient)  # noqa: S311  # no secret
    while not over.is_set():
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        found = await desk.get(
            "/v1/availability",
            params={
                "practitionerId": world.practitioner,
                "from": tomorrow.isoformat(),
                "to": (tomorrow + timedelta(days=DAYS)).isoformat(),
                "limit": 200,
            },
        )
        free = found.raise_for_status().json()["items"]
        if free:
            answer = await desk.book({"id": chance.choice(free)["slotId"]}, patient)
            assert answer.status_code in {201, 404, 409}, answer.text
            if answer.status_code == 201:
                booked.append(answer.json())
        await asyncio.sleep(0.05)  # a person is not faster either


async def _assert_unharmed(desk: Desk, booked: list[dict[str, Any]]) -> None:
    for visit in booked:
        assert await as_it_is(desk, visit) == visit
        for slot_id in visit["slotIds"]:
            slot = (await desk.get(f"/v1/slots/{slot_id}")).raise_for_status().json()
            assert (slot["start"], slot["end"]) == (visit["start"], visit["end"])
            assert slot["booked"] == 1


async def _assert_calendar(
    product: Product, world: World, wanted: set[Span], first: date
) -> None:
    found = await _rows(
        product,
        world,
        "SELECT starts_at, ends_at, booked, obsolete_since FROM slots "
        "WHERE practitioner_id = $1 AND starts_at >= $2 ORDER BY starts_at, ends_at",
        UUID(world.practitioner),
        datetime.combine(first, time(), KOLKATA),
    )
    for one, other in pairwise(found):
        assert one["ends_at"] <= other["starts_at"], "two slots lie on each other"
    kept = {(row[0], row[1]) for row in found if row["obsolete_since"] is not None}
    live = {(row[0], row[1]) for row in found if row["obsolete_since"] is None}
    assert all(row["booked"] == 1 for row in found if row["obsolete_since"] is not None)
    assert kept.isdisjoint(wanted)
    assert live == {
        (start, end)
        for start, end in wanted
        if not any(start < until and begin < end for begin, until in kept)
    }


async def _until_generated(product: Product, world: World, *, at_least: int) -> None:
    """Return when the rules of that version of the directory's were applied."""
    await _until(
        product,
        world,
        1,
        "SELECT 1 FROM inbox_positions p JOIN practitioner_roles r "
        "ON r.tenant_id = p.tenant_id AND r.id = p.aggregate_id "
        "JOIN generation_runs g ON g.tenant_id = r.tenant_id "
        "AND g.practitioner_role_id = r.id AND g.role_version = r.version "
        "WHERE p.aggregate_id = $1 AND p.version >= $2",
        UUID(world.role),
        at_least,
    )


async def _until_quiet(product: Product, world: World) -> None:
    """Return when all that was told took effect, or was found to be stale."""
    asked = "SELECT 1 FROM inbox WHERE source = $1"
    await _until(product, world, VERSIONS, asked, SOURCE)
    await _until_generated(product, world, at_least=VERSIONS)


async def _versions_seen(product: Product, world: World) -> list[int]:
    """Return which versions of the role the runs applied, one after the other."""
    found = await _rows(
        product,
        world,
        "SELECT role_version FROM generation_runs WHERE practitioner_role_id = $1 "
        "ORDER BY started_at",
        UUID(world.role),
    )
    return [row[0] for row in found]


async def _until(
    product: Product, world: World, count: int, question: str, *given: object
) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(await _rows(product, world, question, *given)) < count:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.05)


async def _rows(
    product: Product, world: World, question: str, *given: object
) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(
        product.database_url,
        server_settings={
            "role": "scheduling_inbox",
            "app.tenant_id": str(world.tenant),
        },
    )
    try:
        return await connection.fetch(question, *given)
    finally:
        await connection.close()
