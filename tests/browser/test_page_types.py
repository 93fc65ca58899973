"""What the calendar knows of the API is what the API says of itself."""

from tests.browser.page_types import TYPES, generated


def test_the_pages_types_are_those_of_the_openapi_document() -> None:
    assert TYPES.read_text() == generated(), "run: python -m tests.browser.page_types"
