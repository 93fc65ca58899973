"""The document passes a linter, and what is wrong with another is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.openapi.conftest import Document
from tests.openapi.linter import complaints


def test_the_linter_has_nothing_against_the_document(
    document: Document, tmp_path: Path
) -> None:
    assert complaints(document, tmp_path) == ""


def _without_operation_id(document: Document) -> None:
    del document["paths"]["/v1/slots"]["post"]["operationId"]


def _with_a_wrong_example(document: Document) -> None:
    answer = document["paths"]["/v1/slots/{id}"]["get"]["responses"]["200"]
    answer["content"]["application/json"]["example"]["capacity"] = "one"


def _with_an_undescribed_tag(document: Document) -> None:
    document["paths"]["/v1/slots"]["post"]["tags"] = ["unheard-of"]


def _open_to_everybody(document: Document) -> None:
    del document["paths"]["/v1/slots"]["post"]["security"]


def _with_refusals_in_plain_json(document: Document) -> None:
    answer = document["paths"]["/v1/slots"]["post"]["responses"]["404"]
    answer["content"]["application/json"] = answer["content"].pop(
        "application/problem+json"
    )


def _with_a_shape_that_is_nowhere(document: Document) -> None:
    del document["components"]["schemas"]["SlotView"]


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (_without_operation_id, "operation-operationId"),
        (_with_a_wrong_example, "no-invalid-media-type-examples"),
        (_with_an_undescribed_tag, "operation-tag-defined"),
        (_open_to_everybody, "security-defined"),
        (_with_refusals_in_plain_json, "operation-4xx-problem-details-rfc7807"),
        (_with_a_shape_that_is_nowhere, "no-unresolved-refs"),
    ],
)
def test_the_linter_finds_what_is_wrong(
    document: Document,
    tmp_path: Path,
    spoil: Callable[[Document], None],
    rule: str,
) -> None:
    spoil(document)
    found = complaints(document, tmp_path)
    assert rule in {line.partition(" ")[0] for line in found.splitlines()}, found
