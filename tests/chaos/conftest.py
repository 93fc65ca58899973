"""Servers lent to short experiments: a database of their own, the worker's broker."""

import shutil
import tempfile
from collections.abc import Iterator
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
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="scheduling-chaos-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
