import json
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from scheduling.entrypoints.http.app import Wired, create_app

Document = dict[str, Any]


def unwired() -> AbstractAsyncContextManager[Wired]:
    raise NotImplementedError("nothing is served here")


@pytest.fixture(scope="session")
def written() -> str:
    return json.dumps(create_app(unwired).openapi())


@pytest.fixture
def document(written: str) -> Document:
    """The document as clients read it; each test may spoil its own."""
    read: Document = json.loads(written)
    return read
