"""Whatever receptions do, in whatever order: storage is what the plain model says."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, Phase, event
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from scheduling.application.commands.edit_appointment import Edits
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.booking_request import BookingRequest, BySlot, ByStart
from scheduling.domain.claim import ActorKind, Claim
from scheduling.domain.errors import DomainError
from scheduling.domain.identifiers import AppointmentId, SlotId
from scheduling.domain.moving import NewTime, Otherwise
from scheduling.domain.period import Period
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.status import Status
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
    at,
)
from tests.contracts.storages import Storage, postgres_storage
from tests.fakes.storage import MemoryStorage
from tests.property.life_model import (
    HALF_AN_HOUR,
    KEEPING,
    Model,
    ModelSlot,
    Visit,
)

PUT = {"version": 1, "created_at": EIGHT, "updated_at": EIGHT}
SCHEDULES = [(0, 0), (1, 0), (0, 1)]
"""(practitioner, location): the first works in two places."""

PATIENTS = 4
numbers = st.integers(0, 99)


class Life(RuleBasedStateMachine):
    """Everything is chosen by number among what there is, so that shrinking works."""

    storage: Storage
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    @initialize(capacities=st.tuples(*[st.sampled_from((1, 1, 2, 3))] * 3))
    def open(self, capacities: tuple[int, ...]) -> None:
        self.caller = a_caller()
        self.commands = Commands.over(self.storage.begin, lambda: self.model.now)
        self.practitioners = [a_practitioner(**PUT) for _ in range(2)]
        self.locations = [a_location(**PUT) for _ in range(2)]
        self.patients = [a_patient(**PUT) for _ in range(PATIENTS)]
        self.schedules = [
            a_schedule(self.practitioners[who].id, self.locations[where].id)
            for who, where in SCHEDULES
        ]
        self.room = a_room()
        slots = [
            Slot.opened(
                schedule,
                Period.of(at("09:00") + n * HALF_AN_HOUR, HALF_AN_HOUR),
                capacity=capacity,
                service_types=(),
                now=EIGHT,
            )
            for schedule, capacity in zip(self.schedules, capacities, strict=True)
            for n in range(4)
        ]
        self.slots = slots
        numbered = {one.id: n for n, one in enumerate(self.schedules)}
        self.model = Model(
            now=EIGHT,
            schedules=SCHEDULES,
            slots={
                one.id: ModelSlot(
                    one.id, numbered[one.schedule_id], one.period.start, one.capacity
                )
                for one in slots
            },
        )
        self.run(self._stored(slots))

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

    # Asking

    def ask(
        self, command: Awaitable[Any], expected: str | None, said: str
    ) -> Appointment | None:
        """Do it; the answer must be the one that the model expects."""

        async def outcome() -> Any:  # noqa: ANN401
            try:
                return await command
            except DomainError as refusal:
                return refusal

        got = self.run(outcome())
        code = got.code if isinstance(got, DomainError) else None
        event(f"{said}: {code or 'done'}")
        assert code == expected, f"{said}: {got!r}, not {expected}"
        return None if code else got

    def visit(self, number: int) -> Visit:
        visits = list(self.model.visits.values())
        return visits[number % len(visits)]

    def slot(self, number: int) -> ModelSlot:
        return self.model.slots[self.slots[number % len(self.slots)].id]

    def by_start(self, slot: ModelSlot, minutes: int) -> ByStart:
        who, where = SCHEDULES[slot.schedule]
        return ByStart(
            self.practitioners[who].id,
            self.locations[where].id,
            Period.of(slot.start, timedelta(minutes=minutes)),
        )

    @rule(
        patient=st.integers(0, PATIENTS - 1),
        slot=numbers,
        minutes=st.sampled_from((None, None, 15, 30, 45, 60, 90)),
        in_the_room=st.booleans(),
    )
    def book(
        self,
        patient: int,
        slot: int,
        minutes: int | None,
        in_the_room: bool,  # noqa: FBT001
    ) -> None:
        self._book(patient, self.slot(slot), minutes, in_the_room, hold=False)

    @rule(patient=st.integers(0, PATIENTS - 1), slot=numbers)
    def hold(self, patient: int, slot: int) -> None:
        self._book(patient, self.slot(slot), None, in_the_room=False, hold=True)

    def _book(
        self,
        patient: int,
        slot: ModelSlot,
        minutes: int | None,
        in_the_room: bool,  # noqa: FBT001
        *,
        hold: bool,
    ) -> None:
        model = self.model
        length = minutes or 30
        chain = (
            [slot.id]
            if minutes is None
            else model.chain(slot.schedule, slot.start, length)
        )
        end = slot.start + timedelta(minutes=length)
        room = self.room.id if in_the_room else None
        request = BookingRequest(
            patient_id=self.patients[patient].id,
            when=BySlot(SlotId(slot.id))
            if minutes is None
            else self.by_start(slot, minutes),
            appointment_type="consultation",
            resources=(self.room,) if in_the_room else (),
        )
        do = self.commands.hold_slot if hold else self.commands.book_appointment
        expected = model.book(patient, chain, slot.start, end, room, hold=hold)
        made = self.ask(do(self.caller, request), expected, "hold" if hold else "book")
        if made is not None:
            model.booked(
                Visit(
                    id=made.id,
                    patient=patient,
                    schedule=slot.schedule,
                    slots=chain,
                    start=slot.start,
                    end=end,
                    kind="consultation",
                    status="pending" if hold else "booked",
                    buffer=model.buffer,
                    room=room,
                    hold_until=model.now + model.hold if hold else None,
                )
            )

    @precondition(lambda self: self.model.visits)
    @rule(visit=numbers, slot=numbers, by_slot=st.booleans())
    def move(self, visit: int, slot: int, by_slot: bool) -> None:  # noqa: FBT001
        one, target, model = self.visit(visit), self.slot(slot), self.model
        if by_slot:
            when: NewTime = BySlot(SlotId(target.id))
            chain, end = [target.id], target.end
        else:
            length = one.end - one.start
            minutes = length // timedelta(minutes=1)
            place = self.by_start(target, minutes)
            when = Otherwise(
                start=target.start,
                practitioner_id=place.practitioner_id,
                location_id=place.location_id,
            )
            chain = model.chain(target.schedule, target.start, minutes)
            end = target.start + length
        if by_slot and one.slots == chain:
            end = one.end  # a part of that slot is that slot
        expected = model.move(one, chain, target.start, end)
        done = self.ask(
            self.commands.reschedule_appointment(
                self.caller,
                AppointmentId(one.id),
                expected=ExpectedVersion(one.version),
                when=when,
            ),
            expected,
            "move",
        )
        if done is not None:
            model.moved(one, chain, target.start, end)

    @precondition(lambda self: self.model.visits)
    @rule(visit=numbers, minutes=st.sampled_from((15, 30, 45, 60, 90)))
    def resize(self, visit: int, minutes: int) -> None:
        one, model = self.visit(visit), self.model
        chain = model.chain(one.schedule, one.start, minutes)
        end = one.start + timedelta(minutes=minutes)
        expected = model.resize(one, chain, end)
        done = self.ask(
            self.commands.edit_appointment(
                self.caller,
                AppointmentId(one.id),
                Edits(fields={}, place=Otherwise(minutes=minutes)),
                expected=ExpectedVersion(one.version),
            ),
            expected,
            "resize",
        )
        if done is not None:
            model.moved(one, chain, one.start, end)

    @precondition(lambda self: self.model.visits)
    @rule(visit=numbers, kind=st.sampled_from(("consultation", "follow-up")))
    def rename(self, visit: int, kind: str) -> None:
        one = self.visit(visit)
        done = self.ask(
            self.commands.edit_appointment(
                self.caller,
                AppointmentId(one.id),
                Edits(fields={"appointment_type": kind}),
                expected=ExpectedVersion(one.version),
            ),
            self.model.rename(one),
            "rename",
        )
        if done is not None and one.kind != kind:
            one.kind = kind
            one.step("appointment.updated", "appointment.updated")

    @precondition(lambda self: self.model.visits)
    @rule(visit=numbers, wanted=st.sampled_from([s for s in Status if s != "proposed"]))
    def step(self, visit: int, wanted: Status) -> None:
        one = self.visit(visit)
        if wanted is Status.CANCELLED:
            return self.cancel(one)
        expected = self.model.step(one, wanted)
        done = self.ask(
            self.commands.update_appointment_status(
                self.caller,
                AppointmentId(one.id),
                expected=ExpectedVersion(one.version),
                status=wanted,
            ),
            expected,
            f"{one.status} to {wanted}",
        )
        if done is not None:
            self.model.stepped(one, wanted)
        return None

    def cancel(self, one: Visit) -> None:
        expected = self.model.step(one, "cancelled")
        done = self.ask(
            self.commands.cancel_appointment(
                self.caller,
                AppointmentId(one.id),
                expected=ExpectedVersion(one.version),
                reason_code=CancelReason.PATIENT,
                initiated_by=Initiator.STAFF,
                comment=None,
            ),
            expected,
            "cancel",
        )
        if done is not None:
            self.model.stepped(one, "cancelled")

    @precondition(lambda self: self.model.visits)
    @rule(visit=numbers)
    def release(self, visit: int) -> None:
        one = self.visit(visit)
        done = self.ask(
            self.commands.release_hold(self.caller, AppointmentId(one.id)),
            self.model.release(one),
            "release",
        )
        if done is not None:
            self.model.stepped(one, "cancelled")

    @precondition(lambda self: self.model.visits)
    @rule(visit=numbers)
    def use_up(self, visit: int) -> None:
        one = self.visit(visit)
        request = BookingRequest(
            patient_id=self.patients[one.patient].id,
            when=self.by_start(
                self.model.slots[one.slots[0]],
                (one.end - one.start) // timedelta(minutes=1),
            ),
            appointment_type=one.kind,
        )
        done = self.ask(
            self.commands.book_held_appointment(
                self.caller, AppointmentId(one.id), request
            ),
            self.model.use_up(one),
            "use up",
        )
        if done is not None:
            self.model.stepped(one, "booked")

    @precondition(lambda self: self.model.visits)
    @rule(visit=numbers)
    def insist_on_an_old_version(self, visit: int) -> None:
        one = self.visit(visit)
        self.ask(
            self.commands.edit_appointment(
                self.caller,
                AppointmentId(one.id),
                Edits(fields={"appointment_type": "never"}),
                expected=ExpectedVersion(one.version + 1),
            ),
            "OPTIMISTIC_LOCK_CONFLICT",
            "an old version",
        )

    @rule(minutes=st.sampled_from((1, 5, 10, 25, 60)))
    def wait(self, minutes: int) -> None:
        self.model.now += timedelta(minutes=minutes)

    @rule(
        buffer=st.sampled_from((0, 0, 10, 30)),
        notice=st.sampled_from((0, 0, 30)),
        per_day=st.sampled_from((None, None, 2, 3)),
    )
    def decide_otherwise(self, buffer: int, notice: int, per_day: int | None) -> None:
        self.run(
            self.commands.put_settings(
                self.caller,
                Settings(
                    buffer_minutes=buffer,
                    minimum_notice_minutes=notice,
                    hold_minutes=10,
                    limits=Limits(per_practitioner_day=per_day),
                ),
            )
        )
        model = self.model
        model.buffer = timedelta(minutes=buffer)
        model.notice = timedelta(minutes=notice)
        model.per_day = per_day

    # Seeing

    @invariant()
    def storage_is_what_the_model_says(self) -> None:
        if hasattr(self, "model"):
            self.run(self._compare())

    async def _compare(self) -> None:
        caller, model = self.caller, self.model
        async with self.storage.begin(caller) as work:
            stored = {
                id: await work.appointments.get(AppointmentId(id))
                for id in model.visits
            }
            slots = [await work.slots.get(one.id) for one in self.slots]
        for id, visit in model.visits.items():
            # Whoever needed the time of a hold that had run out has swept it, or
            # nobody did yet: both are right, as long as it is done whole.
            if stored[id].status is Status.CANCELLED and visit.status == "pending":
                model.sweep(visit)
            self._is_the_same(stored[id], visit)
        self._seats_are_right(slots)
        self._claims_are_right(await self.storage.claims(caller))
        await self._news_is_right()
        await self._audit_is_right()

    def _is_the_same(self, one: Appointment, visit: Visit) -> None:
        who, where = SCHEDULES[visit.schedule]
        assert (one.status, one.version) == (visit.status, visit.version)
        assert list(one.slot_ids) == visit.slots
        assert one.period == Period(visit.start, visit.end)
        assert one.practitioner_id == self.practitioners[who].id
        assert one.location_id == self.locations[where].id
        assert one.patient_id == self.patients[visit.patient].id
        assert one.appointment_type == visit.kind
        if visit.status == "pending":
            assert one.hold_expires_at == visit.hold_until

    def _seats_are_right(self, slots: list[Slot]) -> None:
        seats = self.model.seats()
        for slot in slots:
            assert slot.booked == seats[slot.id]
            full = slot.booked >= slot.capacity
            assert slot.status is (SlotStatus.BUSY if full else SlotStatus.FREE)

    def _claims_are_right(self, claims: list[Claim]) -> None:
        wanted: set[tuple[Any, ...]] = set()
        for visit in self.model.visits.values():
            if visit.status not in KEEPING:
                continue
            of_it = (visit.id, visit.hold_until if visit.status == "pending" else None)
            patient = self.patients[visit.patient].id
            span = (visit.start, visit.end, visit.end)
            wanted.add((*of_it, ActorKind.PATIENT, patient, visit.id, *span))
            who = self.practitioners[SCHEDULES[visit.schedule][0]].id
            for slot, start, end, until in self.model.stretches(
                visit.slots, visit.start, visit.end, visit.buffer
            ):
                time = (slot, start, end)
                wanted.add((*of_it, ActorKind.PRACTITIONER, who, *time, until))
                if visit.room is not None:
                    wanted.add((*of_it, ActorKind.ROOM, visit.room, *time, end))
        assert {
            (
                one.appointment_id,
                one.expires_at,
                one.kind,
                one.actor_id,
                one.share_id,
                one.period.start,
                one.period.end,
                one.until,
            )
            for one in claims
        } == wanted

    async def _news_is_right(self) -> None:
        told: dict[UUID, list[str]] = defaultdict(list)
        versions: dict[UUID, list[int]] = defaultdict(list)
        for envelope in await self.storage.outbox(self.caller):
            body = orjson.loads(envelope.body)
            told[envelope.aggregate_id].append(body["type"])
            versions[envelope.aggregate_id].append(body["aggregateversion"])
        for id, visit in self.model.visits.items():
            assert told[id] == visit.events
            assert versions[id] == sorted(versions[id])
            assert set(versions[id]) == set(range(1, visit.version + 1))

    async def _audit_is_right(self) -> None:
        recorded: dict[UUID, dict[int | None, str]] = defaultdict(dict)
        for row in await self.storage.audit(self.caller):
            assert row.entity_version not in recorded[row.entity_id]
            recorded[row.entity_id][row.entity_version] = row.action
        for id, visit in self.model.visits.items():
            assert recorded[id] == dict(enumerate(visit.audit, start=1))


QUICKLY: dict[str, Any] = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}


def live(storage: Storage, runner: asyncio.Runner, **bounds: Any) -> None:  # noqa: ANN401
    class Lived(Life):
        pass

    Lived.storage = storage
    Lived.run = staticmethod(runner.run)
    run_state_machine_as_test(Lived, settings=examples(**QUICKLY, **bounds))


def test_on_storage_in_memory() -> None:
    with asyncio.Runner() as runner:
        live(MemoryStorage(), runner, max_examples=150, stateful_step_count=30)


def test_on_postgresql(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opened: AbstractAsyncContextManager[Storage] = postgres_storage(
            database_url, size=1
        )
        storage = runner.run(opened.__aenter__())
        try:
            live(storage, runner, max_examples=25, stateful_step_count=25)
        finally:
            runner.run(opened.__aexit__(None, None, None))


class Forgetful(MemoryStorage):
    """Loses the news of every check-in."""

    async def outbox(self, caller: Any) -> Any:  # noqa: ANN401
        kept = await super().outbox(caller)
        return [e for e in kept if b'"type":"checkin.completed"' not in e.body]


def test_a_storage_that_loses_news_is_found_out() -> None:
    """The judge is judged."""
    with asyncio.Runner() as runner, pytest.raises(AssertionError):
        live(
            Forgetful(),
            runner,
            max_examples=300,
            stateful_step_count=30,
            database=None,
            report_multiple_bugs=False,
        )
