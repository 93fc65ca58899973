"""Every operation shows what it takes and what it answers, and what is shown is right.

Written for all routes, those to come too: a new one that shows nothing fails here.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from scheduling.entrypoints.http.examples import MISSING
from tests.openapi.conftest import Document

JSON, PROBLEM = "application/json", "application/problem+json"
Node = dict[str, Any]


def operations(document: Document) -> Iterator[tuple[str, Node]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def shown(content: Node, document: Document) -> list[Any]:
    """Return the examples of a body or an answer: beside its schema, or in it."""
    if "example" in content:
        return [content["example"]]
    if "examples" in content:
        return [one["value"] for one in content["examples"].values()]
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found: list[Any] = schema.get("examples", [])
    return found


def wrong(content: Node, document: Document) -> list[str]:
    """Return what is wrong with the examples; having none is."""
    examples = shown(content, document)
    if not examples:
        return ["has no example"]
    validator = Draft202012Validator(
        {**content["schema"], "components": document["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    return [
        f"{list(error.absolute_path)}: {error.message}"
        for example in examples
        for error in validator.iter_errors(example)
    ]


def test_every_body_that_is_taken_is_shown(document: Document) -> None:
    bodies = {
        where: operation["requestBody"]["content"][JSON]
        for where, operation in operations(document)
        if "requestBody" in operation
    }
    assert len(bodies) >= 9
    found = {where: wrong(body, document) for where, body in bodies.items()}
    assert {where: what for where, what in found.items() if what} == {}


def test_every_success_is_shown(document: Document) -> None:
    found = {}
    for where, operation in operations(document):
        successes = {s: r for s, r in operation["responses"].items() if s < "300"}
        assert successes, where
        for status, response in successes.items():
            if status == "204":
                assert "content" not in response, where
                continue
            assert response["content"], where
            for content in response["content"].values():
                found[f"{where} {status}"] = wrong(content, document)
    assert {where: what for where, what in found.items() if what} == {}


def test_every_refusal_is_shown_by_each_of_its_codes(document: Document) -> None:
    for where, operation in operations(document):
        for status, response in operation["responses"].items():
            if status < "400":
                continue
            content = response["content"][PROBLEM]
            assert wrong(content, document) == [], where
            codes = content["schema"]["allOf"][1]["properties"]["code"]["enum"]
            assert {one["code"] for one in shown(content, document)} == set(codes)
            assert {str(one["status"]) for one in shown(content, document)} == {status}


def test_every_parameter_is_shown_and_described(document: Document) -> None:
    for where, operation in operations(document):
        for parameter in operation.get("parameters", []):
            told = f"{parameter['name']} of {where}"
            assert parameter["description"], told
            assert wrong(parameter, document) == [], told


def test_no_text_is_without_an_example_of_its_own(document: Document) -> None:
    """Say one in `_TEXTS` of http/examples.py, or with the field."""
    missing = [
        f"{where} {status}: {name}"
        for where, operation in operations(document)
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        for name in _missing(content.get("example"), "")
    ]
    parameters = [
        f"{where}: {parameter['name']}"
        for where, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if parameter["example"] == MISSING
    ]
    assert missing + parameters == []


def _missing(value: object, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for field, one in value.items():
            yield from _missing(one, field)
    elif isinstance(value, list):
        for one in value:
            yield from _missing(one, name)
    elif value == MISSING:
        yield name


def test_every_answer_says_what_can_be_done_with_it(document: Document) -> None:
    """Links lead to operations that are there, by parameters that they take."""
    takes = {
        operation["operationId"]: {
            f"{p['in']}.{p['name']}" for p in operation.get("parameters", [])
        }
        for _, operation in operations(document)
    }
    linked = 0
    for where, operation in operations(document):
        for response in operation["responses"].values():
            for link in response.get("links", {}).values():
                linked += 1
                assert set(link["parameters"]) <= takes[link["operationId"]], where
    assert linked > 20
    booked = document["paths"]["/v1/appointments"]["post"]["responses"]["201"]
    assert booked["links"]["cancelAppointment"]["parameters"] == {
        "path.id": "$response.body#/id",
        "header.If-Match": "$response.header.ETag",
    }


def test_limits_of_numbers_are_told(document: Document) -> None:
    shapes = document["components"]["schemas"]
    assert shapes["SettingsBody"]["properties"]["bufferMinutes"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 240,
        "default": 0,
    }


@pytest.mark.parametrize(
    "content",
    [
        {"schema": {"type": "string"}},
        {"schema": {"type": "string"}, "example": 1},
        {"schema": {"type": "string", "format": "uuid"}, "example": "no"},
    ],
)
def test_what_is_not_shown_or_shown_wrongly_would_be_seen(
    content: Node, document: Document
) -> None:
    assert wrong(content, document) != []
