"""What happens to every request, before and after the application.

One plain ASGI callable around all of it, since each layer of its own would cost every
request a few more calls. It must be the outermost, so that also an answer to a crash
has its request id.
"""

import re
import time
from secrets import token_hex

import structlog
from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scheduling.entrypoints.http.event_stream import PATHS as STREAMS
from scheduling.entrypoints.http.problems import problem
from scheduling.entrypoints.http.request_metrics import RequestMetrics, route_template

EXEMPT = frozenset({"/livez", "/readyz", "/metrics"}) | STREAMS
"""Answered however busy the process is: a busy process is not a dead one, and streams
have a bound of their own.
"""

LARGEST_BODY = 1024 * 1024
WORTH_DRAINING = 16
"""Times the limit: who sends as much is heard out, since a connection that is closed
while bytes come in is reset, and the answer that says why is lost with it.
"""

RETRY_AFTER = "1"

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    # Answers are about patients: no cache may keep one that did not ask for it.
    (b"cache-control", b"no-store"),
)
"""Where a response has one of these of its own, its own stands."""

_SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_log = structlog.get_logger()


class FrontDoor:
    """Request ids, the limits on what comes in, security headers, figures, crashes."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: RequestMetrics,
        max_in_flight: int,
        largest_body: int = LARGEST_BODY,
        access_log: bool = False,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._max_in_flight = max_in_flight
        self._largest_body = largest_body
        self._access_log = access_log
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # A GET whose body the server keeps to itself; it goes by its own scope.
            state = {**scope.get("state", {}), "is_head": True}
            scope = {**scope, "method": "GET", "state": state}
        began = time.perf_counter()
        visit = _Visit(scope, send)
        counts = scope["path"] not in EXEMPT
        if counts:
            self._in_flight += 1
            self._metrics.in_flight.inc()
        try:
            await self._admit(visit, scope, receive, counts=counts)
        except Exception as error:  # noqa: BLE001  # the last door: nothing passes it
            await self._crashed(visit, scope, receive, error)
        finally:
            if counts:
                self._in_flight -= 1
                self._metrics.in_flight.dec()
            took = time.perf_counter() - began
            lasts = scope["path"] in STREAMS
            self._metrics.observe(scope, visit.status, None if lasts else took)
            if self._access_log:
                _log.info(
                    "request",
                    request_id=visit.request_id,
                    method=scope["method"],
                    route=route_template(scope),
                    status=visit.status,
                    ms=round(took * 1000, 2),
                )

    async def _admit(
        self, visit: "_Visit", scope: Scope, receive: Receive, *, counts: bool
    ) -> None:
        if counts and self._in_flight > self._max_in_flight:
            answer = problem(
                503,
                "SERVICE_UNAVAILABLE",
                "More requests than this process takes at a time.",
                headers={"Retry-After": RETRY_AFTER},
            )
            await answer(scope, receive, visit.send)
        elif visit.declared_length > self._largest_body:
            answer = problem(
                413,
                "PAYLOAD_TOO_LARGE",
                f"A body has at most {self._largest_body} bytes.",
                headers={"Connection": "close"},
            )
            if visit.declared_length <= self._largest_body * WORTH_DRAINING:
                await _drained(receive)
            await answer(scope, receive, visit.send)
        elif visit.is_chunked:
            limited = _limited(receive, self._largest_body)
            await self._app(scope, limited, visit.send)
        else:
            await self._app(scope, receive, visit.send)

    async def _crashed(
        self, visit: "_Visit", scope: Scope, receive: Receive, error: Exception
    ) -> None:
        _log.error(
            "request.crashed",
            request_id=visit.request_id,
            method=scope["method"],
            route=route_template(scope),
            exc_info=error,
        )
        if visit.status == 0:
            answer = problem(500, "INTERNAL_ERROR", "This is our fault, not yours.")
            await answer(scope, receive, visit.send)


class _Visit:
    """One request's headers, read in one go, and the way its answer goes out."""

    __slots__ = ("_send", "declared_length", "is_chunked", "request_id", "status")

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self.status = 0
        self.declared_length = 0
        self.is_chunked = False
        request_id = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                if _SANE_REQUEST_ID.fullmatch(value):
                    request_id = value.decode()
            elif name == b"content-length":
                self.declared_length = int(value)
            elif name == b"transfer-encoding":
                self.is_chunked = True
        self.request_id = request_id or token_hex(16)
        scope.setdefault("state", {})["request_id"] = self.request_id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message.setdefault("headers", [])
            present = {name for name, _ in headers}
            headers.extend(h for h in SECURITY_HEADERS if h[0] not in present)
            headers.append((b"x-request-id", self.request_id.encode()))
        await self._send(message)


async def _drained(receive: Receive) -> None:
    while (await receive()).get("more_body", False):
        pass


def _limited(receive: Receive, largest: int) -> Receive:
    """Count a body that did not say how long it would be."""
    received = 0

    async def counting() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > largest:
            raise HTTPException(413, f"A body has at most {largest} bytes.")
        return message

    return counting
