"""An example of a schema, put together from what the schema says: its own examples, its
words, its formats. The same every time; ids of one name are the same everywhere.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

Schema: TypeAlias = Mapping[str, Any]

MISSING = "?"
"""Stands where nothing is known to say: a test finds it."""

_BY_NAME: Mapping[str, Any] = {
    "name": "Amina Haddad",
    "appointmentType": "consultation",
    "slotMinutes": 30,
    "sourceEventId": "01b7c3f2-8d41-7a90-b6d4-2f0c5e9a1d37",
    "requestEventId": "portal-7f3a",
    "roleVersion": 4,
    "created": 960,
    "durationMs": 140,
    "remaining": 1,
}
_BY_FORMAT: Mapping[str, str] = {
    "date-time": "2030-01-07T08:00:00Z",
    "date": "2030-01-07",
}


def example_of(
    schema: Schema, shared: Schema, *, name: str = "", also: Collection[str] = ()
) -> Any:  # noqa: ANN401  # whatever JSON has
    """Return a value that fits; `shared` are the schemas by name that `$ref` names.

    Of an object's fields the required ones are given, and those that are named by
    `also`; of a choice the first that is not null, of what must be all the first.
    """
    schema = _resolved(schema, shared)
    given = schema.get("examples") or schema.get("enum")
    if given or "const" in schema:
        return given[0] if given else schema["const"]
    match schema["type"]:
        case "object":
            wanted = {*schema.get("required", ()), *also}
            return {
                field: example_of(of, shared, name=field)
                for field, of in schema.get("properties", {}).items()
                if field in wanted
            }
        case "array":
            return [example_of(schema["items"], shared, name=name.removesuffix("s"))]
        case "boolean":
            return schema.get("default", False)
        case "integer":
            return _BY_NAME.get(name, schema.get("minimum", 1))
    return _text(schema.get("format", ""), name)


def _resolved(schema: Schema, shared: Schema) -> Schema:
    """Return what a reference names, and what a choice would choose."""
    while "type" not in schema:
        if "$ref" in schema:
            schema = shared[schema["$ref"].rpartition("/")[2]]
        elif "allOf" in schema:
            schema = schema["allOf"][0]
        elif "anyOf" in schema and "examples" not in schema:
            schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
        else:
            break
    return schema


def _text(format: str, name: str) -> str:
    if format == "uuid":
        return str(uuid5(NAMESPACE_URL, name.lower()))
    return str(_BY_FORMAT.get(format) or _BY_NAME.get(name, MISSING))
