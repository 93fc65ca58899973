"""The servers that all other tests stand on."""

import asyncpg
import nats
import pytest


@pytest.mark.parametrize("_round", range(3))
async def test_each_test_has_a_migrated_database_of_its_own(
    database_url: str, _round: int
) -> None:
    connection = await asyncpg.connect(
        database_url, server_settings={"role": "scheduling_owner"}
    )
    try:
        assert await connection.fetchval("SELECT count(*) FROM practitioners") == 0
    finally:
        await connection.close()


@pytest.mark.parametrize("_round", range(3))
async def test_each_test_finds_a_jetstream_without_streams(
    nats_url: str, _round: int
) -> None:
    connection = await nats.connect(nats_url)
    try:
        manager = connection.jsm()
        assert await manager.streams_info() == []
        # Each by another name: the server takes a stream's files away in its own time.
        await manager.add_stream(name=f"LEFTOVER_{_round}", subjects=["leftover.>"])
    finally:
        await connection.close()
