"""Who waits, and who of them is told of time that was given back: said plainly."""

from datetime import datetime
from uuid import UUID

from tests.property.life_closing import Closing
from tests.property.life_rules import YES, Answer, Wanted, no
from tests.property.life_world import CALENDARS, Entry, ModelSlot, Told, Visit, Who

MOST_TOLD = 20


class Waiting(Closing):
    def wait(self, who: Who, entry: Entry) -> Answer:
        if not who.sees(entry.patient):
            return no("PATIENT_NOT_FOUND")
        if entry.priority and who.patient is not None:
            return no("FORBIDDEN")
        if entry.latest <= entry.earliest or entry.latest <= self.now:
            return no("VALIDATION_FAILED")
        return YES if self.patients[entry.patient] else no("PATIENT_NOT_FOUND")

    def remove(self, who: Who, entry: Entry) -> Answer:
        if not who.sees(entry.patient):
            return no("WAITLIST_ENTRY_NOT_FOUND")
        return self._waits(entry)

    def fulfil(self, who: Who, entry: Entry, wanted: Wanted) -> Answer:
        if who.patient is not None:
            return no("FORBIDDEN")
        waits = self._waits(entry)
        return waits if waits is not YES else self.answer(wanted)

    def _waits(self, entry: Entry) -> Answer:
        return YES if entry.status == "waiting" else no("INVALID_STATUS_TRANSITION")

    def ended(self, entry: Entry, status: str, visit: UUID | None = None) -> None:
        entry.status, entry.visit = status, visit
        entry.version += 1

    def tell(
        self,
        visit: Visit,
        before: Visit,
        left: list[UUID],
        with_it: frozenset[int] = frozenset(),
    ) -> None:
        """All has been done; tell, once, what of the time that was left can be had now,
        and by whom. Whoever left it, alone or `with_it`, is not told of it.
        """
        gone = with_it | {before.patient}
        slots = sorted((self.slots[id] for id in left), key=lambda slot: slot.start)
        free = [slot for slot in slots if self._can_be_had(slot, before)]
        if not free:
            return
        entries = [
            entry
            for entry in self.entries.values()
            if entry.patient not in gone
            and any(self._suits(entry, slot, before) for slot in free)
        ]
        entries.sort(key=lambda entry: (-entry.priority, entry.since, entry.id))
        if entries:
            visit.news.append(("waitlist.slot-available", visit.version))
            visit.told.append(
                Told(
                    visit.version,
                    [slot.id for slot in free],
                    free[0].start,
                    _end(free[-1], before),
                    [entry.id for entry in entries[:MOST_TOLD]],
                )
            )

    def _can_be_had(self, slot: ModelSlot, before: Visit) -> bool:
        if slot.left == 0 or slot.start >= before.end:
            return False
        practitioner, location = CALENDARS[slot.calendar]
        wanted = Wanted(
            patient=None,
            practitioner=practitioner,
            location=location,
            start=slot.start,
            end=_end(slot, before),
            only=[slot.id],
        )
        return bool(self.answer(wanted).places)

    def _suits(self, entry: Entry, slot: ModelSlot, before: Visit) -> bool:
        practitioner, location = CALENDARS[slot.calendar]
        start, end = slot.start, _end(slot, before)
        busy = any(
            visit.patient == entry.patient and visit.start < end and start < visit.end
            for visit in self.keeping()
        )
        return (
            entry.status == "waiting"
            and self.patients[entry.patient]
            and practitioner in (entry.practitioners or [practitioner])
            and location in (entry.locations or [location])
            and (
                entry.service is None
                or not slot.services
                or entry.service in slot.services
            )
            and entry.earliest <= start
            and end <= entry.latest
            and not busy
        )


def _end(slot: ModelSlot, before: Visit) -> datetime:
    return min(slot.end, before.end)
