"""Who did what to which thing, when, and what came of it: how it is kept and read.

What a command has done is recorded in its own transaction, by saving the aggregate
(see `repositories`). What has no transaction of its own goes through `AuditClient`:
sensitive reads, denied attempts, refused commands.

A query over patients' data takes an `audit: AuditClient` and adds one line, after its
block is left and before it returns:

    await self.audit.record(caller, "calendar.read", asked_for(caller, location=id))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

from scheduling.application.ports.identity import Caller, Forbidden
from scheduling.domain.changes import NO_CHANGES, Changes
from scheduling.domain.errors import DomainError, DoubleBookingOverrideDenied
from scheduling.domain.identifiers import AppointmentId, PatientId


class Outcome(StrEnum):
    DONE = "done"
    """A command took effect, or a read was answered."""

    REFUSED = "refused"
    """The caller may ask for it, and it cannot be: a conflict, a thing missing."""

    DENIED = "denied"
    """The caller may not: a scope missing, or somebody else's appointment."""


def outcome_of(refusal: DomainError | Forbidden) -> Outcome:
    """Tell what may not be from what cannot be."""
    denied = isinstance(refusal, Forbidden | DoubleBookingOverrideDenied)
    return Outcome.DENIED if denied else Outcome.REFUSED


class Entity(NamedTuple):
    """What an action was about."""

    type: str
    id: UUID


def asked_for(
    caller: Caller,
    *,
    patient: UUID | None = None,
    practitioner: UUID | None = None,
    location: UUID | None = None,
) -> Entity:
    """Return what a list was about: the narrowest that was named, else all there is."""
    named = {"patient": patient, "practitioner": practitioner, "location": location}
    for type_, id in named.items():
        if id is not None:
            return Entity(type_, id)
    return Entity("tenant", caller.tenant_id)


APPOINTMENT_READ = "appointment.read"
HISTORY_READ = "appointment.history.read"
REMINDERS_READ = "appointment.reminders.read"
READS_OF_AN_APPOINTMENT = (APPOINTMENT_READ, HISTORY_READ, REMINDERS_READ)
"""What has an appointment for its entity, and changes nothing."""


class AuditClient(Protocol):
    """Takes down what has no transaction of its own."""

    async def record(
        self,
        caller: Caller,
        action: str,
        entity: Entity,
        *,
        outcome: Outcome = Outcome.DONE,
        changes: Changes = NO_CHANGES,
    ) -> None:
        """Return when the death of this process cannot undo the record.

        `action` is the thing and the verb: `appointment.read`. One record a request,
        also where the answer is a list. `changes` have ids, codes and times only.
        Raise DatabaseUnavailable where it cannot be kept: an answer about a patient
        that leaves no trace is not to be given.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One line of a history. `actor` is the subject of a token."""

    id: UUID
    at: datetime
    actor: str
    action: str
    outcome: Outcome
    version: int | None
    changes: Changes
    request_id: str | None


AuditPosition = tuple[datetime, UUID]
"""Where a page of a history ended: the last record's instant and id."""


@dataclass(frozen=True, slots=True)
class AppointmentRecords:
    """Whose appointment it is, and a page of what happened to it, oldest first."""

    patient_id: PatientId
    records: Sequence[AuditRecord]


class AuditRepository(Protocol):
    async def of_appointment(
        self,
        id: AppointmentId,
        *,
        to: Caller,
        after: AuditPosition | None,
        limit: int,
    ) -> AppointmentRecords:
        """Return up to `limit` records after a position, the oldest first.

        A patient's own token is told what was done to the appointment, and what that
        token tried itself: not who else looked at it or was turned away. Raise
        AppointmentNotFound where there is none.
        """
