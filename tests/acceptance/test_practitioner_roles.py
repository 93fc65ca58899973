"""Roles over REST, and the slots that follow them through outbox, relay and inbox."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from tests.acceptance.desk import TOMORROW, Desk, Thing, at, codes
from tests.acceptance.listening import Listener, listening

DAYS = 6
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def hours(start: str, end: str, **told: object) -> Thing:
    given = {"daysOfWeek": EVERY_DAY, "startTime": start, "endTime": end}
    return {**given, "slotMinutes": 60, **told}


@dataclass
class Post:
    """A role, and an ear for what becomes of its calendar."""

    desk: Desk
    ear: Listener
    role: str
    practitioner: str
    location: str

    @property
    def path(self) -> str:
        return f"/v1/practitioner-roles/{self.role}"

    async def put(self, *availability: Thing, **told: object) -> httpx2.Response:
        place = {"practitionerId": self.practitioner, "locationId": self.location}
        wanted = {**place, "availability": availability, **told}
        return await self.desk.put(self.path, wanted)

    async def patch(self, **told: object) -> httpx2.Response:
        return await self.desk.ask("PATCH", self.path, json=told)

    async def delete(self, version: int) -> httpx2.Response:
        tag = {"If-Match": f'"{version}"'}
        return await self.desk.ask("DELETE", self.path, headers=tag)

    async def followed(self, version: int) -> Thing:
        """Return what the next run tells that has followed the role's version."""
        while True:
            [block] = await self.ear.events(1, whole=True)
            told = block.event
            if told["type"] != "slots.generation.completed":
                continue
            data: Thing = told["data"]
            if data["roleVersion"] == version:
                return data

    async def calendar(self) -> str:
        answer = await self.desk.get(
            "/v1/schedules", params={"actorId": self.practitioner}
        )
        [one] = answer.json()["items"]
        assert one["practitionerRoleId"] == self.role
        return str(one["id"])

    async def slots(self) -> list[Thing]:
        answer = await self.desk.get(
            f"/v1/schedules/{await self.calendar()}/slots",
            params={
                "from": datetime.now(UTC).isoformat(),
                "to": (TOMORROW + timedelta(days=60)).isoformat(),
            },
        )
        assert answer.status_code == 200, answer.text
        found: list[Thing] = answer.json()["items"]
        return found

    async def of_tomorrow(self) -> list[str]:
        day = TOMORROW.date().isoformat()
        slots = [one for one in await self.slots() if one["start"].startswith(day)]
        return [one["start"][11:16] for one in slots]


@asynccontextmanager
async def a_post(desk: Desk, **location: object) -> AsyncIterator[Post]:
    await desk.settings(horizonDays=DAYS)
    who, where = await desk.a_practitioner(), await desk.a_location(**location)
    async with listening(desk, practitionerId=who) as ear, asyncio.timeout(60):
        yield Post(desk, ear, str(uuid4()), who, where)


