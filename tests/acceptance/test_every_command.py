"""Every command there is: done once under its key, recorded, and nobody else's."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

from scheduling.application.ports.messaging import WaitingEvent
from tests.acceptance.conftest import Token
from tests.acceptance.desk import Desk, Thing, at, codes
from tests.acceptance.product import PATIENCE, Product
from tests.acceptance.visits import held, same
from tests.acceptance.waiting_room import a_wish, offered, waits

Asked = tuple[str, str, Thing | None]
"""Method, path and body of a command that succeeds."""

COMMANDS: dict[str, Callable[[Desk], Awaitable[Asked]]] = {}

Prepare = Callable[[Desk], Awaitable[tuple[str, Thing | None]]]


def command(operation: str) -> Callable[[Prepare], Prepare]:
    """Note how it is got ready: to which path, with which body."""

    def noted(prepare: Prepare) -> Prepare:
        async def asked(desk: Desk) -> Asked:
            return operation.split(maxsplit=1)[0], *await prepare(desk)

        COMMANDS[operation] = asked
        return prepare

    return noted


async def a_wished_booking(desk: Desk, **told: Any) -> Thing:  # noqa: ANN401
    return {
        "patientId": await desk.a_patient(),
        "slotId": (await desk.a_slot())["id"],
        "appointmentType": "visit",
        **told,
    }


@command("POST /v1/appointments")
async def _book(desk: Desk) -> tuple[str, Thing]:
    return "/v1/appointments", await a_wished_booking(desk)


@command("POST /v1/appointments/series")
async def _book_series(desk: Desk) -> tuple[str, Thing]:
    schedule = await desk.a_schedule()
    first, _ = [
        await desk.a_slot(at("09:00", days=7 * n), schedule=schedule) for n in range(2)
    ]
    wish = await a_wished_booking(desk, slotId=first["id"], occurrences=2)
    return "/v1/appointments/series", wish


@command("POST /v1/slots/{id}/hold")
async def _hold(desk: Desk) -> tuple[str, Thing]:
    slot = await desk.a_slot()
    return f"/v1/slots/{slot['id']}/hold", {"patientId": await desk.a_patient()}


@command("DELETE /v1/holds/{id}")
async def _release(desk: Desk) -> tuple[str, None]:
    return f"/v1/holds/{(await held(desk, await desk.a_slot()))['id']}", None


@command("PATCH /v1/appointments/{id}")
async def _edit(desk: Desk) -> tuple[str, Thing]:
    visit = await desk.booked()
    return f"/v1/appointments/{visit['id']}", {"notes": "x", "version": 1}


@command("POST /v1/appointments/{id}/reschedule")
async def _move(desk: Desk) -> tuple[str, Thing]:
    visit, slot = await desk.booked(), await desk.a_slot(at("12:00"))
    wish = {"slotId": slot["id"], "version": 1}
    return f"/v1/appointments/{visit['id']}/reschedule", wish


@command("POST /v1/appointments/{id}/cancel")
async def _cancel(desk: Desk) -> tuple[str, Thing]:
    why = {"reasonCode": "other", "initiatedBy": "staff", "version": 1}
    return f"/v1/appointments/{(await desk.booked())['id']}/cancel", why


@command("POST /v1/appointments/{id}/check-in")
async def _check_in(desk: Desk) -> tuple[str, Thing]:
    return f"/v1/appointments/{(await desk.booked())['id']}/check-in", {"version": 1}


@command("POST /v1/appointments/{id}/status")
async def _step(desk: Desk) -> tuple[str, Thing]:
    wish = {"status": "confirmed", "version": 1}
    return f"/v1/appointments/{(await desk.booked())['id']}/status", wish


@command("POST /v1/appointments/status")
async def _steps(desk: Desk) -> tuple[str, Thing]:
    one = {"id": (await desk.booked())["id"], "status": "arrived", "version": 1}
    return "/v1/appointments/status", {"items": [one]}


@command("POST /v1/slots")
async def _open(desk: Desk) -> tuple[str, Thing]:
    schedule = await desk.a_schedule()
    span = {"start": at("09:00").isoformat(), "end": at("10:00").isoformat()}
    return "/v1/slots", {"scheduleId": schedule["id"], **span}


@command("POST /v1/slots/{id}/block")
async def _block(desk: Desk) -> tuple[str, Thing]:
    return f"/v1/slots/{(await desk.a_slot())['id']}/block", {"version": 1}


@command("POST /v1/slots/{id}/unblock")
async def _unblock(desk: Desk) -> tuple[str, Thing]:
    path = f"/v1/slots/{(await desk.a_slot())['id']}"
    (await desk.post(f"{path}/block", {"version": 1})).raise_for_status()
    return f"{path}/unblock", {"version": 2}


@command("POST /v1/schedules")
async def _publish(desk: Desk) -> tuple[str, Thing]:
    who, where = await desk.a_practitioner(), await desk.a_location()
    return "/v1/schedules", {"practitionerId": who, "locationId": where}


@command("POST /v1/schedules/{id}/exceptions")
async def _close(desk: Desk) -> tuple[str, Thing]:
    slot = await desk.a_slot()
    day = at("00:00").date().isoformat()
    path = f"/v1/schedules/{slot['scheduleId']}/exceptions"
    return path, {"kind": "closed", "date": day}


@command("DELETE /v1/schedules/{id}/exceptions/{exceptionId}")
async def _open_again(desk: Desk) -> tuple[str, None]:
    path, wish = await _close(desk)
    made = await desk.post(path, wish)
    return f"{path}/{made.json()['id']}", None


@command("POST /v1/schedules/{id}/generate")
async def _generate(desk: Desk) -> tuple[str, Thing]:
    return f"/v1/schedules/{(await desk.a_schedule())['id']}/generate", {}


@command("POST /v1/waitlist")
async def _wait(desk: Desk) -> tuple[str, Thing]:
    return "/v1/waitlist", a_wish(await desk.a_patient())


@command("DELETE /v1/waitlist/{id}")
async def _wait_no_more(desk: Desk) -> tuple[str, None]:
    return f"/v1/waitlist/{(await waits(desk, await desk.a_patient()))['id']}", None


@command("POST /v1/waitlist/{id}/fulfil")
async def _fulfil(desk: Desk) -> tuple[str, Thing]:
    entry, slot = await waits(desk, await desk.a_patient()), await desk.a_slot()
    wish = {"slotId": slot["id"], "appointmentType": "visit", "version": 1}
    return f"/v1/waitlist/{entry['id']}/fulfil", wish


@command("POST /v1/waitlist/{id}/offer")
async def _offer(desk: Desk) -> tuple[str, Thing]:
    entry, slot = await waits(desk, await desk.a_patient()), await desk.a_slot()
    return f"/v1/waitlist/{entry['id']}/offer", {"slotId": slot["id"], "version": 1}


@command("POST /v1/waitlist/{id}/offer/accept")
async def _accept(desk: Desk) -> tuple[str, Thing]:
    entry = await offered(desk)
    path = f"/v1/waitlist/{entry['id']}/offer/accept"
    return path, {"version": entry["version"]}


@command("POST /v1/waitlist/{id}/offer/decline")
async def _decline(desk: Desk) -> tuple[str, Thing]:
    entry = await offered(desk)
    path = f"/v1/waitlist/{entry['id']}/offer/decline"
    return path, {"version": entry["version"]}


@command("PUT /v1/settings")
async def _decide(_desk: Desk) -> tuple[str, Thing]:
    return "/v1/settings", {"bufferMinutes": 5}


@command("PUT /v1/patients/{id}")
async def _patient(_desk: Desk) -> tuple[str, Thing]:
    return f"/v1/patients/{uuid4()}", {"name": "Maria Silva"}


@command("PUT /v1/practitioners/{id}")
async def _practitioner(_desk: Desk) -> tuple[str, Thing]:
    return f"/v1/practitioners/{uuid4()}", {"name": "Dr. Ana Souza"}


@command("PUT /v1/locations/{id}")
async def _location(_desk: Desk) -> tuple[str, Thing]:
    place = {"name": "Clinic", "code": "CLINIC-01", "timezone": "UTC"}
    return f"/v1/locations/{uuid4()}", place


@command("PUT /v1/practitioner-roles/{id}")
async def _role(desk: Desk) -> tuple[str, Thing]:
    who, where = await desk.a_practitioner(), await desk.a_location()
    place = {"practitionerId": who, "locationId": where}
    return f"/v1/practitioner-roles/{uuid4()}", place


async def _role_that_is_there(desk: Desk) -> str:
    role = await desk.a_role(await desk.a_practitioner(), await desk.a_location())
    return f"/v1/practitioner-roles/{role}"


@command("PATCH /v1/practitioner-roles/{id}")
async def _change_role(desk: Desk) -> tuple[str, Thing]:
    return await _role_that_is_there(desk), {"specialties": ["x"], "version": 1}


@command("DELETE /v1/practitioner-roles/{id}")
async def _end_role(desk: Desk) -> tuple[str, None]:
    return await _role_that_is_there(desk), None


async def shown_to_somebody(desk: Desk) -> Thing:
    """Book, and wait until the practitioner finds it in the app."""
    visit = await desk.booked()
    path = f"/v1/practitioners/{visit['practitionerId']}/notifications"
    async with asyncio.timeout(PATIENCE):
        while not (items := (await desk.get(path)).json()["items"]):  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.05)
    return {"path": path, **items[0]}


@command("POST /v1/practitioners/{id}/notifications/{notificationId}/read")
async def _read(desk: Desk) -> tuple[str, None]:
    shown = await shown_to_somebody(desk)
    return f"{shown['path']}/{shown['id']}/read", None


@command("POST /v1/practitioners/{id}/notifications/read-all")
async def _read_all(desk: Desk) -> tuple[str, None]:
    return f"{(await shown_to_somebody(desk))['path']}/read-all", None


OF_PATIENTS = {"POST /v1/appointments/self-book"}
"""By a patient's own token: tests/acceptance/test_self_booking.py has it."""


