"""What is old goes, and what cannot be removed keeps nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from scheduling.application.commands.apply_retention import ApplyRetention
from scheduling.application.ports.archive import Kept
from scheduling.application.ports.tenants import Tenants
from scheduling.application.ports.unavailable import DatabaseUnavailable
from scheduling.domain.identifiers import TenantId, new_id
from tests.builders import EIGHT
from tests.fakes.archive import Line, MemoryArchive

AGES = {
    kind: timedelta(days=1) for kind in (Kept.OUTBOX, Kept.INBOX, Kept.NOTIFICATIONS)
}


@dataclass
class Stubborn(MemoryArchive):
    """Cannot remove the outbox of one tenant."""

    whose: TenantId | None = None
    fault: Exception = field(default_factory=DatabaseUnavailable)

    async def remove(
        self, what: Kept, before: datetime, *, of: TenantId | None, limit: int
    ) -> int:
        if what is Kept.OUTBOX and of == self.whose:
            raise self.fault
        return await super().remove(what, before, of=of, limit=limit)


@dataclass
class Some(Tenants):
    them: Sequence[TenantId]
    away_after: int | None = None

    async def all(self) -> Sequence[TenantId]:
        if self.away_after == 0:
            raise DatabaseUnavailable
        if self.away_after is not None:
            self.away_after -= 1
        return self.them


def full(archive: MemoryArchive, tenants: Sequence[TenantId]) -> dict[Kept, list[UUID]]:
    kept: dict[Kept, list[UUID]] = {what: [] for what in AGES}
    for what, ids in kept.items():
        for tenant in tenants:
            id = new_id(EIGHT)
            at = EIGHT - timedelta(days=2)
            archive.lines[id] = Line(what=what, of=tenant, at=at)
            ids.append(id)
    return kept


@pytest.mark.parametrize(
    "fault", [DatabaseUnavailable(), KeyError("a defect")], ids=type
)
async def test_what_cannot_be_removed_keeps_nothing_else(fault: Exception) -> None:
    tenants = [TenantId(uuid4()) for _ in range(3)]
    archive = Stubborn(whose=tenants[1], fault=fault)
    kept = full(archive, tenants)
    retention = ApplyRetention(archive, Some(tenants), lambda: EIGHT, AGES)
    removed = []
    with pytest.RaisesGroup(type(fault)):
        async for piece in retention():
            removed.append(piece)  # noqa: PERF401  # all that came before it is told
    assert sum(removed) == 8
    assert list(archive.lines) == [kept[Kept.OUTBOX][1]]


async def test_where_the_database_is_away_nothing_more_is_tried() -> None:
    tenants = [TenantId(uuid4()) for _ in range(3)]
    archive = Stubborn(whose=tenants[0])
    full(archive, tenants)
    retention = ApplyRetention(
        archive, Some(tenants, away_after=1), lambda: EIGHT, AGES
    )
    with pytest.raises(DatabaseUnavailable):
        async for _ in retention():
            pass
    assert len(archive.lines) == 9
