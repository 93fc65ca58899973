"""What search shows, `next` finds and `explain` offers is what the model says can be
booked, and what a rehearsal books.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from scheduling.adapters.postgres.rehearsal import rehearse
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.ports.availability import First, SlotFilter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.queries.explain_availability import ExplainAvailability
from scheduling.application.queries.find_next_available import FindNextAvailable
from scheduling.application.queries.get_settings import GetSettings
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
from tests.property.life_world import NOW, WEEK, WEEKS, ModelSlot

A_DAY = timedelta(days=1)
EVERY_FEW_STEPS = 3


class Looking(Desk):
    steps = 0

    @invariant()
    def search_is_right_every_few_steps(self) -> None:
        self.steps += 1
        time, rest = divmod(self.steps, EVERY_FEW_STEPS)
        if rest == 0 and hasattr(self, "model"):
            self.look((*range(PATIENTS), None)[time % (PATIENTS + 1)])
            self.run(self._look_for_another(time % PATIENTS))

    def look(self, patient: int | None) -> None:
        self.run(self._look(patient))

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

    async def _look(self, patient: int | None) -> None:
        begin, now = self.storage.begin, lambda: self.model.now
        settings = GetSettings(begin)
        who = None if patient is None else self.patients[patient].id
        wanted = SlotFilter(patient_id=who)
        can_be_had = [slot.id for slot in self.offered(patient)]
        try:
            search = SearchAvailableSlots(begin, settings, now)
            whole = Span(NOW - A_DAY, NOW + WEEKS * WEEK)
            found = await search(self.caller, wanted, whole, First(200))
            assert [one.slot_id for one in found.items] == can_be_had
            earliest = FindNextAvailable(begin, settings, now)
            first = await earliest(self.caller, wanted, None, 3)
            assert [one.slot_id for one in first] == can_be_had[:3]
            explain = ExplainAvailability(
                begin, settings, now, MemoryStorage().recorder
            )
            question = Question(patient_id=who)
            for n, practitioner in enumerate(self.practitioners):
                for week in range(WEEKS):
                    span = Span(NOW + week * WEEK, NOW + (week + 1) * WEEK)
                    stretches = await explain(
                        self.caller, practitioner.id, None, question, span
                    )
                    assert {
                        one.slot_id: {reason.value for reason in one.reasons}
                        for one in stretches
                        if one.slot_id is not None
                    } == self._told(n, week, patient)
                    assert all(one.slot_id or one.reasons for one in stretches)
        except PatientNotFound:
            assert patient is not None
            assert not self.model.patients[patient]

    def _told(
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

    async def _look_for_another(self, patient: int) -> None:
        """A patient's own token asks for that patient only."""
        other = OWN[(patient + 1) % PATIENTS]
        search = SearchAvailableSlots(
            self.storage.begin,
            GetSettings(self.storage.begin),
            lambda: self.model.now,
        )
        asked = SlotFilter(patient_id=self.patients[patient].id)
        with pytest.raises(PatientNotFound):
            await search(self.as_(other), asked, Span(NOW, NOW + A_DAY), First(1))


@asynccontextmanager
async def dry_run(storage: Storage, caller: Caller) -> AsyncIterator[BeginWork]:
    if isinstance(storage, MemoryStorage):
        yield replace(storage, tenants=dict(storage.tenants)).begin
        return
    async with rehearse(storage.pool, lambda: EIGHT, caller.tenant_id) as begin:
        yield begin
