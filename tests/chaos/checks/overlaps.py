"""Nobody is promised to two at one time: asked of the claims, the visits, the seats.

For calendars without group slots: whoever lies on another is wrong there.
"""

from uuid import UUID

import asyncpg

OVERLAPPING_CLAIMS = """
SELECT a.actor_kind, a.actor_id, a.appointment_id AS one, b.appointment_id AS other
FROM claims a JOIN claims b
  ON a.tenant_id = b.tenant_id AND a.actor_id = b.actor_id
 AND a.actor_kind = b.actor_kind AND a.appointment_id < b.appointment_id
 AND a.taken && b.taken
WHERE a.tenant_id = $1 AND NOT a.overbooked AND NOT b.overbooked
"""

# From the visits alone, as people would: who and where, from when to when.
OVERLAPPING_VISITS = """
WITH active AS (
    SELECT id, tstzrange(starts_at, ends_at) AS during, unnest(
        ARRAY[practitioner_id::text, patient_id::text]
        || ARRAY(SELECT r->>1 FROM jsonb_array_elements(resources) AS r)
    ) AS actor
    FROM appointments
    WHERE tenant_id = $1 AND NOT overbooked
      AND status IN ('pending', 'booked', 'confirmed', 'arrived', 'in-progress')
      AND (hold_expires_at IS NULL OR status <> 'pending' OR hold_expires_at > now())
)
SELECT a.actor, a.id AS one, b.id AS other
FROM active a JOIN active b
  ON a.actor = b.actor AND a.id < b.id AND a.during && b.during
"""

MISCOUNTED_SEATS = """
SELECT s.id, s.booked, s.capacity, count(a.id) AS taken
FROM slots s LEFT JOIN appointments a
  ON a.tenant_id = s.tenant_id AND s.id = ANY (a.slot_ids) AND NOT a.overbooked
 AND a.status IN ('pending', 'booked', 'confirmed', 'arrived', 'in-progress')
WHERE s.tenant_id = $1
GROUP BY s.tenant_id, s.id
HAVING s.booked <> count(a.id) OR count(a.id) > s.capacity
"""

# Who takes time has claims for just that time on each actor (several in a row, where
# there are several slots); who does not has none.
WRONG_CLAIMS = """
WITH claimed AS (
    SELECT tenant_id, appointment_id, actor_kind, actor_id,
           range_agg(tstzrange(starts_at, ends_at)) AS during
    FROM claims WHERE tenant_id = $1
    GROUP BY tenant_id, appointment_id, actor_kind, actor_id
), wanted AS (
    SELECT tenant_id, id, status,
           tstzmultirange(tstzrange(starts_at, ends_at)) AS during,
           CASE WHEN status IN
               ('pending', 'booked', 'confirmed', 'arrived', 'in-progress')
           THEN 2 + jsonb_array_length(resources) ELSE 0 END AS actors
    FROM appointments WHERE tenant_id = $1
)
SELECT w.id, w.status, count(c.actor_id) AS claims
FROM wanted w LEFT JOIN claimed c
  ON c.tenant_id = w.tenant_id AND c.appointment_id = w.id
GROUP BY w.id, w.status, w.actors
HAVING count(c.actor_id) <> w.actors
    OR count(c.actor_id) FILTER (WHERE c.during = w.during) <> w.actors
"""


async def overlaps(superuser_url: str, tenant: UUID) -> list[str]:
    """Return what stands against it in the tables."""
    connection = await asyncpg.connect(superuser_url)
    try:
        found = [
            f"claims of {row['actor_id']} overlap: {row['one']}, {row['other']}"
            for row in await connection.fetch(OVERLAPPING_CLAIMS, tenant)
        ]
        found += [
            f"visits of {row['actor']} overlap: {row['one']}, {row['other']}"
            for row in await connection.fetch(OVERLAPPING_VISITS, tenant)
        ]
        found += [
            f"slot {row['id']} counts {row['booked']}, holds {row['taken']}"
            for row in await connection.fetch(MISCOUNTED_SEATS, tenant)
        ]
        found += [
            f"visit {row['id']} is {row['status']}, and its claims are others"
            for row in await connection.fetch(WRONG_CLAIMS, tenant)
        ]
    finally:
        await connection.close()
    return found
