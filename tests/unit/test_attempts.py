"""Lost races are run again."""

import pytest

from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.application.ports.unit_of_work import (
    DecisionOutdated,
    StorageError,
    TransactionAborted,
)
from scheduling.domain.errors import SlotNotAvailable
from scheduling.entrypoints.attempts import ATTEMPTS, settled

LOST = DecisionOutdated(SlotNotAvailable("gone"))


class Race:
    """Lost as often as it is told, then won."""

    def __init__(self, *errors: StorageError) -> None:
        self.errors = list(errors)
        self.runs = 0

    async def __call__(self) -> str:
        self.runs += 1
        if self.errors:
            raise self.errors.pop(0)
        return "won"


@pytest.mark.parametrize("error", [LOST, TransactionAborted()], ids=str)
async def test_what_lost_a_race_is_asked_again_and_its_answer_awaited(
    error: StorageError,
) -> None:
    race = Race(error)

    assert await settled(lambda: race()) == "won"  # noqa: PLW0108  # as callers do
    assert race.runs == 2


async def test_who_loses_to_the_end_learns_what_stood_in_the_way() -> None:
    race = Race(*[LOST] * ATTEMPTS)

    with pytest.raises(SlotNotAvailable):
        await settled(lambda: race())  # noqa: PLW0108  # as callers do
    assert race.runs == ATTEMPTS


async def test_a_database_that_keeps_aborting_is_unavailable() -> None:
    race = Race(*[TransactionAborted() for _ in range(ATTEMPTS)])

    with pytest.raises(DatabaseUnavailable):
        await settled(lambda: race())  # noqa: PLW0108  # as callers do
