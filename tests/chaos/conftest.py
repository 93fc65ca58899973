"""Servers lent to short experiments: a database of their own, the worker's broker."""

from pathlib import Path

import pytest

from tests.chaos.servers import Servers
from tests.servers import Databases


@pytest.fixture
def servers(
    postgres: tuple[Databases, str], database_url: str, nats_url: str
) -> Servers:
    databases, _ = postgres
    return Servers(database_url, databases.as_superuser(database_url), nats_url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stage"
