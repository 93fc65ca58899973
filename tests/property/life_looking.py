"""What search shows, `next` finds and `explain` offers is what the model says can be
booked, and what a rehearsal books.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from scheduling.adapters.postgres.rehearsal import rehearse
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.availability import First, Owner, SlotFilter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.queries.explain_availability import ExplainAvailability
from scheduling.application.queries.find_next_available import FindNextAvailable
from scheduling.application.queries.find_open_locations import FindOpenLocations
from scheduling.application.queries.get_settings import GetSettings
from scheduling.application.queries.list_slots import ListSlots
from scheduling.application.queries.search_available_slots import SearchAvailableSlots
from scheduling.domain.errors import DomainError, PatientNotFound
from scheduling.domain.explaining import Question
from scheduling.domain.local_days import Span
from tests.builders import EIGHT
from tests.contracts.storages import Storage
from tests.fakes.storage import MemoryStorage
from tests.property.life_desk import (
    OWN,
    PATIENTS,
    STAFF,
    Desk,
    numbers,
    patients,
)
from tests.property.life_rules import Wanted
from tests.property.life_why import why_not
from tests.property.life_world import (
    CALENDARS,
    NOW,
    PRACTITIONERS,
    WEEK,
    WEEKS,
    ZONES,
    ModelSlot,
    day_of,
)

A_DAY = timedelta(days=1)
EVERY_FEW_STEPS = 3


@dataclass(frozen=True)
class Asked:
    """With whom, where and what for; nothing is anything."""

    practitioners: tuple[int, ...] = ()
    locations: tuple[int, ...] = ()
    service: str | None = None

    def means(self, slot: ModelSlot) -> bool:
        practitioner, location = CALENDARS[slot.calendar]
        return (
            practitioner in (self.practitioners or (practitioner,))
            and location in (self.locations or (location,))
            and (
                self.service is None
                or self.service in (slot.services or {self.service})
            )
        )


FILTERS = (
    Asked(),
    Asked(practitioners=(0,)),
    Asked(locations=(1,), service="x-ray"),
    Asked(practitioners=(0, 1), locations=(0,)),
    Asked(service="x-ray"),
    Asked(locations=(0, 1), service="ecg"),
)
EVER = Span(NOW - timedelta(days=1), NOW + WEEKS * WEEK)


class Looking(Desk):
    steps = 0

    @invariant()
    def search_is_right_every_few_steps(self) -> None:
        self.steps += 1
        time, rest = divmod(self.steps, EVERY_FEW_STEPS)
        if rest == 0 and hasattr(self, "model"):
            patient = (*range(PATIENTS), None)[time % (PATIENTS + 1)]
            self.run(self._look(patient, FILTERS[time % len(FILTERS)]))

    def offered(self, patient: int | None) -> list[ModelSlot]:
        """Return what can be booked, in the order in which it is shown."""
        if patient is not None and not self.model.patients[patient]:
            return []
        slots = sorted(
            self.model.slots.values(), key=lambda slot: (slot.start, slot.id)
        )
        return [
            slot
            for slot in slots
            if self.model.answer(self.wanted(patient, slot)).places
        ]

    async def _look(self, patient: int | None, asked: Asked) -> None:
        await self._look_for_another()
        try:
            await self._search(patient, asked)
            await self._explain(patient)
        except PatientNotFound:
            assert patient is not None
            assert not self.model.patients[patient]
        if patient is None:
            for number in range(PRACTITIONERS):
                await self._list("practitioner", number)
            for number in range(len(ZONES)):
                await self._list("location", number)
            await self._open_locations(asked)

    async def _search(self, patient: int | None, asked: Asked) -> None:
        begin, settings = self.storage.begin, GetSettings(self.storage.begin)
        wanted = self._filter(patient, asked)
        search = SearchAvailableSlots(begin, settings, self._now)
        found = await search(self.caller, wanted, EVER, First(200))
        can_be_had = [slot.id for slot in self.offered(patient) if asked.means(slot)]
        assert [one.slot_id for one in found.items] == can_be_had
        earliest = FindNextAvailable(begin, settings, self._now)
        first = await earliest(self.caller, wanted, None, 3)
        assert [one.slot_id for one in first] == can_be_had[:3]

    async def _explain(self, patient: int | None) -> None:
        begin = self.storage.begin
        audit = MemoryStorage().recorder
        explain = ExplainAvailability(begin, GetSettings(begin), self._now, audit)
        question = Question(
            patient_id=None if patient is None else self.patients[patient].id
        )
        for number, practitioner in enumerate(self.practitioners):
            for week in range(WEEKS):
                span = Span(NOW + week * WEEK, NOW + (week + 1) * WEEK)
                stretches = await explain(
                    self.caller, practitioner.id, None, question, span
                )
                assert {
                    one.slot_id: {reason.value for reason in one.reasons}
                    for one in stretches
                    if one.slot_id is not None
                } == self._why_not(number, week, patient)
                assert all(one.slot_id or one.reasons for one in stretches)

    def _why_not(
        self, practitioner: int, week: int, patient: int | None
    ) -> dict[UUID, set[str]]:
        """Why not, of each slot; no reason: it can be had."""
        start = NOW + week * WEEK
        asked = [(self.wanted(patient, s), s) for s in self.model.slots.values()]
        return {
            slot.id: why_not(self.model, wanted, slot)
            for wanted, slot in asked
            if wanted.practitioner == practitioner
            and start <= slot.start < start + WEEK
        }

    async def _list(self, owner: Owner, number: int) -> None:
        """All slots, with the seats that are left, and whether they can be had."""
        begin = self.storage.begin
        shelf = self.practitioners if owner == "practitioner" else self.locations
        found = await ListSlots(begin, GetSettings(begin), self._now)(
            self.caller, owner, shelf[number].id, EVER, First(200)
        )
        offered = {slot.id for slot in self.offered(None)}
        kept = self.model.keeping()
        wanted = []
        for slot in self.model.slots.values():
            if CALENDARS[slot.calendar][owner == "location"] == number:
                taken = sum(slot.id in visit.slots for visit in kept)
                left = 0 if slot.blocked else max(0, slot.capacity - taken)
                status = "free" if left else "busy"
                status = "busy-unavailable" if slot.blocked else status
                wanted.append((slot.id, status, taken, left, slot.id in offered))
        seen = [
            (one.slot_id, one.status, one.booked, one.remaining, one.offered)
            for one in found.items
        ]
        assert sorted(seen) == sorted(wanted)

    async def _open_locations(self, asked: Asked) -> None:
        """Those at which something can be had on our Monday, as it is counted there."""
        begin, day = self.storage.begin, day_of(NOW + A_DAY, "UTC")
        found = await FindOpenLocations(begin, GetSettings(begin), self._now)(
            self.caller, day, SlotFilter(service_type=asked.service), First(20)
        )
        wanted = []
        for number, zone in enumerate(ZONES):
            of_it = replace(asked, practitioners=(), locations=(number,))
            starts = [
                slot.start
                for slot in self.offered(None)
                if of_it.means(slot) and day_of(slot.start, zone) == day
            ]
            if starts:
                id = self.locations[number].id
                wanted.append((min(starts), id, len(starts)))
        seen = [(one.first, one.location_id, one.offered) for one in found.items]
        assert seen == sorted(wanted)

    def _filter(self, patient: int | None, asked: Asked) -> SlotFilter:
        return SlotFilter(
            whose=Whose(
                practitioner_ids=tuple(
                    self.practitioners[n].id for n in asked.practitioners
                ),
                location_ids=tuple(self.locations[n].id for n in asked.locations),
            ),
            service_type=asked.service,
            patient_id=None if patient is None else self.patients[patient].id,
        )

    def _now(self) -> datetime:
        return self.model.now

    @rule(
        patient=patients,
        some=st.lists(numbers, min_size=1, max_size=3, unique=True),
        shown=st.booleans(),
        hold=st.booleans(),
    )
    def rehearse(
        self, patient: int, some: list[int], *, shown: bool, hold: bool
    ) -> None:
        """Try some of what is shown, or of what is not, without leaving a trace."""
        offered = {slot.id for slot in self.offered(patient)}
        slots = [s for s in self.model.slots.values() if (s.id in offered) is shown]
        for number in some[: len(slots)]:
            slot = slots[number % len(slots)]
            wanted = self.wanted(patient, slot)
            answer = self.model.book(STAFF, wanted, hold=hold)
            code = self.run(self._rehearsed(wanted, hold=hold))
            self.seen[f"rehearse: {code or 'done'}"] += 1
            assert code in answer.codes

    async def _rehearsed(self, wanted: Wanted, *, hold: bool) -> str | None:
        async with dry_run(self.storage, self.caller) as begin:
            do = (HoldSlot if hold else BookAppointment)(begin, lambda: self.model.now)
            try:
                await do(self.caller, self.request(wanted))
            except DomainError as refusal:
                return refusal.code
        return None

    async def _look_for_another(self) -> None:
        """A patient's own token asks for that patient only."""
        begin = self.storage.begin
        search = SearchAvailableSlots(begin, GetSettings(begin), self._now)
        another = SlotFilter(patient_id=self.patients[0].id)
        with pytest.raises(PatientNotFound):
            await search(self.as_(OWN[1]), another, EVER, First(1))


@asynccontextmanager
async def dry_run(storage: Storage, caller: Caller) -> AsyncIterator[BeginWork]:
    if isinstance(storage, MemoryStorage):
        yield replace(storage, tenants=dict(storage.tenants)).begin
        return
    async with rehearse(storage.pool, lambda: EIGHT, caller.tenant_id) as begin:
        yield begin
