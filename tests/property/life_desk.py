"""The clinic group opens: what all rules of the machine stand on.

Everything is chosen by number among what there is, so that shrinking works.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import count
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from scheduling.application.ports.identity import AccessRefused, Caller, Scope
from scheduling.domain.booking_request import BookingRequest, BySlot, ByStart
from scheduling.domain.directory import ContactPreferences
from scheduling.domain.errors import DomainError
from scheduling.domain.identifiers import AppointmentId, SlotId
from scheduling.domain.period import Period
from scheduling.domain.schedule import Day, PractitionerRole, Schedule, WeeklyRule
from scheduling.domain.settings import CalendarLimits
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.http.use_cases import Commands
from tests.builders import (
    EIGHT,
    a_caller,
    a_location,
    a_patient,
    a_practitioner,
    a_room,
    a_schedule,
)
from tests.contracts.storages import Storage
from tests.fakes.almanac import MemoryAlmanac
from tests.property.life_closing import RULED
from tests.property.life_many import Model
from tests.property.life_rules import Answer, Place, Wanted
from tests.property.life_world import (
    CALENDARS,
    CHANNELS,
    HALF_AN_HOUR,
    NOW,
    OPENING,
    PRACTITIONERS,
    TAKING,
    WEEK,
    WEEKS,
    ZONES,
    ModelSlot,
    Rules,
    Visit,
    Who,
    on_the_wall,
)

PUT = {"version": 1, "created_at": EIGHT, "updated_at": EIGHT}
PATIENTS = len(CHANNELS)
STAFF = Who("reception", manages=True, overrides=True)
CLERK = Who("clerk")
OWN = [Who(f"patient-{n}", patient=n) for n in range(PATIENTS)]

numbers = st.integers(0, 99)
patients = st.integers(0, PATIENTS - 1)
weeks = st.sampled_from((0, 0, 0, 0, 0, 1, 2))
seldom = st.sampled_from((False,) * 7 + (True,))
callers = st.sampled_from(("staff",) * 8 + ("clerk", "own", "own", "stranger"))


class Desk(RuleBasedStateMachine):
    storage: Storage
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    seen: ClassVar[Counter[str]] = Counter()
    """What came of what was asked, over all lives."""

    def opens(
        self,
        capacities: tuple[int, ...],
        services: tuple[tuple[str, ...], ...],
        rules: tuple[Rules, ...],
    ) -> None:
        self.caller = a_caller(subject=STAFF.subject)
        self.commands = Commands.over(
            self.storage.begin, lambda: self.model.now, MemoryAlmanac()
        )
        self.practitioners = [a_practitioner(**PUT) for _ in range(PRACTITIONERS)]
        self.locations = [a_location(timezone=zone, **PUT) for zone in ZONES]
        self.patients = [
            a_patient(preferences=_reached_by(channel), **PUT) for channel in CHANNELS
        ]
        self.schedules = [
            self._schedule(number, rules[number], services[number])
            for number in range(len(CALENDARS))
        ]
        self.room = a_room()
        self.roles: dict[tuple[int, int], PractitionerRole] = {}
        self.numbers = count(1)
        slots = [
            Slot.opened(
                schedule,
                Period.of(opening + n * HALF_AN_HOUR, HALF_AN_HOUR),
                capacity=capacities[number],
                service_types=services[number],
                id=self.new_slot_id(),
                now=EIGHT,
            )
            for number, schedule in enumerate(self.schedules)
            for opening in _openings(number)
            for n in range(4)
        ]
        self.model = Model(
            now=NOW,
            slots={},
            own_rules=list(rules),
            house=Rules(horizon=90),
            offered_services=list(services),
            patients=[True] * PATIENTS,
            practitioners=[True] * PRACTITIONERS,
            locations=[True] * len(ZONES),
        )
        for slot in slots:
            self.opened(slot)
        self.run(self._stored(slots))

    def _schedule(self, number: int, own: Rules, services: tuple[str, ...]) -> Schedule:
        who, where = CALENDARS[number]
        wall = OPENING[number].time()
        weekly = WeeklyRule(
            days=(Day.SUN,),
            start=wall,
            end=time((wall.hour + 2) % 24),
            slot_minutes=30,
            service_types=services,
        )
        return replace(
            a_schedule(
                self.practitioners[who].id,
                self.locations[where].id,
                timezone=ZONES[where],
            ),
            horizon_days=own.horizon,
            minimum_notice_minutes=None
            if own.notice is None
            else own.notice // timedelta(minutes=1),
            limits=CalendarLimits(own.per_day, own.per_week),
            availability=(weekly,) if number in RULED else (),
        )

    def new_slot_id(self) -> SlotId:
        """Of two slots that begin together the first in order may be taken: a life that
        is lived again takes the same.
        """
        return SlotId(UUID(int=next(self.numbers)))

    async def _stored(self, slots: list[Slot]) -> None:
        async with self.storage.begin(self.caller) as work:
            for practitioner in self.practitioners:
                work.practitioners.save(practitioner)
            for location in self.locations:
                work.locations.save(location)
            for patient in self.patients:
                work.patients.save(patient)
            for schedule in self.schedules:
                work.schedules.save(schedule)
            for slot in slots:
                work.slots.add(slot)

    def opened(self, slot: Slot) -> None:
        """A slot is there from now on."""
        calendar = [one.id for one in self.schedules].index(slot.schedule_id)
        self.model.slots[slot.id] = ModelSlot(
            slot.id,
            calendar,
            slot.period.start,
            slot.period.end,
            slot.capacity,
            slot.service_types,
            blocked=slot.blocked_by is not None,
            blocked_by=slot.blocked_by,
            opened_by=slot.opened_by,
        )
        news = "slot.opened" if slot.is_open else "slot.blocked"
        self.model.slot_news[slot.id] = [(news, 1, slot.remaining)]
        audit = [] if slot.opened_by else [(1, "slot.opened")]
        self.model.slot_audit[slot.id] = audit

    # Asking

    def ask(self, command: Awaitable[Any], answer: Answer, said: str) -> Any:  # noqa: ANN401
        """Do it: the answer must be one that the model expects. Return what was done,
        or None. What was swept with it has gone then.
        """

        async def outcome() -> Any:  # noqa: ANN401
            try:
                return await command
            except (DomainError, AccessRefused) as refusal:
                return refusal

        got = self.run(outcome())
        refused = isinstance(got, DomainError | AccessRefused)
        code = got.code if refused else None
        event(f"{said}: {code or 'done'}")
        self.seen[f"{said}: {code or 'done'}"] += 1
        assert code in answer.codes, f"{said}: {got!r}, not {answer.codes}"
        if refused:
            return None
        self._sweep()
        return got

    def _sweep(self) -> None:
        lapsed = [v for v in self.model.visits.values() if self.model.lapsed(v)]
        if not lapsed:
            return
        stored = self.run(self.storage.appointments(self.caller))
        gone = {one.id for one in stored if one.status_reason_code == "hold-expired"}
        self.model.sweep([visit for visit in lapsed if visit.id in gone])

    def as_(self, who: Who) -> Caller:
        if who is STAFF:
            return self.caller
        own = None if who.patient is None else self.patients[who.patient].id
        return replace(
            self.caller,
            subject=who.subject,
            scopes=frozenset({Scope.READ, Scope.BOOK}),
            patient_id=own,
        )

    def who(self, kind: str, patient: int) -> Who:
        """`own` is that patient in person, a stranger another one."""
        who = CLERK if kind == "clerk" else STAFF
        if kind in {"own", "stranger"}:
            who = OWN[(patient + (kind == "stranger")) % PATIENTS]
        self.actor = who.subject
        return who

    # Choosing

    def visit(self, number: int) -> Visit:
        """Mostly one that is still something."""
        visits = list(self.model.visits.values())
        alive = [one for one in visits if one.status in TAKING]
        some = visits if number >= 80 or not alive else alive
        return some[number % len(some)]

    def slot(self, number: int, week: int = 0) -> ModelSlot:
        """Half of the time one near something: there it is interesting."""
        start = NOW + week * WEEK
        slots = [
            slot
            for slot in self.model.slots.values()
            if start <= slot.start < start + WEEK
        ]
        kept = self.model.keeping()
        near = [
            slot
            for slot in slots
            if any(abs(slot.start - visit.start) <= HALF_AN_HOUR for visit in kept)
        ]
        some = near if near and number % 2 else slots
        return some[number // 2 % len(some)]

    def placed(self, answer: Answer, slots: tuple[SlotId, ...]) -> Place:
        return next(place for place in answer.places if place.slots == list(slots))

    def wanted(self, patient: int | None, slot: ModelSlot, **told: Any) -> Wanted:  # noqa: ANN401
        practitioner, location = CALENDARS[slot.calendar]
        return Wanted(
            **{
                "patient": patient,
                "practitioner": practitioner,
                "location": location,
                "start": slot.start,
                "end": slot.end,
                "slot": slot.id,
                **told,
            }
        )

    def when(self, wanted: Wanted) -> BySlot | ByStart:
        if wanted.slot is not None:
            return BySlot(SlotId(wanted.slot))
        return ByStart(
            self.practitioners[wanted.practitioner].id,
            self.locations[wanted.location].id,
            Period(wanted.start, wanted.end),
        )

    def request(self, wanted: Wanted, **told: Any) -> BookingRequest:  # noqa: ANN401
        assert wanted.patient is not None
        return BookingRequest(
            **{
                "patient_id": self.patients[wanted.patient].id,
                "when": self.when(wanted),
                "appointment_type": "consultation",
                "resources": () if wanted.room is None else (self.room,),
                **told,
            }
        )


def version_of(one: Any) -> ExpectedVersion:  # noqa: ANN401  # of whatever has one
    return ExpectedVersion(one.version)


def id_of(visit: Visit) -> AppointmentId:
    return AppointmentId(visit.id)


def _openings(calendar: int) -> list[datetime]:
    zone = ZONES[CALENDARS[calendar][1]]
    return [on_the_wall(OPENING[calendar] + week * WEEK, zone) for week in range(WEEKS)]


def _reached_by(channel: str | None) -> ContactPreferences:
    return ContactPreferences(**({} if channel is None else {channel: True}))
