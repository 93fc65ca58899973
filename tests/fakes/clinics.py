from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.application.ports.clinics import Clinics
from scheduling.domain.directory import Location
from tests.fakes.transaction import Transaction


@dataclass
class MemoryClinics(Clinics):
    transaction: Transaction

    async def active(self) -> Sequence[Location]:
        locations = self.transaction.tables.locations.values()
        return sorted((one for one in locations if one.active), key=lambda one: one.id)
