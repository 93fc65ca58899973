"""Search counts local days where the slots are: in PostgreSQL, by its own zones."""

from zoneinfo import available_timezones

import asyncpg

NO_ZONES = {"localtime", "Factory"}


async def test_every_zone_that_we_take_is_known_to_postgresql(
    database_url: str,
) -> None:
    """One that it does not know would be an error in the middle of a search."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT name FROM pg_timezone_names")
    finally:
        await connection.close()
    assert available_timezones() - NO_ZONES - {row["name"] for row in rows} == set()
