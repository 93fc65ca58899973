"""`/livez`, `/readyz`, `/metrics`: for those who run it. No tokens, no tenants."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fastapi import APIRouter, Request
from fastapi.responses import Response

from scheduling.application.ports.unavailable import Unavailable
from scheduling.entrypoints.http import documented
from scheduling.entrypoints.http.openapi import operation_id
from scheduling.entrypoints.http.problems import problem
from scheduling.entrypoints.http.shapes import dumped
from scheduling.entrypoints.telemetry import Metrics

router = APIRouter(tags=["operations"], generate_unique_id_function=operation_id)

Readiness: TypeAlias = Callable[[], Awaitable[str | None]]
"""Return what is missing, or None; raise Unavailable where the database is away."""


@router.get("/livez", **documented.status("The process answers"))
async def livez() -> Response:
    """The process answers. Touches nothing."""
    return Response(b'{"status":"alive"}', media_type="application/json")


@router.get("/readyz", **documented.status("It can do its work", or_unready=True))
async def readyz(request: Request) -> Response:
    """The database answers and has the schema that this build needs.

    NATS is not asked: without it bookings are taken and announced later.
    """
    ready: Readiness = request.state.readiness
    try:
        missing = await ready()
    except Unavailable:
        missing = "The database does not answer."
    if missing is not None:
        return problem(
            503, "SERVICE_UNAVAILABLE", missing, headers={"Retry-After": "1"}
        )
    return Response(dumped({"status": "ready"}), media_type="application/json")


@router.get("/metrics", **documented.text("Figures of this process"))
async def metrics(request: Request) -> Response:
    """Figures in Prometheus' text format."""
    figures: Metrics = request.state.metrics
    body, content_type = figures.render()
    return Response(body, headers={"Content-Type": content_type})