async def ask(desk: Desk, asked: Asked) -> httpx2.Response:
    method, path, body = asked
    headers = {"Idempotency-Key": "k"}
    if body is None:
        return await desk.ask(method, path, headers={**headers, "If-Match": '"1"'})
    return await desk.ask(method, path, headers=headers, json=body)


async def told_by(product: Product, tenant: UUID) -> list[WaitingEvent]:
    """Return what commands told, without what followed from that by itself."""
    told = await product.committed(tenant)
    return [one for one in told if b'"trigger":"event"' not in one.body]


async def recorded(product: Product, tenant: UUID) -> list[asyncpg.Record]:
    """Return the audit of what commands did."""
    records = await product.audit(tenant)
    return [
        row
        for row in records
        if row["outcome"] == "done" and not row["actor"].startswith("event:")
    ]


@pytest.mark.parametrize("operation", COMMANDS)
async def test_a_command_is_done_once_under_its_key(
    desk: Desk, product: Product, tenant: UUID, operation: str
) -> None:
    asked = await COMMANDS[operation](desk)
    before = await recorded(product, tenant)
    answers = await asyncio.gather(*(ask(desk, asked) for _ in range(4)))
    done = [one for one in answers if one.is_success]
    running = [one for one in answers if not one.is_success]
    assert set(codes(*running)) <= {(409, "REQUEST_IN_PROGRESS")}
    [first] = [one for one in done if "idempotency-replayed" not in one.headers]
    for replayed in done:
        if replayed is not first:
            same(first, replayed)

    told = await told_by(product, tenant)
    same(first, await ask(desk, asked))
    assert await told_by(product, tenant) == told
    of_this = (await recorded(product, tenant))[len(before) :]
    assert {row["request_id"] for row in of_this} == {first.headers["x-request-id"]}
    assert {row["actor"] for row in of_this} == {"reception"}
    assert all(row["changes"] not in {None, "{}"} for row in of_this)
    news = [
        (one.aggregate_id, one.aggregate_version, one.subject)
        for one in told
        # It has the version as it stands, for an exception is no step of a calendar.
        if not one.subject.endswith(".schedule.changed")
    ]
    assert len(set(news)) == len(news), "each is told once"

    path, other = f"/v1/patients/{uuid4()}", {"name": "Somebody else"}
    refused = await desk.put(path, other, key="k")
    assert codes(refused) == [(422, "IDEMPOTENCY_KEY_REUSED")]