async def test_slots_follow_a_role_from_its_first_day_to_its_last(desk: Desk) -> None:
    async with a_post(desk) as post:
        made = await post.put(hours("09:00", "12:00"))
        assert (made.status_code, made.json()["affectedAppointments"]) == (201, [])
        run = await post.followed(1)
        slots = await post.slots()
        assert run["created"] == len(slots)
        assert 3 * DAYS <= len(slots) <= 3 * (DAYS + 1)
        assert (run["trigger"], run["practitionerRoleId"]) == ("event", post.role)
        assert await post.of_tomorrow() == ["09:00", "10:00", "11:00"]
        visits = [
            await desk.booked(one)
            for one in slots
            if one["start"] in {at("09:00").strftime(_Z), at("11:00").strftime(_Z)}
        ]

        changed = await post.patch(availability=[hours("09:00", "11:00")], version=1)
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        assert changed.json()["affectedAppointments"] == []
        run = await post.followed(2)
        assert await post.of_tomorrow() == ["09:00", "10:00", "11:00"]
        assert (run["retained"], run["keptByReason"]) == (1, {"BOOKED": 1})
        [kept] = run["kept"]
        assert kept["appointmentIds"] == [visits[1]["id"]]
        # It stays for who is in it, and is nobody else's.
        gone = await desk.cancel(visits[1])
        assert gone.is_success
        assert codes(await desk.book({"id": kept["slotId"]})) == [
            (409, "SLOT_NOT_AVAILABLE")
        ]

        ended = await post.delete(2)
        assert ended.status_code == 200, ended.text
        [affected] = ended.json().pop("affectedAppointments")
        assert affected == {
            "id": visits[0]["id"],
            "start": visits[0]["start"],
            "end": visits[0]["end"],
            "status": "booked",
            "patientId": visits[0]["patientId"],
            "patientName": "Maria Silva",
        }
        assert {"id": post.role, "version": 3}.items() <= ended.json().items()
        run = await post.followed(3)
        assert (run["created"], run["retained"]) == (0, 1)
        assert await post.of_tomorrow() == ["09:00"]
        still = await desk.get(f"/v1/appointments/{visits[0]['id']}")
        assert still.json()["status"] == "booked"
        assert codes(await desk.get(post.path)) == [(404, NOT_THERE)]

        anew = await post.put(hours("09:00", "12:00"))
        assert (anew.status_code, anew.headers["etag"]) == (201, '"4"')
        await post.followed(4)
        assert await post.of_tomorrow() == ["09:00", "10:00", "11:00"]


_Z = "%Y-%m-%dT%H:%M:%SZ"
NOT_THERE = "PRACTITIONER_ROLE_NOT_FOUND"


async def test_who_is_booked_is_told_when_a_role_is_put_to_rest(desk: Desk) -> None:
    async with a_post(desk) as post:
        await post.put(hours("09:00", "10:00"))
        await post.followed(1)
        before = await post.slots()
        visit = await desk.booked(before[-1])

        rested = await post.put(hours("09:00", "10:00"), active=False)
        told = [one["id"] for one in rested.json()["affectedAppointments"]]
        assert told == [visit["id"]]
        await post.followed(2)
        assert [one["id"] for one in await post.slots()] == [visit["slotIds"][0]]
        again = await post.put(hours("09:00", "10:00"), active=False)
        assert again.json()["affectedAppointments"] == [], "nothing was changed"

        back = await post.patch(active=True, version=2)
        assert back.json()["affectedAppointments"] == []
        await post.followed(3)
        assert len(await post.slots()) == len(before)


async def test_slots_follow_the_location_the_settings_and_exceptions(
    desk: Desk,
) -> None:
    place: Thing = {"name": "Clinic", "code": f"C{uuid4().hex[:9].upper()}"}
    async with a_post(desk) as post:
        await post.put(hours("09:00", "11:00"))
        await post.followed(1)
        assert await post.of_tomorrow() == ["09:00", "10:00"]
        where = f"/v1/locations/{post.location}"

        closed = {"timezone": "UTC", "closedDays": [TOMORROW.date().isoformat()]}
        answer = await desk.put(where, place | closed)
        assert answer.json()["closedDays"] == closed["closedDays"]
        await post.followed(1)
        assert await post.of_tomorrow() == []
        extra = {"kind": "extra", "date": closed["closedDays"][0]}
        windows = [{"startTime": "14:00", "endTime": "15:00", "slotMinutes": 30}]
        calendar = await post.calendar()
        added = await desk.post(
            f"/v1/schedules/{calendar}/exceptions", extra | {"windows": windows}
        )
        assert added.status_code == 201, added.text
        await post.followed(1)
        assert await post.of_tomorrow() == ["14:00", "14:30"], "open all the same"

        await desk.put(where, place | {"timezone": "Asia/Kolkata"})
        await post.followed(1)
        seen = {one["start"][11:16] for one in await post.slots()}
        assert {"03:30", "04:30"} <= seen

        before = len(await post.slots())
        await desk.settings(horizonDays=DAYS + 3)
        await post.followed(1)
        assert len(await post.slots()) == before + 2 * 3


