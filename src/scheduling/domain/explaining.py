"""Why time is not offered: a closed list of reasons, and nobody's data.

A stretch is a slot, or time in which there is none. The stretches of a range cover it
without a gap; they lie upon each other only where slots do. What is offered is decided
by the one availability function, as for search and booking: its refusals are told
apart here, and all that apply are told.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache

from scheduling.domain.availability import (
    BookingWindow,
    Taken,
    reasons_against,
    why_not_there,
)
from scheduling.domain.calendar_hours import CalendarHours
from scheduling.domain.claim import (
    SOMEBODY,
    ActorKind,
    Claim,
    Clashes,
    Resource,
    claims_of,
    pairs_in_the_way,
)
from scheduling.domain.errors import (
    BookingLimitReached,
    BufferTimeConflict,
    DoubleBookingDetected,
    NotBookable,
    OutsideBookingWindow,
    PractitionerNotAssigned,
    PractitionerNotAvailable,
    SlotNotAvailable,
)
from scheduling.domain.identifiers import AppointmentId, PatientId, ScheduleId, SlotId
from scheduling.domain.period import Period, local_day
from scheduling.domain.settings import CalendarRules, Settings
from scheduling.domain.slot import Slot, SlotStatus


class Reason(StrEnum):
    """Why a time is not offered, in the order in which they are told."""

    PRACTITIONER_INACTIVE = "PRACTITIONER_INACTIVE"
    LOCATION_INACTIVE = "LOCATION_INACTIVE"
    ROLE_INACTIVE = "ROLE_INACTIVE"
    """No role of the practitioner covers the day there."""
    NO_RULE = "NO_RULE"
    """No rule works on that local day."""
    OUTSIDE_HOURS = "OUTSIDE_HOURS"
    """Rules work on that day, at another time."""
    EXCEPTION = "EXCEPTION"
    """Closed, blocked, or the practitioner is away."""
    MIN_NOTICE = "MIN_NOTICE"
    """Past, or too soon."""
    BEYOND_HORIZON = "BEYOND_HORIZON"
    BOOKED = "BOOKED"
    HELD = "HELD"
    CAPACITY_FULL = "CAPACITY_FULL"
    BUFFER = "BUFFER"
    PATIENT_CONFLICT = "PATIENT_CONFLICT"
    RESOURCE_CONFLICT = "RESOURCE_CONFLICT"
    LIMIT_REACHED = "LIMIT_REACHED"


_ORDER = {reason: place for place, reason in enumerate(Reason)}


_TOLD_AS: dict[type[NotBookable], Reason] = {
    PractitionerNotAssigned: Reason.ROLE_INACTIVE,
    PractitionerNotAvailable: Reason.EXCEPTION,
    BufferTimeConflict: Reason.BUFFER,
    BookingLimitReached: Reason.LIMIT_REACHED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Of what kind of visit, and for whom and with what besides the practitioner."""

    service_type: str | None = None
    patient_id: PatientId | None = None
    resources: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """All that storage knows of a practitioner's time around a range.

    `slots` and `claims` are those that meet it; the claims are also the patient's and
    the resources', lapsed ones too, and tell of no appointment. `taken` are the starts
    that limits count, by schedule; none are needed where nothing is limited.
    """

    practitioner_active: bool
    calendars: tuple[CalendarHours, ...]
    slots: tuple[Slot, ...]
    claims: tuple[Claim, ...]
    taken: Mapping[ScheduleId, tuple[datetime, ...]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the range, and why it cannot be had; no reason: it can."""

    period: Period
    reasons: tuple[Reason, ...]
    slot_id: SlotId | None = None

    @property
    def is_offered(self) -> bool:
        return not self.reasons


def explain(
    question: Question,
    known: Circumstances,
    period: Period,
    *,
    settings: Settings,
    now: datetime,
) -> list[Stretch]:
    """Return the stretches of the period by start."""
    slots = [
        slot
        for slot in known.slots
        if slot.status is not SlotStatus.ENTERED_IN_ERROR
        and slot.period.overlaps(period)
        and _serves(slot.service_types, question.service_type)
    ]
    slots.sort(key=lambda slot: (slot.period.start, slot.period.end, slot.id))
    judge = _Judge(question, known, slots, settings, now)
    stretches = [
        Stretch(_within(slot.period, period), told(judge.reasons(slot)), slot.id)
        for slot in slots
    ]
    for gap in _gaps(slots, period):
        stretches += _of_gap(gap, question, known, settings, now)
    stretches.sort(key=lambda one: (one.period.start, one.period.end))
    return stretches


def told(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(set(reasons), key=_ORDER.__getitem__))


class _Judge:
    """What is asked of each slot, with what is asked once for all of them."""

    def __init__(
        self,
        question: Question,
        known: Circumstances,
        slots: list[Slot],
        settings: Settings,
        now: datetime,
    ) -> None:
        self._question, self._known, self._now = question, known, now
        self._settings = settings
        self._calendars = {one.schedule_id: one for one in known.calendars}
        self._standing = [one for one in known.claims if not one.has_lapsed(now)]
        mine = (ActorKind.PRACTITIONER,)
        self._lapsed = Counter(
            one.share_id
            for one in known.claims
            if one.kind in mine and one.has_lapsed(now)
        )
        self._held = {
            one.share_id
            for one in self._standing
            if one.kind in mine and one.expires_at is not None
        }
        self._in_the_way = self._conflicts(slots)
        self._taken = cache(self._count)
        self._window = cache(self._open)

    def reasons(self, slot: Slot) -> Iterator[Reason]:
        calendar = self._calendars[slot.schedule_id]
        if not self._known.practitioner_active:
            yield Reason.PRACTITIONER_INACTIVE
        if not calendar.location_active:
            yield Reason.LOCATION_INACTIVE
        window = self._window(slot.timezone, calendar.rules)
        conflicts = self._in_the_way.get(slot.id, set())
        against = reasons_against(
            slot.period.start,
            window=window,
            has_seat=self._without_lapsed(slot).remaining > 0,
            clashes=Clashes(
                overlapping=(SOMEBODY,) if conflicts - {Reason.BUFFER} else (),
                buffering=(SOMEBODY,) if Reason.BUFFER in conflicts else (),
            ),
            limit_reached=self._is_limited(slot, calendar),
            there=why_not_there(calendar.assignments, slot.period, slot.timezone),
        )
        for refusal in against:
            yield from self._told_apart(refusal, slot, window, conflicts)

    def _told_apart(
        self,
        refusal: NotBookable,
        slot: Slot,
        window: BookingWindow,
        conflicts: set[Reason],
    ) -> Iterable[Reason]:
        if isinstance(refusal, OutsideBookingWindow):
            start = slot.period.start
            soon = start <= window.now or start < window.opens
            return [
                *([Reason.MIN_NOTICE] if soon else []),
                *([Reason.BEYOND_HORIZON] if start >= window.closes else []),
            ]
        if isinstance(refusal, SlotNotAvailable):
            return (self._why_no_seat(self._without_lapsed(slot)),)
        if isinstance(refusal, DoubleBookingDetected):
            return conflicts - {Reason.BUFFER}
        return (_TOLD_AS[type(refusal)],)

    def _why_no_seat(self, slot: Slot) -> Reason:
        if slot.status is SlotStatus.BUSY_UNAVAILABLE:
            return Reason.EXCEPTION
        if slot.status is SlotStatus.BUSY_TENTATIVE:
            return Reason.HELD
        if slot.obsolete_since is not None and slot.booked < slot.capacity:
            return Reason.OUTSIDE_HOURS
        if slot.capacity > 1:
            return Reason.CAPACITY_FULL
        return Reason.HELD if slot.id in self._held else Reason.BOOKED

    def _conflicts(self, slots: list[Slot]) -> dict[SlotId, set[Reason]]:
        """Ask for all slots at once: there may be thousands of claims."""
        wanted = [
            claim
            for slot in slots
            for claim in claims_of(
                AppointmentId(slot.id),
                period=slot.period,
                practitioner_id=slot.practitioner_id,
                patient_id=self._question.patient_id or SOMEBODY,
                resources=self._question.resources,
                slots=[(slot.id, slot.period)],
                buffer=self._settings.buffer,
                overbooked=False,
            )
        ]
        found: dict[SlotId, set[Reason]] = {}
        for claim, other in pairs_in_the_way(wanted, self._standing):
            reason = _why_in_the_way(claim, other)
            found.setdefault(SlotId(claim.appointment_id), set()).add(reason)
        return found

    def _without_lapsed(self, slot: Slot) -> Slot:
        lapsed = self._lapsed.get(slot.id, 0)
        return replace(slot, booked=max(0, slot.booked - lapsed)) if lapsed else slot

    def _is_limited(self, slot: Slot, calendar: CalendarHours) -> bool:
        if not (self._settings.limits.any or calendar.rules.limits.any):
            return False
        day = local_day(slot.period.start, slot.timezone)
        return self._taken(slot.timezone, None).reaches(
            self._settings.limits, day
        ) or self._taken(slot.timezone, slot.schedule_id).reaches(
            calendar.rules.limits, day
        )

    def _open(self, timezone: str, rules: CalendarRules) -> BookingWindow:
        return BookingWindow.of(self._settings, rules, now=self._now, timezone=timezone)

    def _count(self, timezone: str, schedule_id: ScheduleId | None) -> Taken:
        starts = (
            start
            for of, some in self._known.taken.items()
            for start in some
            if schedule_id in {None, of}
        )
        return Taken.of(starts, timezone)


def _why_in_the_way(claim: Claim, other: Claim) -> Reason:
    if claim.kind is ActorKind.PATIENT:
        return Reason.PATIENT_CONFLICT
    if claim.kind is not ActorKind.PRACTITIONER:
        return Reason.RESOURCE_CONFLICT
    if not claim.period.overlaps(other.period):
        return Reason.BUFFER
    return Reason.BOOKED if other.expires_at is None else Reason.HELD


def _serves(service_types: tuple[str, ...], wanted: str | None) -> bool:
    return wanted is None or not service_types or wanted in service_types


def _within(period: Period, whole: Period) -> Period:
    return Period(max(period.start, whole.start), min(period.end, whole.end))


def _gaps(slots: Iterable[Slot], period: Period) -> Iterator[Period]:
    """Yield what no slot covers; they come by start."""
    at = period.start
    for slot in slots:
        if at < slot.period.start:
            yield Period(at, slot.period.start)
        at = max(at, slot.period.end)
    if at < period.end:
        yield Period(at, period.end)


def _of_gap(
    gap: Period,
    question: Question,
    known: Circumstances,
    settings: Settings,
    now: datetime,
) -> Iterator[Stretch]:
    """Cut a gap where the reasons change, and nowhere else."""
    cuts = {gap.start, gap.end}
    for calendar in known.calendars:
        cuts |= {
            cut for cut in calendar.changes_within(gap) if gap.start < cut < gap.end
        }
    at, *ends = sorted(cuts)
    reasons: tuple[Reason, ...] | None = None
    since = at
    for end in ends:
        here = told(_of_nothing(Period(at, end), question, known, settings, now))
        if reasons is not None and here != reasons:
            yield Stretch(Period(since, at), reasons)
            since = at
        reasons, at = here, end
    if reasons is not None:
        yield Stretch(Period(since, at), reasons)


def _of_nothing(
    piece: Period,
    question: Question,
    known: Circumstances,
    settings: Settings,
    now: datetime,
) -> Iterator[Reason]:
    """Say why there is no slot in a piece of time in which nothing changes: for each
    calendar, and that no rule works only where none of any works.
    """
    if not known.practitioner_active:
        yield Reason.PRACTITIONER_INACTIVE
    alone = len(known.calendars) == 1
    works = False
    for calendar in known.calendars:
        found = calendar.look_at(piece, question.service_type)
        works = works or found.works_that_day
        if found.is_closed:
            yield Reason.EXCEPTION
        elif found.is_open:
            # It has hours and no slot: none was laid there, or none so far ahead yet.
            window = BookingWindow.of(
                settings, calendar.rules, now=now, timezone=calendar.timezone
            )
            far = piece.start >= window.closes
            yield Reason.BEYOND_HORIZON if far else Reason.OUTSIDE_HOURS
        elif found.works_that_day:
            yield Reason.OUTSIDE_HOURS
        if alone or found.is_open:
            if not calendar.location_active:
                yield Reason.LOCATION_INACTIVE
            if not found.is_assigned:
                yield Reason.ROLE_INACTIVE
    if not works:
        yield Reason.NO_RULE