OWN = {
    "PUT /v1/settings": "are those of whoever asks",
    "PUT /v1/patients/{id}": "an id that another tenant has is free here",
    "PUT /v1/practitioners/{id}": "as that",
    "PUT /v1/locations/{id}": "as that",
}


@pytest.mark.parametrize("operation", [one for one in COMMANDS if one not in OWN])
async def test_what_is_another_tenants_is_not_there_for_a_command(
    desk: Desk, token: Token, product: Product, tenant: UUID, operation: str
) -> None:
    asked = await COMMANDS[operation](desk)
    told = await told_by(product, tenant)
    stranger = Desk(desk.http, token(tenant_id=uuid4()))
    refused = await ask(stranger, asked)
    if operation == "POST /v1/appointments/status":
        [item] = refused.json()["items"]
        assert (item["status"], item["problem"]["code"]) == MISSING
    else:
        assert refused.status_code == 404, refused.text
        assert refused.json()["code"].endswith("_NOT_FOUND")
        assert set(refused.json()) == {"type", "title", "status", "detail", "code"}
    assert await told_by(product, tenant) == told
    done = await ask(desk, asked)
    assert done.is_success, "it was there all the time, and as it was"


MISSING = (404, "APPOINTMENT_NOT_FOUND")


async def test_no_command_is_forgotten(http: httpx2.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    keyed = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, told in methods.items()
        if "Idempotency-Key" in {one["name"] for one in told.get("parameters", [])}
    }
    assert keyed == set(COMMANDS) | OF_PATIENTS
    changes = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method != "get"
    }
    without_effect = {"POST /v1/patients/search", "POST /v1/schedules/preview"}
    assert changes - keyed == without_effect
