"""What was refused or denied, on its way into the audit: one place for every route.

`problems` hands over each refusal that it turns into an answer. Of commands all are
kept; of reads those that were denied. A request that has not the shape of its route is
nobody's attempt at anything, and a caller whom we do not know has no tenant: both stay
out of the audit.
"""

import asyncio
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from uuid import UUID

import structlog
from fastapi import Request
from prometheus_client import CollectorRegistry, Counter
from pydantic import BaseModel

from scheduling.application.ports.audit import (
    HISTORY_READ,
    REMINDERS_READ,
    AuditClient,
    Entity,
    Outcome,
    outcome_of,
)
from scheduling.application.ports.identity import Caller, Forbidden
from scheduling.domain import errors
from scheduling.domain.changes import Changes
from scheduling.entrypoints.http.request_metrics import route_template

PATIENCE = 1.0
"""Seconds that a refusal waits for its record before it is answered without."""

THINGS: Mapping[str, str] = MappingProxyType(
    {
        "appointments": "appointment",
        "holds": "appointment",
        "locations": "location",
        "patients": "patient",
        "practitioner-roles": "practitioner-role",
        "practitioners": "practitioner",
        "schedules": "schedule",
        "series": "appointment-series",
        "slots": "slot",
        "waitlist": "waitlist-entry",
    }
)
"""What an id in a path is of, by the word before it."""

_HIDDEN: Mapping[type[errors.NotFound], str] = MappingProxyType(
    {
        errors.AppointmentNotFound: "appointment",
        errors.PatientNotFound: "patient",
        errors.SeriesNotFound: "appointment-series",
        errors.WaitlistEntryNotFound: "waitlist-entry",
    }
)
"""What patients' own tokens are told there is none of, where it is not theirs. That
they asked for it is an attempt, be it there or not.
"""

_BY_BODY: Mapping[str, str] = MappingProxyType(
    {
        "hold_id": "appointment",
        "slot_id": "slot",
        "schedule_id": "schedule",
        "patient_id": "patient",
        "practitioner_id": "practitioner",
        "location_id": "location",
    }
)
"""What a command without an id in its path is about: the first that its body names."""

_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "accept_waitlist_offer": "waitlist-entry.accept-offer",
        "add_to_waitlist": "waitlist-entry.add",
        "check_in_patient": "appointment.check-in",
        "decline_waitlist_offer": "waitlist-entry.decline-offer",
        "find_next_available": "available-slots.find-next",
        "find_open_locations": "locations.find-open",
        "find_waitlist_candidates": "slot.candidates.read",
        "generate_slots": "schedule.generate",
        "get_appointment_history": HISTORY_READ,
        "list_generation_runs": "schedule.generation-runs.read",
        "list_locations": "locations.read",
        "list_notifications": "practitioner.notifications.read",
        "list_patient_appointments": "patient.appointments.read",
        "list_practitioners": "practitioners.read",
        "list_reminders": REMINDERS_READ,
        "list_schedule_exceptions": "schedule.exceptions.read",
        "list_schedule_slots": "schedule.slots.read",
        "list_schedules": "schedules.read",
        "list_slots_of_location": "location.slots.read",
        "list_slots_of_practitioner": "practitioner.slots.read",
        "list_sub_files": "patient.sub-files.read",
        "list_todays_appointments": "appointments.today.read",
        "list_upcoming_appointments": "appointments.upcoming.read",
        "make_waitlist_offer": "waitlist-entry.offer",
        "read_all_notifications": "practitioner.notifications-read",
        "remove_from_waitlist": "waitlist-entry.remove",
        "search_patients": "patients.read",
        "self_book_appointment": "appointment.self-book",
        "update_appointment_status": "appointment.update-status",
        "update_appointment_statuses": "appointment.update-status",
    }
)
"""Operations whose names are not `verb_thing`."""

_log = structlog.get_logger()


