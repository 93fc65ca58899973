"""Answers to commands that carried an Idempotency-Key.

The advisory lock keeps the same request out while it runs elsewhere; the primary key
has the last word should two ever pass it.
"""

import zlib
from dataclasses import dataclass
from functools import cache

import orjson
from sqlalchemy import BigInteger, Text, func, select

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import ANSWERS, TENANT
from scheduling.adapters.postgres.slots import given
from scheduling.adapters.postgres.statements import Statement, compiled
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.repositories import (
    AnswerRepository,
    IdempotencyKey,
    StoredAnswer,
)
from scheduling.domain.errors import IdempotencyKeyReused, RequestInProgress

_LOCK_SPACE = 0x1DE5 << 32
"""Keeps these locks apart from the advisory locks of others in the database."""


@cache
def _recalling() -> Statement:
    """Try the lock; whatever it says, read the answer that was given before."""
    keys = t.idempotency_keys
    asked = select(
        func.pg_try_advisory_xact_lock(given("lock", BigInteger)).label("alone")
    ).cte("asked")
    return compiled(
        select(
            asked.c.alone,
            keys.c.fingerprint,
            keys.c.status,
            keys.c.headers,
            keys.c.body,
        )
        .select_from(asked)
        .outerjoin(
            keys,
            (keys.c.tenant_id == TENANT)
            & (keys.c.caller == given("caller", Text))
            & (keys.c.key == given("key", Text)),
        ),
        locks=True,
    )


@dataclass(frozen=True, slots=True)
class PostgresAnswers(AnswerRepository):
    transaction: Transaction
    now: Clock

    async def recall(self, key: IdempotencyKey) -> StoredAnswer | None:
        caller = self.transaction.caller
        name = f"{caller.tenant_id}\0{caller.subject}\0{key.key}"
        row = await self.transaction.row(
            _recalling(),
            lock=_LOCK_SPACE | zlib.crc32(name.encode()),
            caller=caller.subject,
            key=key.key,
        )
        if row["fingerprint"] is None:
            if not row["alone"]:
                raise RequestInProgress("The same request is running at this moment.")
            return None
        if row["fingerprint"] != key.fingerprint:
            raise IdempotencyKeyReused("This key was used for another request.")
        return StoredAnswer(row["status"], orjson.loads(row["headers"]), row["body"])

    def keep(self, key: IdempotencyKey, answer: StoredAnswer) -> None:
        self.transaction.batch.add(
            ANSWERS,
            {
                "caller": self.transaction.caller.subject,
                "key": key.key,
                "fingerprint": key.fingerprint,
                "status": answer.status,
                "headers": dict(answer.headers),
                "body": answer.body.decode(),
                "created_at": self.now(),
            },
            otherwise=RequestInProgress("The same request is running at this moment."),
        )
