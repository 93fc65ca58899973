"""The schemas of what stands around an event's data: CloudEvents 1.0, NATS headers."""

from typing import Any

from scheduling.adapters.cloud_events.outgoing import CONTENT_TYPE, SOURCE

Document = dict[str, Any]

_TEXT: Document = {"type": "string", "minLength": 1}
_NAME: Document = {**_TEXT, "maxLength": 1000}
_UUID: Document = {"type": "string", "format": "uuid"}
_TRACE: Document = {
    "type": "string",
    "description": "W3C trace context of who caused it",
    "examples": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
}
_NAMES = {"pattern": "^[a-z0-9]{1,20}$"}
"""CloudEvents 1.0, 3.1: what an attribute may be called."""

OURS: Document = {
    "type": "object",
    "description": "A CloudEvent of ours.",
    "required": [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "tenantid",
        "aggregateversion",
        "partitionkey",
        "data",
    ],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {**_UUID, "description": "UUIDv7; the same in every delivery"},
        "source": {"const": SOURCE},
        "type": _TEXT,
        "subject": {**_UUID, "description": "The aggregate that it is a step of"},
        "time": {
            "type": "string",
            "format": "date-time",
            "description": "When it happened, in UTC",
        },
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "format": "uri"},
        "tenantid": {**_UUID, "description": "The organisation; as in the subject"},
        "aggregateversion": {
            "type": "integer",
            "minimum": 1,
            "description": "The version of the aggregate after the step",
        },
        "partitionkey": {**_UUID, "description": "The same as `subject`"},
        "traceparent": _TRACE,
        "data": {"type": "object"},
    },
    "propertyNames": _NAMES,
}
THEIRS: Document = {
    "type": "object",
    "description": "A CloudEvent of yours. One without `id`, `source`, `type` or "
    "`specversion` is rejected, never repaired. Binary mode is read, too: attributes "
    "as headers `ce-…`, and `data` as the body.",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {**_NAME, "examples": ["7c1d2b9e-registry-118"]},
        "source": {**_NAME, "format": "uri-reference", "examples": ["/registry"]},
        "type": _TEXT,
        "subject": _TEXT,
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {
            "type": "string",
            "pattern": r"^application/([\w.+-]+\+)?json\b",
        },
        "dataschema": {"type": "string", "format": "uri"},
        "tenantid": {
            **_UUID,
            "description": "The NATS subject says whose it is. Where this is given, it "
            "has to be the same",
        },
        "aggregateversion": {
            "type": "integer",
            "minimum": 0,
            "description": "The version of what it is news of, where you have one: "
            "older news than what we followed is then passed over. Without it news "
            "are followed in the order of the stream",
        },
        "traceparent": _TRACE,
        "data": {"type": "object"},
    },
    "propertyNames": _NAMES,
}
HEADERS: Document = {
    "type": "object",
    "required": ["Nats-Msg-Id", "Content-Type"],
    "properties": {
        "Nats-Msg-Id": {**_UUID, "description": "The event's `id`"},
        "Content-Type": {"const": CONTENT_TYPE},
    },
}
THEIR_HEADERS: Document = {
    "type": "object",
    "required": ["Content-Type"],
    "properties": {
        "Nats-Msg-Id": {
            **_TEXT,
            "description": "The event's `id`: the stream drops what is sent again "
            "within ten minutes. Whatever comes twice has its effect once",
        },
        "Content-Type": {"const": CONTENT_TYPE},
    },
}
