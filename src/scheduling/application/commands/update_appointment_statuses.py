from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduling.application.ports.clock import Clock
from scheduling.application.ports.identity import Caller, Forbidden, Scope, StaffOnly
from scheduling.application.ports.unit_of_work import BeginWork
from scheduling.application.steps.take_a_step import (
    demand_live,
    demand_right_to,
    keep_or_release_all,
)
from scheduling.domain.appointment import Appointment, CancelReason, Initiator
from scheduling.domain.errors import AppointmentNotFound, DomainError
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.status import Status
from scheduling.domain.version import ExpectedVersion, check_version


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """The next step of one appointment; to cancel, `reason_code` says why."""

    id: AppointmentId
    status: Status
    version: int
    reason_code: str | None = None
    comment: str | None = None


Outcome = Appointment | DomainError | Forbidden
"""The next version, or why there is none."""


@dataclass(frozen=True, slots=True)
class UpdateAppointmentStatuses:
    """Take a step with each of many appointments, each for itself: what cannot be done
    with one is no matter to the others.

    Steps that take time anew ask what is free, and are taken one by one elsewhere.
    """

    begin: BeginWork
    now: Clock

    async def __call__(
        self, caller: Caller, changes: Sequence[StatusChange]
    ) -> Sequence[Outcome]:
        """Return an outcome for each change, in their order; none is of one thing."""
        if caller.patient_id is not None:
            raise StaffOnly(Scope.BOOK)
        async with self.begin(caller) as work:
            ids = [change.id for change in changes]
            found = {
                one[0].id: one for one in await work.appointments.all_with_slots(ids)
            }
            now = self.now()
            outcomes = [
                _outcome(caller, change, found[change.id][0], now)
                if change.id in found
                else AppointmentNotFound(change.id)
                for change in changes
            ]
            steps = [
                (after, found[after.id][1])
                for after in outcomes
                if isinstance(after, Appointment)
            ]
            await keep_or_release_all(work, steps, now=now)
        return outcomes


def _outcome(
    caller: Caller, change: StatusChange, appointment: Appointment, now: datetime
) -> Outcome:
    try:
        check_version(ExpectedVersion(change.version), appointment.version)
        demand_right_to(caller, appointment, change.status, now=now)
        demand_live(appointment, change.status, now=now)
        return _taken(appointment, change, now)
    except (DomainError, Forbidden) as refusal:
        return refusal


def _taken(
    appointment: Appointment, change: StatusChange, now: datetime
) -> Appointment:
    if change.status is Status.CANCELLED:
        return appointment.cancel(
            reason_code=CancelReason.named(change.reason_code),
            initiated_by=Initiator.STAFF,
            comment=change.comment,
            now=now,
        )
    appointment.demand_no_new_time(change.status, now=now)
    return appointment.become(
        change.status,
        reason_code=change.reason_code,
        comment=change.comment,
        now=now,
    )
