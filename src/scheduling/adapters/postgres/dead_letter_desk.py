"""The operator's side of the dead letters: find them, and mark what was sent again."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import cache
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    Boolean,
    DateTime,
    Text,
    Uuid,
    any_,
    not_,
    or_,
    select,
    update,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.dead_letters import letter_from
from scheduling.adapters.postgres.statements import (
    Statement,
    compiled,
    given,
)
from scheduling.application.ports.dead_letters import DeadLetter, DeadLetterDesk


class PostgresLetterDesk(DeadLetterDesk):
    """Made by `open_letter_desk`.

    `looking` is a session of the role that sees the letters of all tenants, `marking`
    of the one that writes those of one tenant at a time.
    """

    def __init__(
        self, looking: asyncpg.Connection, marking: asyncpg.Connection
    ) -> None:
        self._looking = looking
        self._marking = marking

    async def find(
        self,
        *,
        ids: Collection[UUID] | None = None,
        tenant_id: UUID | None = None,
        reason: str | None = None,
        waiting: bool = False,
    ) -> AsyncGenerator[DeadLetter, None]:
        statement = _finding()
        wanted = statement.arguments(
            ids=None if ids is None else [*ids],
            tenant_id=tenant_id,
            reason=reason,
            waiting=waiting,
        )
        # A cursor: bodies may take a megabyte each, and there may be many.
        async with self._looking.transaction(readonly=True):
            async for row in self._looking.cursor(
                statement.sql, *wanted, prefetch=PAGE
            ):
                yield letter_from(row)

    async def mark_replayed(self, letter: DeadLetter, at: datetime) -> None:
        statement = _marking()
        arguments = statement.arguments(
            tenant_id=letter.tenant_id, of_id=letter.id, at=at
        )
        async with self._marking.transaction():
            await self._marking.execute(
                "SELECT set_config('app.tenant_id', $1, true)", str(letter.tenant_id)
            )
            await self._marking.execute(statement.sql, *arguments)


PAGE = 20


@cache
def _finding() -> Statement:
    letters = t.dead_letters
    ids, tenant = given("ids", ARRAY(Uuid)), given("tenant_id", Uuid)
    reason = given("reason", Text)
    return compiled(
        select(letters)
        .where(
            or_(ids.is_(None), letters.c.id == any_(ids)),
            or_(tenant.is_(None), letters.c.tenant_id == tenant),
            or_(reason.is_(None), letters.c.reason == reason),
            or_(not_(given("waiting", Boolean)), letters.c.replayed_at.is_(None)),
        )
        .order_by(letters.c.died_at, letters.c.id)
    )


@cache
def _marking() -> Statement:
    letters = t.dead_letters
    return compiled(
        update(letters)
        .where(letters.c.tenant_id == TENANT, letters.c.id == given("of_id", Uuid))
        .values(replayed_at=given("at", DateTime(timezone=True)))
    )


@asynccontextmanager
async def open_letter_desk(database_url: str) -> AsyncIterator[PostgresLetterDesk]:
    async def connect(role: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            database_url,
            server_settings={
                "application_name": "scheduling letter desk",
                "role": role,
            },
            timeout=10,
        )

    async with AsyncExitStack() as held:
        looking = await connect("scheduling_cron")
        held.push_async_callback(looking.close, timeout=5)
        marking = await connect("scheduling_inbox")
        held.push_async_callback(marking.close, timeout=5)
        yield PostgresLetterDesk(looking, marking)
