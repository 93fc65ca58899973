"""The waitlist in memory."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from scheduling.application.ports.waitlist import (
    NamedEntry,
    WaitlistFilter,
    WaitlistRepository,
)
from scheduling.domain.booking import BookingFacts
from scheduling.domain.changes import changes_between
from scheduling.domain.claim import ActorKind
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import WaitlistEntryNotFound
from scheduling.domain.events import WaitlistSlotAvailable
from scheduling.domain.freed_time import (
    MOST_CANDIDATES,
    FreeTime,
    Waiting,
    WaitlistFacts,
    suits,
)
from scheduling.domain.identifiers import PatientId, ScheduleId, WaitlistEntryId
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status
from scheduling.domain.waitlist import (
    Known,
    WaitlistEntry,
    WaitlistStatus,
    Wish,
)
from scheduling.domain.waitlist_offer import OfferedTime
from tests.fakes.directory import demand_next
from tests.fakes.slots import assignments, counted_in, standing
from tests.fakes.transaction import Tables, Transaction

_WEEK = timedelta(days=8)


@dataclass
class MemoryWaitlist(WaitlistRepository):
    transaction: Transaction
    seen: dict[WaitlistEntryId, WaitlistEntry] = field(default_factory=dict)

    async def get(self, id: WaitlistEntryId) -> WaitlistEntry:
        try:
            self.seen[id] = self._whole(id)
        except KeyError:
            raise WaitlistEntryNotFound(id) from None
        return self.seen[id]

    async def page(self, wanted: WaitlistFilter) -> Sequence[NamedEntry]:
        found = sorted(
            (
                one
                for one in self.transaction.tables.waitlist.values()
                if wanted.status in {None, one.status}
                and wanted.patient_id in {None, one.patient_id}
                and (wanted.after is None or (one.created_at, one.id) > wanted.after)
            ),
            key=lambda one: (one.created_at, one.id),
        )
        return await self.named([one.id for one in found[: wanted.limit]])

    async def named(self, ids: Sequence[WaitlistEntryId]) -> Sequence[NamedEntry]:
        tables = self.transaction.tables
        found = (self._whole(id) for id in dict.fromkeys(ids) if id in tables.waitlist)
        return [NamedEntry(one, tables.patients[one.patient_id].name) for one in found]

    def _whole(self, id: WaitlistEntryId) -> WaitlistEntry:
        """With what is offered to it, where the hold is now."""
        tables = self.transaction.tables
        entry = tables.waitlist[id]
        if entry.offer is None:
            return entry
        hold = tables.appointments[entry.offer.appointment_id]
        return replace(entry, offer=replace(entry.offer, time=OfferedTime.of(hold)))

    async def waiting(self, id: PatientId) -> Sequence[WaitlistEntry]:
        wanted = WaitlistFilter(
            status=WaitlistStatus.WAITING, patient_id=id, limit=sys.maxsize
        )
        found = [one.entry for one in await self.page(wanted)]
        self.seen.update((entry.id, entry) for entry in found)
        return found

    async def known(self, wish: Wish) -> Known:
        tables = self.transaction.tables
        patient = tables.patients.get(wish.patient_id)
        return Known(
            patient_active=None if patient is None else patient.active,
            practitioner_ids=frozenset(tables.practitioners),
            location_ids=frozenset(tables.locations),
        )

    async def askable(
        self, source_event_id: str, ids: Sequence[WaitlistEntryId]
    ) -> Sequence[WaitlistEntry]:
        tables = self.transaction.tables
        asked = {
            entry.patient_id
            for entry, offer in tables.offers.values()
            if offer.source_event_id == source_event_id
        }
        found = [
            entry
            for id in dict.fromkeys(ids)
            if (entry := tables.waitlist.get(id))
            and entry.status is WaitlistStatus.WAITING
            and entry.offer is None
            and entry.patient_id not in asked
        ]
        self.seen.update({entry.id: entry for entry in found})
        return found

    async def offers_over(
        self, now: datetime, *, limit: int
    ) -> Sequence[WaitlistEntryId]:
        tables = self.transaction.tables
        over = sorted(
            (entry.offer.expires_at, entry.offer.id, entry.id)
            for entry in tables.waitlist.values()
            if entry.offer is not None
            and (
                entry.offer.expires_at <= now
                or tables.appointments[entry.offer.appointment_id].status
                is not Status.PENDING
            )
        )
        return [id for *_, id in over[:limit]]

    def save(self, entry: WaitlistEntry) -> None:
        before = self.seen.get(entry.id)

        def write(tables: Tables) -> None:
            demand_next(tables.waitlist.get(entry.id), entry.version)
            offer = entry.offer
            if offer is not None:
                tables.offers[offer.id] = (entry, offer)
            live = offer if offer is not None and offer.is_open else None
            tables.waitlist[entry.id] = replace(entry, events=(), offer=live)

        self.transaction.change(write)
        self.transaction.announce(entry.events)
        self.transaction.audit(
            f"waitlist-entry.{entry.last_step(before)}",
            entry.id,
            entry.version,
            changes_between(before, entry),
            at=entry.updated_at,
        )

    async def candidates(
        self, freed: Sequence[FreeTime], now: datetime
    ) -> Sequence[WaitlistFacts]:
        tables = self.transaction.tables.copy()
        # What they held is still there when this is read.
        for id in (id for one in freed for id in one.leaving):
            tables.claims.pop(id, None)
            tables.appointments.pop(id, None)
        return [_facts(tables, one, now) for one in freed if one.stretches(now)]

    def announce(self, event: WaitlistSlotAvailable) -> None:
        self.transaction.announce((event,))


def _facts(tables: Tables, free: FreeTime, now: datetime) -> WaitlistFacts:
    stretches = free.stretches(now)
    slot = stretches[0].slot
    waiting = sorted(_waiting(tables, free, now), key=lambda one: one.entry.rank)
    around = Period(stretches[0].period.start - _WEEK, stretches[-1].period.end + _WEEK)
    counted = tuple(counted_in(tables, {slot.practitioner_id}, around, now=now))
    starts: dict[ScheduleId, tuple[datetime, ...]] = {}
    for one in counted:
        earlier = starts.get(one.schedule_id, ())
        starts[one.schedule_id] = (*earlier, one.period.start)
    where = (slot.practitioner_id, slot.location_id)
    return WaitlistFacts(
        BookingFacts(
            settings=tables.settings.get(None, Settings()),
            patient_active=True,
            preferences=ContactPreferences(),
            practitioner_active=tables.practitioners[slot.practitioner_id].active,
            location_active=tables.locations[slot.location_id].active,
            location_timezone=slot.timezone,
            assignments=tuple(assignments(tables).get(where, ())),
            has_schedule=True,
            slots=(),
            claims=tuple(standing(tables)),
            rules={slot.schedule_id: tables.schedules[slot.schedule_id].rules},
            taken=tuple(one.period.start for one in counted),
            taken_of=starts,
        ),
        tuple(waiting[:MOST_CANDIDATES]),
    )


def _waiting(tables: Tables, free: FreeTime, now: datetime) -> Iterator[Waiting]:
    for entry in tables.waitlist.values():
        claims = tuple(
            claim
            for claim in standing(tables)
            if (claim.kind, claim.actor_id) == (ActorKind.PATIENT, entry.patient_id)
        )
        one = Waiting(entry, tables.patients[entry.patient_id].active, claims)
        if any(suits(one, free, stretch, now) for stretch in free.stretches(now)):
            yield one
