"""Answers to commands that carried an Idempotency-Key.

The advisory lock keeps the same request out while it runs elsewhere; the primary key
has the last word should two ever pass it.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

import orjson
from sqlalchemy import BigInteger, Text, func, select

from scheduling.adapters.postgres.batch import ANSWERS, TENANT
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.clock import Clock
from scheduling.application.ports.repositories import (
    AnswerRepository,
    IdempotencyKey,
    StoredAnswer,
)
from scheduling.domain.errors import IdempotencyKeyReused, RequestInProgress


@cache
def _recalling() -> Statement:
    """Try the lock; whatever it says, read the answer that was given before.

    In a function of the database (migration 0004): one statement would look at what was
    there before it had the lock, and miss the answer of who has just let go of it.
    """
    recalled = func.recall_answer(
        given("lock", BigInteger), TENANT, given("caller", Text), given("key", Text)
    ).table_valued("alone", "fingerprint", "status", "headers", "body")
    return compiled(select(recalled), locks=True)


def _lock_of(name: str) -> int:
    digest = blake2b(name.encode(), digest_size=8, person=b"answers").digest()
    return int.from_bytes(digest, signed=True)


@dataclass(frozen=True, slots=True)
class PostgresAnswers(AnswerRepository):
    transaction: Transaction
    now: Clock

    async def recall(self, key: IdempotencyKey) -> StoredAnswer | None:
        caller = self.transaction.caller
        name = f"{caller.tenant_id}\0{caller.subject}\0{key.key}"
        row = await self.transaction.row(
            _recalling(),
            lock=_lock_of(name),
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
