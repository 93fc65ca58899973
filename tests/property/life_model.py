"""What becomes of visits, as plainly as it can be said.

Each question returns the answers that may be given (a code, or None for yes); each verb
says what is different afterwards. A hold that has run out may be swept by whoever
succeeds with something: `sweep` says that it was.
"""

from collections import Counter
from collections.abc import Iterable
from copy import copy
from datetime import datetime, timedelta
from uuid import UUID

from tests.property.life_rules import YES, Answer, Place, Wanted, no
from tests.property.life_waiting import Waiting
from tests.property.life_world import (
    CHANNELS,
    CLOSED,
    KEEPING,
    STEPS,
    TAKING,
    ModelSlot,
    Notice,
    Visit,
    Who,
    day_of,
)

MOST_HOLDS = 3
MOVABLE = {"pending", "booked", "confirmed"}
NOT_THERE = no("APPOINTMENT_NOT_FOUND")
NO_SUCH_STEP = no("INVALID_STATUS_TRANSITION")
FORBIDDEN = no("FORBIDDEN")


class Model(Waiting):
    # Booking

    def book(self, who: Who, wanted: Wanted, *, hold: bool = False) -> Answer:
        if wanted.patient is None or not who.sees(wanted.patient):
            return no("PATIENT_NOT_FOUND")
        if wanted.insists and not who.overrides:
            return no("DOUBLE_BOOKING_OVERRIDE_DENIED")
        if hold and self._live_holds(wanted.patient) >= MOST_HOLDS:
            return no("BOOKING_LIMIT_REACHED")
        return self.answer(wanted)

    def _live_holds(self, patient: int) -> int:
        return sum(
            visit.patient == patient
            and visit.status == "pending"
            and visit.hold_until is not None
            and not self.lapsed(visit)
            for visit in self.visits.values()
        )

    def booked(self, visit: Visit, wanted: Wanted, place: Place) -> None:
        if place.overbooked:
            visit.overbooked = True
            visit.over = self.lying_upon(wanted, place.slots)
        visit.audit.append("appointment.booked")
        visit.news.append(("appointment.created", 1))
        self.visits[visit.id] = visit
        self.take_seats(place.slots)
        if visit.status == "booked":
            self._remind(visit)

    # Moving

    def move(self, who: Who, visit: Visit, wanted: Wanted) -> Answer:
        if not who.sees(visit.patient):
            return NOT_THERE
        if visit.status not in MOVABLE or self.lapsed(visit):
            return NO_SUCH_STEP
        if self.is_there(visit, wanted):
            return YES
        answer = self.answer(wanted)
        told = {"SLOT_NOT_AVAILABLE": "NEW_SLOT_NOT_AVAILABLE"}
        return Answer(answer.places, {told.get(c or "", c) for c in answer.codes})

    def is_there(self, visit: Visit, wanted: Wanted) -> bool:
        if wanted.slot is not None:
            return visit.slots == [wanted.slot]
        return (visit.practitioner, visit.location, visit.start, visit.end) == (
            wanted.practitioner,
            wanted.location,
            wanted.start,
            wanted.end,
        )

    def edit(self, who: Who, visit: Visit, wanted: Wanted) -> Answer:
        """How long it takes, with whom, in which room."""
        if not who.sees(visit.patient):
            return NOT_THERE
        if self.is_so(visit, wanted):
            return self.rename(who, visit)
        if visit.status not in TAKING or self.lapsed(visit):
            return NO_SUCH_STEP
        return self.answer(wanted)

    def is_so(self, visit: Visit, wanted: Wanted) -> bool:
        """What it has is not asked anew."""
        return self.is_there(visit, wanted) and visit.room == wanted.room

    def rename(self, who: Who, visit: Visit) -> Answer:
        if not who.sees(visit.patient):
            return NOT_THERE
        is_over = visit.status in CLOSED or self.lapsed(visit)
        return NO_SUCH_STEP if is_over else YES

    def moved(self, visit: Visit, wanted: Wanted, place: Place) -> None:
        """As `wanted` now, at that place; no news where nothing is different."""
        before, buffer = copy(visit), self.buffer_for(wanted)
        visit.slots, visit.start, visit.end = place.slots, wanted.start, wanted.end
        visit.calendar = self.slots[place.slots[0]].calendar
        visit.room = wanted.room
        visit.overbooked = before.overbooked and self._is_one_too_many(visit, before)
        if visit == before:
            return
        visit.buffer, visit.over = buffer, set()
        left = [id for id in before.slots if id not in visit.slots]
        self.give_seats_back(Counter(left))
        self.take_seats([id for id in visit.slots if id not in before.slots])
        visit.next("appointment.updated", "appointment.updated")
        reminded = visit.status in {"booked", "confirmed"}
        same = (before.start, before.location) == (visit.start, visit.location)
        if not (reminded and same):
            self._remind_no_more(visit)
            if reminded:
                self._remind(visit)
        self.tell(visit, before, left)

    def _is_one_too_many(self, visit: Visit, before: Visit) -> bool:
        """Whether it stays, and nowhere else, in a seat that somebody insisted on."""
        return set(visit.slots) <= set(before.slots) and any(
            self.slots[id].booked > self.slots[id].capacity for id in visit.slots
        )

    # The steps of its life

    def step(self, who: Who, visit: Visit, wanted: str) -> Answer:
        if not who.sees(visit.patient):
            return NOT_THERE
        refused = self._may_not(who, visit, wanted)
        if refused is not None:
            return refused
        if not self.is_anew(visit, wanted):
            return YES
        if not self._holds(who, visit):
            return no("SLOT_NOT_AVAILABLE")
        return self.anew(visit, visit.room)

    def _holds(self, who: Who, visit: Visit) -> bool:
        """What nobody holds is everybody's."""
        held = visit.status == "pending" and visit.hold_until is not None
        return not held or who.manages or who.subject == visit.held_by

    def one_of_many(
        self, who: Who, visit: Visit, wanted: str, *, says_why: bool
    ) -> Answer:
        if wanted == "cancelled" and not says_why:
            return no("VALIDATION_FAILED")
        refused = self._may_not(who, visit, wanted)
        if refused is not None:
            return refused
        return NO_SUCH_STEP if self.is_anew(visit, wanted) else YES

    def _may_not(self, who: Who, visit: Visit, wanted: str) -> Answer | None:
        same_day = day_of(self.now, visit.zone) == day_of(visit.start, visit.zone)
        corrects = (
            visit.status != "entered-in-error"
            if wanted == "entered-in-error"
            else (visit.status, wanted, same_day) == ("no-show", "arrived", True)
        )
        if who.patient is not None and wanted not in {"confirmed", "cancelled"}:
            return FORBIDDEN
        if corrects and not who.manages:
            return FORBIDDEN
        if wanted in TAKING and self.lapsed(visit):
            return no("HOLD_EXPIRED")
        if not corrects and wanted not in STEPS[visit.status]:
            return NO_SUCH_STEP
        return None

    def cancel(self, who: Who, visit: Visit) -> Answer:
        if not who.sees(visit.patient):
            return NOT_THERE
        return YES if "cancelled" in STEPS[visit.status] else NO_SUCH_STEP

    def is_anew(self, visit: Visit, wanted: str) -> bool:
        return (visit.status, wanted) in {("pending", "booked"), ("no-show", "arrived")}

    def anew(self, visit: Visit, room: UUID | None) -> Answer:
        """Its own slots, as if it were booked now."""
        return self.answer(
            Wanted(
                patient=visit.patient,
                practitioner=visit.practitioner,
                location=visit.location,
                start=visit.start,
                end=visit.end,
                only=visit.slots,
                room=room,
                own=visit,
                any_time=True,
            )
        )

    def stepped(self, visit: Visit, wanted: str) -> None:
        """A step that takes time anew, or keeps what it has."""
        was = visit.status
        anew = self.is_anew(visit, wanted)
        if anew:
            kept = visit.buffer if was == "pending" else self.buffer
            visit.buffer = min(self.buffer, kept)
            visit.over, visit.overbooked = set(), False
            self._remind_no_more(visit)
            if was == "no-show":
                self.take_seats(visit.slots)
        visit.status = wanted
        name = "updated" if wanted == "booked" else wanted
        more = ["checkin.completed"] if wanted == "arrived" else []
        visit.next(f"appointment.{wanted}", f"appointment.{name}", *more)
        if anew and wanted == "booked":
            self._remind(visit)

    def leave(
        self, leaving: Iterable[tuple[Visit, str]], *, by_themselves: bool = False
    ) -> None:
        """Some take steps together by which they need their time no more, or never had
        any: what they leave is told when all have gone. Holds that have run out go by
        themselves, and tell it in other words.
        """
        gone = [(visit, copy(visit), wanted) for visit, wanted in leaving]
        seats: Counter[UUID] = Counter()
        for visit, before, wanted in gone:
            if before.status in KEEPING:
                seats.update(id for id in before.slots if id in self.slots)
                self._remind_no_more(visit)
            visit.status = wanted
            visit.swept = by_themselves
            name = f"appointment.{wanted}"
            visit.next(name, "hold.expired" if by_themselves else name)
        self.give_seats_back(seats)
        untold = list(seats)
        for visit, before, _ in gone:
            left = [id for id in before.slots if id in untold]
            untold = [id for id in untold if id not in left]
            with_it = frozenset(
                one.patient
                for _, one, _ in gone
                if one.status in KEEPING and set(one.slots) & set(left)
            )
            if before.status in KEEPING:
                self.tell(visit, before, left, with_it)

    def take_step(self, visit: Visit, wanted: str) -> None:
        if visit.status in KEEPING and wanted not in KEEPING:
            self.leave([(visit, wanted)])
        else:
            self.stepped(visit, wanted)

    # Holds

    def has_run_out(self, visit: Visit) -> bool:
        return self.lapsed(visit) or (visit.swept and visit.status == "cancelled")

    def is_no_hold(self, visit: Visit) -> Answer | None:
        if self.has_run_out(visit):
            return no("HOLD_EXPIRED")
        held = visit.status == "pending" and visit.hold_until is not None
        return None if held else NO_SUCH_STEP

    def release(self, who: Who, visit: Visit) -> Answer:
        if not who.sees(visit.patient):
            return NOT_THERE
        refused = self.is_no_hold(visit)
        if refused is not None:
            return refused
        return YES if self._holds(who, visit) else FORBIDDEN

    def use_up(
        self, who: Who, visit: Visit, patient: int, start: datetime, room: UUID | None
    ) -> Answer:
        """Book it for that patient and start."""
        if not who.sees(patient):
            return no("PATIENT_NOT_FOUND")
        if not who.sees(visit.patient):
            return NOT_THERE
        refused = self.is_no_hold(visit)
        if refused is not None:
            return refused
        if (
            not self._holds(who, visit)
            or patient != visit.patient
            or start != visit.start
        ):
            return no("SLOT_NOT_AVAILABLE")
        return self.anew(visit, room)

    def sweep(self, visits: list[Visit]) -> None:
        """Somebody came across holds that had run out, and let them lapse."""
        seats: Counter[UUID] = Counter()
        for visit in visits:
            assert self.lapsed(visit), "only a hold that has run out may go by itself"
            visit.status, visit.swept = "cancelled", True
            visit.next("appointment.cancelled", "hold.expired")
            seats.update(visit.slots)
        self.give_seats_back(seats)

    # Slots, seats and reminders

    def changed(self, slot: ModelSlot, action: str) -> None:
        """Blocked or not any more."""
        slot.version += 1
        self.slot_audit[slot.id].append((slot.version, action))
        news = self.slot_news[slot.id]
        if slot.blocked:
            news.append(("slot.blocked", slot.version, 0))
        elif slot.left:
            news.append(("slot.opened", slot.version, slot.left))

    def take_seats(self, slots: Iterable[UUID]) -> None:
        for id in slots:
            self.slots[id].booked += 1
            self.slots[id].version += 1

    def give_seats_back(self, seats: Counter[UUID]) -> None:
        for id, count in seats.items():
            slot = self.slots[id]
            had = slot.left
            slot.booked -= count
            slot.version += 1
            if had == 0 and slot.left > 0:
                self.slot_news[id].append(("slot.opened", slot.version, slot.left))

    def _remind(self, visit: Visit) -> None:
        channel = CHANNELS[visit.patient]
        for minutes in self.notices:
            due = visit.start - timedelta(minutes=minutes)
            if due > self.now:
                visit.notices.append(Notice(visit.version, minutes, channel, due))

    def _remind_no_more(self, visit: Visit) -> None:
        for notice in visit.notices:
            notice.status = "CANCELLED"
