"""Every code that the API can answer with, and a request that is answered with it.

Clients decide by codes, so none may be there that nobody has ever seen. A new code
fails the second test until somebody says here how it is reached.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

from scheduling.domain.errors import DomainError
from scheduling.entrypoints.http.problems import status_of
from tests.acceptance.conftest import ALL, Token
from tests.acceptance.desk import TOMORROW, Desk, Thing, at, codes
from tests.acceptance.product import Product, running_product

Refusal = tuple[int, str]


@dataclass(frozen=True)
class House:
    """A tenant's desk, and what it takes to be somebody else, or to wait no time."""

    desk: Desk
    token: Token
    product: Product
    tenant: UUID

    def somebody(self, **told: object) -> Desk:
        return Desk(self.desk.http, self.token(**told))

    async def owner(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Connect as who may look at and touch the tenant's rows, past the API."""
        settings = {"role": "scheduling_owner", "app.tenant_id": str(self.tenant)}
        return await asyncpg.connect(
            self.product.database_url, server_settings=settings
        )


Provoke = Callable[[House], Awaitable[httpx2.Response]]
REACHED: dict[Refusal, Provoke] = {}


def answers(status: int, code: str) -> Callable[[Provoke], Provoke]:
    def noted(provoke: Provoke) -> Provoke:
        REACHED[status, code] = provoke
        return provoke

    return noted


ELSEWHERE: dict[Refusal, str] = {
    (503, "SERVICE_UNAVAILABLE"): "test_outages: the database is away, crowds come",
    (500, "INTERNAL_ERROR"): "a defect: unit/http/test_front_door, on purpose",
}


def a_booking(**told: object) -> Thing:
    return {"patientId": str(uuid4()), "appointmentType": "visit", **told}


# -- what is asked, and by whom


@answers(400, "VALIDATION_FAILED")
async def _not_json(house: House) -> httpx2.Response:
    return await house.desk.ask("POST", "/v1/slots", content=b"{")


@answers(422, "VALIDATION_FAILED")
async def _no_shape(house: House) -> httpx2.Response:
    return await house.desk.post("/v1/slots", {"capacity": "many"})


@answers(413, "PAYLOAD_TOO_LARGE")
async def _too_long(house: House) -> httpx2.Response:
    return await house.desk.post("/v1/slots", {"x": "x" * 1024 * 1024})


@answers(401, "UNAUTHENTICATED")
async def _nobody(house: House) -> httpx2.Response:
    return await house.desk.http.get("/v1/settings")


@answers(403, "FORBIDDEN")
async def _without_scope(house: House) -> httpx2.Response:
    return await house.somebody(scope="scheduling:read").put("/v1/settings", {})


@answers(400, "PATIENT_ID_CLAIM_REQUIRED")
async def _staff_as_patient(house: House) -> httpx2.Response:
    wish = {"slotId": str(uuid4()), "appointmentType": "visit"}
    return await house.desk.post("/v1/appointments/self-book", wish)


@answers(404, "NOT_FOUND")
async def _nowhere(house: House) -> httpx2.Response:
    return await house.desk.get("/v1/nowhere")


@answers(405, "METHOD_NOT_ALLOWED")
async def _not_so(house: House) -> httpx2.Response:
    return await house.desk.ask("DELETE", "/v1/settings")


@answers(429, "RATE_LIMITED")
async def _too_often(house: House) -> httpx2.Response:
    """By a process of its own: there is no quota unless one is set."""
    run = house.product
    folder = Path(run.folder) / f"rationed-{uuid4().hex}"
    with running_product(
        run.database_url, run.nats_url, folder, SCHEDULING_RATE_LIMIT_PER_SECOND="0.1"
    ) as rationed:
        token = rationed.issuer.mint(tenant_id=house.tenant, scope=ALL)
        async with httpx2.AsyncClient(base_url=rationed.url, timeout=30) as http:
            desk = Desk(http, token)
            assert (await desk.get("/v1/settings")).status_code == 200
            refused = await desk.get("/v1/settings")
            other = rationed.issuer.mint(tenant_id=uuid4(), scope=ALL)
            assert (await Desk(http, other).get("/v1/settings")).status_code == 200
    assert 0 < int(refused.headers["retry-after"]) <= 10
    return refused


# -- what is not there


@answers(404, "APPOINTMENT_NOT_FOUND")
async def _no_appointment(house: House) -> httpx2.Response:
    return await house.desk.get(f"/v1/appointments/{uuid4()}")


@answers(404, "SERIES_NOT_FOUND")
async def _no_series(house: House) -> httpx2.Response:
    return await house.desk.get(f"/v1/appointments/series/{uuid4()}")


@answers(404, "SCHEDULE_NOT_FOUND")
async def _no_schedule(house: House) -> httpx2.Response:
    return await house.desk.get(f"/v1/schedules/{uuid4()}")


@answers(404, "SLOT_NOT_FOUND")
async def _no_slot(house: House) -> httpx2.Response:
    return await house.desk.get(f"/v1/slots/{uuid4()}")


@answers(404, "PATIENT_NOT_FOUND")
async def _no_patient(house: House) -> httpx2.Response:
    return await house.desk.book(await house.desk.a_slot(), str(uuid4()))


@answers(404, "PRACTITIONER_NOT_FOUND")
async def _no_practitioner(house: House) -> httpx2.Response:
    return await house.desk.get(f"/v1/practitioners/{uuid4()}")


@answers(404, "PRACTITIONER_ROLE_NOT_FOUND")
async def _no_role(house: House) -> httpx2.Response:
    return await house.desk.get(f"/v1/practitioner-roles/{uuid4()}")


@answers(404, "LOCATION_NOT_FOUND")
async def _no_location(house: House) -> httpx2.Response:
    return await house.desk.get(f"/v1/locations/{uuid4()}")


@answers(404, "WAITLIST_ENTRY_NOT_FOUND")
async def _no_entry(house: House) -> httpx2.Response:
    return await house.desk.get(f"/v1/waitlist/{uuid4()}")


@answers(404, "NOTIFICATION_NOT_FOUND")
async def _no_notification(house: House) -> httpx2.Response:
    practitioner = await house.desk.a_practitioner()
    return await house.desk.ask(
        "POST", f"/v1/practitioners/{practitioner}/notifications/{uuid4()}/read"
    )


@answers(404, "SCHEDULE_EXCEPTION_NOT_FOUND")
async def _no_exception(house: House) -> httpx2.Response:
    schedule = await house.desk.a_schedule()
    path = f"/v1/schedules/{schedule['id']}/exceptions/{uuid4()}"
    return await house.desk.ask("DELETE", path, headers={"If-Match": '"1"'})


# -- time that is not to be had


@answers(409, "PRACTITIONER_NOT_AVAILABLE")
async def _inactive(house: House) -> httpx2.Response:
    slot = await house.desk.a_slot()
    path = f"/v1/practitioners/{slot['practitionerId']}"
    await house.desk.put(path, {"name": "Dr. Ana Souza", "active": False})
    return await house.desk.book(slot)


@answers(409, "PRACTITIONER_NOT_ASSIGNED")
async def _not_assigned(house: House) -> httpx2.Response:
    place = {
        "practitionerId": await house.desk.a_practitioner(),
        "locationId": await house.desk.a_location(),
    }
    return await house.desk.book_from(TOMORROW, 30, place)


@answers(409, "OUTSIDE_SCHEDULE")
async def _outside(house: House) -> httpx2.Response:
    schedule = await house.desk.a_schedule()
    await house.desk.a_slot(schedule=schedule)
    return await house.desk.book_from(at("23:00"), 30, schedule)


@answers(409, "OUTSIDE_BOOKING_WINDOW")
async def _too_far_ahead(house: House) -> httpx2.Response:
    return await house.desk.book(await house.desk.a_slot(at("09:00", days=300)))


@answers(409, "SLOT_NOT_AVAILABLE")
async def _full(house: House) -> httpx2.Response:
    slot = await house.desk.a_slot()
    await house.desk.booked(slot)
    return await house.desk.book(slot)


@answers(409, "NEW_SLOT_NOT_AVAILABLE")
async def _full_where_it_would_go(house: House) -> httpx2.Response:
    full = await house.desk.a_slot()
    await house.desk.booked(full)
    moving = await house.desk.booked()
    path = f"/v1/appointments/{moving['id']}/reschedule"
    wish = {"slotId": full["id"], "version": moving["version"]}
    return await house.desk.post(path, wish)


@answers(409, "HOLD_EXPIRED")
async def _held_too_long(house: House) -> httpx2.Response:
    slot, patient = await house.desk.a_slot(), await house.desk.a_patient()
    path = f"/v1/slots/{slot['id']}/hold"
    held = (await house.desk.post(path, {"patientId": patient})).json()
    owner = await house.owner()
    try:
        # Nobody waits for minutes here: the hold began a day ago.
        await owner.execute(
            "WITH appointment AS (UPDATE appointments SET hold_expires_at = "
            "hold_expires_at - interval '1 day' WHERE id = $1 RETURNING id) "
            "UPDATE claims SET expires_at = expires_at - interval '1 day' "
            "FROM appointment WHERE appointment_id = appointment.id",
            UUID(held["id"]),
        )
    finally:
        await owner.close()
    return await house.desk.book(slot, patient, holdId=held["id"])


@answers(409, "DOUBLE_BOOKING_DETECTED")
async def _patient_elsewhere(house: House) -> httpx2.Response:
    patient = await house.desk.a_patient()
    await house.desk.booked(await house.desk.a_slot(), patient)
    return await house.desk.book(await house.desk.a_slot(), patient)


@answers(403, "DOUBLE_BOOKING_OVERRIDE_DENIED")
async def _no_right_to_override(house: House) -> httpx2.Response:
    clerk = house.somebody(scope="scheduling:read scheduling:book")
    wish: Thing = {"allowDoubleBooking": True, "overrideReason": "because"}
    patient = await house.desk.a_patient()
    return await clerk.book(await house.desk.a_slot(), patient, **wish)


@answers(409, "BUFFER_TIME_CONFLICT")
async def _too_close(house: House) -> httpx2.Response:
    await house.desk.settings(bufferMinutes=15)
    schedule = await house.desk.a_schedule()
    first, next_ = [
        await house.desk.a_slot(at(start), schedule=schedule)
        for start in ("09:00", "09:30")
    ]
    await house.desk.booked(first)
    return await house.desk.book(next_)


@answers(409, "BOOKING_LIMIT_REACHED")
async def _too_many(house: House) -> httpx2.Response:
    await house.desk.settings(limits={"perPractitionerDay": 1})
    slot = await house.desk.a_slot(capacity=2)
    await house.desk.booked(slot)
    return await house.desk.book(slot)


# -- things that have moved on


@answers(409, "OPTIMISTIC_LOCK_CONFLICT")
async def _stale_in_the_body(house: House) -> httpx2.Response:
    return await house.desk.cancel(await house.desk.booked(), version=7)


@answers(412, "OPTIMISTIC_LOCK_CONFLICT")
async def _stale_in_the_header(house: House) -> httpx2.Response:
    return await house.desk.cancel(await house.desk.booked(), if_match='"7"')


@answers(428, "PRECONDITION_REQUIRED")
async def _no_version(house: House) -> httpx2.Response:
    return await house.desk.cancel(await house.desk.booked(), version=None)


@answers(409, "INVALID_STATUS_TRANSITION")
async def _cancelled_twice(house: House) -> httpx2.Response:
    gone = (await house.desk.cancel(await house.desk.booked())).json()
    return await house.desk.cancel(gone)


@answers(422, "IDEMPOTENCY_KEY_REUSED")
async def _another_request(house: House) -> httpx2.Response:
    await house.desk.put("/v1/settings", {}, key="k")
    return await house.desk.put("/v1/settings", {"bufferMinutes": 5}, key="k")


@answers(409, "REQUEST_IN_PROGRESS")
async def _the_same_at_once(house: House) -> httpx2.Response:
    """Somebody keeps the slot's row, so that one of two has to wait."""
    slot, patient = await house.desk.a_slot(), await house.desk.a_patient()
    owner = await house.owner()
    try:
        async with owner.transaction():
            await owner.execute(
                "SELECT FROM slots WHERE id = $1 FOR UPDATE", UUID(slot["id"])
            )
            both = [
                asyncio.create_task(house.desk.book(slot, patient, key="k"))
                for _ in range(2)
            ]
            first, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await owner.close()
    done = {a.status_code: a for a in await asyncio.gather(*both)}
    assert set(done) == {201, 409}
    [refused] = [task.result() for task in first]
    assert refused.headers["retry-after"] == "1"
    return refused


@pytest.fixture
def house(desk: Desk, token: Token, product: Product, tenant: UUID) -> House:
    return House(desk, token, product, tenant)


@pytest.mark.parametrize(("status", "code"), REACHED, ids=str)
async def test_the_code_is_reached(house: House, status: int, code: str) -> None:
    assert codes(await REACHED[status, code](house)) == [(status, code)]


async def test_no_code_is_there_that_nobody_has_seen(http: httpx2.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    known = set(REACHED) | set(ELSEWHERE)
    assert known >= _documented(document)
    assert known >= {(status_of(kind), kind.code) for kind in _refusals(DomainError)}


def _documented(document: dict[str, Any]) -> set[Refusal]:
    return {
        (int(status), code)
        for methods in document["paths"].values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        for code in response.get("content", {})
        .get("application/problem+json", {})
        .get("examples", ())
    }


def _refusals(of: type[DomainError]) -> set[type[DomainError]]:
    """Return the leaves of the tree: what is above them is never raised itself."""
    below = of.__subclasses__()
    own = {of} if "code" in vars(of) and of is not DomainError else set()
    return own.union(*(_refusals(kind) for kind in below))
