"""A small application behind the front door, and a client in front of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import httpx2
from fastapi import APIRouter, Depends, FastAPI, Request
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict

from scheduling.application.ports.identity import (
    Authenticate,
    Caller,
    Identity,
    Reason,
    Scope,
    StaffOnly,
    Unauthenticated,
)
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.domain import errors
from scheduling.domain.identifiers import PatientId, TenantId
from scheduling.entrypoints.http.caller import Requires
from scheduling.entrypoints.http.middleware import FrontDoor
from scheduling.entrypoints.http.problems import answer_with_problems
from scheduling.entrypoints.http.refusals import RefusalAudit
from scheduling.entrypoints.http.request_metrics import RequestMetrics
from tests.fakes.storage import MemoryStorage

TENANT = TenantId(UUID(int=1))
PATIENT = PatientId(UUID(int=2))
CONFLICT = UUID(int=3)
ANY_UUID = UUID(int=4)

RECEPTION = Identity(TENANT, "reception", frozenset(Scope))
A_CLERK = Identity(TENANT, "clerk", frozenset({Scope.BOOK}))
A_PATIENT = Identity(TENANT, "patient", frozenset({Scope.BOOK}), PATIENT)


class TokensInHand(Authenticate):
    def __init__(self, **tokens: Identity) -> None:
        self._tokens = tokens

    async def __call__(self, token: str, /) -> Identity:
        if token not in self._tokens:
            raise Unauthenticated(Reason.NOT_TRUSTED)
        return self._tokens[token]


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    patientId: UUID  # noqa: N815  # as on the wire
    minutes: int


Asking = Annotated[Caller, Depends(Requires(Scope.BOOK, Scope.MANAGE))]

router = APIRouter(prefix="/things")


@router.get("/{id}")
async def thing(id: UUID) -> str:
    return str(id)


@router.post("")
async def wish(wish: Wish, caller: Asking) -> str:
    return f"{caller.subject} {wish.minutes}"


@router.get("/refused/{code}")
async def refused(code: str, caller: Asking) -> None:
    raise errors.DoubleBookingDetected(f"{code} {caller.tenant_id}", (CONFLICT,))


@router.get("/invalid/{field}")
async def invalid(field: str) -> None:
    raise errors.InvalidInput("must be after from", field)


class Door:
    """`held` requests to /slow wait until `release` is set."""

    def __init__(self, max_in_flight: int = 100, largest_body: int = 1000) -> None:
        self.release = asyncio.Event()
        self.held = asyncio.Semaphore(0)
        self.registry = CollectorRegistry()
        self.crash: Exception = ZeroDivisionError("never to be read")
        app = FastAPI()
        app.include_router(router, prefix="/v1")
        app.add_api_route("/slow", self._slow)
        app.add_api_route("/livez", self._alive)
        app.add_api_route("/crash", self._crash)
        app.add_api_route("/away", self._away)
        app.add_api_route("/me", self._me)
        app.add_api_route(
            "/admin", self._alive, dependencies=[Depends(Requires(Scope.ADMIN))]
        )
        app.add_api_route("/staff", self._staff)
        answer_with_problems(app)
        self.app = FrontDoor(
            app,
            metrics=RequestMetrics(self.registry),
            max_in_flight=max_in_flight,
            largest_body=largest_body,
            access_log=True,
        )
        self.storage = MemoryStorage()
        self._refusals = RefusalAudit(self.storage.recorder, self.registry)
        self._authenticate: Authenticate = TokensInHand(
            reception=RECEPTION, clerk=A_CLERK, patient=A_PATIENT
        )

    def ration(self, by: Callable[[Authenticate], Authenticate]) -> None:
        self._authenticate = by(self._authenticate)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx2.AsyncClient]:
        async def with_state(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
            scope["state"] = {
                "authenticate": self._authenticate,
                "refusals": self._refusals,
            }
            await self.app(scope, receive, send)

        transport = httpx2.ASGITransport(app=with_state)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://scheduling.test"
        ) as client:
            yield client

    async def _slow(self) -> str:
        self.held.release()
        await self.release.wait()
        return "done"

    async def _alive(self) -> str:
        return "alive"

    async def _crash(self) -> None:
        raise self.crash

    async def _away(self) -> None:
        raise DatabaseUnavailable("postgresql://user:secret@host")

    async def _staff(self, caller: Asking) -> None:
        if caller.patient_id is not None:
            raise StaffOnly(Scope.BOOK)

    async def _me(self, request: Request, caller: Asking) -> dict[str, str | None]:
        same = caller.request_id == request.state.request_id
        return {"request_id": str(same), "traceparent": caller.traceparent}
