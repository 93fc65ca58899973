"""The HTTP application: its routers, its problems, its front door."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI
from starlette.types import ASGIApp

from scheduling.application.ports.identity import Authenticate
from scheduling.entrypoints.http import (
    appointment_lists,
    appointments,
    asyncapi,
    availability,
    booking,
    bulk_status,
    calendar,
    generation,
    history,
    holds,
    locations,
    notifications,
    openapi,
    operations,
    patients,
    practitioner_roles,
    practitioners,
    reminders,
    schedule_exceptions,
    schedule_preview,
    schedules,
    series,
    settings,
    slot_lists,
    slots,
    staff_calendar,
    statistics,
    stream,
    sub_files,
    waitlist,
    waitlist_candidates,
    waitlist_offers,
)
from scheduling.entrypoints.http.asyncapi import EventsDocument
from scheduling.entrypoints.http.commanding import CommandDoor
from scheduling.entrypoints.http.direct_route import keep_fixed_words
from scheduling.entrypoints.http.event_stream import OpenStreams
from scheduling.entrypoints.http.middleware import FrontDoor
from scheduling.entrypoints.http.operations import Readiness
from scheduling.entrypoints.http.problems import answer_with_problems
from scheduling.entrypoints.http.refusals import RefusalAudit
from scheduling.entrypoints.http.request_metrics import RequestMetrics
from scheduling.entrypoints.http.staff_calendar import StaffCalendar
from scheduling.entrypoints.http.use_cases import Queries
from scheduling.entrypoints.telemetry import Metrics


class Wired(TypedDict):
    """What lives as long as the process; every request finds it on its state."""

    authenticate: Authenticate
    commands: CommandDoor
    refusals: RefusalAudit
    queries: Queries
    streams: OpenStreams
    events_document: EventsDocument
    calendar: StaffCalendar
    readiness: Readiness
    metrics: Metrics


_ROOMS = (
    booking,
    series,
    bulk_status,
    holds,
    appointments,
    history,
    reminders,
    sub_files,
    notifications,
    availability,
    slot_lists,
    appointment_lists,
    calendar,
    statistics,
    slots,
    schedule_preview,
    schedules,
    schedule_exceptions,
    generation,
    practitioners,
    locations,
    patients,
    practitioner_roles,
    settings,
    waitlist,
    waitlist_candidates,
    waitlist_offers,
    stream,
)

Wiring = Callable[[], AbstractAsyncContextManager[Wired]]


def create_app(wiring: Wiring) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[Wired]:
        async with wiring() as wired:
            yield wired

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,  # openapi.router serves it, and its own page of it
        redirect_slashes=False,
    )
    # Not included but taken as they are: for a router within a router FastAPI looks its
    # routes up anew with every request.
    for room in (*_ROOMS, operations, openapi, asyncapi, staff_calendar):
        app.router.routes.extend(room.router.routes)
    keep_fixed_words(app.router.routes)
    openapi.describe(app)
    answer_with_problems(app)
    return app


def behind_front_door(app: FastAPI, metrics: Metrics, *, max_in_flight: int) -> ASGIApp:
    return FrontDoor(
        app, metrics=RequestMetrics(metrics.registry), max_in_flight=max_in_flight
    )
