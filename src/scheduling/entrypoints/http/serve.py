"""Run the API on uvicorn until it is told to stop."""

import gc
import socket
from functools import partial

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scheduling.entrypoints.http.app import behind_front_door, create_app
from scheduling.entrypoints.http.event_stream import CONNECTION, OpenStreams
from scheduling.entrypoints.http.event_stream import PATHS as STREAMS
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
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here depends on a client's address
        backlog=2048,
        timeout_graceful_shutdown=GRACE,
    )
    _Server(config).run(sockets=_passed_on(fd))


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would never end by itself; then wait for the rest, as ever."""
        streams: OpenStreams = self.lifespan.state["streams"]
        streams.end_all()
        await super().shutdown(sockets)


class _Protocol(HttpToolsProtocol):
    def on_headers_complete(self) -> None:
        """Lend a stream its connection, so that it can be dropped: what a client does
        not take would otherwise be kept for it until it does.
        """
        super().on_headers_complete()
        if self.scope.get("path") in STREAMS:
            self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}


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
