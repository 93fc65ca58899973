import asyncio
import os
import subprocess
from pathlib import Path

import nats

from scheduling.adapters.embedded.nats import EmbeddedNats
from scheduling.adapters.embedded.program import running


async def publish_one(url: str) -> None:
    connection = await nats.connect(url)
    try:
        await connection.jsm().add_stream(name="KEPT", subjects=["kept"])
        await connection.jetstream().publish("kept", b"message")
    finally:
        await connection.close()


async def count(url: str) -> int:
    connection = await nats.connect(url)
    try:
        return (await connection.jsm().stream_info("KEPT")).state.messages
    finally:
        await connection.close()


async def test_messages_are_still_there_after_a_restart_on_another_port(
    tmp_path: Path,
) -> None:
    first = EmbeddedNats.on_free_port(tmp_path)
    async with running(first.program()):
        await publish_one(first.url)
    second = EmbeddedNats.on_free_port(tmp_path)
    async with running(second.program()):
        assert await count(second.url) == 1


async def test_an_acknowledged_message_survives_kill_9(tmp_path: Path) -> None:
    server = EmbeddedNats.on_free_port(tmp_path)
    async with running(server.program()) as killed:
        await publish_one(server.url)
        killed.kill()
        await killed.wait()
    async with running(server.program()):
        assert await count(server.url) == 1


async def test_a_server_that_outlived_its_supervisor_is_stopped_first(
    tmp_path: Path,
) -> None:
    first = EmbeddedNats.on_free_port(tmp_path)
    program = first.program()
    program.prepare()
    with subprocess.Popen(  # noqa: ASYNC220, S603  # an orphan: nobody stops it
        program.command, stderr=subprocess.DEVNULL
    ) as orphan:
        while not await program.is_ready():  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)
        await publish_one(first.url)
        second = EmbeddedNats.on_free_port(tmp_path)
        await asyncio.to_thread(second.program().prepare)
        orphan.wait(10)
        async with running(second.program()):
            assert await count(second.url) == 1


async def test_a_process_number_used_again_is_left_alone(tmp_path: Path) -> None:
    server = EmbeddedNats.on_free_port(tmp_path)
    program = server.program()
    (tmp_path / "nats" / "nats.pid").write_text(str(os.getpid()))
    async with running(program) as started:
        assert started.pid != os.getpid()


async def test_it_listens_on_this_machine_only_and_syncs_always(
    tmp_path: Path,
) -> None:
    server = EmbeddedNats.on_free_port(tmp_path)
    server.program().prepare()
    written = (tmp_path / "nats" / "nats.conf").read_text()
    assert f"listen: 127.0.0.1:{server.port}" in written
    assert "sync_interval: always" in written
