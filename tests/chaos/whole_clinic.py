"""A clinic with one thing of each kind, made at the desk; all that people write there
carries a mark.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg

from tests.acceptance.desk import Desk, Thing, at
from tests.acceptance.waiting_room import waits

PHONE = "+55 27 98765-4321"
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class WholeClinic:
    tenant: UUID
    ids: Mapping[str, str]
    """By kind, as a path has it: `appointments`, `slots`, …; `free` is a free slot."""
    visit: Thing

    def of(self, kind: str) -> str:
        return self.ids[kind]


async def open_whole_clinic(desk: Desk, tenant: UUID, mark: str) -> WholeClinic:
    """Make it. Raise where anything is refused."""
    await desk.settings(noShowGraceMinutes=30)
    practitioner = await desk.a_practitioner(name=f"Dr {mark}")
    location = await desk.a_location(name=f"Clinic {mark}")
    schedule = await desk.a_schedule(practitioner, location)
    away = {
        "start": at("20:00").isoformat(),
        "end": at("21:00").isoformat(),
        "description": f"away {mark}",
    }
    elsewhere = await desk.a_practitioner(name=f"Dr other {mark}")
    role = await desk.a_role(elsewhere, location, notAvailable=[away])
    patient = await a_marked_patient(desk, mark)
    waiting = await a_marked_patient(desk, mark)
    slot, held, free, first, _second = [
        await desk.a_slot(at(time, days=days), schedule=schedule)
        for time, days in (
            *(("09:00", 0), ("10:00", 0), ("11:00", 0), ("15:00", 0)),
            ("15:00", 7),
        )
    ]
    words = {"reason": f"reason {mark}", "notes": f"notes {mark}"}
    visit = await desk.booked(slot, patient, key=str(uuid4()), **words)
    weekly = await _made(
        desk,
        "/v1/appointments/series",
        {
            "patientId": patient,
            "slotId": first["id"],
            "appointmentType": "visit",
            "occurrences": 2,
            **words,
        },
    )
    holding = {"patientId": patient, "appointmentType": "visit"}
    hold = await _made(desk, f"/v1/slots/{held['id']}/hold", holding)
    shut = {
        "kind": "closed",
        "date": at("09:00", days=40).date().isoformat(),
        "reason": f"shut {mark}",
    }
    exception = await _made(desk, f"/v1/schedules/{schedule['id']}/exceptions", shut)
    entry = await waits(desk, waiting, latest=(at("00:00", days=3)).isoformat())
    return WholeClinic(
        tenant,
        {
            "practitioners": practitioner,
            "locations": location,
            "schedules": schedule["id"],
            "practitioner-roles": role,
            "patients": patient,
            "slots": slot["id"],
            "free": free["id"],
            "appointments": visit["id"],
            "series": weekly["seriesId"],
            "holds": hold["id"],
            "exceptions": exception["id"],
            "waitlist": entry["id"],
        },
        visit,
    )


async def a_marked_patient(desk: Desk, mark: str) -> str:
    return await desk.a_patient(
        name=f"Name {mark}",
        fileNumber=f"file-{mark}-{uuid4().hex[:8]}",
        email=f"{mark}@example.org",
        phone=PHONE,
        preferences={"sms": True, "email": True},
    )


async def notified(superuser_url: str, clinic: WholeClinic) -> str:
    """Return the id of a notification of the practitioner's, once there is one."""
    connection = await asyncpg.connect(superuser_url)
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                id = await connection.fetchval(
                    "SELECT id::text FROM notifications WHERE tenant_id = $1",
                    clinic.tenant,
                )
                if id is not None:
                    return str(id)
                await asyncio.sleep(0.05)  # another process makes it
    finally:
        await connection.close()


async def _made(desk: Desk, path: str, body: Thing) -> Thing:
    answer = await desk.post(path, body)
    if answer.status_code != 201:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
    thing: Thing = answer.json()
    return thing
