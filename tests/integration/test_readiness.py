"""When the API takes requests: by where the schema stands."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from scheduling.adapters.postgres.revisions import newest_revision
from scheduling.entrypoints.http.operations import Readiness
from scheduling.entrypoints.settings import Settings
from scheduling.entrypoints.telemetry import open_metrics
from scheduling.entrypoints.wiring.api import open_api


@pytest.fixture
async def ready(database_url: str, tmp_path: Path) -> AsyncIterator[Readiness]:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": []}))
    settings = Settings(
        database_url=SecretStr(database_url),
        jwks_file=keys,
        issuer="https://issuer.example",
    )
    async with open_api(settings, open_metrics()) as wired:
        yield wired["readiness"]


@pytest.mark.parametrize(
    ("standing", "is_ready"),
    [(newest_revision(), True), ("9999", True), ("0001", False), (None, False)],
)
async def test_a_newer_schema_is_good_enough_and_an_older_one_is_not(
    ready: Readiness, database_url: str, standing: str | None, *, is_ready: bool
) -> None:
    operator = await asyncpg.connect(database_url)
    if standing is None:
        await operator.execute("DELETE FROM alembic_version")
    else:
        await operator.execute("UPDATE alembic_version SET version_num = $1", standing)
    await operator.close()
    missing = await ready()
    assert (missing is None) is is_ready
