"""What a use case may ask storage for, within one transaction and one tenant.

Reading is awaited. Writing is gathered and goes out when the transaction is left, in
as few statements as can be; what storage then refuses is raised there (see
`unit_of_work`). Saving an aggregate writes its events and its audit record too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from scheduling.domain.appointment import Appointment
from scheduling.domain.booking import (
    Booking,
    BookingFacts,
)
from scheduling.domain.booking_request import BookingRequest
from scheduling.domain.directory import Location, Patient, Practitioner
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleId,
    SeriesId,
    SlotId,
)
from scheduling.domain.moving import Move
from scheduling.domain.schedule import PractitionerRole, Schedule
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot

Id_contra = TypeVar("Id_contra", contravariant=True)
Entry = TypeVar("Entry")


class DirectoryRepository(Protocol[Id_contra, Entry]):
    """Practitioners, locations, patients, roles: read by id and put whole."""

    async def find(self, id: Id_contra) -> Entry | None: ...

    def save(self, entry: Entry) -> None:
        """Store the next version. What has the stored version is not written again."""


PractitionerRepository = DirectoryRepository[PractitionerId, Practitioner]
LocationRepository = DirectoryRepository[LocationId, Location]
PatientRepository = DirectoryRepository[PatientId, Patient]
PractitionerRoleRepository = DirectoryRepository[PractitionerRoleId, PractitionerRole]


class SettingsRepository(Protocol):
    async def get(self) -> Settings:
        """Return the organisation's settings; the defaults where it set none."""

    def save(self, settings: Settings) -> None: ...


class ScheduleRepository(Protocol):
    async def get(self, id: ScheduleId) -> Schedule:
        """Raise ScheduleNotFound where there is none."""

    async def of_role(self, id: PractitionerRoleId) -> Schedule | None: ...

    async def hold_of_role(self, id: PractitionerRoleId) -> Schedule | None:
        """As `of_role`; until the transaction is left nobody else changes it, its
        exceptions or its role, nor a location or the settings.
        """

    def save(self, schedule: Schedule) -> None:
        """Store the next version. What has the stored version is not written again."""


class SlotRepository(Protocol):
    async def get(self, id: SlotId) -> Slot:
        """Raise SlotNotFound where there is none."""

    def add(self, slot: Slot) -> None: ...

    def keep(self, slot: Slot, now: datetime) -> None:
        """Store whether it is blocked, by whom and why, as the next version of the one
        that was read last. That somebody else was first surfaces when the transaction
        is left: OptimisticLockConflict inside a DecisionOutdated.
        """


class AppointmentRepository(Protocol):
    async def facts_for(
        self,
        request: BookingRequest,
        *,
        now: datetime,
        own: AppointmentId | None = None,
        holding: bool = False,
    ) -> BookingFacts:
        """Return all that the decision needs, in one reading.

        Where a limit is set, the practitioner's bookings are serialised first, so that
        the counts hold until the transaction is left; holds that have run out by `now`
        do not count, nor does `own`, which is being moved. Claims of both are told.
        `holding`: the patient's live holds are counted, too.
        """

    async def facts_for_all(
        self, requests: Sequence[BookingRequest], *, now: datetime
    ) -> Sequence[BookingFacts]:
        """As `facts_for` for each, in as many readings as for one.

        All are of one patient with the same resources, and of one practitioner at one
        location: by start.
        """

    def add(self, booking: Booking) -> None:
        """Store the appointment and take its seats and its actors' time.

        Lost races surface when the transaction is left: SlotNotAvailable or
        DoubleBookingDetected inside a DecisionOutdated.
        """

    def add_all(self, bookings: Sequence[Booking]) -> None:
        """As `add` for each, by start: all are stored, or none is."""

    def keep(self, appointment: Appointment) -> None:
        """Store the next version of one that takes the time that it took."""

    def move(self, move: Move) -> None:
        """Give the old time back and take the new: both are done, or nothing is.

        Lost races surface when the transaction is left, as with `add`.
        """

    async def one_hold_at_a_time(self, patient_id: PatientId) -> None:
        """Keep others from placing a hold for the patient until the transaction is
        left: holds are counted.
        """

    async def get(self, id: AppointmentId) -> Appointment:
        """Raise AppointmentNotFound where there is none."""

    async def find(self, id: AppointmentId) -> Appointment | None: ...

    async def with_slots(
        self, id: AppointmentId
    ) -> tuple[Appointment, tuple[Slot, ...]]:
        """Return it with its slots by start, all locked until the transaction is left.

        Raise AppointmentNotFound where there is none.
        """

    async def to_move(
        self,
        id: AppointmentId,
        *,
        slot_id: SlotId | None = None,
        practitioner_id: PractitionerId | None = None,
    ) -> tuple[Appointment, tuple[Slot, ...]]:
        """As `with_slots`, after waiting for others who move appointments of the
        practitioners concerned (its own, the slot's, the one named), who then wait for
        us: two that swap their times would else wait for each other for good.
        """

    async def all_with_slots(
        self, ids: Collection[AppointmentId], *, also: Collection[SlotId] = ()
    ) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
        """As `with_slots` for several, by id; those that are not there are left out.

        `also` are slots of which seats are taken afterwards: they are locked with the
        others, in the one order in which all lock slots.
        """

    async def of_series(
        self, id: SeriesId
    ) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
        """As `all_with_slots`, for the appointments of a series."""

    async def series(self, id: SeriesId) -> Sequence[Appointment]:
        """Return the appointments of a series in their order; none where there is no
        such series.
        """

    async def run_out(self, now: datetime, *, limit: int) -> Sequence[AppointmentId]:
        """Return holds that have run out by `now` and still have their seats, the
        longest ago first. What is offered to somebody who waits is left out: it is not
        over with the hold.
        """

    def release(self, appointment: Appointment, slots: Sequence[Slot]) -> None:
        """Store a version that takes no time any more, with its slots' next versions:
        claims and seats are given back, reminders that are due later are cancelled.
        """

    def release_all(
        self, appointments: Sequence[Appointment], slots: Sequence[Slot]
    ) -> None:
        """As `release`; `slots` are those that any of them leaves, each once."""

    def then(self) -> None:
        """Let what was given back so far be there for what is taken from here on."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a command once answered, byte for byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """`fingerprint` tells one request from another under the same key."""

    key: str
    fingerprint: str


class AnswerRepository(Protocol):
    """Answers to commands that carried an Idempotency-Key, by tenant and caller."""

    async def recall(self, key: IdempotencyKey) -> StoredAnswer | None:
        """Return the answer given before, and keep others out until we are done.

        Raise IdempotencyKeyReused for another request under the key, and
        RequestInProgress where the same one runs elsewhere at this moment.
        """

    def keep(self, key: IdempotencyKey, answer: StoredAnswer) -> None: ...
