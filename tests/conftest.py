"""Servers, databases and streams for tests; see `servers.py` for where they come from.

Asking for `database_url` or `nats_url` is all that a test does. The servers start when
the first test asks.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asyncapi.document import misfits_of
from tests.servers import (
    Background,
    Databases,
    Streams,
    nats_server,
    postgres_server,
)


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One folder for all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def postgres(
    shared_folder: Path, background: Background
) -> Iterator[tuple[Databases, str]]:
    with postgres_server(shared_folder / "postgres", background) as (url, template):
        databases = Databases(url, background, misfits_of)
        yield databases, template
        databases.close()


@pytest.fixture
def database_url(postgres: tuple[Databases, str]) -> Iterator[str]:
    """A migrated, empty database of its own, as the service's login."""
    databases, template = postgres
    with databases.fresh(template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres: tuple[Databases, str]) -> Iterator[str]:
    """A database of its own before the first migration."""
    databases, _ = postgres
    with databases.fresh("template0") as url:
        yield url


@pytest.fixture
def other_empty_database_url(postgres: tuple[Databases, str]) -> Iterator[str]:
    databases, _ = postgres
    with databases.fresh("template0") as url:
        yield url


@pytest.fixture(scope="session")
def streams(
    tmp_path_factory: pytest.TempPathFactory, background: Background
) -> Iterator[Streams]:
    """This worker's NATS server."""
    with nats_server(tmp_path_factory.getbasetemp() / "nats") as url:
        streams = Streams(url, background)
        yield streams
        streams.close()


@pytest.fixture
def nats_url(streams: Streams) -> str:
    """This worker's NATS server without any stream."""
    streams.clear()
    return streams.url
