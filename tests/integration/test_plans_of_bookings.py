"""What is read for a booking is found by an index, also under row level security."""

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from scheduling.adapters.postgres.appointment_statements import (
    reading_for_booking,
    reading_for_bookings,
)
from scheduling.adapters.postgres.statements import Statement


@pytest.fixture
async def connection(
    database_url: str,
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Of the API's role, where no table is so small that it is best read whole."""
    connection = await asyncpg.connect(
        database_url,
        server_settings={
            "role": "scheduling_api",
            "app.tenant_id": str(uuid4()),
            "enable_seqscan": "off",
            "enable_bitmapscan": "off",
            "plan_cache_mode": "force_generic_plan",
        },
    )
    yield connection
    await connection.close()


@pytest.mark.parametrize("statement", [reading_for_booking(), reading_for_bookings()])
async def test_claims_are_bounded_on_both_sides_by_their_index(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: Statement
) -> None:
    """A practitioner has years of claims, before the time that is asked for and after.

    PostgreSQL keeps a condition out of an index where it does not hold all of it for
    leakproof: COALESCE is enough.
    """
    await connection.execute(f"PREPARE asked AS {statement.sql}")
    values = ", ".join(["NULL"] * len(statement.names))
    found = await connection.fetch(f"EXPLAIN EXECUTE asked({values})")
    plan = "\n".join(row[0] for row in found)
    bounds = re.findall(r"Index Scan using pk_claims.*\n\s+Index Cond: (.*)", plan)
    assert len(bounds) == 2, plan
    for condition in bounds:
        assert "starts_at > " in condition, plan
        assert "starts_at < " in condition, plan
