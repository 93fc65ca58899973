"""The machine lets patients wait, and no longer wait."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from scheduling.domain.identifiers import WaitlistEntryId
from scheduling.domain.version import ExpectedVersion
from scheduling.domain.waitlist import Wish
from tests.property.life_booking import Booking, only_if
from tests.property.life_desk import (
    PATIENTS,
    callers,
    numbers,
    patients,
    seldom,
    weeks,
)
from tests.property.life_rules import no
from tests.property.life_world import Entry

HOUR = timedelta(hours=1)
somebody_waits = only_if(lambda self: self.model.entries)


class Wishing(Booking):
    @rule(
        patient=patients,
        practitioners=st.sampled_from(([], [], [0], [1], [0, 1])),
        locations=st.sampled_from(([], [], [0], [1])),
        service=st.sampled_from((None, None, "x-ray", "ecg")),
        earliest=st.sampled_from((-1, -1, 2, 3)),
        hours=st.sampled_from((24, 24, 24, 2, 400, 0)),
        priority=st.sampled_from((0, 0, 0, 1, 2)),
        kind=callers,
    )
    def wait_for_time(  # noqa: PLR0917
        self,
        patient: int,
        practitioners: list[int],
        locations: list[int],
        service: str | None,
        earliest: int,
        hours: int,
        priority: int,
        kind: str,
    ) -> None:
        who, model = self.who(kind, patient), self.model
        since = model.now + earliest * HOUR
        wish = Wish(
            patient_id=self.patients[patient].id,
            practitioner_ids=tuple(self.practitioners[n].id for n in practitioners),
            location_ids=tuple(self.locations[n].id for n in locations),
            service_type=service,
            earliest=since,
            latest=since + hours * HOUR,
            priority=priority,
        )
        entry = Entry(
            id=WaitlistEntryId(self.room.id),
            patient=patient,
            practitioners=practitioners,
            locations=locations,
            service=service,
            earliest=wish.earliest,
            latest=wish.latest,
            priority=priority,
            since=model.now,
        )
        added = self.ask(
            self.commands.add_to_waitlist(self.as_(who), wish),
            model.wait(who, entry),
            "wait for time",
        )
        if added is not None:
            entry.id = added.id
            model.entries[entry.id] = entry

    @rule(priorities=st.tuples(*[st.sampled_from((0, 0, 1, 2))] * PATIENTS))
    @only_if(lambda self: len(self.model.entries) < 3 * PATIENTS)
    def all_wait_for_anything(self, priorities: tuple[int, ...]) -> None:
        for patient, priority in enumerate(priorities):
            anything: Any = ([], [], None, -1, 24 * 20)
            self.wait_for_time(patient, *anything, priority, "staff")

    @rule(number=numbers, stale=seldom, kind=callers)
    @somebody_waits
    def wait_no_longer(self, number: int, stale: bool, kind: str) -> None:  # noqa: FBT001
        entry = self._entry(number)
        who = self.who(kind, entry.patient)
        answer = self.model.remove(who, entry)
        if stale and who.sees(entry.patient):
            answer = no("OPTIMISTIC_LOCK_CONFLICT")
        done = self.ask(
            self.commands.remove_from_waitlist(
                self.as_(who),
                WaitlistEntryId(entry.id),
                expected=ExpectedVersion(entry.version + stale),
            ),
            answer,
            "wait no longer",
        )
        if done is not None:
            self.model.ended(entry, "removed")

    @rule(number=numbers, slot=numbers, week=weeks, stale=seldom, kind=callers)
    @somebody_waits
    def give_who_waits(
        self,
        number: int,
        slot: int,
        week: int,
        stale: bool,  # noqa: FBT001
        kind: str,
    ) -> None:
        entry = self._entry(number)
        who = self.who(kind, entry.patient)
        wanted = self.wanted(entry.patient, self.slot(slot, week))
        answer = self.model.fulfil(who, entry, wanted)
        if stale and who.patient is None:
            answer = no("OPTIMISTIC_LOCK_CONFLICT")
        # In the entry's patient's name, whoever the request is for.
        asked = self.request(wanted, patient_id=self.patients[0].id)
        done = self.ask(
            self.commands.fulfill_waitlist_entry(
                self.as_(who),
                WaitlistEntryId(entry.id),
                asked,
                expected=ExpectedVersion(entry.version + stale),
            ),
            answer,
            "give who waits",
        )
        if done is not None:
            _, made = done
            self.made(made, wanted)
            self.model.ended(entry, "fulfilled", made.id)

    def _entry(self, number: int) -> Entry:
        """Mostly one that waits still."""
        entries = list(self.model.entries.values())
        waiting = [one for one in entries if one.status == "waiting"]
        some = entries if number >= 85 or not waiting else waiting
        return some[number % len(some)]
