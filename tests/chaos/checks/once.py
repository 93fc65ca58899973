"""What was asked for under one key was done once and answered alike."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from tests.chaos.ledger import Entry

# One patient a thing: whatever is there more than once was done more than once.
DONE = {
    "book": "SELECT patient_id::text AS of FROM appointments WHERE tenant_id = $1",
    "wait": "SELECT patient_id::text AS of FROM waitlist_entries WHERE tenant_id = $1",
    "cancel": """
        SELECT a.patient_id::text AS of FROM outbox o JOIN appointments a
          ON a.tenant_id = o.tenant_id AND a.id = o.aggregate_id
        WHERE o.tenant_id = $1 AND o.subject LIKE '%.appointment.cancelled'
        """,
    "news of book": """
        SELECT a.patient_id::text AS of FROM outbox o JOIN appointments a
          ON a.tenant_id = o.tenant_id AND a.id = o.aggregate_id
        WHERE o.tenant_id = $1 AND o.subject LIKE '%.appointment.created'
        """,
}


async def once(superuser_url: str, tenant: UUID, entries: Sequence[Entry]) -> list[str]:
    """Return what was done never or twice, or answered in different words. Each entry
    says its `key` and its `patient`.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    by_key: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        wanted[entry.kind].add(entry.said["patient"])
        by_key[entry.said["key"]].append(entry)
    wanted["news of book"] = wanted["book"]
    found = [words for key, of in by_key.items() for words in _answers(key, of)]
    connection = await asyncpg.connect(superuser_url)
    try:
        for kind, question in DONE.items():
            times: dict[str, int] = defaultdict(int)
            for row in await connection.fetch(question, tenant):
                times[row["of"]] += 1
            found += [
                f"{kind} of {patient} was done {times[patient]} times"
                for patient in wanted[kind] | times.keys()
                if times[patient] != 1
            ]
    finally:
        await connection.close()
    return found


def _answers(key: str, entries: list[Entry]) -> list[str]:
    done = [one for one in entries if one.done]
    found = []
    if len({one.told["digest"] for one in done}) != 1:
        found.append(f"{key} was answered in different words, or never")
    if sum(not one.told["replayed"] for one in done) > 1:
        found.append(f"{key} was done anew for a second time")
    found += [
        f"{key} was refused: {one.status} {one.told.get('code')}"
        for one in entries
        if one.status is not None
        and 400 <= one.status < 500
        and one.told.get("code") != "REQUEST_IN_PROGRESS"
    ]
    return found
