"""What can be had, and why what cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduling.adapters.postgres.searching import searching
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.availability import (
    AvailabilityRepository,
    Candidate,
    First,
    SlotFilter,
)
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings

_WIDTH = len(Candidate._fields)


@dataclass(frozen=True, slots=True)
class PostgresAvailability(AvailabilityRepository):
    transaction: Transaction

    async def offered(
        self,
        wanted: SlotFilter,
        period: Period,
        first: First,
        *,
        settings: Settings,
        now: datetime,
    ) -> Sequence[Candidate]:
        filters = _given_of(wanted)
        start = max(period.start, now)
        if first.after is not None:
            after_start, after_id = first.after
            filters |= {"after_start": after_start, "after_id": after_id}
            start = max(start, after_start)
        patient_id = wanted.patient_id
        rows = await self.transaction.rows(
            searching(
                frozenset(filters),
                limited=settings.limits.any,
                for_patient=patient_id is not None,
            ),
            **filters,
            **_rules_of(settings, now),
            patient_id=patient_id,
            start=start,
            end=period.end,
            limit=first.limit,
        )
        if patient_id is None:
            return [Candidate._make(row) for row in rows]
        if not rows[0]["may_book"]:
            raise PatientNotFound(patient_id)
        return [Candidate._make(row[:_WIDTH]) for row in rows if row["id"] is not None]


def _given_of(wanted: SlotFilter) -> dict[str, Any]:
    """Return the filters that are asked for; each id once, or it were walked twice."""
    values = {
        "practitioners": list(dict.fromkeys(wanted.whose.practitioner_ids)),
        "locations": list(dict.fromkeys(wanted.whose.location_ids)),
        "specialty": wanted.specialty,
        "service_type": wanted.service_type,
    }
    return {name: value for name, value in values.items() if value}


def _rules_of(settings: Settings, now: datetime) -> dict[str, Any]:
    """Return the parameters of `offering`."""
    limits = settings.limits
    return {
        "now": now,
        "buffer": settings.buffer,
        "notice": settings.minimum_notice,
        "horizon": settings.horizon_days,
        "per_day": limits.per_practitioner_day,
        "per_week": limits.per_practitioner_week,
    }
