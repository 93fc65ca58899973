from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from scheduling.application.ports.archive import OF_ALL_AT_ONCE, Archive, Kept
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.tenants import Tenants
from scheduling.domain.identifiers import TenantId

AT_ONCE = 5_000
"""Rows of one statement: it is over in a moment, and what stands behind it waits no
longer.
"""


@dataclass(frozen=True, slots=True)
class ApplyRetention:
    """Remove what is older than it is kept; what no age is given for is kept."""

    archive: Archive
    tenants: Tenants
    now: Clock
    ages: Mapping[Kept, timedelta]

    async def __call__(self) -> AsyncGenerator[int, None]:
        """Yield how many were removed, piece by piece."""
        tenants = await self.tenants.all()
        for what in self.ages:
            whose = [None] if what in OF_ALL_AT_ONCE else tenants
            for of in whose:
                while removed := await self._remove(what, of):
                    yield removed

    async def _remove(self, what: Kept, of: TenantId | None) -> int:
        before = self.now() - self.ages[what]
        return await self.archive.remove(what, before, of=of, limit=AT_ONCE)
