"""Figures of the HTTP side, by route template: paths hold ids, and there is no end of
them.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import Scope

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"


class RequestMetrics:
    """Finding a labelled child costs more than counting it: each is found once."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.in_flight = Gauge(
            "scheduling_http_requests_in_flight",
            "Requests being answered, health and metrics left out",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._requests = Counter(
            "scheduling_http_requests",
            "Requests answered; status 0 where the client did not wait",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "scheduling_http_request_seconds",
            "From the first byte of the request to the last of the answer; event "
            "streams left out",
            ("method", "route"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, scope: Scope, status: int, seconds: float | None) -> None:
        """`seconds` is None for an answer that lasts as long as its client likes."""
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        route = route_template(scope) or UNMATCHED
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            children = self._children[key] = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
            )
        children[0].inc()
        if seconds is not None:
            children[1].observe(seconds)


def route_template(scope: Scope) -> str | None:
    """Return the template of the route that answered, with its prefixes.

    A route that was included with a prefix does not know it: FastAPI keeps the two
    together in an entry of its own.
    """
    context = scope.get("fastapi", {}).get("effective_route_context")
    found = scope.get("route") if context is None else context
    template: str | None = getattr(found, "path_format", None)
    return template
