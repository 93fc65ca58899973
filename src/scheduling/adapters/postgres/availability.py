"""What can be had, and why what cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson

from scheduling.adapters.postgres.explaining import (
    circumstances_from,
    reading_circumstances,
)
from scheduling.adapters.postgres.searching import searching
from scheduling.adapters.postgres.slot_lists import (
    counting_by_location,
    listing,
)
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.availability import (
    AvailabilityRepository,
    Candidate,
    First,
    OpenLocation,
    OwnDays,
    SlotFilter,
    SlotInList,
    SlotList,
)
from scheduling.domain.claim import ActorKind, Resource
from scheduling.domain.errors import (
    LocationNotFound,
    PatientNotFound,
    PractitionerNotFound,
)
from scheduling.domain.explaining import Circumstances, Question
from scheduling.domain.identifiers import LocationId, PractitionerId
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
            return list(map(Candidate._make, rows))
        if not rows[0]["may_book"]:
            raise PatientNotFound(patient_id)
        return [Candidate._make(row[:_WIDTH]) for row in rows if row["id"] is not None]

    async def slots(
        self,
        wanted: SlotList,
        first: First,
        *,
        settings: Settings,
        now: datetime,
    ) -> Sequence[SlotInList]:
        when = wanted.when
        rows = await self.transaction.rows(
            listing(
                wanted.owner,
                limited=settings.limits.any,
                in_own_days=isinstance(when, OwnDays),
                further=first.after is not None,
            ),
            owner_id=wanted.id,
            limit=first.limit,
            **_when(when),
            **_after(first),
            **_rules_of(settings, now),
        )
        if not rows[0]["known"]:
            if wanted.owner == "practitioner":
                raise PractitionerNotFound(wanted.id)
            raise LocationNotFound(wanted.id)
        found = [row for row in rows if row["id"] is not None]
        return [SlotInList._make(tuple(row)[:-1]) for row in found]

    async def open_locations(
        self,
        day: date,
        wanted: SlotFilter,
        first: First,
        *,
        settings: Settings,
        now: datetime,
    ) -> Sequence[OpenLocation]:
        filters = _given_of(wanted)
        rows = await self.transaction.rows(
            counting_by_location(
                frozenset(filters),
                limited=settings.limits.any,
                further=first.after is not None,
            ),
            **filters,
            **_after(first),
            **_rules_of(settings, now),
            **_around(day, day + timedelta(1)),
            day=day,
            limit=first.limit,
        )
        return [OpenLocation._make(row) for row in rows]

    async def circumstances(
        self,
        practitioner_id: PractitionerId,
        location_id: LocationId | None,
        question: Question,
        period: Period,
        *,
        settings: Settings,
        now: datetime,
    ) -> Circumstances:
        actors = [Resource(ActorKind.PRACTITIONER, practitioner_id)]
        if question.patient_id is not None:
            actors.append(Resource(ActorKind.PATIENT, question.patient_id))
        actors += question.resources
        row = await self.transaction.row(
            reading_circumstances(at_location=location_id is not None),
            practitioner_id=practitioner_id,
            location_id=location_id,
            patient_id=question.patient_id,
            actors=orjson.dumps(
                [{"kind": int(one.kind), "id": one.id} for one in actors], default=str
            ).decode(),
            start=period.start,
            end=period.end,
            now=now,
            limited=settings.limits.any,
        )
        if row["practitioner_active"] is None:
            raise PractitionerNotFound(practitioner_id)
        if location_id is not None and row["location_active"] is None:
            raise LocationNotFound(location_id)
        if question.patient_id is not None and not row["patient_active"]:
            raise PatientNotFound(question.patient_id)
        return circumstances_from(row, practitioner_id)


_FARTHEST = timedelta(hours=15)
"""No zone is farther from UTC."""


def _around(first: date, end: date) -> dict[str, datetime]:
    """Instants around days, wherever they are."""
    return {
        "start": datetime.combine(first, time(), UTC) - _FARTHEST,
        "end": datetime.combine(end, time(), UTC) + _FARTHEST,
    }


def _when(when: Period | OwnDays) -> dict[str, Any]:
    if isinstance(when, Period):
        return {"start": when.start, "end": when.end}
    days = {"first_day": when.first, "day_after": when.end}
    return {**days, **_around(when.first, when.end)}


def _after(first: First) -> dict[str, Any]:
    start, id = first.after or (None, None)
    return {"after_start": start, "after_id": id}


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
