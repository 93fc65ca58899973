import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scheduling.adapters.embedded.program import Program, ServerFailed
from scheduling.entrypoints.supervisor import Stage, Supervisor


class Told:
    """What a person at the terminal would read."""

    def __init__(self) -> None:
        self.words: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, words: str) -> None:
        self.words.put_nowait(words)

    async def until(self, part: str) -> str:
        while True:
            words = await asyncio.wait_for(self.words.get(), 10)
            if part in words:
                return words


@contextlib.asynccontextmanager
async def supervising(told: Told, *, echo: float = 0.5) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(told, echo=echo)
    try:
        yield supervisor
    finally:
        await supervisor.stop()


def shell(name: str, script: str, file: Path, *, lines: int = 1) -> Program:
    """Run a script with `$1` = file; ready once the file has so many lines."""

    async def is_ready() -> bool:
        return _lines(file) >= lines

    return Program(
        name=name,
        command=("/bin/sh", "-c", script, "sh", str(file)),
        is_ready=is_ready,
        patience=10,
    )


STAYS = """
trap 'echo "{name} stopped" >> "$1"; exit 0' TERM
echo "{name} started" >> "$1"
while true; do sleep 0.05; done
"""


async def test_what_dies_is_started_again(tmp_path: Path) -> None:
    told = Told()
    file = tmp_path / "starts"
    script = 'echo $$ >> "$1"; exec sleep 60'
    async with supervising(told) as supervisor:
        await supervisor.keep(shell("sleeper", script, file), Stage.WORK)
        first = file.read_text().split()
        await (await asyncio.create_subprocess_exec("kill", "-9", *first)).wait()
        words = await told.until("sleeper ended with -9")
        assert "starting it again" in words
        again = shell("sleeper", "", file, lines=2)
        while not await again.is_ready():  # noqa: ASYNC110  # another process writes
            await asyncio.sleep(0.01)


async def test_what_never_gets_ready_is_given_up_with_its_words(
    tmp_path: Path,
) -> None:
    told = Told()
    log = tmp_path / "log"
    log.touch()
    program = Program(
        name="broken",
        command=("/bin/sh", "-c", "echo the disk is full; exit 3"),
        log=log,
        is_ready=_never,
    )
    async with supervising(told) as supervisor:
        with pytest.raises(ServerFailed, match=r"(?s)ended with 3.*the disk is full"):
            await supervisor.keep(program, Stage.WORK)


async def test_stopping_begins_with_what_stands_on_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "order"
    async with supervising(Told()) as supervisor:
        for number, stage in enumerate(Stage, 1):
            program = shell(
                stage.name, STAYS.format(name=stage.name), file, lines=number
            )
            await supervisor.keep(program, stage)
        supervisor.ask_to_stop()
    stopped = [line for line in file.read_text().splitlines() if "stopped" in line]
    assert stopped == [f"{stage.name} stopped" for stage in sorted(Stage, reverse=True)]


async def test_one_ctrl_c_that_arrives_twice_stops_nothing_by_force(
    tmp_path: Path,
) -> None:
    file = tmp_path / "order"
    async with supervising(Told(), echo=60) as supervisor:
        await supervisor.keep(shell("it", STAYS.format(name="it"), file), Stage.WORK)
        supervisor.ask_to_stop()
        supervisor.ask_to_stop()
    assert "it stopped" in file.read_text()


async def test_a_second_signal_stops_at_once_what_does_not_listen(
    tmp_path: Path,
) -> None:
    deaf = "trap '' TERM; echo up >> \"$1\"; while true; do sleep 0.05; done"
    told = Told()
    async with supervising(told, echo=0) as supervisor:
        await supervisor.keep(shell("deaf", deaf, tmp_path / "up"), Stage.WORK)
        supervisor.ask_to_stop()
        stopping = asyncio.create_task(supervisor.stop())
        await asyncio.sleep(0)
        supervisor.ask_to_stop()
        await asyncio.wait_for(stopping, 5)
        await told.until("stopping at once")


async def test_what_is_still_starting_is_stopped_too(tmp_path: Path) -> None:
    file = tmp_path / "order"
    program = shell("slow", STAYS.format(name="slow"), file, lines=99)
    async with supervising(Told()) as supervisor:
        waiting = asyncio.create_task(supervisor.keep(program, Stage.WORK))
        while not file.exists():  # noqa: ASYNC110  # another process writes it
            await asyncio.sleep(0.01)
        await supervisor.stop()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert "slow stopped" in file.read_text()


async def test_a_task_that_fails_is_told_by_name() -> None:
    program = Program(name="prepare", command=(sys.executable, "-c", "exit(7)"))
    async with supervising(Told()) as supervisor:
        with pytest.raises(ServerFailed, match="prepare failed with 7"):
            await supervisor.run(program, Stage.WORK)


def _lines(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.exists() else 0


async def _never() -> bool:
    return False
