from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contracts.storages import PostgresStorage, Storage, postgres_storage
from tests.fakes.storage import MemoryStorage
from tests.servers import Databases


@pytest.fixture(scope="session")
def shared_database_url(postgres: tuple[Databases, str]) -> Iterator[str]:
    """One database for many tests: each works in a tenant of its own."""
    databases, template = postgres
    with databases.fresh(template) as url:
        yield url


@pytest.fixture
async def on_postgres(shared_database_url: str) -> AsyncIterator[PostgresStorage]:
    async with postgres_storage(shared_database_url, size=16) as storage:
        yield storage


@pytest.fixture(params=["memory", "postgres"])
async def everywhere(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Storage of each kind; no tenant that a test makes up is in it yet."""
    if request.param == "memory":
        yield MemoryStorage()
        return
    url = request.getfixturevalue("shared_database_url")
    async with postgres_storage(url, size=3) as storage:
        yield storage
