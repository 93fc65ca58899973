"""A plan is played, and what is shown at each turn is compared with what can be had."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import combinations

from hypothesis import event

from scheduling.adapters.postgres.rehearsal import rehearse
from scheduling.application.commands.add_schedule_exception import (
    AddScheduleException,
)
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.generate_slots import GenerateSlots
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.commands.put_settings import PutSettings
from scheduling.application.commands.remove_schedule_exception import (
    RemoveScheduleException,
)
from scheduling.application.commands.reschedule_appointment import (
    RescheduleAppointment,
)
from scheduling.application.ports.appointment_lists import ANYBODY, Whose
from scheduling.application.ports.availability import (
    First,
    SlotFilter,
)
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.queries.explain_availability import ExplainAvailability
from scheduling.application.queries.find_next_available import FindNextAvailable
from scheduling.application.queries.get_settings import GetSettings
from scheduling.application.queries.search_available_slots import SearchAvailableSlots
from scheduling.application.steps.reshape_calendar import Effect
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking import MOST_HOLDS
from scheduling.domain.booking_request import (
    BookingRequest,
    BySlot,
    ByStart,
    Hold,
    Override,
)
from scheduling.domain.claim import ActorKind
from scheduling.domain.directory import Patient
from scheduling.domain.errors import (
    DomainError,
    DoubleBookingDetected,
    NotBookable,
    NotFound,
    PatientNotFound,
)
from scheduling.domain.explaining import Question
from scheduling.domain.identifiers import SlotId
from scheduling.domain.local_days import Span
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion
from tests.builders import EIGHT, at
from tests.contracts.storages import Storage
from tests.fakes.storage import MemoryStorage
from tests.generating import KnownHolidays
from tests.property.worlds import (
    Book,
    Except,
    Lay,
    Plan,
    TakeBack,
    Wait,
    World,
    realise,
)

EVERY_DAY = Span(at("00:00", day=-1), at("00:00", day=4))
INSISTING = Override(reason="he cannot wait", allowed=True)


@dataclass
class Play:
    """A plan on its way: `now` goes on, and `standing` are those that were booked or
    held and neither cancelled nor run out. `slots` come and go with `exceptions` and
    runs; those that had more seats once are `lowered`.
    """

    storage: Storage
    plan: Plan
    world: World
    now: datetime
    standing: list[Appointment] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    exceptions: list[ScheduleException] = field(default_factory=list)
    lowered: set[SlotId] = field(default_factory=set)

    def clock(self) -> datetime:
        return self.now

    async def goes_on(self) -> None:
        for step in self.plan.steps:
            if isinstance(step, Settings):
                put = PutSettings(self.storage.begin, self.clock)
                await put(self.world.caller, step)
            elif isinstance(step, Book):
                await self.book(step)
            elif isinstance(step, Wait):
                await self.wait(step)
            elif isinstance(step, Except):
                await self.make_an_exception(step)
            elif isinstance(step, TakeBack):
                await self.take_back(step)
            elif isinstance(step, Lay):
                await self.lay(step)
            elif step.number < len(self.standing):
                await self.cancel(self.standing.pop(step.number))
            await self.is_sound()
        for patient in self.world.patients[:2]:
            await self.search_is_right(patient)
        await self.moves_are_right()

    async def make_an_exception(self, step: Except) -> None:
        add = AddScheduleException(self.storage.begin, self.clock)
        exception, effect = await add(
            self.world.caller,
            self.world.schedules[step.schedule].id,
            kind=step.kind,
            on_date=step.on_date,
            period=step.period,
            windows=() if step.kind is ExceptionKind.CLOSED else step.windows,
            service_types=(),
            reason=None,
        )
        self.exceptions.append(exception)
        self.reshaped(effect)

    async def take_back(self, step: TakeBack) -> None:
        if step.number < len(self.exceptions):
            gone = self.exceptions.pop(step.number)
            remove = RemoveScheduleException(self.storage.begin, self.clock)
            _, effect = await remove(self.world.caller, gone.schedule_id, gone.id)
            self.reshaped(effect)

    async def lay(self, step: Lay) -> None:
        """The slots that staff made stay, as they were, and come first."""
        id, caller = self.world.schedules[step.schedule].id, self.world.caller
        async with self.storage.begin(caller) as work:
            stored = await work.schedules.get(id)
            version = stored.version + 1
            work.schedules.save(
                replace(stored, availability=(step.rule,), version=version)
            )
        make = GenerateSlots(self.storage.begin, self.clock, KnownHolidays())
        run = await make(caller, id)
        before = {slot.id: slot for slot in self.slots}
        there = {slot.id: slot for slot in await self.storage.slots(caller)}
        self.slots = [slot for slot in self.slots if slot.id in there]
        self.slots += [slot for id, slot in there.items() if id not in before]
        self.lowered |= {
            id
            for id, slot in there.items()
            if id in before and slot.capacity < before[id].capacity
        }
        event(f"run: {bool(run.created)} {bool(run.updated)} {bool(run.retained)}")
        again = await make(caller, id)
        assert (again.created, again.updated, again.retired) == (0, 0, 0)

    def reshaped(self, effect: Effect) -> None:
        gone = {slot.id for slot in effect.done.retired}
        self.slots = [slot for slot in self.slots if slot.id not in gone]
        self.slots += effect.done.made
        event(f"slots by an exception: {bool(effect.done.changed)}")

    async def wait(self, step: Wait) -> None:
        self.now += timedelta(minutes=step.minutes)
        self.standing = [one for one in self.standing if not self.has_lapsed(one)]

    def has_lapsed(self, one: Appointment) -> bool:
        return one.hold_expires_at is not None and one.hold_expires_at <= self.now

    async def shown(
        self, patient: Patient, whose: Whose = ANYBODY, begin: BeginWork | None = None
    ) -> set[SlotId]:
        begin = begin or self.storage.begin
        search = SearchAvailableSlots(begin, GetSettings(begin), self.clock)
        wanted = SlotFilter(whose=whose, patient_id=patient.id)
        try:
            found = await search(self.world.caller, wanted, EVERY_DAY, First(200))
        except PatientNotFound:
            assert not patient.active
            return set()
        assert found.last is None
        return {one.slot_id for one in found.items}

    async def search_is_right(self, patient: Patient) -> None:
        """Try each slot, without leaving a trace."""
        shown = await self.shown(patient)
        holds = sum(
            one.patient_id == patient.id and one.hold_expires_at is not None
            for one in self.standing
        )
        for slot in self.slots:
            request = BookingRequest(
                patient_id=patient.id, when=BySlot(slot.id), appointment_type="x"
            )
            offered = slot.id in shown
            async with dry_run(self.storage, self.world.caller) as begin:
                book = BookAppointment(begin, self.clock)
                booked = await attempt(book(self.world.caller, request))
            assert isinstance(booked, Appointment) is offered, booked
            async with dry_run(self.storage, self.world.caller) as begin:
                hold = HoldSlot(begin, self.clock)
                held = await attempt(hold(self.world.caller, request))
            can_be_held = offered and holds < MOST_HOLDS
            assert isinstance(held, Appointment) is can_be_held, held
        await self.next_is_the_first_shown(patient)
        await self.explanation_offers_what_is_shown(patient, shown)

    async def moves_are_right(self) -> None:
        """A visit can be moved to what would be shown if it were not there."""
        patients = {patient.id: patient for patient in self.world.patients}
        # Search knows nothing of rooms.
        for visit in [one for one in self.standing if not one.resources][:2]:
            patient = patients[visit.patient_id]
            async with dry_run(self.storage, self.world.caller) as begin:
                await self.cancel(visit, begin)
                shown = await self.shown(patient, begin=begin)
            for slot in self.slots:
                if slot.id in visit.slot_ids:
                    continue  # it is there already, or partly so
                async with dry_run(self.storage, self.world.caller) as begin:
                    moved = await attempt(
                        RescheduleAppointment(begin, self.clock)(
                            self.world.caller,
                            visit.id,
                            expected=ExpectedVersion(1),
                            when=BySlot(slot.id),
                        )
                    )
                event(f"moved: {isinstance(moved, Appointment)}")
                assert isinstance(moved, Appointment) is (slot.id in shown), moved

    async def next_is_the_first_shown(self, patient: Patient) -> None:
        if not patient.active:
            return
        begin, settings = self.storage.begin, GetSettings(self.storage.begin)
        search = SearchAvailableSlots(begin, settings, self.clock)
        find = FindNextAvailable(begin, settings, self.clock)
        people = tuple(one.id for one in self.world.practitioners)
        places = tuple(one.id for one in self.world.locations)
        for whose in (
            ANYBODY,
            Whose(practitioner_ids=people),
            Whose(location_ids=places),
            Whose(location_ids=places[:1], practitioner_ids=people),
        ):
            wanted = SlotFilter(whose=whose, patient_id=patient.id)
            found = await search(self.world.caller, wanted, EVERY_DAY, First(2))
            assert await find(self.world.caller, wanted, None, 2) == found.items

    async def explanation_offers_what_is_shown(
        self, patient: Patient, shown: set[SlotId]
    ) -> None:
        if not patient.active:
            return
        explain = ExplainAvailability(
            self.storage.begin,
            GetSettings(self.storage.begin),
            self.clock,
            self.storage.recorder,
        )
        question = Question(patient_id=patient.id)
        offered: set[SlotId | None] = set()
        for practitioner in self.world.practitioners:
            stretches = await explain(
                self.world.caller, practitioner.id, None, question, EVERY_DAY
            )
            offered |= {one.slot_id for one in stretches if one.is_offered}
            at = EVERY_DAY.start
            for one in stretches:
                assert one.period.start <= at
                at = max(at, one.period.end)
            assert at == EVERY_DAY.end
        assert offered == shown

    async def book(self, step: Book) -> None:
        world, slot = self.world, self.slots[step.slot]
        patient = world.patients[step.patient]
        shown = await self.shown(patient)
        of_it = (slot.practitioner_id, slot.location_id)
        here = Whose(practitioner_ids=(of_it[0],), location_ids=(of_it[1],))
        assert await self.shown(patient, here) == {
            one.id
            for one in self.slots
            if one.id in shown and (one.practitioner_id, one.location_id) == of_it
        }
        offered = slot.id in shown
        event(f"offered: {offered}")
        book = BookAppointment(self.storage.begin, self.clock)
        booked = await attempt(book(world.caller, self.request(step)))
        if isinstance(booked, DomainError):
            # Search knows nothing of the room.
            about_room = step.room is not None and isinstance(
                booked, DoubleBookingDetected
            )
            assert not offered or about_room, booked
            return
        # By start a longer slot, or several, may serve too: search shows whole ones.
        if booked.slot_ids == (slot.id,) and not booked.overbooked:
            assert offered
        self.standing.append(booked)

    def request(self, step: Book) -> BookingRequest:
        slot, minutes = self.slots[step.slot], step.hold_minutes
        until = None if minutes is None else self.now + timedelta(minutes=minutes)
        return BookingRequest(
            patient_id=self.world.patients[step.patient].id,
            when=ByStart(slot.practitioner_id, slot.location_id, slot.period)
            if step.by_start
            else BySlot(slot.id),
            appointment_type="consultation",
            resources=() if step.room is None else (self.world.rooms[step.room],),
            override=INSISTING if step.override else None,
            hold=None if until is None else Hold(until=until, by="reception"),
        )

    async def cancel(
        self, appointment: Appointment, begin: BeginWork | None = None
    ) -> None:
        await CancelAppointment(begin or self.storage.begin, self.clock)(
            self.world.caller,
            appointment.id,
            expected=ExpectedVersion(1),
            reason_code=CancelReason.OTHER,
            initiated_by=Initiator.STAFF,
            comment=None,
        )

    async def is_sound(self) -> None:
        stored = await self.storage.claims(self.world.caller)
        claims = [one for one in stored if not one.has_lapsed(self.now)]
        assert {one.appointment_id for one in claims} == {
            one.id for one in self.standing
        }
        for one, other in combinations(claims, 2):
            overbooked = one.overbooked or other.overbooked
            assert overbooked or not one.is_in_the_way_of(other)
        seats = Counter(
            one.share_id for one in stored if one.kind is ActorKind.PRACTITIONER
        )
        async with self.storage.begin(self.world.caller) as work:
            slots = [await work.slots.get(slot.id) for slot in self.slots]
        for slot in slots:
            holders = [one for one in self.standing if slot.id in one.slot_ids]
            assert len(holders) <= slot.booked == seats[slot.id]
            fit = len(holders) <= slot.capacity or slot.id in self.lowered
            assert fit or any(one.overbooked for one in holders)
            assert slot.remaining == 0 or slot.remaining + slot.booked == slot.capacity


async def attempt(command: Awaitable[Appointment]) -> Appointment | DomainError:
    try:
        done = await command
    except (NotBookable, NotFound) as refusal:
        event(type(refusal).__name__)
        return refusal
    event("done")
    return done


async def play(storage: Storage, plan: Plan) -> None:
    world = await realise(storage.begin, plan)
    await Play(storage, plan, world, plan.now, slots=[*world.slots]).goes_on()


@asynccontextmanager
async def dry_run(storage: Storage, caller: Caller) -> AsyncIterator[BeginWork]:
    if isinstance(storage, MemoryStorage):
        yield replace(storage, tenants=dict(storage.tenants)).begin
        return
    async with rehearse(storage.pool, lambda: EIGHT, caller.tenant_id) as begin:
        yield begin
