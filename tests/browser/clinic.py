"""A clinic group to look at: made over REST, in a tenant of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from scheduling.adapters.tokens.issuer import DevIssuer
from scheduling.application.ports.identity import Scope
from tests.acceptance.desk import Desk, Thing

DAYS = 14
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = MappingProxyType({"Berlin": "Europe/Berlin", "Yangon": "Asia/Yangon"})

SOUZA = "Dr. Ana Souza"
WEISS = "Dr. Jörg Weiß"
SANDER = "Miriam Sander"
THU = "ဒေါက်တာ မေသူ"

POSTS: Mapping[str, tuple[str, Thing]] = MappingProxyType(
    {
        SOUZA: (
            "Berlin",
            {"startTime": "08:00", "endTime": "18:00", "slotMinutes": 30},
        ),
        WEISS: (
            "Berlin",
            {"startTime": "09:00", "endTime": "17:00", "slotMinutes": 20},
        ),
        SANDER: (
            "Berlin",
            {
                "startTime": "10:00",
                "endTime": "16:00",
                "slotMinutes": 60,
                "capacity": 8,
                "serviceTypes": ["physiotherapy"],
            },
        ),
        THU: (
            "Yangon",
            {"startTime": "09:00", "endTime": "17:00", "slotMinutes": 30},
        ),
    }
)
"""Who works where, every day at which hours; Sander has a group of eight."""

PATIENTS: Mapping[str, Thing] = MappingProxyType(
    {
        "Maria Silva": {"fileNumber": "F-1001", "phone": "+49 30 901820"},
        "José Álvarez Núñez": {"fileNumber": "F-1002", "email": "jose@example.org"},
        "Zoë Müller-Lüdenscheidt": {"fileNumber": "F-1003"},
        "Łukasz Żak": {"fileNumber": "F-1004", "phone": "+48 22 5550147"},
        "အောင်ကျော်မိုး": {"fileNumber": "F-1005", "language": "my"},
        "သီရိမေ": {"fileNumber": "F-1006", "language": "my", "phone": "+95 9 420000123"},
        "Nguyễn Thị Hồng": {"fileNumber": "F-1007"},
        "Sam O'Neill": {"fileNumber": "F-1008", "email": "sam@example.org"},
    }
)

MAY: Mapping[str, tuple[Scope, ...]] = MappingProxyType(
    {
        "front-desk": (Scope.READ, Scope.BOOK, Scope.MANAGE),
        "practitioner": (Scope.READ, Scope.BOOK),
        "administrator": tuple(Scope),
    }
)
"""The personas of `scheduling dev`, with what they may there."""


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """Names lead to ids. `desk` is an administrator's, and may do everything."""

    tenant: UUID
    issuer: DevIssuer
    desk: Desk
    locations: Mapping[str, str]
    practitioners: Mapping[str, str]
    patients: Mapping[str, str]
    schedules: Mapping[str, Thing]

    def day(self, ahead: int = 0, *, at: str = "Berlin") -> date:
        """Return today as that clinic has it, or a day after: slots are there for
        DAYS. Of today's some are over; tomorrow's can all be booked.
        """
        return datetime.now(ZoneInfo(ZONES[at])).date() + timedelta(days=ahead)

    def instant(self, ahead: int, time: str, *, at: str = "Berlin") -> datetime:
        """Return a wall-clock time (`09:30`) of that day there, in UTC."""
        wall = datetime.fromisoformat(f"{self.day(ahead, at=at)}T{time}:00")
        return wall.replace(tzinfo=ZoneInfo(ZONES[at])).astimezone(UTC)

    async def slot(self, practitioner: str, ahead: int, time: str) -> Thing:
        """Return the slot of that practitioner that begins then."""
        where, _ = POSTS[practitioner]
        start = self.instant(ahead, time, at=where)
        end = start + timedelta(minutes=1)
        answer = await self.desk.get(
            f"/v1/practitioners/{self.practitioners[practitioner]}/slots",
            params={"from": start.isoformat(), "to": end.isoformat()},
        )
        assert answer.status_code == 200, answer.text
        [found] = [
            one
            for one in answer.json()["items"]
            if datetime.fromisoformat(one["start"]) == start
        ]
        slot: Thing = found
        return slot

    async def booked(
        self,
        patient: str,
        practitioner: str,
        ahead: int,
        time: str,
        **told: Any,  # noqa: ANN401
    ) -> Thing:
        """Book by names and wall-clock time; return the appointment."""
        slot = await self.slot(practitioner, ahead, time)
        return await self.desk.booked(slot, self.patients[patient], **told)

    def token(self, persona: str) -> str:
        """Mint a token of this tenant with what that persona may; the practitioner is
        Dr. Souza.
        """
        is_one = persona == "practitioner"
        return self.issuer.mint(
            tenant_id=self.tenant,
            scope=" ".join(MAY[persona]),
            subject=persona,
            practitioner_id=UUID(self.practitioners[SOUZA]) if is_one else None,
            lifetime=15 * 60,
        )

    def address(self, view: str = "day", ahead: int = 0, *, at: str = "Berlin") -> str:
        """Return where a view of a day is, below the calendar's own address."""
        place = f"clinic={self.locations[at]}"
        return f"#/{view}?{place}&date={self.day(ahead, at=at)}"


async def open_clinic(tenant: UUID, issuer: DevIssuer, desk: Desk) -> Clinic:
    """Make all of it; its slots are there when this returns."""
    await desk.settings(horizonDays=DAYS, timezone=ZONES["Berlin"])
    locations = {
        name: await desk.a_location(name=f"Linden Clinic {name}", timezone=zone)
        for name, zone in ZONES.items()
    }
    practitioners = {name: await desk.a_practitioner(name=name) for name in POSTS}
    for name, (where, hours) in POSTS.items():
        await desk.a_role(
            practitioners[name],
            locations[where],
            availability=[{"daysOfWeek": EVERY_DAY, **hours}],
            serviceTypes=hours.get("serviceTypes", ["consultation"]),
        )
    return Clinic(
        tenant=tenant,
        issuer=issuer,
        desk=desk,
        locations=locations,
        practitioners=practitioners,
        patients={
            name: await desk.a_patient(name=name, **told)
            for name, told in PATIENTS.items()
        },
        schedules={
            name: await _with_slots(desk, id) for name, id in practitioners.items()
        },
    )


async def _with_slots(desk: Desk, practitioner: str) -> Thing:
    """Have the calendar's slots made now; they would come by themselves, in a while."""
    answer = await desk.get("/v1/schedules", params={"actorId": practitioner})
    found: Sequence[Thing] = answer.json()["items"]
    [calendar] = found
    path = f"/v1/schedules/{calendar['id']}/generate"
    made = await desk.post(path, {}, key=str(uuid4()))
    assert made.status_code == 200, made.text
    return calendar
