"""A practitioner's post and its calendar, for tests of what makes its slots."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import uuid4

import orjson

from scheduling.application.commands.add_schedule_exception import (
    AddScheduleException,
)
from scheduling.application.commands.block_slot import BlockSlot
from scheduling.application.commands.book_appointment import BookAppointment
from scheduling.application.commands.cancel_appointment import CancelAppointment
from scheduling.application.commands.create_slot import CreateSlot
from scheduling.application.commands.generate_slots import GenerateSlots
from scheduling.application.commands.hold_slot import HoldSlot
from scheduling.application.commands.put_location import PutLocation
from scheduling.application.commands.put_practitioner_role import PutPractitionerRole
from scheduling.application.commands.put_settings import PutSettings
from scheduling.application.commands.remove_schedule_exception import (
    RemoveScheduleException,
)
from scheduling.application.ports.almanac import Almanac
from scheduling.application.ports.unit_of_work import BeginWork, TransactionAborted
from scheduling.application.steps.generate_slots import generate_slots
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.generation import Generation, Trigger
from scheduling.domain.period import Period
from scheduling.domain.schedule import Hours, PractitionerRole, Schedule, WeeklyRule
from scheduling.domain.schedule_exception import ExceptionKind, ScheduleException
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
from scheduling.domain.version import ExpectedVersion
from scheduling.entrypoints.attempts import settled
from tests.builders import EIGHT, Clinic, a_role, at, open_clinic
from tests.contracts.storages import Storage
from tests.patterns import a_rule

Result = TypeVar("Result")

MORNING = a_rule("09:00", "11:00")
"""Every day four half hours."""


@dataclass(frozen=True)
class KnownHolidays(Almanac):
    days: frozenset[date] = frozenset()
    tzdata_version: str = "2030a"

    def public_holidays(
        self,
        country: str,  # noqa: ARG002
        subdivision: str | None,  # noqa: ARG002
        first: date,
        last: date,
    ) -> Collection[date]:
        return {day for day in self.days if first <= day <= last}


@dataclass
class Post:
    """One role of a clinic, and what is done with it. `now` can be set; `begin` makes
    slots, where that is another than who does the rest. `strict`: a deadlock is a
    failure.
    """

    storage: Storage
    clinic: Clinic
    role: PractitionerRole
    begin: BeginWork
    now: datetime = EIGHT
    almanac: KnownHolidays = field(default_factory=KnownHolidays)
    strict: bool = False

    def clock(self) -> datetime:
        return self.now

    async def tried(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do it as doors do, again after a lost race; where we are strict, never after
        a deadlock.
        """

        async def attempt() -> Result:
            try:
                return await work()
            except TransactionAborted as aborted:
                if self.strict:
                    raise AssertionError("aborted") from aborted
                raise

        return await settled(attempt)

    async def put(self, *rules: WeeklyRule, **told: Any) -> PractitionerRole:  # noqa: ANN401
        """Put the role with these rules, and without what nobody tells."""
        wanted = replace(
            self.role,
            **{
                "availability": rules,
                "active": True,
                "period_start": None,
                "period_end": None,
                "not_available": (),
                "version": 0,
                "deleted_at": None,
                **told,
            },
        )
        put = PutPractitionerRole(self.storage.begin, self.clock)
        self.role = (await put(self.clinic.caller, wanted)).role
        return self.role

    async def set(self, **told: Any) -> None:  # noqa: ANN401
        put = PutSettings(self.storage.begin, self.clock)
        await put(self.clinic.caller, Settings(**told))

    async def place(self, **told: Any) -> None:  # noqa: ANN401
        """Put the location with these changes."""
        wanted = replace(self.clinic.location, version=0, **told)
        await PutLocation(self.storage.begin, self.clock)(self.clinic.caller, wanted)

    async def calendar(self) -> Schedule:
        async with self.storage.begin(self.clinic.caller) as work:
            found = await work.schedules.of_role(self.role.id)
        assert found is not None
        return found

    async def generate(self, **told: Any) -> Generation:  # noqa: ANN401
        make = GenerateSlots(self.begin, self.clock, self.almanac)
        id = (await self.calendar()).id
        return await self.tried(lambda: make(self.clinic.caller, id, **told))

    async def follow(self, version: int, event: str | None = None) -> Generation | None:
        """Do what news of a version of the role asks for."""
        id = (await self.calendar()).id

        async def attempt() -> Generation | None:
            async with self.begin(self.clinic.caller) as work:
                return await generate_slots(
                    work,
                    id,
                    almanac=self.almanac,
                    trigger=Trigger.EVENT,
                    source_event_id=event or str(uuid4()),
                    role_version=version,
                    now=self.clock,
                )

        return await self.tried(attempt)

    async def slots(self, *, day: int | None = None) -> list[Slot]:
        """Return the calendar's slots by start, of one day or of all."""
        id = (await self.calendar()).id
        found = [
            slot
            for slot in await self.storage.slots(self.clinic.caller)
            if slot.schedule_id == id
            and (
                day is None
                or at("00:00", day=day) <= slot.period.start < at("00:00", day=day + 1)
            )
        ]
        return sorted(found, key=lambda slot: (slot.period.start, slot.period.end))

    async def shown(self, *, day: int = 0) -> list[str]:
        """Say what everybody sees of a day: `09:00-09:30 free`."""
        return [
            f"{slot.period.start:%H:%M}-{slot.period.end:%H:%M} {slot.shown_status}"
            for slot in await self.slots(day=day)
        ]

    async def slot(self, clock: str, *, day: int = 0) -> Slot:
        (found,) = (
            slot
            for slot in await self.slots(day=day)
            if slot.period.start == at(clock, day=day)
        )
        return found

    async def book(self, clock: str, *, day: int = 0, patient: int = 0) -> Appointment:
        slot = await self.slot(clock, day=day)
        return await self.book_slot(slot, patient)

    async def book_slot(
        self,
        slot: Slot,
        patient: int = 0,
        **told: Any,  # noqa: ANN401
    ) -> Appointment:
        clinic = replace(self.clinic, slots=(slot,))
        request = clinic.request(patient, **told)
        book = BookAppointment(self.storage.begin, self.clock)
        return await self.tried(lambda: book(clinic.caller, request))

    async def hold(self, clock: str, *, day: int = 0, patient: int = 0) -> Appointment:
        return await self.hold_slot(await self.slot(clock, day=day), patient)

    async def hold_slot(self, slot: Slot, patient: int = 0) -> Appointment:
        clinic = replace(self.clinic, slots=(slot,))
        hold = HoldSlot(self.storage.begin, self.clock)
        return await self.tried(lambda: hold(clinic.caller, clinic.request(patient)))

    async def cancel(self, one: Appointment) -> Appointment:
        cancel = CancelAppointment(self.storage.begin, self.clock)
        return await self.tried(
            lambda: cancel(
                self.clinic.caller,
                one.id,
                expected=ExpectedVersion(one.version),
                reason_code=CancelReason.PATIENT,
                initiated_by=Initiator.STAFF,
                comment=None,
            )
        )

    async def block(self, clock: str, *, day: int = 0) -> Slot:
        slot = await self.slot(clock, day=day)
        block = BlockSlot(self.storage.begin, self.clock)
        return await block(
            self.clinic.caller,
            slot.id,
            expected=ExpectedVersion(slot.version),
            reason=None,
        )

    async def open_by_hand(self, period: Period, **told: Any) -> Slot:  # noqa: ANN401
        create = CreateSlot(self.storage.begin, self.clock)
        return await create(
            self.clinic.caller,
            schedule_id=(await self.calendar()).id,
            period=period,
            **{"capacity": 1, "service_types": (), **told},
        )

    async def say(
        self,
        kind: ExceptionKind,
        *windows: Hours,
        day: int | None = 0,
        period: Period | None = None,
        service_types: tuple[str, ...] = (),
    ) -> ScheduleException:
        add = AddScheduleException(self.storage.begin, self.clock)
        on_date = None if day is None or period else at("00:00", day=day).date()
        exception, _ = await add(
            self.clinic.caller,
            (await self.calendar()).id,
            kind=kind,
            on_date=on_date,
            period=period,
            windows=windows,
            service_types=service_types,
            reason=None,
        )
        return exception

    async def unsay(self, exception: ScheduleException) -> None:
        remove = RemoveScheduleException(self.storage.begin, self.clock)
        await remove(self.clinic.caller, exception.schedule_id, exception.id)


