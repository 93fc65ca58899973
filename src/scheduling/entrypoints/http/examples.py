"""Examples of what is answered and asked for, put together from one value for each
name: the same thing has the same id wherever it is shown.

A body shows its own example, since only it knows which of its fields go together. All
else is here. A new name of a text needs a line in `_TEXTS`: a test says so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Node = dict[str, Any]

MISSING = "nobody gave an example of this"
"""A test looks for it: better said there than by a document that cannot be made."""

_ID = "019a9d3e-0000-7000-8000-000000000"
_IDS = {
    "practitioner": f"{_ID}101",
    "practitionerRole": f"{_ID}151",
    "practitionerRoleEffect": f"{_ID}151",
    "deletedRole": f"{_ID}151",
    "location": f"{_ID}201",
    "schedule": f"{_ID}301",
    "exception": f"{_ID}351",
    "exceptionEffect": f"{_ID}351",
    "scheduleException": f"{_ID}351",
    "patient": f"{_ID}401",
    "slot": f"{_ID}501",
    "appointment": f"{_ID}601",
    "waitlist": f"{_ID}701",
    "waitlistEntry": f"{_ID}701",
    "waitlistEntryEffect": f"{_ID}701",
    "serie": f"{_ID}801",  # the id in the path of `series`
    "series": f"{_ID}801",
}
_ANOTHER_ID = f"{_ID}901"

_INSTANTS = {
    "from": "2030-01-07T00:00:00Z",
    "to": "2030-01-08T00:00:00Z",
    "start": "2030-01-07T12:00:00Z",
    "end": "2030-01-07T12:30:00Z",
    "createdAt": "2029-12-20T14:03:11.402Z",
    "updatedAt": "2029-12-20T14:03:11.402Z",
    "earliest": "2030-01-07T00:00:00Z",
    "latest": "2030-01-14T00:00:00Z",
}
_DAYS = {"to": "2030-01-14", "end": "2030-01-13"}

_TEXTS = {
    "actor": "reception",
    "appointmentType": "consultation",
    "code": "CLINIC-01",
    "country": "BR",
    "detail": "The version is 4, not the one that was named.",
    "cursor": "AAbG2WqSoAABmp0-AABwAIAAAAAAAAUB",
    "email": "maria@example.org",
    "endTime": "17:00",
    "fileNumber": "2026-000123",
    "name": "Clinic Centro",
    "language": "en",
    "patientName": "Maria Silva",
    "phone": "+55 27 99999-0000",
    "practitionerName": "Dr. Ana Souza",
    "requestId": "web-7f3a9c1e",
    "serviceType": "consultation",
    "specialtie": "cardiology",  # one of `specialties`
    "specialty": "cardiology",
    "startTime": "09:00",
    "sourceEventId": "01a1f7a8-ac38-759d-8875-10d1d3b41239",
    "status": "ready",
    "subdivision": "ES",
    "timezone": "America/Sao_Paulo",
    "tzdataVersion": "2026a",
}
_NUMBERS = {
    "booked": 0,
    "bufferMinutes": 15,
    "created": 480,
    "durationMinutes": 30,
    "holdMinutes": 10,
    "horizonDays": 90,
    "limit": 200,
    "minimumNoticeMinutes": 60,
    "noShowGraceMinutes": 30,
    "perPractitionerDay": 20,
    "priority": 0,
    "reminderOffsetsMinute": 120,
    "slotMinutes": 30,
}
_MOSTLY_NOTHING = frozenset(
    {
        "blockedBy",
        "comment",
        "description",
        "holdExpiresAt",
        "nextCursor",
        "notes",
        "overrideReason",
        "perPractitionerWeek",
        "problem",
        "reason",
        "subFileId",
        "validFrom",
        "validTo",
    }
)
"""Fields that are shown as null, where they may be."""

_OF_A_SHAPE: Mapping[str, Mapping[str, object]] = {
    "AppointmentView": {"status": "booked"},
    "ItemProblemView": {"code": "OPTIMISTIC_LOCK_CONFLICT"},
    "StatusOutcomeView": {"id": _IDS["appointment"], "status": 200},
    "ParticipantView": {"id": _IDS["patient"]},
    "PatientView": {"name": "Maria Silva", "active": True},
    "PatientFoundView": {
        "id": _IDS["patient"],
        "name": "Maria Silva",
        "active": True,
    },
    "PractitionerView": {"name": "Dr. Ana Souza", "active": True},
    "LocationView": {"active": True},
    "PractitionerRoleView": {"active": True},
    "PractitionerRoleEffectView": {"active": True},
}

_METRICS = """# TYPE scheduling_http_requests_total counter
scheduling_http_requests_total{method="GET",route="/v1/slots/{id}",status="200"} 3.0
"""


def add_examples(document: Node) -> None:
    """Give an example to every success and parameter that has none."""
    shapes = document["components"]["schemas"]
    for path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            if "example" not in parameter:
                parameter["example"] = _of_parameter(path, parameter, shapes)
        for status, response in operation["responses"].items():
            for sort, content in response.get("content", {}).items():
                if status.startswith("2") and not {"example", "examples"} & set(
                    content
                ):
                    content["example"] = (
                        _of(content["schema"], "", "", shapes)
                        if sort == "application/json"
                        else _METRICS
                    )


def operations(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield each operation with its path."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def _of_parameter(path: str, parameter: Node, shapes: Node) -> object:
    name = parameter["name"]
    if name == "id" and parameter["in"] == "path":
        # `/v1/slots/{id}`: what the id is of stands before it.
        before = path.partition("/{id}")[0].rpartition("/")[2]
        return _IDS.get(_singular(before), _ANOTHER_ID)
    return _of(parameter["schema"], name, "", shapes)


def _singular(segment: str) -> str:
    """`practitioner-roles` are many of `practitionerRole`."""
    first, *others = segment.removesuffix("s").split("-")
    return first + "".join(word.title() for word in others)


def _of(schema: Node, name: str, shape: str, shapes: Node) -> object:
    """Return an example of a field by its name, of a shape by its fields."""
    if name in _OF_A_SHAPE.get(shape, {}):
        return _OF_A_SHAPE[shape][name]
    if "$ref" in schema:
        called = schema["$ref"].rpartition("/")[2]
        return _of(shapes[called], "", called, shapes)
    if "anyOf" in schema:
        if name in _MOSTLY_NOTHING and {"type": "null"} in schema["anyOf"]:
            return None
        return _of(schema["anyOf"][0], name, shape, shapes)
    told = schema.get("examples") or schema.get("enum") or [schema.get("const")]
    return _of_type(schema, name, shape, shapes) if told[0] is None else told[0]


def _of_type(schema: Node, name: str, shape: str, shapes: Node) -> object:
    match schema.get("type"):
        case "object":
            return {
                field: _of(what, field, shape, shapes)
                for field, what in schema.get("properties", {}).items()
            }
        case "array":
            return [_of(schema["items"], name.removesuffix("s"), shape, shapes)]
        case "boolean":
            return False
        case "integer" | "number":
            return _NUMBERS.get(name, schema.get("minimum", 1))
        case "string":
            return _of_text(schema.get("format"), name, shape)
    return None


def _of_text(sort: str | None, name: str, shape: str) -> str:
    match sort:
        case "uuid":
            return _id(name, shape)
        case "date-time":
            return _INSTANTS.get(name, _INSTANTS["start"])
        case "date":
            return _DAYS.get(name, "2030-01-07")
    return _TEXTS.get(name, MISSING)


def _id(name: str, shape: str) -> str:
    """`slotId` is a slot's, and so is the `id` of a SlotView."""
    kind = name.removesuffix("Id") if name != "id" else shape.removesuffix("View")
    return _IDS.get(kind[:1].lower() + kind[1:], _ANOTHER_ID)
