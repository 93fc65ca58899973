"""What search shows is what can be booked, held or moved to, whatever has happened."""

import asyncio
from functools import cached_property
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples

from scheduling.application.ports.availability import AvailabilityRepository
from scheduling.domain.claim import Clashes
from tests.contracts.storages import PostgresStorage, postgres_storage
from tests.fakes.availability import MemoryAvailability
from tests.fakes.storage import MemoryStorage, MemoryUnitOfWork
from tests.property.playing import play
from tests.property.worlds import Plan, plans

QUICKLY: dict[str, Any] = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    "suppress_health_check": [HealthCheck.too_slow],
}


@examples(max_examples=250, **QUICKLY)
@given(plan=plans())
def test_on_storage_in_memory(plan: Plan) -> None:
    asyncio.run(play(MemoryStorage(), plan))


def test_on_postgresql(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opened = postgres_storage(database_url, size=1)
        storage: PostgresStorage = runner.run(opened.__aenter__())

        @examples(max_examples=40, **QUICKLY)
        @given(plan=plans(steps=8))
        def agree(plan: Plan) -> None:
            runner.run(play(storage, plan))

        try:
            agree()
        finally:
            runner.run(opened.__aexit__(None, None, None))


class BlindAvailability(MemoryAvailability):
    def in_the_way(self, *_of: object) -> Clashes:
        return Clashes()


class BlindWork(MemoryUnitOfWork):
    @cached_property
    def availability(self) -> AvailabilityRepository:
        return BlindAvailability(self._transaction)


def test_a_search_that_overlooks_who_is_taken_is_found_out() -> None:
    """The judge is judged."""

    @examples(max_examples=300, deadline=None, database=None, phases=[Phase.generate])
    @given(plan=plans())
    def agree(plan: Plan) -> None:
        asyncio.run(play(MemoryStorage(work=BlindWork), plan))

    with pytest.raises(AssertionError):
        agree()
