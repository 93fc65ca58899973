"""What cannot be done to one is done to all others, and told."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.ports.unit_of_work import (
    DecisionOutdated,
    TransactionAborted,
)
from scheduling.application.steps.one_by_one import (
    SomeLeft,
    one_by_one,
    together_or_one_by_one,
)
from scheduling.domain.errors import OptimisticLockConflict

IDS = [uuid4() for _ in range(4)]
BAD = IDS[1]
OUTDATED = DecisionOutdated(OptimisticLockConflict("It has changed."))


class Deed:
    """Does it to all of a piece or to none, with these faults in its way."""

    def __init__(self, **faults: Sequence[Exception]) -> None:
        self.faults = {UUID(id): [*those] for id, those in faults.items()}
        self.done: Counter[UUID] = Counter()
        self.pieces: list[int] = []

    async def to_all(self, ids: Sequence[UUID]) -> int:
        self.pieces.append(len(ids))
        for id in ids:
            if faults := self.faults.get(id):
                raise faults.pop(0)
        self.done.update(ids)
        return len(ids)

    async def to_one(self, id: UUID) -> int:
        return await self.to_all([id])


def with_a_bad_one(*faults: Exception) -> Deed:
    return Deed(**{str(BAD): faults})


async def test_what_goes_well_is_done_in_one_piece() -> None:
    deed = Deed()
    assert await together_or_one_by_one(IDS, deed.to_all) == 4
    assert deed.pieces == [4]
    assert await together_or_one_by_one([], deed.to_all) == 0
    assert deed.pieces == [4]


@pytest.mark.parametrize("fault", [KeyError("x"), OUTDATED, TransactionAborted()])
async def test_one_that_always_fails_is_left_and_named_and_the_others_are_done(
    fault: Exception,
) -> None:
    deed = with_a_bad_one(*[fault] * 9)
    with pytest.raises(SomeLeft) as left:
        await together_or_one_by_one(IDS, deed.to_all)
    assert left.value.done == 3
    assert left.value.failures == {BAD: fault}
    assert deed.done == Counter(set(IDS) - {BAD})


async def test_a_fault_that_is_over_by_then_leaves_nobody() -> None:
    deed = with_a_bad_one(KeyError("x"))
    assert await together_or_one_by_one(IDS, deed.to_all) == 4
    assert deed.done == Counter(IDS)


@pytest.mark.parametrize("race", [OUTDATED, TransactionAborted()])
async def test_a_race_is_looked_at_once_more_and_a_defect_is_not(
    race: Exception,
) -> None:
    assert await one_by_one(IDS, with_a_bad_one(race).to_one) == 4
    for faults in ([race, race], [KeyError("x")]):
        with pytest.raises(SomeLeft):
            await one_by_one(IDS, with_a_bad_one(*faults).to_one)


async def test_where_storage_is_away_nobody_else_is_tried() -> None:
    deed = with_a_bad_one(*[DatabaseUnavailable()] * 2)
    with pytest.raises(DatabaseUnavailable):
        await together_or_one_by_one(IDS, deed.to_all)
    assert deed.pieces == [4]
    with pytest.raises(DatabaseUnavailable):
        await one_by_one(IDS, deed.to_one)
    assert deed.pieces == [4, 1, 1]
