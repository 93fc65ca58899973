"""What was acknowledged is there: the ledger against the tables."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from tests.chaos.ledger import Entry

VISITS = """
SELECT id::text, version, status, starts_at, ends_at FROM appointments
WHERE tenant_id = $1
"""


async def acknowledged(
    superuser_url: str, tenant: UUID, entries: Iterable[Entry]
) -> list[str]:
    """Return what was acknowledged and is gone, older or otherwise, and what is there
    though nobody can have asked for it.

    Of one visit the answers carry rising versions. Where the last request was never
    answered, the visit may be one step further than what was acknowledged.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        rows = {row["id"]: row for row in await connection.fetch(VISITS, tenant)}
    finally:
        await connection.close()
    found = []
    last: dict[str, Entry] = {}
    open_steps: dict[str, set[str]] = defaultdict(set)
    open_bookings: set[str] = set()
    answered_keys: set[str] = set()
    for entry in entries:
        if entry.status is not None and not entry.ambiguous and not _running(entry):
            answered_keys.add(entry.said["key"])
        if entry.done:
            id = entry.told["id"]
            if id not in last or entry.told["version"] >= last[id].told["version"]:
                last[id] = entry
        elif entry.ambiguous and entry.kind == "book":
            open_bookings.add(entry.said["key"])
        elif entry.ambiguous:
            open_steps[entry.said["id"]].add(entry.said["key"])
    for id, entry in last.items():
        row = rows.pop(id, None)
        may_be_further = bool(open_steps[id] - answered_keys)
        found += _wrong(id, entry, row, may_be_further=may_be_further)
    unexplained = len(rows) - len(open_bookings - answered_keys)
    if unexplained > 0:
        found.append(f"{unexplained} visits are there that nobody can have asked for")
    return found


def _wrong(
    id: str, entry: Entry, row: asyncpg.Record | None, *, may_be_further: bool
) -> list[str]:
    told = entry.told
    if row is None:
        return [f"{id} was acknowledged and is lost"]
    if row["version"] < told["version"]:
        return [f"{id} was version {told['version']} and is {row['version']}"]
    if may_be_further and row["version"] == told["version"] + 1:
        return []
    stored = (row["version"], row["status"], row["starts_at"], row["ends_at"])
    period = (
        datetime.fromisoformat(told[name]).astimezone(UTC) for name in ("start", "end")
    )
    expected = (told["version"], told["status"], *period)
    if stored != expected:
        return [f"{id} was acknowledged as {expected} and is {stored}"]
    return []


def _running(entry: Entry) -> bool:
    """Whether all that was said is that somebody else is at it."""
    return entry.told.get("code") == "REQUEST_IN_PROGRESS"
