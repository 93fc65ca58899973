"""Answers to commands that carried an Idempotency-Key, in memory."""

from dataclasses import dataclass

from scheduling.application.ports.repositories import (
    AnswerRepository,
    IdempotencyKey,
    StoredAnswer,
)
from scheduling.application.ports.unit_of_work import DecisionOutdated
from scheduling.domain.errors import IdempotencyKeyReused, RequestInProgress
from tests.fakes.transaction import Tables, Transaction


@dataclass
class MemoryAnswers(AnswerRepository):
    transaction: Transaction

    async def recall(self, key: IdempotencyKey) -> StoredAnswer | None:
        name = (self.transaction.caller.subject, key.key)
        earlier = self.transaction.tables.answers.get(name)
        if earlier is None:
            if self.transaction.is_locked_elsewhere("answer", *name):
                raise RequestInProgress("The same request is running.")
            await self.transaction.lock("answer", *name)
            return None
        fingerprint, answer = earlier
        if fingerprint != key.fingerprint:
            raise IdempotencyKeyReused("This key was used for another request.")
        return answer

    def keep(self, key: IdempotencyKey, answer: StoredAnswer) -> None:
        name = (self.transaction.caller.subject, key.key)

        def write(tables: Tables) -> None:
            if name in tables.answers:
                raise DecisionOutdated(RequestInProgress("It has just been answered."))
            tables.answers[name] = (key.fingerprint, answer)

        self.transaction.change(write)
