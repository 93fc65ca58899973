"""What is done with a visit after it was booked, and what is told of it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from tests.acceptance.desk import Desk, Thing, unfiled
from tests.acceptance.product import Product


async def change(
    desk: Desk,
    visit: Thing,
    how: str,
    *,
    method: str = "POST",
    key: str | None = None,
    if_match: str | None = None,
    **told: object,
) -> httpx2.Response:
    """Change the version in hand, unless another is named; None names none."""
    named = {"If-Match": if_match, "Idempotency-Key": key}
    given = told if if_match else {"version": visit["version"], **told}
    return await desk.ask(
        method,
        f"/v1/appointments/{visit['id']}{how}",
        json={name: value for name, value in given.items() if value is not NOTHING},
        headers={name: value for name, value in named.items() if value is not None},
    )


NOTHING = object()
"""Stands for a field that is left out."""


async def reschedule(
    desk: Desk,
    visit: Thing,
    slot: Thing | None = None,
    **told: Any,  # noqa: ANN401
) -> httpx2.Response:
    when = {} if slot is None else {"slotId": slot["id"]}
    return await change(desk, visit, "/reschedule", **{**when, **told})


async def edit(desk: Desk, visit: Thing, **told: Any) -> httpx2.Response:  # noqa: ANN401
    return await change(desk, visit, "", method="PATCH", **told)


async def step(
    desk: Desk,
    visit: Thing,
    status: str,
    **told: Any,  # noqa: ANN401
) -> httpx2.Response:
    """Say why, where a cancel has to."""
    why = {"reasonCode": "other"} if status == "cancelled" else {}
    return await change(desk, visit, "/status", **{"status": status, **why, **told})


async def check_in(desk: Desk, visit: Thing, **told: Any) -> httpx2.Response:  # noqa: ANN401
    return await change(desk, visit, "/check-in", **told)


async def hold(
    desk: Desk,
    slot: Thing,
    patient: str,
    *,
    key: str | None = None,
    **told: object,
) -> httpx2.Response:
    path = f"/v1/slots/{slot['id']}/hold"
    return await desk.post(path, {"patientId": patient, **told}, key=key)


async def held(desk: Desk, slot: Thing, patient: str | None = None) -> Thing:
    return made(await hold(desk, slot, patient or await desk.a_patient()), 201)


async def release(
    desk: Desk, one: Thing, *, key: str | None = None, if_match: str | None = None
) -> httpx2.Response:
    named = {"If-Match": if_match, "Idempotency-Key": key}
    headers = {name: value for name, value in named.items() if value is not None}
    return await desk.ask("DELETE", f"/v1/holds/{one['id']}", headers=headers)


def made(answer: httpx2.Response, status: int = 200) -> Thing:
    assert answer.status_code == status, answer.text
    return unfiled(answer.json())


async def as_it_is(desk: Desk, visit: Thing) -> Thing:
    return made(await desk.get(f"/v1/appointments/{visit['id']}"))


async def slot_now(desk: Desk, slot: Thing) -> tuple[int, int, str]:
    """Return seats that are taken and left, and the status."""
    one = made(await desk.get(f"/v1/slots/{slot['id']}"))
    return one["booked"], one["remaining"], one["status"]


FREE, BUSY = (0, 1, "free"), (1, 0, "busy")


def same(first: httpx2.Response, again: httpx2.Response) -> None:
    """The second is the first one's answer, given again under its key."""
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for header in ("etag", "location", "content-type"):
        assert again.headers.get(header) == first.headers.get(header)


@dataclass(frozen=True)
class News:
    """The tenant's stream, once all is in it."""

    events: list[Thing]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of(self, thing: Thing) -> list[Thing]:
        """What was told of one appointment or slot, in order."""
        return [event for event in self.events if event["subject"] == thing["id"]]

    def the(self, type_: str, thing: Thing) -> Thing:
        """The data of the one event of that type."""
        [event] = [event for event in self.of(thing) if event["type"] == type_]
        data: Thing = event["data"]
        return data

    def types_of(self, thing: Thing) -> list[str]:
        return [event["type"] for event in self.of(thing)]


async def news(product: Product, tenant: UUID) -> News:
    return News([json.loads(event.data) for event in await product.events(tenant)])


async def behind_the_back(
    product: Product, tenant: UUID, statement: str, *given: object
) -> None:
    """Make so what no clock or caller can make so in a test, as the tables' owner."""
    connection = await asyncpg.connect(
        product.database_url,
        server_settings={"role": "scheduling_owner", "app.tenant_id": str(tenant)},
    )
    try:
        await connection.execute(statement, *given)
    finally:
        await connection.close()


async def has_run_out(product: Product, tenant: UUID, *holds: Thing) -> None:
    """Let holds have begun an hour ago: nobody waits for minutes here. What happens at
    the very instant is proven in tests/contracts with a clock that is handed in.
    """
    await behind_the_back(
        product,
        tenant,
        "WITH held AS (UPDATE appointments SET hold_expires_at = "
        "hold_expires_at - interval '1 hour' WHERE id = any($1) RETURNING id) "
        "UPDATE claims SET expires_at = expires_at - interval '1 hour' "
        "FROM held WHERE appointment_id = held.id",
        [UUID(one["id"]) for one in holds],
    )


async def was_proposed(product: Product, tenant: UUID, cancelled: Thing) -> None:
    """Make a proposal of a cancelled visit: the portal, which makes them, is not there
    yet, and both take no time.
    """
    await behind_the_back(
        product,
        tenant,
        "UPDATE appointments SET status = 'proposed', status_reason_code = NULL, "
        "cancelled_by = NULL WHERE id = $1",
        UUID(cancelled["id"]),
    )


def where_it_is_noon() -> str:
    """Return a zone in which today has some hours left, whenever this runs."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


def soon(minutes: int = 60) -> datetime:
    """Today where it is noon, and still to come."""
    ahead = datetime.now(UTC) + timedelta(minutes=minutes)
    return ahead.replace(second=0, microsecond=0)
