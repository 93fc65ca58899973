"""What a receptionist says to the API: each word makes a thing, or asks for one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(
    hour=9, minute=0, second=0, microsecond=0
)
"""At nine: far enough from now, and near enough for any horizon."""

Thing = dict[str, Any]


def at(text: str, *, days: int = 0) -> datetime:
    """Return an instant of tomorrow: `at("09:30")`."""
    hour, minute = map(int, text.split(":"))
    return TOMORROW.replace(hour=hour, minute=minute) + timedelta(days=days)


@dataclass
class Desk:
    """One tenant's reception, or somebody else with a token of that tenant."""

    http: httpx2.AsyncClient
    token: str
    everything: list[httpx2.Response] = field(default_factory=list)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,  # noqa: ANN401
    ) -> httpx2.Response:
        answer = await self.http.request(
            method,
            path,
            headers={"Authorization": f"Bearer {self.token}", **(headers or {})},
            **more,
        )
        self.everything.append(answer)
        return answer

    async def get(self, path: str, **more: Any) -> httpx2.Response:  # noqa: ANN401
        return await self.ask("GET", path, **more)

    async def post(
        self, path: str, body: object, *, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        return await self.ask("POST", path, json=body, headers=_named(headers, key))

    async def put(
        self, path: str, body: object, *, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        return await self.ask("PUT", path, json=body, headers=_named(headers, key))

    async def a_practitioner(self, **told: object) -> str:
        return await self._there("practitioners", {"name": "Dr. Ana Souza", **told})

    async def a_location(self, **told: object) -> str:
        given = {"name": "Clinic", "code": _code(), "timezone": "UTC", **told}
        return await self._there("locations", given)

    async def a_patient(self, **told: object) -> str:
        return await self._there("patients", {"name": "Maria Silva", **told})

    async def a_role(self, practitioner: str, location: str, **told: object) -> str:
        given = {"practitionerId": practitioner, "locationId": location, **told}
        return await self._there("practitioner-roles", given)

    async def a_schedule(
        self, practitioner: str | None = None, location: str | None = None
    ) -> Thing:
        return _made(
            await self.post(
                "/v1/schedules",
                {
                    "practitionerId": practitioner or await self.a_practitioner(),
                    "locationId": location or await self.a_location(),
                },
            )
        )

    async def a_slot(
        self,
        start: datetime = TOMORROW,
        *,
        minutes: int = 30,
        schedule: Thing | None = None,
        **told: object,
    ) -> Thing:
        """Open a slot, in a schedule of its own unless one is given."""
        schedule = schedule or await self.a_schedule()
        end = start + timedelta(minutes=minutes)
        given = {
            "scheduleId": schedule["id"],
            "start": start.isoformat(),
            "end": end.isoformat(),
        }
        return _made(await self.post("/v1/slots", {**given, **told}))

    async def settings(self, **told: object) -> None:
        (await self.put("/v1/settings", told)).raise_for_status()

    async def book(
        self,
        slot: Thing | None = None,
        patient: str | None = None,
        *,
        key: str | None = None,
        **told: Any,  # noqa: ANN401
    ) -> httpx2.Response:
        when = {} if slot is None else {"slotId": slot["id"]}
        given = {
            "patientId": patient or await self.a_patient(),
            **when,
            "appointmentType": "consultation",
            **told,
        }
        return await self.post("/v1/appointments", given, key=key)

    async def book_from(
        self,
        start: datetime,
        minutes: int,
        schedule: Thing,
        patient: str | None = None,
        **told: Any,  # noqa: ANN401
    ) -> httpx2.Response:
        return await self.book(
            None,
            patient,
            practitionerId=schedule["practitionerId"],
            locationId=schedule["locationId"],
            start=start.isoformat(),
            durationMinutes=minutes,
            **told,
        )

    async def booked(
        self,
        slot: Thing | None = None,
        patient: str | None = None,
        **told: Any,  # noqa: ANN401
    ) -> Thing:
        slot = slot or await self.a_slot()
        return _made(await self.book(slot, patient, **told))

    async def cancel(
        self,
        appointment: Thing,
        *,
        key: str | None = None,
        if_match: str | None = None,
        **told: object,
    ) -> httpx2.Response:
        """Cancel the version in hand, unless another is named."""
        given = {"reasonCode": "patient", "initiatedBy": "patient", **told}
        headers = {} if if_match is None else {"If_Match": if_match}
        if if_match is None:
            given = {"version": appointment["version"], **given}
        path = f"/v1/appointments/{appointment['id']}/cancel"
        return await self.post(path, given, key=key, **headers)

    async def free(self, **asked: object) -> list[Thing]:
        """Return all free slots of tomorrow and the day after, page by page."""
        given = {
            "from": at("00:00").isoformat(),
            "to": at("00:00", days=2).isoformat(),
            **asked,
        }
        items: list[Thing] = []
        while True:
            answer = await self.get("/v1/availability", params=given)
            assert answer.status_code == 200, answer.text
            items += answer.json()["items"]
            if answer.json()["nextCursor"] is None:
                return items
            given["cursor"] = answer.json()["nextCursor"]

    async def _there(self, kind: str, given: object) -> str:
        id = str(uuid4())
        answer = await self.put(f"/v1/{kind}/{id}", given)
        assert answer.status_code == 201, answer.text
        return id


def unfiled(visit: Thing) -> Thing:
    """Leave out the sub-file: a visit is put into it at some time or other, and that is
    none of its changes.
    """
    return {**visit, "subFileId": None} if visit.get("subFileId") else visit


def _made(answer: httpx2.Response) -> Thing:
    assert answer.status_code == 201, answer.text
    thing: Thing = answer.json()
    return thing


def _named(headers: Mapping[str, str], key: str | None) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return named if key is None else {**named, "Idempotency-Key": key}


def _code() -> str:
    return uuid4().hex[:12].upper()


def codes(*answers: httpx2.Response) -> list[tuple[int, str]]:
    """Return status and code of each refusal."""
    return [(a.status_code, a.json()["code"]) for a in answers]
