from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import asyncpg
from sqlalchemy import select

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.violations import in_our_words
from scheduling.application.ports.tenants import Tenants
from scheduling.domain.identifiers import TenantId


@cache
def _reading() -> Statement:
    return compiled(select(t.tenants.c.tenant_id).order_by(t.tenants.c.tenant_id))


@dataclass(frozen=True, slots=True)
class PostgresTenants(Tenants):
    """For a role that sweeps all of them; any other sees its own."""

    pool: asyncpg.Pool

    async def all(self) -> Sequence[TenantId]:
        with in_our_words():
            rows = await self.pool.fetch(_reading().sql)
        return [TenantId(row["tenant_id"]) for row in rows]
