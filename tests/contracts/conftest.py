from collections.abc import AsyncIterator

import pytest

from tests.contracts.storages import Storage, postgres_storage
from tests.fakes.storage import MemoryStorage


@pytest.fixture(params=["memory", "postgres"])
async def everywhere(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Storage of each kind, empty."""
    if request.param == "memory":
        yield MemoryStorage()
        return
    async with postgres_storage(request.getfixturevalue("database_url")) as storage:
        yield storage
