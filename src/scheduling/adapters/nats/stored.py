"""A message read from its place in a stream, without a consumer."""

from base64 import b64decode
from datetime import datetime
from email.parser import BytesHeaderParser

from scheduling.adapters.nats.connection import Connection
from scheduling.adapters.nats.streams import accept, ask
from scheduling.adapters.nats.subscription import StoredMessage

NOT_THERE = frozenset({10037, 10059})
"""No such message, no such stream."""


async def stored_message(
    connection: Connection, stream: str, sequence: int, *, count: int
) -> StoredMessage | None:
    """Return it; None where it is not there any more. Raise BrokerUnavailable.

    `count`: how often it was delivered.
    """
    answer = await ask(connection, f"STREAM.MSG.GET.{stream}", {"seq": sequence})
    if answer.get("error", {}).get("err_code") in NOT_THERE:
        return None
    told = accept(answer)["message"]
    return StoredMessage(
        subject=told["subject"],
        headers=_headers(b64decode(told.get("hdrs", ""))),
        body=b64decode(told.get("data", "")),
        stream=stream,
        sequence=sequence,
        stored_at=datetime.fromisoformat(told["time"]),
        count=count,
    )


def _headers(raw: bytes) -> dict[str, str]:
    """Parse `NATS/1.0` and the lines of headers below it."""
    _, _, lines = raw.partition(b"\r\n")
    return {
        name: str(value)
        for name, value in BytesHeaderParser().parsebytes(lines).items()
    }
