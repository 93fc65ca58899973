"""Messages under way: many at a time, those of one aggregate one after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import nullcontext


class Lines:
    """`at_once`: how many are worked on; the others wait for their turn."""

    def __init__(self, tasks: asyncio.TaskGroup, *, at_once: int) -> None:
        self._tasks = tasks
        self._working = asyncio.Semaphore(at_once)
        self._last: dict[Hashable, asyncio.Task[None]] = {}
        self.under_way: set[asyncio.Task[None]] = set()

    def take(
        self,
        work: Callable[[], Awaitable[None]],
        line: Hashable | None,
        left: Callable[[], None],
        room: asyncio.Semaphore | None = None,
    ) -> None:
        """Work on it when those before it in its `line` are done and, where its kind
        has a `room` of its own, there is a place in that; then call `left`.
        """
        before = self._last.get(line) if line is not None else None
        task = self._tasks.create_task(self._after(before, room, work))
        self.under_way.add(task)
        if line is not None:
            self._last[line] = task

        def done(task: asyncio.Task[None]) -> None:
            self.under_way.discard(task)
            if self._last.get(line) is task:
                del self._last[line]
            left()

        task.add_done_callback(done)

    async def _after(
        self,
        before: asyncio.Task[None] | None,
        room: asyncio.Semaphore | None,
        work: Callable[[], Awaitable[None]],
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        async with room or nullcontext(), self._working:
            await work()
