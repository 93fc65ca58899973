"""Where marks of personal data have come to lie: logs, events, outbox, audit, figures,
refusals. In small letters, since words to search by are kept so.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg
import nats
from nats.errors import TimeoutError as NothingMore
from nats.js.api import DeliverPolicy

ROWS = {
    "outbox": "SELECT subject || convert_from(body, 'UTF8') FROM outbox"
    " WHERE tenant_id = $1",
    "audit": "SELECT a::text FROM audit a WHERE tenant_id = $1",
    "notifications": "SELECT n::text FROM notifications n WHERE tenant_id = $1",
    "inbox": "SELECT i::text FROM inbox i WHERE tenant_id = $1",
}


class Hunt:
    """Counts what it has read, and keeps where it found something."""

    def __init__(self, marks: Iterable[str]) -> None:
        self._marks = [mark.lower() for mark in marks]
        self.read: dict[str, int] = {}
        self.found: list[str] = []

    def texts(self, place: str, texts: Iterable[str]) -> None:
        for text in texts:
            self.read[place] = self.read.get(place, 0) + 1
            small = text.lower()
            for mark in self._marks:
                at = small.find(mark)
                if at >= 0:
                    around = text[max(0, at - 80) : at + 80]
                    self.found.append(f"{place} has {mark}: {around!r}")

    def logs(self, folder: Path) -> None:
        """Of the product and of the servers, if they are below the folder."""
        for file in folder.rglob("*.log"):
            text = file.read_text(errors="replace")
            self.texts(f"log of {file.stem}", text.splitlines())

    async def rows(self, superuser_url: str, tenant: UUID) -> None:
        connection = await asyncpg.connect(superuser_url)
        try:
            for place, question in ROWS.items():
                rows = await connection.fetch(question, tenant)
                self.texts(place, (row[0] for row in rows))
        finally:
            await connection.close()

    async def stream(self, nats_url: str, tenant: UUID) -> None:
        """Read all that the raw stream has of the tenant."""
        for subject, data, headers in await raw(nats_url, f"scheduling.{tenant}.>"):
            text = f"{subject} {dict(headers)} {data.decode(errors='replace')}"
            self.texts("stream", [text])


Raw = tuple[str, bytes, Mapping[str, str]]


async def raw(nats_url: str, subject: str) -> Sequence[Raw]:
    client = await nats.connect(nats_url)
    try:
        stream = client.jetstream()
        subscription = await stream.subscribe(
            subject, ordered_consumer=True, deliver_policy=DeliverPolicy.ALL
        )
        found: list[Raw] = []
        while True:
            try:
                message = await subscription.next_msg(timeout=2)
            except NothingMore:
                return found
            found.append((message.subject, message.data, message.headers or {}))
    finally:
        await client.close()
