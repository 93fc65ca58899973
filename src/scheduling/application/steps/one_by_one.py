"""Do a thing to many, so that one to which it cannot be done keeps no other from it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from scheduling.application.ports.unavailable import Unavailable
from scheduling.application.ports.unit_of_work import StorageError

Id = TypeVar("Id", bound=UUID)


class SomeLeft(Exception):
    """To some of them it could not be done; to the others it was.

    `done` counts those, `failures` has why by id.
    """

    def __init__(self, done: int, failures: Mapping[UUID, Exception]) -> None:
        super().__init__(f"{len(failures)} left")
        self.done = done
        self.failures = failures


async def together_or_one_by_one(
    ids: Sequence[Id], do: Callable[[Sequence[Id]], Awaitable[int]]
) -> int:
    """Do it to all in one transaction; where that fails, to each in one of its own.

    Return to how many it was done. Raise SomeLeft, or Unavailable at once.
    """
    if not ids:
        return 0
    try:
        return await do(ids)
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001  # whose fault it is comes out one by one
        return await one_by_one(ids, lambda one: do([one]))


async def one_by_one(ids: Sequence[Id], do: Callable[[Id], Awaitable[int]]) -> int:
    """As `together_or_one_by_one`. A race that is lost is looked at once more, since
    whoever won it may have done it; who loses twice is left.
    """
    done, failures = 0, dict[UUID, Exception]()
    for id in ids:
        try:
            done += await _twice(id, do)
        except Unavailable:
            raise
        except Exception as failure:  # noqa: BLE001  # told, after the others
            failures[id] = failure
    if failures:
        raise SomeLeft(done, failures)
    return done


async def _twice(id: Id, do: Callable[[Id], Awaitable[int]]) -> int:
    try:
        return await do(id)
    except StorageError:
        return await do(id)
