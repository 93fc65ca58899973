"""The waitlist, and who of it to tell of freed time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from scheduling.adapters.postgres.assignments import assignment_from
from scheduling.adapters.postgres.batch import OFFERS, WAITLIST
from scheduling.adapters.postgres.directory_rows import settings_from
from scheduling.adapters.postgres.rows import claim_from
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.adapters.postgres.waitlist_offer_statements import (
    reading_entries,
    reading_named,
    reading_offers_over,
    reading_whom_to_ask,
)
from scheduling.adapters.postgres.waitlist_statements import (
    ENTRY_COLUMNS,
    paging,
    reading_who_is_known,
    reading_who_waits,
)
from scheduling.application.ports.waitlist import (
    NamedEntry,
    WaitlistFilter,
    WaitlistRepository,
)
from scheduling.domain.booking import BookingFacts
from scheduling.domain.changes import changes_between
from scheduling.domain.claim import Claim
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import OptimisticLockConflict, WaitlistEntryNotFound
from scheduling.domain.events import WaitlistSlotAvailable
from scheduling.domain.freed_time import (
    FreeTime,
    Stretch,
    Waiting,
    WaitlistFacts,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    ScheduleId,
    SlotId,
    WaitlistEntryId,
    WaitlistOfferId,
)
from scheduling.domain.period import Period
from scheduling.domain.settings import (
    LONGEST_BUFFER_MINUTES,
    CalendarLimits,
    CalendarRules,
)
from scheduling.domain.slot import Slot
from scheduling.domain.waitlist import (
    Known,
    WaitlistEntry,
    WaitlistStatus,
    Wish,
)
from scheduling.domain.waitlist_offer import OfferedTime, OfferStatus, WaitlistOffer

Row = Mapping[str, Any]

# More than is asked for does no harm: the domain looks again.
_ANY_BUFFER = timedelta(minutes=LONGEST_BUFFER_MINUTES)
_ANY_WEEK = timedelta(days=8)


@dataclass(slots=True)
class PostgresWaitlist(WaitlistRepository):
    """Storing an entry stores its events: neither is ever there alone."""

    transaction: Transaction
    seen: dict[WaitlistEntryId, WaitlistEntry] = field(default_factory=dict)

    async def get(self, id: WaitlistEntryId) -> WaitlistEntry:
        row = await self.transaction.row(reading_entries("id"), id=id)
        if row is None:
            raise WaitlistEntryNotFound(id)
        entry = _whole_entry_from(row)
        self.seen[id] = entry
        return entry

    async def page(self, wanted: WaitlistFilter) -> Sequence[NamedEntry]:
        after_created_at, after_id = wanted.after or (None, None)
        asked = {
            "status": wanted.status,
            "patient_id": wanted.patient_id,
            "after_created_at": after_created_at,
            "after_id": after_id,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        rows = await self.transaction.rows(
            paging(frozenset(given)), **given, limit=wanted.limit
        )
        return [_named_from(row) for row in rows]

    async def named(self, ids: Sequence[WaitlistEntryId]) -> Sequence[NamedEntry]:
        rows = await self.transaction.rows(reading_named(), ids=list(ids))
        found = {one.entry.id: one for one in map(_named_from, rows)}
        return [found[id] for id in dict.fromkeys(ids) if id in found]

    async def waiting(self, id: PatientId) -> Sequence[WaitlistEntry]:
        rows = await self.transaction.rows(reading_entries("patient_id"), patient_id=id)
        found = [_whole_entry_from(row) for row in rows]
        self.seen.update((entry.id, entry) for entry in found)
        return found

    async def known(self, wish: Wish) -> Known:
        row = await self.transaction.row(
            reading_who_is_known(),
            patient_id=wish.patient_id,
            practitioner_ids=list(wish.practitioner_ids),
            location_ids=list(wish.location_ids),
        )
        return Known(
            patient_active=row["patient_active"],
            practitioner_ids=frozenset(row["practitioner_ids"] or ()),
            location_ids=frozenset(row["location_ids"] or ()),
        )

    async def askable(
        self, source_event_id: str, ids: Sequence[WaitlistEntryId]
    ) -> Sequence[WaitlistEntry]:
        rows = await self.transaction.rows(
            reading_whom_to_ask(), source_event_id=source_event_id, ids=list(ids)
        )
        found = {one.id: one for one in map(_entry_from, rows)}
        self.seen.update(found)
        return [found[id] for id in dict.fromkeys(ids) if id in found]

    async def offers_over(
        self, now: datetime, *, limit: int
    ) -> Sequence[WaitlistEntryId]:
        rows = await self.transaction.rows(reading_offers_over(), now=now, limit=limit)
        return [WaitlistEntryId(row["waitlist_entry_id"]) for row in rows]

    def save(self, entry: WaitlistEntry) -> None:
        transaction, before = self.transaction, self.seen.get(entry.id)
        changed = OptimisticLockConflict(f"Waitlist entry {entry.id} has changed.")
        transaction.batch.add(WAITLIST, _entry_row(entry), otherwise=changed)
        if entry.offer is not None:
            row = _offer_row(entry.id, entry.offer)
            transaction.batch.add(OFFERS, row, otherwise=changed)
        transaction.announce(entry.events)
        transaction.audit(
            f"waitlist-entry.{entry.last_step(before)}",
            "waitlist-entry",
            entry.id,
            version=entry.version,
            changes=changes_between(before, entry),
            at=entry.updated_at,
        )

    async def candidates(
        self, freed: Sequence[FreeTime], now: datetime
    ) -> Sequence[WaitlistFacts]:
        free = [(one, stretches) for one in freed if (stretches := one.stretches(now))]
        pieces = [
            {
                "number": number,
                "starts_at": stretch.period.start,
                "ends_at": stretch.period.end,
                "service_types": stretch.slot.service_types,
            }
            for number, (_, stretches) in enumerate(free)
            for stretch in stretches
        ]
        times = [_freed_row(number, *one) for number, one in enumerate(free)]
        rows = await self.transaction.rows(
            reading_who_waits(),
            freed=orjson.dumps(times, default=str).decode(),
            stretches=orjson.dumps(pieces, default=str).decode(),
            leaving=[id for one in freed for id in one.leaving],
            now=now,
        )
        return [
            WaitlistFacts(
                _booking_facts(row, stretches[0].slot),
                tuple(_waiting(orjson.loads(row["waiting"] or "[]"))),
            )
            for row, (_, stretches) in zip(rows, free, strict=True)
        ]

    def announce(self, event: WaitlistSlotAvailable) -> None:
        self.transaction.announce((event,))


def _freed_row(number: int, freed: FreeTime, stretches: Sequence[Stretch]) -> Row:
    """The slots that one appointment held, and a slot anyhow, are of one schedule."""
    start, end = stretches[0].period.start, stretches[-1].period.end
    slot = stretches[0].slot
    return {
        "number": number,
        "patient_ids": list(freed.patient_ids),
        "practitioner_id": slot.practitioner_id,
        "location_id": slot.location_id,
        "schedule_id": slot.schedule_id,
        "first_end": stretches[0].period.end,
        "last_start": stretches[-1].period.start,
        "starts_at": start,
        "ends_at": end,
        "claims_until": end + _ANY_BUFFER,
        "weeks_start": start - _ANY_WEEK,
        "weeks_end": end + _ANY_WEEK,
    }


def _booking_facts(row: Row, slot: Slot) -> BookingFacts:
    starts: dict[ScheduleId, list[datetime]] = {}
    for schedule, start in orjson.loads(row["starts"] or "[]"):
        on = starts.setdefault(ScheduleId(UUID(schedule)), [])
        on.append(datetime.fromisoformat(start))
    return BookingFacts(
        settings=settings_from(row),
        patient_active=True,
        preferences=ContactPreferences(),
        practitioner_active=row["practitioner_active"],
        location_active=row["location_active"],
        location_timezone=slot.timezone,
        assignments=tuple(
            assignment_from(role)[1]
            for role in orjson.loads(row["assignments"] or "[]")
        ),
        has_schedule=True,
        slots=(),
        claims=_claims(orjson.loads(row["claims"] or "[]")),
        rules={
            slot.schedule_id: CalendarRules(
                row["schedule_horizon_days"],
                row["schedule_notice_minutes"],
                CalendarLimits(row["limit_per_day"], row["limit_per_week"]),
            )
        },
        taken=tuple(start for some in starts.values() for start in some),
        taken_of={schedule: tuple(some) for schedule, some in starts.items()},
    )


def _claims(found: Iterable[Sequence[Any]]) -> tuple[Claim, ...]:
    return tuple(claim_from(values) for values in found)


def _waiting(found: Iterable[Sequence[Any]]) -> Iterable[Waiting]:
    for claims, *values in found:
        row = dict(zip(ENTRY_COLUMNS, values, strict=True))
        for name in ("id", "patient_id"):
            row[name] = UUID(row[name])
        for name in ("practitioner_ids", "location_ids"):
            row[name] = [UUID(id) for id in row[name]]
        for name in ("earliest", "latest", "created_at", "updated_at"):
            row[name] = datetime.fromisoformat(row[name])
        yield Waiting(
            _entry_from(row), patient_active=True, claims=_claims(claims or ())
        )


def _entry_from(row: Row) -> WaitlistEntry:
    appointment_id = row["appointment_id"]
    return WaitlistEntry(
        id=WaitlistEntryId(row["id"]),
        patient_id=PatientId(row["patient_id"]),
        practitioner_ids=tuple(map(PractitionerId, row["practitioner_ids"])),
        location_ids=tuple(map(LocationId, row["location_ids"])),
        service_type=row["service_type"],
        earliest=row["earliest"],
        latest=row["latest"],
        priority=row["priority"],
        status=WaitlistStatus(row["status"]),
        appointment_id=None
        if appointment_id is None
        else AppointmentId(appointment_id),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )


def _whole_entry_from(row: Row) -> WaitlistEntry:
    entry = _entry_from(row)
    if row["offer_id"] is None:
        return entry
    return replace(entry, offer=_offer_from(row))


def _named_from(row: Row) -> NamedEntry:
    return NamedEntry(_whole_entry_from(row), row["patient_name"])


def _offer_from(row: Row) -> WaitlistOffer:
    return WaitlistOffer(
        id=WaitlistOfferId(row["offer_id"]),
        appointment_id=AppointmentId(row["offer_appointment_id"]),
        time=OfferedTime(
            practitioner_id=PractitionerId(row["hold_practitioner_id"]),
            location_id=LocationId(row["hold_location_id"]),
            slot_ids=tuple(map(SlotId, row["hold_slot_ids"])),
            period=Period(row["hold_starts_at"], row["hold_ends_at"]),
            timezone=row["hold_timezone"],
            appointment_type=row["hold_appointment_type"],
        ),
        source_event_id=row["offer_source_event_id"],
        status=OfferStatus(row["offer_status"]),
        candidates=tuple(
            WaitlistEntryId(UUID(id)) for id in orjson.loads(row["offer_candidates"])
        ),
        expires_at=row["offer_expires_at"],
        created_at=row["offer_created_at"],
        updated_at=row["offer_updated_at"],
        version=row["offer_version"],
    )


def _offer_row(entry_id: WaitlistEntryId, offer: WaitlistOffer) -> Row:
    return {
        "id": offer.id,
        "waitlist_entry_id": entry_id,
        "appointment_id": offer.appointment_id,
        "source_event_id": offer.source_event_id,
        "status": offer.status,
        "candidates": offer.candidates,
        "expires_at": offer.expires_at,
        "created_at": offer.created_at,
        "updated_at": offer.updated_at,
        "version": offer.version,
    }


def _entry_row(entry: WaitlistEntry) -> Row:
    return {
        "id": entry.id,
        "patient_id": entry.patient_id,
        "practitioner_ids": entry.practitioner_ids,
        "location_ids": entry.location_ids,
        "service_type": entry.service_type,
        "earliest": entry.earliest,
        "latest": entry.latest,
        "priority": entry.priority,
        "status": entry.status,
        "appointment_id": entry.appointment_id,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
        "version": entry.version,
    }
