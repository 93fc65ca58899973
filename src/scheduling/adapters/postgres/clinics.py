from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import select

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.directory_rows import location_from
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.clinics import Clinics
from scheduling.domain.directory import Location


@cache
def _reading() -> Statement:
    locations = t.locations
    return compiled(
        select(locations)
        .where(locations.c.tenant_id == TENANT, locations.c.active)
        .order_by(locations.c.id)
    )


@dataclass(frozen=True, slots=True)
class PostgresClinics(Clinics):
    transaction: Transaction

    async def active(self) -> Sequence[Location]:
        return [location_from(row) for row in await self.transaction.rows(_reading())]
