"""A job in parts goes on behind what could not be done, however much there is of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from scheduling.application.ports.identity import Caller
from scheduling.application.steps.one_by_one import one_by_one
from scheduling.entrypoints.cron.running import SomeFailed
from scheduling.entrypoints.cron.works import until_nothing_is_left
from tests.builders import a_caller

AT_ONCE = 3


@dataclass
class Heap:
    """Things to do, the first first; the bad ones stay."""

    things: Sequence[UUID]
    bad: frozenset[UUID] = frozenset()
    tries: list[UUID] = field(default_factory=list)

    async def __call__(self, _caller: Caller, /, *, beyond: int) -> int:
        return await one_by_one(self.things[: AT_ONCE + beyond], self._do)

    async def _do(self, one: UUID) -> int:
        self.tries.append(one)
        if one in self.bad:
            raise ZeroDivisionError
        self.things = [other for other in self.things if other != one]
        return 1


async def done_of(heap: Heap) -> int:
    done = 0
    async for part in until_nothing_is_left(heap)(a_caller()):
        done += part
    return done


@pytest.mark.parametrize("count", [0, 2, 3, 7])
async def test_all_is_done(count: int) -> None:
    heap = Heap([uuid4() for _ in range(count)])
    assert await done_of(heap) == count
    assert len(heap.tries) == count


@pytest.mark.parametrize("bad", [1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE])
async def test_what_cannot_be_done_is_gone_round_and_told(bad: int) -> None:
    things = [uuid4() for _ in range(bad + 4)]
    heap = Heap(things, frozenset(things[:bad]))
    with pytest.raises(SomeFailed, match=rf"^{bad} of {bad + 4}: ZeroDivisionError$"):
        await done_of(heap)
    assert heap.things == things[:bad]


async def test_where_nothing_can_be_done_it_ends() -> None:
    things = [uuid4() for _ in range(AT_ONCE)]
    heap = Heap(things, frozenset(things))
    with pytest.raises(SomeFailed):
        await done_of(heap)
    assert len(heap.tries) == 2 * AT_ONCE
