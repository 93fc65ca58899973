"""One tenant's tables in memory, and a transaction over them.

Reading sees what is committed at that moment, as PostgreSQL's READ COMMITTED does.
Writing is gathered and applied at the end to a copy of what is there then, so that
whoever comes second meets what the first has left. All values are immutable: a shallow
copy is a snapshot.
"""

from asyncio import Lock
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from copy import copy
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from scheduling.adapters.cloud_events.outgoing import Envelope, to_envelope
from scheduling.application.ports.audit import Outcome
from scheduling.application.ports.dead_letters import DeadLetter
from scheduling.application.ports.identity import Caller
from scheduling.application.ports.inbox import Outcome as InboxOutcome
from scheduling.application.ports.messages import Aggregate
from scheduling.application.ports.repositories import StoredAnswer
from scheduling.domain.appointment import Appointment
from scheduling.domain.changes import Changes
from scheduling.domain.claim import Claim
from scheduling.domain.directory import Channel, Location, Patient, Practitioner
from scheduling.domain.events import Event
from scheduling.domain.generation import Generation
from scheduling.domain.identifiers import GenerationRunId, new_id
from scheduling.domain.notification import Notification
from scheduling.domain.schedule import PractitionerRole, Schedule
from scheduling.domain.schedule_exception import ScheduleException
from scheduling.domain.settings import Settings
from scheduling.domain.slot import Slot
from scheduling.domain.sub_file import SubFile
from scheduling.domain.waitlist import WaitlistEntry
from scheduling.domain.waitlist_offer import WaitlistOffer
from tests.asyncapi.document import misfits_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReminder:
    id: UUID
    appointment_id: UUID
    appointment_version: int
    offset_minutes: int
    channel: Channel | None
    due_at: datetime
    status: str = "SCHEDULED"
    reason: str | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    attempt_at: datetime | None = None
    sending_since: datetime | None = None

    @property
    def look_at(self) -> datetime:
        return self.attempt_at or self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    id: UUID
    at: datetime
    actor: str
    action: str
    outcome: Outcome
    entity_type: str
    entity_id: UUID
    entity_version: int | None
    changes: Changes
    request_id: str | None


class Position(NamedTuple):
    """How far an aggregate's news were followed."""

    version: int | None
    stored_at: datetime


@dataclass(slots=True)
class Tables:
    settings: dict[None, Settings] = field(default_factory=dict)
    practitioners: dict[UUID, Practitioner] = field(default_factory=dict)
    locations: dict[UUID, Location] = field(default_factory=dict)
    patients: dict[UUID, Patient] = field(default_factory=dict)
    practitioner_roles: dict[UUID, PractitionerRole] = field(default_factory=dict)
    schedules: dict[UUID, Schedule] = field(default_factory=dict)
    exceptions: dict[UUID, ScheduleException] = field(default_factory=dict)
    slots: dict[UUID, Slot] = field(default_factory=dict)
    runs: dict[UUID, Generation] = field(default_factory=dict)
    generated: dict[UUID, tuple[GenerationRunId, str]] = field(default_factory=dict)
    appointments: dict[UUID, Appointment] = field(default_factory=dict)
    claims: dict[UUID, tuple[Claim, ...]] = field(default_factory=dict)
    reminders: dict[UUID, tuple[StoredReminder, ...]] = field(default_factory=dict)
    waitlist: dict[UUID, WaitlistEntry] = field(default_factory=dict)
    offers: dict[UUID, tuple[WaitlistEntry, WaitlistOffer]] = field(
        default_factory=dict
    )
    answers: dict[tuple[str, str], tuple[str, StoredAnswer]] = field(
        default_factory=dict
    )
    inbox: dict[tuple[str, str], tuple[InboxOutcome, datetime]] = field(
        default_factory=dict
    )
    positions: dict[Aggregate, Position] = field(default_factory=dict)
    dead_letters: dict[tuple[str, int, datetime], DeadLetter] = field(
        default_factory=dict
    )
    outbox: dict[UUID, Envelope] = field(default_factory=dict)
    sub_files: dict[UUID, SubFile] = field(default_factory=dict)
    drawn: dict[int, int] = field(default_factory=dict)
    notifications: dict[UUID, Notification] = field(default_factory=dict)
    audit: tuple[AuditRow, ...] = ()

    def copy(self) -> Self:
        taken = replace(self)
        for one in fields(self):
            setattr(taken, one.name, copy(getattr(self, one.name)))
        return taken


Change = Callable[[Tables], None]


@dataclass
class Transaction:
    """`locks` are shared by all; those that are taken here end with the transaction."""

    caller: Caller
    committed: Callable[[], Tables]
    locks: dict[object, Lock]
    held: AsyncExitStack
    changes: list[Change] = field(default_factory=list)
    mine: set[object] = field(default_factory=set)

    @property
    def tables(self) -> Tables:
        return self.committed()

    async def lock(self, *name: object) -> None:
        """Wait until whoever holds the name is done."""
        key = (self.caller.tenant_id, *name)
        if key not in self.mine:
            await self.held.enter_async_context(self.locks.setdefault(key, Lock()))
            self.mine.add(key)

    def is_locked_elsewhere(self, *name: object) -> bool:
        key = (self.caller.tenant_id, *name)
        return key not in self.mine and key in self.locks and self.locks[key].locked()

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def announce(self, events: Iterable[Event]) -> None:
        for event in events:
            envelope = to_envelope(
                event, self.caller.tenant_id, self.caller.traceparent
            )
            found = misfits_of(envelope.body)
            assert not found, found
            self.change(
                lambda tables, one=envelope: tables.outbox.update({one.event_id: one})  # type: ignore[misc]
            )

    def audit(
        self,
        action: str,
        entity_id: UUID,
        version: int,
        changes: Changes,
        *,
        at: datetime,
        entity_type: str | None = None,
    ) -> None:
        """Keep a row of the entity that the action begins with, or of another."""
        row = AuditRow(
            id=new_id(at),
            at=at,
            actor=self.caller.subject,
            action=action,
            outcome=Outcome.DONE,
            entity_type=entity_type or action.partition(".")[0],
            entity_id=entity_id,
            entity_version=version,
            changes=changes,
            request_id=self.caller.request_id,
        )

        def write(tables: Tables) -> None:
            tables.audit = (*tables.audit, row)

        self.change(write)

    def outcome(self) -> Tables:
        """Return the tables with all changes, or raise and leave them as they are."""
        tables = self.tables.copy()
        for change in self.changes:
            change(tables)
        return tables
