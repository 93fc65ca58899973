"""Every operation of the OpenAPI document, asked for with ids of one's choosing.

Whatever is added to the document later is in here by itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.acceptance.desk import Desk

Document = dict[str, Any]
Id = Callable[[str], str]
"""Gives the id of a kind of thing."""

BY_NAME = {
    "patientId": "patients",
    "practitionerId": "practitioners",
    "practitionerIds": "practitioners",
    "actorId": "practitioners",
    "locationId": "locations",
    "locationIds": "locations",
    "scheduleId": "schedules",
    "slotId": "free",
    "holdId": "holds",
    "exceptionId": "exceptions",
    "notificationId": "notifications",
}
ONE_OF_SEVERAL = {
    "/v1/calendar": ["locationId"],
    "/v1/waitlist": ["patientId"],
    "/v1/schedules": ["actorId"],
    "/v1/availability": ["practitionerId", "patientId"],
    "/v1/availability/next": ["practitionerId", "patientId"],
    "/v1/appointments/today": ["practitionerId", "locationId"],
    "/v1/appointments/upcoming": ["practitionerId", "patientId"],
    "/v1/practitioners": ["locationId"],
    "/v1/statistics": ["practitionerId"],
}
"""Parameters that are not required and worth while all the same."""
STREAM = "/v1/events/stream"
"""Never ends; who hears what there is shown by tests of its own."""


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    parameters: list[Document]
    body: Any

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def order(self) -> tuple[int, str]:
        """What makes a thing under the asked id comes last, what needs none of it
        first: the answers before it are still about things that are not there.
        """
        puts = self.method == "PUT"
        return (puts + (puts and "roles" not in self.path), self.name)

    async def asked(
        self, desk: Desk, id: Id, words: str | None = None
    ) -> httpx2.Response:
        """Ask for it; `words` are searched for where words are."""
        path, query = self.path, {}
        for one in self.parameters:
            name = one["name"]
            kind = BY_NAME.get(name) or _kind(self.path)
            if one["in"] == "path":
                path = path.replace(f"{{{name}}}", id(kind))
            elif name in ONE_OF_SEVERAL.get(self.path, []):
                query[name] = id(kind)
            elif one["in"] == "query" and one.get("required"):
                query[name] = id(BY_NAME[name]) if name in BY_NAME else one["example"]
            elif name == "date":
                query[name] = "2030-01-07"
        more: Document = {"params": query} if query else {}
        if self.body is not None:
            more["json"] = _filled(self.body, id, words)
        # Where a version is asked for, none is missing.
        headers = {"If-Match": '"1"'} if self.method == "DELETE" else {}
        return await desk.ask(self.method, path, headers=headers, **more)


async def every_operation(http: httpx2.AsyncClient) -> list[Operation]:
    document: Document = (await http.get("/openapi.json")).json()
    return sorted(_operations(document), key=lambda one: one.order)


def _operations(document: Document) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if path.startswith("/v1/") and path != STREAM:
                parameters = told.get("parameters", [])
                for body in _bodies(document, told):
                    yield Operation(method.upper(), path, parameters, body)


def _bodies(document: Document, told: Document) -> list[Any]:
    """Return each example of what it takes; None where it takes nothing."""
    if "requestBody" not in told:
        return [None]
    schema = told["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    bodies: list[Any] = document["components"]["schemas"][name]["examples"]
    return bodies


def _kind(path: str) -> str:
    parts = path.split("/")
    return "series" if "series" in parts else parts[2]


def _filled(body: Any, id: Id, words: str | None, name: str = "") -> Any:  # noqa: ANN401
    if isinstance(body, dict):
        return {
            key: id("appointments")
            if key == "id" and name == "items"
            else _filled(value, id, words, key)
            for key, value in body.items()
        }
    if isinstance(body, list):
        return [_filled(value, id, words, name) for value in body]
    if name in BY_NAME and body is not None:
        return id(BY_NAME[name])
    if name == "query" and words is not None:
        return words
    return body
