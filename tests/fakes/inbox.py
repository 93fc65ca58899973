"""What was followed, and what could not be, in memory."""

from dataclasses import dataclass
from datetime import datetime

from scheduling.application.ports.dead_letters import DeadLetter, DeadLetterRepository
from scheduling.application.ports.inbox import (
    InboxRepository,
    Outcome,
    ReceivedEvent,
)
from scheduling.application.ports.messages import Message
from scheduling.application.ports.unit_of_work import TransactionAborted
from tests.fakes.transaction import Position, Tables, Transaction


@dataclass
class MemoryInbox(InboxRepository):
    transaction: Transaction

    async def recall(self, event: ReceivedEvent[Message]) -> Outcome | None:
        await self.transaction.lock("event", event.source, event.id)
        followed = self.transaction.tables.inbox.get((event.source, event.id))
        return followed[0] if followed else None

    async def is_stale(self, event: ReceivedEvent[Message]) -> bool:
        aggregate = event.message.aggregate
        if aggregate is None:
            return False
        await self.transaction.lock("aggregate", aggregate)
        followed = self.transaction.tables.positions.get(aggregate)
        if followed is None:
            return False
        if followed.version is None or event.version is None:
            return followed.stored_at > event.stored_at
        return followed.version >= event.version

    def remember(
        self, event: ReceivedEvent[Message], outcome: Outcome, now: datetime
    ) -> None:
        aggregate = event.message.aggregate

        def write(tables: Tables) -> None:
            if (event.source, event.id) in tables.inbox:
                raise TransactionAborted
            tables.inbox[event.source, event.id] = (outcome, now)
            if aggregate is not None and outcome is Outcome.APPLIED:
                before = tables.positions.get(aggregate)
                tables.positions[aggregate] = _further(before, event)

        self.transaction.change(write)


def _further(before: Position | None, event: ReceivedEvent[Message]) -> Position:
    if before is None:
        return Position(event.version, event.stored_at)
    versions = [v for v in (before.version, event.version) if v is not None]
    return Position(max(versions, default=None), max(before.stored_at, event.stored_at))


@dataclass
class MemoryDeadLetters(DeadLetterRepository):
    transaction: Transaction

    def keep(self, letter: DeadLetter) -> None:
        message = (letter.stream, letter.sequence, letter.stored_at)

        def write(tables: Tables) -> None:
            tables.dead_letters.setdefault(message, letter)

        self.transaction.change(write)
