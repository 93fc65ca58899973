import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class Flights(Generic[Key, Found]):
    """Whoever asks what is being asked already waits for the same answer.

    Who stops waiting does not stop it for the others.
    """

    def __init__(self) -> None:
        self._under_way: dict[Key, asyncio.Task[Found]] = {}

    async def join(
        self, key: Key, ask: Callable[[], Coroutine[Any, Any, Found]]
    ) -> Found:
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(ask())
            task.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(task)

    def _landed(self, key: Key, task: asyncio.Task[Found]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # nobody may be left who waits for it

    async def stop(self) -> None:
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
