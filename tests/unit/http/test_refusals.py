"""What the door turns away is in the audit: who, what, about what, and which code."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry

from scheduling.application.ports.audit import AuditClient, Outcome
from scheduling.application.ports.identity import Caller, Identity, Scope
from scheduling.domain import errors
from scheduling.domain.identifiers import PatientId, TenantId
from scheduling.entrypoints.http.app import create_app
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.direct_route import room
from scheduling.entrypoints.http.middleware import FrontDoor
from scheduling.entrypoints.http.problems import answer_with_problems
from scheduling.entrypoints.http.refusals import THINGS, RefusalAudit, action_of
from scheduling.entrypoints.http.request_metrics import RequestMetrics
from scheduling.entrypoints.http.shapes import Shape
from tests.fakes.storage import MemoryStorage
from tests.fakes.transaction import AuditRow
from tests.unit.http.door import TokensInHand
from tests.unit.http.test_openapi import unwired

TENANT = TenantId(uuid4())
PATIENT = PatientId(uuid4())
RECEPTION = Identity(TENANT, "reception", frozenset({Scope.READ, Scope.BOOK}))
A_PATIENT = Identity(TENANT, "maria", frozenset({Scope.READ, Scope.BOOK}), PATIENT)

router = room("/appointments", "appointments")
Reading = Annotated[Caller, Depends(Requires(Scope.READ))]
Booking = Annotated[Caller, Depends(Requires(Scope.BOOK))]
Managing = Annotated[Caller, Depends(Requires(Scope.MANAGE))]


class Wish(Shape):
    patient_id: UUID
    slot_id: UUID | None = None
    reason: str = ""


REFUSALS: dict[str, errors.DomainError] = {}
"""What the handlers below raise, by the name of the test's wish."""


@router.post("")
async def book_appointment(wanted: Wish, caller: Booking) -> Response:  # noqa: ARG001  # whoever it is
    raise REFUSALS[wanted.reason]


@router.get("/{id}")
async def get_appointment(id: UUID, caller: Reading) -> Response:  # noqa: ARG001  # whoever it is
    raise errors.AppointmentNotFound(id)


@router.post("/{id}/cancel")
async def cancel_appointment(id: UUID, request: Request, caller: Booking) -> Response:  # noqa: ARG001  # whoever
    raise REFUSALS[request.headers["x-why"]]


@router.post("/{id}/block")
async def block_appointment(id: UUID, caller: Managing) -> Response:
    return Response(f"{id} {caller}")


@dataclass
class Desk:
    """Somebody before the door, and what the audit has of it."""

    http: httpx2.AsyncClient
    storage: MemoryStorage
    registry: CollectorRegistry

    async def ask(
        self, who: str, method: str, path: str, body: object = None, **headers: str
    ) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Authorization": f"Bearer {who}", **named}
        return await self.http.request(method, path, json=body, headers=given)

    def rows(self) -> list[AuditRow]:
        return list(self.storage.of(TENANT).audit)

    def row(self) -> AuditRow:
        (row,) = self.rows()
        return row


