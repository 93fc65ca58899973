"""One program to run: how it starts, when it is ready, how it is asked to stop.

The embedded servers and the product's own processes are all described this way, so
that one supervisor can keep them.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scheduling.adapters.embedded import tether
from scheduling.adapters.embedded.folders import Unprivileged

TETHERS = sys.platform == "linux"


class ServerFailed(RuntimeError):
    """A server did not start or did not stop; the words tell a person what to do."""


async def ready_at_once() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Program:
    """`stop` is sent first, `stop_now` after `patience` seconds, SIGKILL at the end."""

    name: str
    command: tuple[str, ...]
    """The executable by its full path, and its arguments."""
    environment: Mapping[str, str] | None = None
    user: Unprivileged | None = None
    folder: Path | None = None
    log: Path | None = None
    """Where its output goes; without one, to our stderr."""
    descriptors: tuple[int, ...] = ()
    prepare: Callable[[], None] = field(default=lambda: None)
    """Blocking work before each start: first-time set-up, stopping what is stale."""
    is_ready: Callable[[], Awaitable[bool]] = ready_at_once
    ready_within: float = 60.0
    stop: signal.Signals = signal.SIGTERM
    stop_now: signal.Signals = signal.SIGKILL
    patience: float = 15.0


@dataclass(frozen=True)
class Running:
    """A started program. `stop` may be called again, also after it has died."""

    program: Program
    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        return self.process.pid

    async def wait(self) -> int:
        return await self.process.wait()

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def stop_at_once(self) -> None:
        """Hurry a `stop()` that is under way."""
        self._send(self.program.stop_now)

    async def stop(self) -> int:
        """Ask, insist, force. Returns the exit code (negative: the signal)."""
        for request in (self.program.stop, self.program.stop_now):
            self._send(request)
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(
                    self.process.wait(), self.program.patience
                )
        self.kill()
        return await self.process.wait()

    async def ready(self) -> None:
        """Return once it answers; raise ServerFailed if it dies or takes too long."""
        died = asyncio.ensure_future(self.process.wait())
        answers = asyncio.ensure_future(_until(self.program.is_ready))
        try:
            await asyncio.wait(
                {died, answers},
                timeout=self.program.ready_within,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if answers.done():
                answers.result()
                return
            ended = f"ended with {died.result()}" if died.done() else "does not answer"
            raise ServerFailed(f"{self.program.name} {ended}{_last_words(self)}")
        finally:
            for task in (died, answers):
                task.cancel()
            await asyncio.gather(died, answers, return_exceptions=True)

    def _send(self, request: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(request)


async def start(program: Program) -> Running:
    """Prepare and start; the caller awaits `ready()` and, in the end, `stop()`."""
    await asyncio.to_thread(program.prepare)
    output: Any = sys.stderr.fileno()
    if program.log is not None:
        output = program.log.open("ab")
    try:
        process = await asyncio.create_subprocess_exec(
            *_tethered(program),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=program.folder,
            env=program.environment,
            pass_fds=program.descriptors,
            # Ctrl-C in a terminal goes to a whole group: it must reach only us, who
            # stop the others in the right order.
            start_new_session=True,
            **({} if TETHERS else as_user(program.user)),
        )
    finally:
        if program.log is not None:
            output.close()
    return Running(program, process)


@contextlib.asynccontextmanager
async def running(program: Program) -> AsyncIterator[Running]:
    """Run a program, ready to be used, for the length of a `with` block."""
    started = await start(program)
    try:
        await started.ready()
        yield started
    finally:
        await started.stop()


def as_user(user: Unprivileged | None) -> dict[str, Any]:
    """Give `subprocess` arguments: they drop root for good, extra groups too."""
    if user is None:
        return {}
    return {"user": user.uid, "group": user.gid, "extra_groups": []}


def _tethered(program: Program) -> tuple[str, ...]:
    """Have the kernel stop the program if we are killed.

    Elsewhere than on Linux the next start finds the orphan by its pid file.
    """
    if not TETHERS:
        return program.command
    user = program.user
    return (
        *(sys.executable, "-I", "-S", tether.__file__),
        *(str(int(program.stop)), str(os.getpid())),
        "" if user is None else f"{user.uid}:{user.gid}",
        *program.command,
    )


async def _until(is_ready: Callable[[], Awaitable[bool]]) -> None:
    while not await is_ready():  # noqa: ASYNC110  # another process has no Event
        await asyncio.sleep(0.02)


def _last_words(running: Running) -> str:
    log = running.program.log
    if log is None or not log.exists():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-12:]
    return "\n".join([f"; the end of {log}:", *lines])
