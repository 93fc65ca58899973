"""Run the API on uvicorn until it is told to stop."""

import gc
import socket
from functools import partial

import uvicorn

from scheduling.entrypoints.http.app import behind_front_door, create_app
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import configure_logging, open_metrics
from scheduling.entrypoints.wiring.api import demand_settings, open_api
from scheduling.entrypoints.wiring.storage import Misconfigured

GRACE = 20
"""Seconds that requests under way have, once the process is told to stop."""


def serve(settings: Settings, *, host: str, port: int, fd: int | None = None) -> None:
    """Listen on an address, or on a socket that was passed on.

    Raise SystemExit, with a sentence, where settings are missing or not to be trusted.
    """
    try:
        demand_settings(settings)
    except Misconfigured as wrong:
        raise SystemExit(str(wrong)) from wrong
    configure_logging(settings.log_level)
    metrics = open_metrics()
    app = create_app(partial(open_api, settings, metrics))
    _rest_the_collector()
    config = uvicorn.Config(
        behind_front_door(app, metrics, max_in_flight=settings.max_in_flight),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here depends on a client's address
        backlog=2048,
        timeout_graceful_shutdown=GRACE,
    )
    uvicorn.Server(config).run(sockets=_passed_on(fd))


def _rest_the_collector() -> None:
    """Keep Python's cycle collector off what lives as long as the process.

    By default it walks through all modules and routes again and again: 8 % of the time
    of a booking. What a request makes is freed by counting; cycles still are collected.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _passed_on(fd: int | None) -> list[socket.socket] | None:
    """Take a listening socket for what it is.

    uvicorn's own `fd` takes every socket for a Unix one: TCP_NODELAY is never set then,
    and each answer waits 40 ms for the client's delayed ACK.
    """
    return None if fd is None else [socket.socket(fileno=fd)]