@asynccontextmanager
async def a_desk(audit: AuditClient | None = None, **how: Any) -> AsyncIterator[Desk]:  # noqa: ANN401
    storage, registry = MemoryStorage(), CollectorRegistry()
    app = FastAPI()
    app.router.routes.extend(router.routes)
    answer_with_problems(app)
    door = FrontDoor(app, metrics=RequestMetrics(registry), max_in_flight=10)
    state = {
        "authenticate": TokensInHand(reception=RECEPTION, patient=A_PATIENT),
        "refusals": RefusalAudit(audit or storage.recorder, registry, **how),
    }

    async def with_state(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        scope["state"] = dict(state)
        await door(scope, receive, send)

    transport = httpx2.ASGITransport(app=with_state)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        yield Desk(client, storage, registry)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as desk:
        yield desk


async def test_a_refused_booking_tells_its_slot_its_patient_and_the_code(
    desk: Desk,
) -> None:
    REFUSALS["full"] = errors.SlotNotAvailable("full")
    slot, patient = uuid4(), uuid4()
    wish = {"patientId": str(patient), "slotId": str(slot), "reason": "full"}
    answer = await desk.ask(
        "reception", "POST", "/v1/appointments", wish, X_Request_Id="request-0001"
    )
    assert answer.status_code == 409
    row = desk.row()
    assert (row.actor, row.action) == ("reception", "appointment.book")
    assert row.outcome is Outcome.REFUSED
    assert (row.entity_type, row.entity_id) == ("slot", slot)
    assert row.request_id == "request-0001"
    assert row.changes == {
        "code": (None, "SLOT_NOT_AVAILABLE"),
        "patientId": (None, str(patient)),
        "slotId": (None, str(slot)),
    }


async def test_a_booking_without_a_slot_is_about_its_patient(desk: Desk) -> None:
    REFUSALS["outside"] = errors.OutsideSchedule("outside")
    wish = {"patientId": str(uuid4()), "reason": "outside"}
    await desk.ask("reception", "POST", "/v1/appointments", wish)
    assert desk.row().entity_type == "patient"
    assert str(desk.row().entity_id) == wish["patientId"]


async def test_of_several_the_one_that_cannot_be_is_told(desk: Desk) -> None:
    third = errors.SlotNotAvailable("full")
    third.index = 3
    REFUSALS["third"] = third
    wish = {"patientId": str(uuid4()), "reason": "third"}
    await desk.ask("reception", "POST", "/v1/appointments", wish)
    assert desk.row().changes["index"] == (None, 3)


async def test_a_refused_change_is_about_what_the_path_names(desk: Desk) -> None:
    REFUSALS["stale"] = errors.PreconditionFailed("stale")
    id = uuid4()
    answer = await desk.ask(
        "reception", "POST", f"/v1/appointments/{id}/cancel", x_why="stale"
    )
    assert answer.status_code == 412
    row = desk.row()
    assert (row.action, row.outcome) == ("appointment.cancel", Outcome.REFUSED)
    assert (row.entity_type, row.entity_id) == ("appointment", id)
    assert row.changes == {"code": (None, "OPTIMISTIC_LOCK_CONFLICT")}


async def test_a_missing_scope_is_a_denied_attempt(desk: Desk) -> None:
    id = uuid4()
    answer = await desk.ask("reception", "POST", f"/v1/appointments/{id}/block")
    assert answer.status_code == 403
    row = desk.row()
    assert (row.actor, row.outcome) == ("reception", Outcome.DENIED)
    assert (row.action, row.entity_id) == ("appointment.block", id)
    assert row.changes == {
        "code": (None, "FORBIDDEN"),
        "scope": (None, "scheduling:manage"),
    }


async def test_a_denied_override_is_a_denied_attempt(desk: Desk) -> None:
    REFUSALS["insists"] = errors.DoubleBookingOverrideDenied("no")
    wish = {"patientId": str(uuid4()), "reason": "insists"}
    answer = await desk.ask("reception", "POST", "/v1/appointments", wish)
    assert answer.status_code == 403
    assert desk.row().outcome is Outcome.DENIED


async def test_a_patient_who_reaches_for_what_is_another_s_is_denied(
    desk: Desk,
) -> None:
    """404 by design, and the same whether it is there or not."""
    id = uuid4()
    answer = await desk.ask("patient", "GET", f"/v1/appointments/{id}")
    assert answer.status_code == 404
    row = desk.row()
    assert (row.actor, row.outcome) == ("maria", Outcome.DENIED)
    assert (row.action, row.entity_id) == ("appointment.read", id)
    assert row.changes == {"code": (None, "APPOINTMENT_NOT_FOUND")}


async def test_a_patient_who_books_for_another_is_denied_that_patient(
    desk: Desk,
) -> None:
    other = uuid4()
    REFUSALS["other"] = errors.PatientNotFound(other)
    REFUSALS["own"] = errors.PatientNotFound(PATIENT)
    for why, patient in (("other", other), ("own", PATIENT)):
        wish = {"patientId": str(patient), "slotId": str(uuid4()), "reason": why}
        await desk.ask("patient", "POST", "/v1/appointments", wish)
    denied, refused = desk.rows()
    assert denied.outcome is Outcome.DENIED
    assert (denied.entity_type, denied.entity_id) == ("patient", other)
    # Not to be registered is no reaching for somebody else.
    assert refused.outcome is Outcome.REFUSED


async def test_what_is_nobody_s_attempt_is_not_audited(desk: Desk) -> None:
    path = f"/v1/appointments/{uuid4()}"
    missing = await desk.ask("reception", "GET", path)
    shapeless = await desk.ask("reception", "POST", "/v1/appointments", {"x": 1})
    unknown = await desk.ask("nobody", "GET", path)
    nowhere = await desk.ask("reception", "GET", "/v1/nowhere")
    told = [a.status_code for a in (missing, shapeless, unknown, nowhere)]
    assert told == [404, 422, 401, 404]
    assert desk.rows() == []


async def test_a_record_that_cannot_be_kept_changes_no_answer_and_is_counted() -> None:
    async with a_desk() as desk:
        desk.storage.recorder.away = True
        answer = await desk.ask(
            "reception", "POST", f"/v1/appointments/{uuid4()}/block"
        )
        assert answer.status_code == 403
        assert answer.json()["code"] == "FORBIDDEN"
        assert desk.registry.get_sample_value(COUNTED) == 1


COUNTED = "scheduling_audit_unconfirmed_total"


class Silent(AuditClient):
    """A database that never answers."""

    async def record(self, *_who: object, **_what: object) -> None:
        await asyncio.Event().wait()


async def test_a_refusal_does_not_wait_for_a_silent_database() -> None:
    async with a_desk(Silent(), patience=0.01) as desk:
        answer = await desk.ask(
            "reception", "POST", f"/v1/appointments/{uuid4()}/block"
        )
        assert answer.status_code == 403
        assert desk.registry.get_sample_value(COUNTED) == 1


def operations() -> Iterator[APIRoute]:
    for route in create_app(unwired).router.routes:
        if isinstance(route, APIRoute) and route.path.startswith("/v1/"):
            yield route


NOUNS = {
    "appointment",
    "appointment-series",
    "appointments",
    "availability",
    "availability-pattern",
    "available-slots",
    "calendar",
    "events",
    "hold",
    "location",
    "locations",
    "notification",
    "patient",
    "patients",
    "practitioner",
    "practitioner-role",
    "practitioners",
    "schedule",
    "schedule-exception",
    "schedules",
    "settings",
    "slot",
    "statistics",
    "waitlist",
    "waitlist-entry",
}


def test_every_id_in_a_path_is_of_something() -> None:
    """Where this fails, say in `THINGS` what the word before the id stands for."""
    for route in operations():
        before, id, _ = route.path.partition("/{")
        assert not id or before.rpartition("/")[2] in THINGS, route.path


def test_every_operation_has_a_name_in_the_audit() -> None:
    """Where this fails, give the operation's name to `_ACTIONS`."""
    for route in operations():
        action = action_of(route.name)
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*){1,2}", action)
        assert action.partition(".")[0] in NOUNS, (route.name, action)