async def test_a_run_is_shown_done_and_remembered(desk: Desk) -> None:
    async with a_post(desk) as post:
        await post.put(hours("09:00", "11:00", capacity=2))
        first = await post.followed(1)
        calendar = f"/v1/schedules/{await post.calendar()}"
        shown = await desk.post(f"{calendar}/generate", {"dryRun": True})
        assert shown.status_code == 200, shown.text
        told: Thing = shown.json()
        assert (told["dryRun"], told["changes"]) == (True, [])
        assert told["unchanged"] == first["created"]

        # Staff who cannot wait ask for it before the news has gone its way.
        done = await desk.post(f"{calendar}/generate", {})
        assert (done.json()["dryRun"], done.json()["trigger"]) == (False, "manual")
        assert done.json()["roleVersion"] == 1
        runs = await desk.get(f"{calendar}/generation-runs", params={"limit": 1})
        [newest] = runs.json()["items"]
        assert newest["generationRunId"] == done.json()["generationRunId"]
        older = await desk.get(
            f"{calendar}/generation-runs",
            params={"cursor": runs.json()["nextCursor"]},
        )
        ids = [one["generationRunId"] for one in older.json()["items"]]
        assert first["generationRunId"] in ids
        assert older.json()["nextCursor"] is None
        unknown = f"/v1/schedules/{uuid4()}"
        assert (
            codes(
                await desk.post(f"{unknown}/generate", {}),
                await desk.get(f"{unknown}/generation-runs"),
            )
            == [(404, "SCHEDULE_NOT_FOUND")] * 2
        )


async def test_a_dry_run_shows_what_would_change_and_changes_nothing(
    desk: Desk,
) -> None:
    who, where = await desk.a_practitioner(), await desk.a_location()
    await desk.settings(horizonDays=DAYS)
    wanted = {"practitionerId": who, "locationId": where}
    async with listening(desk, practitionerId=who) as ear, asyncio.timeout(60):
        rules = {"availability": [hours("09:00", "11:00")]}
        made = await desk.post("/v1/schedules", wanted | rules)
        while (await ear.events(1, whole=True))[0].event["type"] != (
            "slots.generation.completed"
        ):
            pass
    calendar = f"/v1/schedules/{made.json()['id']}"
    free = await desk.free(locationId=where)
    slot = {"scheduleId": made.json()["id"], "start": at("12:00").isoformat()}
    await desk.post("/v1/slots", slot | {"end": at("13:00").isoformat()})
    closing = {"kind": "closed", "date": TOMORROW.date().isoformat()}
    await desk.post(f"{calendar}/exceptions", closing)
    shown = (await desk.post(f"{calendar}/generate", {"dryRun": True})).json()
    reasons = Counter(one["reason"] for one in shown["changes"])
    assert reasons == {"EXCEPTION": 2}, "closed, and kept for when it opens again"
    assert {one["action"] for one in shown["changes"]} == {"retain"}
    assert len(free) == 4
    assert len(await desk.free(locationId=where)) == 2


async def a_role(desk: Desk) -> tuple[str, Thing]:
    role = {
        "practitionerId": await desk.a_practitioner(),
        "locationId": await desk.a_location(),
        "specialties": ["cardiology"],
        "timezone": "Asia/Kathmandu",
        "period": {"start": "2030-01-01", "end": "2030-12-31"},
        "notAvailable": [
            {"start": "2030-05-01T00:00:00Z", "end": "2030-05-02T00:00:00Z"}
        ],
    }
    path = f"/v1/practitioner-roles/{uuid4()}"
    made = await desk.put(path, role)
    assert made.status_code == 201, made.text
    return path, made.json()


