from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.repositories import (
    Candidate,
    SearchFacts,
    SlotFilter,
)
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.domain.availability import (
    BookingWindow,
    Taken,
    why_not_offered,
    why_not_there,
)
from scheduling.domain.errors import InvalidInput, PatientNotFound
from scheduling.domain.identifiers import PractitionerId
from scheduling.domain.period import Period, local_day

LONGEST_SEARCH = timedelta(days=62)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AvailableSlots:
    """`more`: there may be further ones behind the last that was looked at."""

    items: Sequence[Candidate]
    last: Candidate | None
    more: bool


@dataclass(frozen=True, slots=True)
class SearchAvailableSlots:
    """Show the slots that booking would accept at this moment, by start."""

    begin: BeginWork
    now: Clock

    async def __call__(self, caller: Caller, wanted: SlotFilter) -> AvailableSlots:
        if wanted.period.length > LONGEST_SEARCH:
            raise InvalidInput(
                f"a search spans {LONGEST_SEARCH.days} days at most", "to"
            )
        if wanted.patient_id is not None and not caller.sees(wanted.patient_id):
            raise PatientNotFound(wanted.patient_id)
        now = self.now()
        async with self.begin(caller) as work:
            facts = await work.slots.search_facts(wanted)
            if wanted.period.end <= now:
                return AvailableSlots((), None, more=False)
            ahead = Period(max(wanted.period.start, now), wanted.period.end)
            found = await work.slots.candidates(
                replace(wanted, period=ahead, limit=wanted.limit + 1), facts.settings
            )
            taken: Mapping[PractitionerId, Sequence[datetime]] = {}
            if facts.settings.limits.any:
                taken = await work.slots.starts_of(
                    {slot.practitioner_id for slot in found},
                    Period(ahead.start - _WEEK, ahead.end + _WEEK),
                )
        page = found[: wanted.limit]
        return AvailableSlots(
            items=_offered(page, facts, taken, now),
            last=page[-1] if page else None,
            more=len(found) > len(page),
        )


def _offered(
    candidates: Iterable[Candidate],
    facts: SearchFacts,
    taken: Mapping[PractitionerId, Sequence[datetime]],
    now: datetime,
) -> list[Candidate]:
    """Keep what booking would accept; what is asked once per zone is kept by zone."""

    @cache
    def window_in(zone: str) -> BookingWindow:
        return BookingWindow.of(facts.settings, now=now, timezone=zone)

    @cache
    def taken_from(practitioner_id: PractitionerId, zone: str) -> Taken:
        return Taken.of(taken.get(practitioner_id, ()), zone)

    def is_offered(slot: Candidate) -> bool:
        limited = facts.settings.limits.any and taken_from(
            slot.practitioner_id, slot.timezone
        ).reaches(facts.settings.limits, local_day(slot.start, slot.timezone))
        roles = facts.assignments.get((slot.practitioner_id, slot.location_id), ())
        there = why_not_there(roles, Period(slot.start, slot.end), slot.timezone)
        return (
            why_not_offered(
                slot.start,
                window=window_in(slot.timezone),
                has_seat=slot.remaining > 0,
                clashes=slot.clashes,
                limit_reached=limited,
                there=there,
            )
            is None
        )

    return [slot for slot in candidates if is_offered(slot)]
