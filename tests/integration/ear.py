"""Statements that a use case sends, heard on the one connection that it has."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.storages import PostgresStorage

BEGIN, COMMIT = "BEGIN", "COMMIT"
READ, WRITE, TENANT = "read", "write", "tenant"
WRITING = ("INSERT INTO", "UPDATE ", "DELETE FROM")


@dataclass
class Ear:
    """Hears everything that goes over the connection."""

    storage: PostgresStorage
    heard: list[str] = field(default_factory=list)

    def hear(self, record: Any) -> None:  # noqa: ANN401  # asyncpg's LoggedQuery
        query = record.query
        first = query.split(maxsplit=1)[0]
        if query.startswith("SELECT set_config('app.tenant_id'"):
            first = TENANT
        elif first in {"SELECT", "WITH"}:
            first = WRITE if any(verb in query for verb in WRITING) else READ
        if first != "DISCARD":  # now and then plans are made anew
            self.heard.append(first)

    async def during(self, work: Awaitable[Any]) -> list[str]:
        self.heard.clear()
        await work
        # asyncpg tells by call_soon: what was called before us is told before us.
        await asyncio.sleep(0)
        return list(self.heard)
