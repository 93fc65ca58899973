"""Keeps programs running, and stops them in the right order.

What dies is started again, after a pause that grows while it keeps dying. A program
that was never ready is given up after a few attempts: then something is wrong that a
person must mend, and `keep` raises what the program said.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from scheduling.adapters.embedded.program import (
    Program,
    Running,
    ServerFailed,
    start,
)

ATTEMPTS = 4
"""Starts of a program that was never ready yet."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
STEADY = 10.0
"""Seconds after which a program's next death counts as the first again."""

ECHO = 0.5
"""Seconds. One Ctrl-C may arrive several times: from the terminal, from a wrapper."""


class Stage(IntEnum):
    """What stands on what; stopping begins at the top."""

    STORE = 0
    BROKER = 1
    WORK = 2
    FRONT = 3


@dataclass(eq=False)
class _Kept:
    program: Program
    stage: Stage
    ready: asyncio.Future[None]
    running: Running | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Supervisor:
    """Starts, watches, restarts and stops programs on the running event loop.

    `say` is told what a person at the terminal should know. A signal within `echo`
    seconds of the first is the same one.
    """

    def __init__(self, say: Callable[[str], None], *, echo: float = ECHO) -> None:
        self._say = say
        self._echo = echo
        self._kept: list[_Kept] = []
        self._stopping = asyncio.Event()
        self._asked_at: float | None = None

    async def keep(self, program: Program, stage: Stage) -> None:
        """Start and keep running; return when ready the first time.

        Raises ServerFailed when it never gets ready, CancelledError when `stop` comes
        first.
        """
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kept = _Kept(program, stage, ready)
        self._kept.append(kept)
        kept.task = asyncio.create_task(self._keep(kept), name=program.name)
        await ready

    async def run(self, program: Program, stage: Stage) -> None:
        """Run to its end. Raises ServerFailed if it fails."""
        kept = _Kept(program, stage, asyncio.get_running_loop().create_future())
        self._kept.append(kept)
        kept.running = await start(program)
        code = await kept.running.wait()
        if self._stopping.is_set():
            raise asyncio.CancelledError
        if code != 0:
            raise ServerFailed(f"{program.name} failed with {code}")

    def ask_to_stop(self) -> None:
        """Handle a signal: the first asks, a later one asks for haste."""
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            self._stopping.set()
        elif now - self._asked_at > self._echo:
            self._say("stopping at once")
            for kept in self._kept:
                if kept.running is not None:
                    kept.running.stop_at_once()

    async def asked_to_stop(self) -> None:
        await self._stopping.wait()

    async def stop(self) -> None:
        """Stop all, the top stage first; within a stage together."""
        self._stopping.set()
        for stage in sorted(Stage, reverse=True):
            await asyncio.gather(
                *(self._stop(kept) for kept in self._kept if kept.stage is stage)
            )

    async def _stop(self, kept: _Kept) -> None:
        if kept.running is not None:
            await kept.running.stop()
        if kept.task is not None:
            await kept.task

    async def _keep(self, kept: _Kept) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                words = await self._live(kept)
            except (ServerFailed, OSError) as error:
                words = str(error)
            if self._stopping.is_set():
                break
            failures = 1 if time.monotonic() - began > STEADY else failures + 1
            if not kept.ready.done() and failures >= ATTEMPTS:
                kept.ready.set_exception(ServerFailed(words))
                return
            pause = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
            self._say(f"{words}; starting it again in {pause:.1f} s")
            await self._pause(pause)
        kept.ready.cancel()

    async def _live(self, kept: _Kept) -> str:
        """Run it once, to its end. Returns what happened."""
        kept.running = await start(kept.program)
        try:
            if not self._stopping.is_set():
                await kept.running.ready()
                if not kept.ready.done():
                    kept.ready.set_result(None)
                return f"{kept.program.name} ended with {await kept.running.wait()}"
        finally:
            await kept.running.stop()
        return ""

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
