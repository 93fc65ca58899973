from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from tests.builders import open_clinic, slots_from
from tests.contracts.inbound import Hearing, Inbound, inbox_beside
from tests.contracts.reception import Open, Reception
from tests.contracts.storages import PostgresStorage, Storage, postgres_storage
from tests.fakes.storage import MemoryStorage
from tests.generating import OpenPost, a_post
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


@pytest.fixture
def reception(everywhere: Storage) -> Open:
    async def opened(**told: Any) -> Reception:  # noqa: ANN401
        count, patients = told.pop("slots", 4), told.pop("patients", 4)
        clinic = await open_clinic(
            everywhere.begin,
            *slots_from("09:00", count=count),
            patients=patients,
            **told,
        )
        return Reception(everywhere, clinic)

    return opened


@pytest.fixture
def hearing(reception: Open, shared_database_url: str) -> Hearing:
    @asynccontextmanager
    async def opened(**told: Any) -> AsyncIterator[Inbound]:  # noqa: ANN401
        desk = await reception(**told)
        async with inbox_beside(desk, shared_database_url) as inbound:
            yield inbound

    return opened


@pytest.fixture
def post(everywhere: Storage) -> OpenPost:
    return partial(a_post, everywhere)
