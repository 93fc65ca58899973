"""Dead letters on their way back to the inbox."""

from typing import Any

import orjson

from scheduling.adapters.nats.connection import Connection
from scheduling.adapters.nats.streams import accept
from scheduling.application.ports.dead_letters import DeadLetter, Resender
from scheduling.application.ports.messaging import BrokerUnavailable

STORED_AT = "Scheduling-Stored-At"
"""Header: when the broker stored what is sent again for the first time."""


class JetStreamResender(Resender):
    """The same bytes, under the same event id: a new message, the same news, and no
    newer than they were.

    What was one of our own events goes to the inbox, too, where no tenant may publish:
    on our stream all who listen would get it twice.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def send(self, letter: DeadLetter) -> None:
        subject = letter.subject
        if subject.startswith("scheduling."):
            subject = "inbox.replay." + subject.removeprefix("scheduling.")
        answer = await self._connection.request(
            subject, letter.body, headers=_headers(letter)
        )
        try:
            told: dict[str, Any] = orjson.loads(answer.data)
        except orjson.JSONDecodeError as error:
            raise BrokerUnavailable("an answer that is not JetStream's") from error
        accept(told)


def _headers(letter: DeadLetter) -> dict[str, str]:
    """Those that are its own; what steered the broker then would steer it now."""
    own = {
        name: " ".join(value.split())
        for name, value in letter.headers.items()
        if not name.lower().startswith("nats-")
    }
    # Its first id may still be in the duplicate window. Nobody sends the same replay
    # twice: until it is marked, it has the same id.
    before = letter.replayed_at.isoformat() if letter.replayed_at else "first"
    return {
        STORED_AT: letter.stored_at.isoformat(),
        **own,
        "Nats-Msg-Id": f"replay-{letter.id}-{before}",
    }
