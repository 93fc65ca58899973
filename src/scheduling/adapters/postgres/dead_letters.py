"""Messages that cannot be followed, put aside."""

from base64 import b64encode
from dataclasses import dataclass

import asyncpg
import orjson

from scheduling.adapters.postgres.batch import DEAD_LETTERS
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.dead_letters import DeadLetter, DeadLetterRepository


@dataclass(frozen=True, slots=True)
class PostgresDeadLetters(DeadLetterRepository):
    transaction: Transaction

    def keep(self, letter: DeadLetter) -> None:
        self.transaction.batch.add(
            DEAD_LETTERS,
            {
                "id": letter.id,
                "stream": letter.stream,
                "stream_sequence": letter.sequence,
                "stored_at": letter.stored_at,
                "subject": letter.subject,
                "headers": dict(letter.headers),
                # Any bytes at all: JSON takes them as text.
                "body": b64encode(letter.body).decode(),
                "event_id": letter.event_id,
                "event_type": letter.event_type,
                "reason": letter.reason,
                "detail": letter.detail,
                "deliveries": letter.deliveries,
                "died_at": letter.died_at,
            },
        )


def letter_from(row: asyncpg.Record) -> DeadLetter:
    return DeadLetter(
        id=row["id"],
        tenant_id=row["tenant_id"],
        stream=row["stream"],
        sequence=row["stream_sequence"],
        stored_at=row["stored_at"],
        subject=row["subject"],
        headers=orjson.loads(row["headers"]),
        body=row["body"],
        event_id=row["event_id"],
        event_type=row["event_type"],
        reason=row["reason"],
        detail=row["detail"],
        deliveries=row["deliveries"],
        died_at=row["died_at"],
        replayed_at=row["replayed_at"],
    )