async def test_a_patch_leaves_alone_what_it_does_not_name(desk: Desk) -> None:
    path, before = await a_role(desk)

    async def patched(version: int, **told: object) -> Thing:
        answer = await desk.ask(
            "PATCH",
            path,
            json=told,
            headers={
                "If-Match": f'"{version}"',
                "Content-Type": "application/merge-patch+json",
            },
        )
        assert answer.status_code == 200, answer.text
        read: Thing = (await desk.get(path)).json()
        assert {**read, "affectedAppointments": []} == answer.json()
        return read

    def besides(after: Thing) -> Thing:
        return {
            name: value
            for name, value in after.items()
            if before[name] != value and name not in {"version", "updatedAt"}
        }

    assert besides(await patched(1)) == {}
    period: Thing = {"start": "2030-01-01", "end": None}
    assert besides(await patched(1, period={"end": None})) == {"period": period}
    after = await patched(2, timezone=None, specialties=None, active=None, period=None)
    assert besides(after) == {"timezone": None, "specialties": [], "period": None}
    after = await patched(3, notAvailable=[], serviceTypes=["x"])
    assert (after["notAvailable"], after["serviceTypes"]) == ([], ["x"])
    assert after["version"] == 4
    assert after["practitionerId"] == before["practitionerId"]


async def test_a_patch_that_makes_no_sense_is_refused_by_its_field(desk: Desk) -> None:
    path, _ = await a_role(desk)
    wrong: list[tuple[Thing, str]] = [
        ({"practitionerId": None}, "practitionerId"),
        ({"practitionerId": str(uuid4())}, "practitionerId"),
        ({"locationId": str(uuid4())}, "practitionerId"),
        ({"period": {"end": "2029-01-01"}}, "period"),
        ({"period": {"start": "2030-02-01", "end": "2030-01-01"}}, "period"),
        ({"active": "no"}, "active"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"room": "x"}, "room"),
    ]
    for told, field in wrong:
        answer = await desk.ask("PATCH", path, json={**told, "version": 1})
        assert answer.status_code == 422, (told, answer.text)
        assert [e["field"] for e in answer.json()["errors"]] == [field]
    assert (await desk.get(path)).headers["etag"] == '"1"'


async def test_who_changes_or_ends_a_role_says_which_version(desk: Desk) -> None:
    path, _ = await a_role(desk)

    async def both(if_match: str | None) -> list[tuple[int, str]]:
        headers = {} if if_match is None else {"If-Match": if_match}
        told: dict[str, Any] = {"json": {"active": False}}
        return codes(
            await desk.ask("PATCH", path, headers=headers, **told),
            await desk.ask("DELETE", path, headers=headers),
        )

    assert await both(None) == [(428, "PRECONDITION_REQUIRED")] * 2
    assert await both('"7"') == [(412, "OPTIMISTIC_LOCK_CONFLICT")] * 2
    stale = await desk.ask("PATCH", path, json={"active": False, "version": 7})
    assert codes(stale) == [(409, "OPTIMISTIC_LOCK_CONFLICT")]
    tags = {"If-Match": '"1"'}
    ended = await asyncio.gather(
        *(desk.ask("DELETE", path, headers=tags) for _ in range(6))
    )
    assert Counter(one.status_code for one in ended)[200] == 1
    others = {one.json()["code"] for one in ended if one.status_code != 200}
    assert others <= {NOT_THERE, "OPTIMISTIC_LOCK_CONFLICT"}
    assert await both('"2"') == [(404, NOT_THERE)] * 2
    anew = await desk.put(path, {}, If_Match='"2"')
    assert anew.status_code == 422


async def test_a_location_says_which_days_it_is_closed(desk: Desk) -> None:
    path = f"/v1/locations/{uuid4()}"
    place: Thing = {"name": "Clinic", "code": "CLOSED", "timezone": "Europe/Berlin"}
    made = await desk.put(path, place)
    assert made.json()["observesPublicHolidays"] is False
    assert made.json()["closedDays"] == []
    days = ["2030-12-31", "2030-12-24"]
    told = {"observesPublicHolidays": True, "closedDays": days, "country": "DE"}
    changed = await desk.put(path, place | told)
    assert changed.json()["closedDays"] == sorted(days)
    same = await desk.put(path, place | told | {"closedDays": sorted(days)})
    assert same.headers["etag"] == '"2"'
    for wrong in (["2030-12-24"] * 2, ["24.12."], ["2030-01-01"] * 367):
        refused = await desk.put(path, place | {"closedDays": wrong})
        assert refused.status_code == 422, wrong