class RefusalAudit:
    """Takes down what was refused. It never fails: a 403 whose record is lost is still
    a 403, and the loss is in the log and in the figures.
    """

    def __init__(
        self,
        audit: AuditClient,
        registry: CollectorRegistry,
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._audit = audit
        self._patience = patience
        self._unconfirmed = Counter(
            "scheduling_audit_unconfirmed",
            "Refusals answered before their audit record was known to be kept",
            registry=registry,
        )

    async def note(
        self,
        request: Request,
        refusal: errors.DomainError | Forbidden,
        *,
        about: Entity | None = None,
    ) -> None:
        """Return when the record is kept, or given up. `about` is what was refused, of
        several things that a request names.
        """
        caller: Caller | None = getattr(request.state, "caller", None)
        outcome = None if caller is None else _outcome(request, caller, refusal)
        if caller is None or outcome is None:
            return
        try:
            async with asyncio.timeout(self._patience):
                await self._audit.record(
                    caller,
                    action_of(request.scope["route"].name),
                    about or _entity(request, caller, refusal),
                    outcome=outcome,
                    changes=_told(request, refusal),
                )
        except Exception as error:  # noqa: BLE001  # whatever it was, the answer stands
            self._unconfirmed.inc()
            _log.error(
                "audit.unconfirmed",
                request_id=caller.request_id,
                route=route_template(request.scope),
                code=refusal.code,
                exc_info=error,
            )


def action_of(operation: str) -> str:
    """`reschedule_appointment` is `appointment.reschedule`; a `get` is a `read`, as
    those are named that succeed.
    """
    if operation in _ACTIONS:
        return _ACTIONS[operation]
    verb, _, thing = operation.partition("_")
    return f"{thing.replace('_', '-')}.{'read' if verb == 'get' else verb}"


def _outcome(
    request: Request, caller: Caller, refusal: errors.DomainError | Forbidden
) -> Outcome | None:
    """None where it is nothing for the audit: a read of what is not there."""
    if _hidden(caller, refusal) is not None:
        return Outcome.DENIED
    outcome = outcome_of(refusal)
    is_read = request.method == "GET" and outcome is Outcome.REFUSED
    return None if is_read else outcome


def _hidden(caller: Caller, refusal: Exception) -> Entity | None:
    """What a patient's own token reached for that is not the patient's."""
    if caller.patient_id is None or not isinstance(refusal, errors.NotFound):
        return None
    type_ = _HIDDEN.get(type(refusal))
    if type_ is None or refusal.id == caller.patient_id:
        return None
    return Entity(type_, refusal.id)


def _entity(request: Request, caller: Caller, refusal: Exception) -> Entity:
    return (
        _hidden(caller, refusal)
        or _in_path(request)
        or _in_body(request)
        or Entity("tenant", caller.tenant_id)
    )


def _in_path(request: Request) -> Entity | None:
    """`/v1/appointments/{id}/cancel` is about an appointment."""
    template = route_template(request.scope) or ""
    thing = THINGS.get(template.partition("/{")[0].rpartition("/")[2])
    for given in request.path_params.values():
        try:
            return None if thing is None else Entity(thing, UUID(str(given)))
        except ValueError:
            return None
    return None


def _in_body(request: Request) -> Entity | None:
    named = dict(_ids_in_body(request))
    for name, thing in _BY_BODY.items():
        if name in named:
            return Entity(thing, named[name][1])
    return None


def _told(request: Request, refusal: errors.DomainError | Forbidden) -> Changes:
    """The code, and the ids that were asked for: nothing else of a body is kept."""
    told: dict[str, tuple[object, object]] = {"code": (None, refusal.code)}
    if isinstance(refusal, Forbidden):
        told["scope"] = (None, refusal.scope.value)
    elif refusal.index is not None:
        told["index"] = (None, refusal.index)
    for on_the_wire, id in dict(_ids_in_body(request)).values():
        told[on_the_wire] = (None, str(id))
    return told


def _ids_in_body(request: Request) -> Iterator[tuple[str, tuple[str, UUID]]]:
    """Yield each id of the body by its field: its name on the wire, and itself."""
    body: BaseModel | None = getattr(request.state, "body", None)
    if body is None:
        return
    for name, field in type(body).model_fields.items():
        value = getattr(body, name)
        if isinstance(value, UUID):
            yield name, (field.alias or name, value)
