"""The AsyncAPI document, and two judges: AsyncAPI's own schema of such documents, and
the document as a judge of events.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft7Validator

from scheduling.adapters.cloud_events.asyncapi import asyncapi_json

Document = dict[str, Any]

SPECS = (
    Path(__file__).parents[2] / ".tools/openapi/node_modules/@asyncapi/specs/schemas"
)


def read() -> Document:
    """Return the document as clients read it; each caller may spoil its own."""
    document: Document = json.loads(asyncapi_json())
    return document


def complaints(document: Document) -> list[str]:
    """Return what AsyncAPI's schema has against a document."""
    return [
        f"{'/'.join(map(str, found.instance_path))}: {found.message[:200]}"
        for found in _official().iter_errors(document)
    ]


@cache
def _official() -> Draft7Validator:
    schema = SPECS / "3.0.0-without-$id.json"
    assert schema.exists(), "it is not installed: run .ci/set-up --tests"
    return Draft7Validator(json.loads(schema.read_text()))


@cache
def _judges() -> dict[str, Draft7Validator]:
    components = read()["components"]
    return {
        type: Draft7Validator(
            {
                "$ref": f"#/components/messages/{type}/payload",
                "components": components,
            },
            validate_formats=True,
        )
        for type in components["messages"]
    }


def misfits(event: Document) -> list[str]:
    """Return how a CloudEvent differs from what the document says of its type.

    What was in it is not repeated: only where, and what kind of thing is wrong.
    """
    judge = _judges().get(event.get("type", ""))
    if judge is None:
        return [f"the document knows no type {event.get('type')!r}"]
    return [
        f"{event['type']} {event.get('id')}: {type(found.kind).__name__} at "
        f"/{'/'.join(map(str, found.instance_path))}"
        for found in judge.iter_errors(event)
    ]


def misfits_of(body: bytes) -> list[str]:
    """As `misfits`, for the bytes of an event."""
    return misfits(json.loads(body))
