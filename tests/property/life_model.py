"""What a small clinic group is, said as plainly as can be: lists, loops, no cleverness.

It shares no rule with the product. Every command says what the answer must be (a code,
or None for yes) and, on yes, what has changed. A hold that has run out may be swept by
whoever comes across it: `swept` says that it was.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

TAKING = {"pending", "booked", "confirmed", "arrived", "in-progress"}
KEEPING = TAKING | {"completed"}
COUNTED = KEEPING
STEPS = {
    "pending": {"booked", "cancelled"},
    "booked": {"confirmed", "arrived", "cancelled", "no-show"},
    "confirmed": {"arrived", "cancelled", "no-show"},
    "arrived": {"in-progress", "completed", "cancelled", "no-show"},
    "in-progress": {"completed"},
    "completed": set(),
    "cancelled": set(),
    "no-show": set(),
    "entered-in-error": set(),
}
HALF_AN_HOUR = timedelta(minutes=30)


@dataclass
class ModelSlot:
    id: UUID
    schedule: int
    start: datetime
    capacity: int
    blocked: bool = False
    version: int = 1

    @property
    def end(self) -> datetime:
        return self.start + HALF_AN_HOUR


@dataclass
class Visit:
    id: UUID
    patient: int
    schedule: int
    slots: list[UUID]
    start: datetime
    end: datetime
    kind: str
    status: str
    buffer: timedelta
    room: UUID | None = None
    hold_until: datetime | None = None
    version: int = 1
    swept: bool = False
    events: list[str] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)

    def step(self, audit: str, *events: str) -> None:
        self.version += 1
        self.audit.append(audit)
        self.events += events


@dataclass
class Model:
    """`schedules` are (practitioner, location), each pair at most once."""

    now: datetime
    schedules: list[tuple[int, int]]
    slots: dict[UUID, ModelSlot]
    buffer: timedelta = timedelta()
    notice: timedelta = timedelta()
    per_day: int | None = None
    hold: timedelta = timedelta(minutes=10)
    visits: dict[UUID, Visit] = field(default_factory=dict)

    # What is so

    def lapsed(self, visit: Visit) -> bool:
        return (
            visit.status == "pending"
            and visit.hold_until is not None
            and visit.hold_until <= self.now
        )

    def keeping(self, besides: Visit | None = None) -> list[Visit]:
        return [
            visit
            for visit in self.visits.values()
            if visit.status in KEEPING
            and not self.lapsed(visit)
            and visit is not besides
        ]

    def stretches(
        self, slots: list[UUID], start: datetime, end: datetime, buffer: timedelta
    ) -> list[tuple[UUID, datetime, datetime, datetime]]:
        """(slot, from, to, to with the buffer behind the last)"""
        found = []
        for id in slots:
            until = min(self.slots[id].end, end)
            after = until + buffer if until == end else until
            found.append((id, max(self.slots[id].start, start), until, after))
        return found

    def chain(self, schedule: int, start: datetime, minutes: int) -> list[UUID]:
        """Slots of the schedule, one behind the other, that hold the time; or none."""
        chain, at = [], start
        while at < start + timedelta(minutes=minutes):
            fitting = [
                slot
                for slot in self.slots.values()
                if slot.schedule == schedule and slot.start == at
            ]
            if not fitting:
                return []
            chain.append(fitting[0].id)
            at = fitting[0].end
        return chain

    def why_not(
        self,
        patient: int,
        slots: list[UUID],
        start: datetime,
        end: datetime,
        *,
        room: UUID | None = None,
        own: Visit | None = None,
        any_time: bool = False,
    ) -> str | None:
        """The first reason, in the order of the rules."""
        if not slots:
            return "OUTSIDE_SCHEDULE"
        if not any_time and not (self.now < start and start >= self.now + self.notice):
            return "OUTSIDE_BOOKING_WINDOW"
        others = self.keeping(own)
        for id in slots:
            seats = sum(id in visit.slots for visit in others)
            if self.slots[id].blocked or seats >= self.slots[id].capacity:
                return "SLOT_NOT_AVAILABLE"
        return self._clash(patient, slots, start, end, room, others) or (
            "BOOKING_LIMIT_REACHED" if self._day_is_full(slots, start, others) else None
        )

    def _clash(  # noqa: PLR0917  # as many as a request has
        self,
        patient: int,
        slots: list[UUID],
        start: datetime,
        end: datetime,
        room: UUID | None,
        others: list[Visit],
    ) -> str | None:
        practitioner = self.schedules[self.slots[slots[0]].schedule][0]
        mine = self.stretches(slots, start, end, self.buffer)
        only_buffer = False
        for visit in others:
            if visit.patient == patient and visit.start < end and start < visit.end:
                return "DOUBLE_BOOKING_DETECTED"
            theirs = self.stretches(visit.slots, visit.start, visit.end, visit.buffer)
            for id, a_start, a_end, a_until in mine:
                for other_id, b_start, b_end, b_until in theirs:
                    if id == other_id:
                        continue
                    real = a_start < b_end and b_start < a_end
                    same_room = room is not None and room == visit.room
                    if real and same_room:
                        return "DOUBLE_BOOKING_DETECTED"
                    if self.schedules[visit.schedule][0] == practitioner:
                        if real:
                            return "DOUBLE_BOOKING_DETECTED"
                        if a_start < b_until and b_start < a_until:
                            only_buffer = True
        return "BUFFER_TIME_CONFLICT" if only_buffer else None

    def _day_is_full(
        self, slots: list[UUID], start: datetime, others: list[Visit]
    ) -> bool:
        """All is in UTC here: the zones have their own tests."""
        if self.per_day is None:
            return False
        practitioner = self.schedules[self.slots[slots[0]].schedule][0]
        that_day = [
            visit
            for visit in others
            if self.schedules[visit.schedule][0] == practitioner
            and visit.start.date() == start.date()
        ]
        return len(that_day) >= self.per_day

    # What is asked for

    def book(  # as many as a request has
        self,
        patient: int,
        slots: list[UUID],
        start: datetime,
        end: datetime,
        room: UUID | None,
        *,
        hold: bool = False,
    ) -> str | None:
        if hold and self._live_holds(patient) >= 3:
            return "BOOKING_LIMIT_REACHED"
        return self.why_not(patient, slots, start, end, room=room)

    def _live_holds(self, patient: int) -> int:
        return sum(
            visit.patient == patient
            and visit.status == "pending"
            and visit.hold_until is not None
            and not self.lapsed(visit)
            for visit in self.visits.values()
        )

    def booked(self, visit: Visit) -> None:
        visit.events.append("appointment.created")
        visit.audit.append("appointment.booked")
        self.visits[visit.id] = visit

    def move(
        self, visit: Visit, slots: list[UUID], start: datetime, end: datetime
    ) -> str | None:
        if visit.status not in {"pending", "booked", "confirmed"}:
            return "INVALID_STATUS_TRANSITION"
        if self.lapsed(visit):
            return "INVALID_STATUS_TRANSITION"
        if self.is_there(visit, slots, start, end):
            return None
        reason = self.why_not(
            visit.patient, slots, start, end, room=visit.room, own=visit
        )
        return "NEW_SLOT_NOT_AVAILABLE" if reason == "SLOT_NOT_AVAILABLE" else reason

    def is_there(
        self, visit: Visit, slots: list[UUID], start: datetime, end: datetime
    ) -> bool:
        return (visit.slots, visit.start, visit.end) == (slots, start, end)

    def moved(
        self, visit: Visit, slots: list[UUID], start: datetime, end: datetime
    ) -> None:
        if self.is_there(visit, slots, start, end):
            return
        visit.slots, visit.start, visit.end = slots, start, end
        visit.schedule = self.slots[slots[0]].schedule
        visit.buffer = self.buffer
        visit.step("appointment.updated", "appointment.updated")

    def resize(self, visit: Visit, slots: list[UUID], end: datetime) -> str | None:
        if visit.status not in TAKING or self.lapsed(visit):
            return "INVALID_STATUS_TRANSITION"
        return self.why_not(
            visit.patient,
            slots,
            visit.start,
            end,
            room=visit.room,
            own=visit,
            any_time=True,
        )

    def rename(self, visit: Visit) -> str | None:
        closed = visit.status in {"cancelled", "no-show", "entered-in-error"}
        return "INVALID_STATUS_TRANSITION" if closed else None

    def step(self, visit: Visit, wanted: str) -> str | None:
        if wanted in TAKING and self.lapsed(visit):
            return "HOLD_EXPIRED"
        if not self._follows(visit, wanted):
            return "INVALID_STATUS_TRANSITION"
        if self._anew(visit, wanted):
            return self.why_not(
                visit.patient,
                visit.slots,
                visit.start,
                visit.end,
                room=visit.room,
                own=visit,
                any_time=True,
            )
        return None

    def _follows(self, visit: Visit, wanted: str) -> bool:
        if wanted == "entered-in-error":
            return visit.status != "entered-in-error"
        if (visit.status, wanted) == ("no-show", "arrived"):
            return self.now.date() == visit.start.date()
        return wanted in STEPS[visit.status]

    def _anew(self, visit: Visit, wanted: str) -> bool:
        return (visit.status, wanted) in {("pending", "booked"), ("no-show", "arrived")}

    def stepped(self, visit: Visit, wanted: str) -> None:
        if self._anew(visit, wanted):
            visit.buffer = self.buffer
        visit.status = wanted
        visit.hold_until = None
        name = "updated" if wanted == "booked" else wanted
        visit.step(f"appointment.{wanted}", f"appointment.{name}")
        if wanted == "arrived":
            visit.events.append("checkin.completed")

    def has_run_out(self, visit: Visit) -> bool:
        return self.lapsed(visit) or (visit.swept and visit.status == "cancelled")

    def release(self, visit: Visit) -> str | None:
        if self.has_run_out(visit):
            return "HOLD_EXPIRED"
        if visit.hold_until is None:
            return "INVALID_STATUS_TRANSITION"
        return None

    def use_up(self, visit: Visit) -> str | None:
        if self.has_run_out(visit):
            return "HOLD_EXPIRED"
        if visit.hold_until is None:
            return "INVALID_STATUS_TRANSITION"
        return self.step(visit, "booked")

    def sweep(self, visit: Visit) -> None:
        """Somebody came across a hold that had run out, and let it lapse."""
        assert self.lapsed(visit), "only a hold that has run out may go by itself"
        visit.status, visit.swept = "cancelled", True
        visit.step("appointment.cancelled", "hold.expired")

    # What must be seen

    def seats(self) -> Counter[UUID]:
        """Seats that are counted in storage: of holds that ran out, until swept."""
        return Counter(
            id
            for visit in self.visits.values()
            if visit.status in KEEPING
            for id in visit.slots
        )
