"""The AsyncAPI 3.0 document: what we tell, what we listen to, and where.

Made from the types that write events and the models that read them, so that it says
what is so. A payload is a whole CloudEvent; schemas are JSON Schema draft 7, as
AsyncAPI's own are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from scheduling.adapters.cloud_events.asyncapi_envelopes import (
    HEADERS,
    OURS,
    THEIR_HEADERS,
    THEIRS,
)
from scheduling.adapters.cloud_events.asyncapi_examples import example_of
from scheduling.adapters.cloud_events.asyncapi_types import TOLD, Kind, heard
from scheduling.adapters.cloud_events.outgoing import CONTENT_TYPE

Document = dict[str, Any]

_ABOUT = """Healthcare appointment scheduling: what happened, and what we listen to.

Events are CloudEvents 1.0 in structured JSON on NATS JetStream. Ours name ids, codes
and times: no names, contact data or free text. Delivery is at least once: keep the ids
that you have handled. Events of one `subject` come in the order of `aggregateversion`.
"""

_TENANT = {"type": "string", "format": "uuid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Out of us, or into us."""

    action: str
    prefix: str
    stream: str
    envelope: str
    headers: str


_OUT = _Way(
    action="send",
    prefix="scheduling",
    stream="SCHEDULING",
    envelope="CloudEvent",
    headers="Headers",
)
_IN = _Way(
    action="receive",
    prefix="inbox",
    stream="SCHEDULING_INBOX",
    envelope="InboundCloudEvent",
    headers="InboundHeaders",
)


@cache
def asyncapi_json() -> bytes:
    return orjson.dumps(asyncapi_document())


def asyncapi_document() -> Document:
    events = [(_OUT, TOLD), (_IN, heard())]
    data, schemas = _schemas_of(events)
    schemas |= {
        _OUT.envelope: OURS,
        _OUT.headers: HEADERS,
        _IN.envelope: THEIRS,
        _IN.headers: THEIR_HEADERS,
    }
    every = [
        (way, type, kind, data[way.action, type])
        for way, kinds in events
        for type, kind in kinds.items()
    ]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:scheduling:events",
        "info": {
            "title": "Scheduling",
            "version": "1",
            "description": _ABOUT,
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "jetstream": {
                "host": "{host}:{port}",
                "protocol": "nats",
                "description": "NATS with JetStream",
                "variables": {
                    "host": {"default": "localhost"},
                    "port": {"default": "4222"},
                },
            }
        },
        "channels": {type: _channel(way, type) for way, type, _, _ in every},
        "operations": {
            _operation_id(way, type): _operation(way, type, kind)
            for way, type, kind, _ in every
        },
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "messages": {
                type: _message(way, type, kind, of, schemas)
                for way, type, kind, of in every
            },
            "parameters": {
                "tenantId": {
                    "description": "The organisation, a UUID: the subject says whose "
                    "an event is",
                    "examples": [example_of(_TENANT, {}, name="tenantId")],
                }
            },
        },
    }


def _channel(way: _Way, type: str) -> Document:
    return {
        "address": f"{way.prefix}.{{tenantId}}.{type}",
        "messages": {type: _ref("messages", type)},
        "parameters": {"tenantId": _ref("parameters", "tenantId")},
        # NATS has no binding for streams.
        "x-jetstream": {"stream": way.stream},
    }


def _operation_id(way: _Way, type: str) -> str:
    """Generated code names its methods after these: they never change."""
    words = type.replace("-", ".").split(".")
    return way.action + "".join(word.title() for word in words)


def _operation(way: _Way, type: str, kind: Kind) -> Document:
    channel = f"#/channels/{type}"
    return {
        "action": way.action,
        "channel": {"$ref": channel},
        "summary": kind.when,
        "messages": [{"$ref": f"{channel}/messages/{type}"}],
    }


def _message(
    way: _Way, type: str, kind: Kind, data: Document, schemas: Mapping[str, Document]
) -> Document:
    fixed = {"type": type}
    if way is _OUT:
        fixed["dataschema"] = f"urn:scheduling:schema:{type}:1"
    if kind.always:
        always = {name: {"const": value} for name, value in kind.always.items()}
        data = {"allOf": [data, {"properties": always}]}
    return {
        "name": type,
        "title": type,
        "summary": kind.when,
        "contentType": CONTENT_TYPE,
        "headers": _ref("schemas", way.headers),
        "payload": {
            "allOf": [
                _ref("schemas", way.envelope),
                {
                    "properties": {
                        **{name: {"const": value} for name, value in fixed.items()},
                        "data": data,
                    }
                },
            ]
        },
        "examples": [_example(way, fixed, kind, data, schemas)],
    }


def _example(
    way: _Way,
    fixed: Mapping[str, str],
    kind: Kind,
    data: Document,
    schemas: Mapping[str, Document],
) -> Document:
    told = example_of(data, schemas, also=kind.also) | kind.always
    event = example_of(schemas[way.envelope], schemas) | fixed | {"data": told}
    if kind.aggregate is not None:
        event |= dict.fromkeys(("subject", "partitionkey"), told[kind.aggregate])
    headers = example_of(schemas[way.headers], schemas, also=("Nats-Msg-Id",))
    return {"headers": headers | {"Nats-Msg-Id": event["id"]}, "payload": event}


def _ref(kind: str, name: str) -> Document:
    return {"$ref": f"#/components/{kind}/{name}"}


class _Schemas(GenerateJsonSchema):
    """`Practitionerid` says nothing that `practitionerId` does not; what we tell has no
    field that is not written down.
    """

    def field_title_should_be_set(self, _schema: Any) -> bool:  # noqa: ANN401  # theirs
        return False

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return {**super().typed_dict_schema(schema), "additionalProperties": False}


def _schemas_of(
    events: list[tuple[_Way, Mapping[str, Kind]]],
) -> tuple[dict[tuple[str, str], Document], dict[str, Document]]:
    """Return the schema of each event's data, by action and type, and all that they
    refer to, by name.
    """
    adapters: list[tuple[tuple[str, str], Any, TypeAdapter[Any]]] = [
        ((way.action, type), "validation", TypeAdapter(kind.data))
        for way, kinds in events
        for type, kind in kinds.items()
    ]
    found, shared = TypeAdapter.json_schemas(
        adapters,
        ref_template="#/components/schemas/{model}",
        schema_generator=_Schemas,
    )
    schemas = _as_draft_7_has_it(shared["$defs"])
    return {key: schema for (key, _), schema in found.items()}, schemas


def _as_draft_7_has_it(node: Any) -> Any:  # noqa: ANN401  # whatever JSON has
    """Draft 7 overlooks what stands beside a `$ref`. And pydantic writes `ge` for
    `minimum` where a validator stands before the limits.
    """
    if isinstance(node, list):
        return [_as_draft_7_has_it(one) for one in node]
    if not isinstance(node, dict):
        return node
    limits = {"ge": "minimum", "le": "maximum"} if node.get("type") == "integer" else {}
    made = {
        limits.get(name, name): _as_draft_7_has_it(value)
        for name, value in node.items()
    }
    if "$ref" in made and len(made) > 1:
        made["allOf"] = [{"$ref": made.pop("$ref")}]
    return made
