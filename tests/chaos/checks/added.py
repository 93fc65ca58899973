"""Whoever was told that they added one, did: the ledger against the numbers stored."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from tests.chaos.ledger import Entry

# Each began at version 1 with no number, and every write adds one to both.
STORED = """
SELECT id::text, version, notes AS words FROM appointments WHERE tenant_id = $1
UNION ALL
SELECT id::text, version, name FROM patients WHERE tenant_id = $1
"""


async def lost_updates(
    superuser_url: str, tenant: UUID, entries: Sequence[Entry]
) -> list[str]:
    """Return what stands against it. Each entry says its `thing`, the version it was
    based on, and the `number` it writes.
    """
    by_thing: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_thing[entry.said["thing"]].append(entry)
    connection = await asyncpg.connect(superuser_url)
    try:
        rows = {row["id"]: row for row in await connection.fetch(STORED, tenant)}
    finally:
        await connection.close()
    found = []
    for thing, writes in by_thing.items():
        found += _judged(thing, writes, rows[thing]["version"], rows[thing]["words"])
    return found


def _judged(thing: str, writes: list[Entry], version: int, words: str) -> list[str]:
    done = [one for one in writes if one.done]
    open_ = sum(one.ambiguous for one in writes)
    number = int(words.rpartition(" ")[2])
    found = []
    if not len(done) <= number <= len(done) + open_:
        found.append(
            f"{thing} is {number} after {len(done)} additions and {open_} open ones"
        )
    if number != version - 1:
        found.append(f"{thing} is {number} at version {version}")
    bases = [one.said["base"] for one in done]
    if len(set(bases)) != len(bases):
        found.append(f"{thing} was changed twice from one version")
    found += [
        f"{thing} was answered {one.status} {one.told.get('code')}"
        for one in writes
        if one.status is not None and not one.done and one.status not in {409, 412}
    ]
    return found
