from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from scheduling.application.ports.archive import OF_ALL_AT_ONCE, Archive, Kept
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.tenants import Tenants
from scheduling.application.ports.unavailable import Unavailable
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
        """Yield how many were removed, piece by piece. Raise an ExceptionGroup at the
        end where some could not be: that keeps nothing else.
        """
        tenants = await self.tenants.all()
        failures: list[Exception] = []
        for what in self.ages:
            whose = [None] if what in OF_ALL_AT_ONCE else tenants
            for of in whose:
                try:
                    while removed := await self._remove(what, of):
                        yield removed
                except Exception as error:  # noqa: BLE001  # told when all are done
                    if isinstance(error, Unavailable):
                        await self.tenants.all()  # raises where all is away
                    failures.append(error)
        if failures:
            raise ExceptionGroup("some of it could not be removed", failures)

    async def _remove(self, what: Kept, of: TenantId | None) -> int:
        before = self.now() - self.ages[what]
        return await self.archive.remove(what, before, of=of, limit=AT_ONCE)
