"""Run the API on uvicorn until it is told to stop."""

from functools import partial

import uvicorn

from scheduling.entrypoints.http.app import behind_front_door, create_app
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import configure_logging, open_metrics
from scheduling.entrypoints.wiring.api import open_api

GRACE = 20
"""Seconds that requests under way have, once the process is told to stop."""


def serve(settings: Settings, *, host: str, port: int, fd: int | None = None) -> None:
    """Listen on an address, or on a socket that was passed on."""
    configure_logging(settings.log_level)
    metrics = open_metrics()
    app = create_app(partial(open_api, settings, metrics))
    uvicorn.run(
        behind_front_door(app, metrics, max_in_flight=settings.max_in_flight),
        host=host,
        port=port,
        fd=fd,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=2048,
        timeout_graceful_shutdown=GRACE,
    )