async def a_post(
    storage: Storage,
    *rules: WeeklyRule,
    horizon: int = 2,
    patients: int = 4,
    timezone: str = "UTC",
    **told: Any,  # noqa: ANN401
) -> Post:
    """Open one whose horizon is short; its slots are not made yet."""
    clinic = await open_clinic(
        storage.begin,
        patients=patients,
        timezone=timezone,
        settings=Settings(horizon_days=horizon),
    )
    role = a_role(clinic.practitioner.id, clinic.location.id, **told)
    post = Post(storage, clinic, role, storage.begin)
    await post.put(*(rules or (MORNING,)), **told)
    return post


OpenPost = Callable[..., Awaitable[Post]]
"""Open a post as `a_post` does, in the storage of the test."""


def counts(run: Generation) -> dict[str, int]:
    """Return what is not nothing."""
    names = ("created", "updated", "unchanged", "conflicts", "retired", "retained")
    assert run.desired == run.created + run.updated + run.unchanged + run.conflicts
    return {name: n for name in names if (n := getattr(run, name))}


async def told_of_type(post: Post, kind: str) -> list[Any]:
    """Return the organisation's events of a type, as they are on the wire."""
    outbox = await post.storage.outbox(post.clinic.caller)
    events = (orjson.loads(envelope.body) for envelope in outbox)
    return [one for one in events if one["type"] == kind]
