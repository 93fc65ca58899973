from base64 import b64encode
from dataclasses import dataclass

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
