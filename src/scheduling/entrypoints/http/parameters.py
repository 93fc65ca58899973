"""What parameters mean whose meaning is the same wherever they are asked for. One that
says it itself is left as it is; one that nobody describes fails the linter.
"""

from collections.abc import Mapping

from scheduling.entrypoints.http.examples import Node, operations

_MEANING: Mapping[str, str] = {
    "actorId": "Only the calendars of this practitioner or location",
    "cursor": "The `nextCursor` of a page",
    "date": "A local day",
    "from": "Inclusive",
    "includeCancelled": "Also what was cancelled",
    "limit": "Items on a page at the most",
    "locationId": "Only at this location",
    "patientId": "Only of this patient",
    "practitionerId": "Only of this practitioner",
    "serviceType": "Only what is open for this service, or for any",
    "specialty": "Only of practitioners who have this specialty",
    "status": "Only with this status",
    "timezone": "The zone in which days are counted and instants are written",
    "to": "Exclusive",
}


def describe_parameters(document: Node) -> None:
    for path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            name, place = parameter["name"], parameter["in"]
            if place == "path" and name.lower().endswith("id"):
                parameter.setdefault("description", _of_what(path, name))
            elif name in _MEANING:
                parameter.setdefault("description", _MEANING[name])
            if place == "query" and parameter["schema"].get("type") == "array":
                # OpenAPI's default, said: generated clients have guessed it wrongly.
                parameter |= {"style": "form", "explode": True}


def _of_what(path: str, name: str) -> str:
    """`/v1/practitioner-roles/{id}` takes the id of a practitioner role."""
    segment = path.partition("/{" + name + "}")[0].rpartition("/")[2]
    one = segment if segment == "series" else segment.removesuffix("s")
    return f"Of the {one.replace('-', ' ')}"
