"""Rows of slots, claims and appointments, to domain values and back. Nothing is
decided here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from scheduling.domain.appointment import Appointment, Initiator
from scheduling.domain.claim import ActorKind, Claim, Resource
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    ScheduleExceptionId,
    ScheduleId,
    SeriesId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.slot import Slot, SlotStatus
from scheduling.domain.status import Status

Row = Mapping[str, Any]


def slot_from(row: Row, prefix: str = "") -> Slot:
    return Slot(
        id=SlotId(row[f"{prefix}id"]),
        schedule_id=ScheduleId(row[f"{prefix}schedule_id"]),
        practitioner_id=PractitionerId(row[f"{prefix}practitioner_id"]),
        location_id=LocationId(row[f"{prefix}location_id"]),
        period=Period(row[f"{prefix}starts_at"], row[f"{prefix}ends_at"]),
        timezone=row[f"{prefix}timezone"],
        status=SlotStatus(row[f"{prefix}status"]),
        capacity=row[f"{prefix}capacity"],
        booked=row[f"{prefix}booked"],
        service_types=tuple(row[f"{prefix}service_types"]),
        version=row[f"{prefix}version"],
        blocked_by=_optional(ScheduleExceptionId, row[f"{prefix}blocked_by"]),
        blocked_reason=row[f"{prefix}blocked_reason"],
        opened_by=_optional(ScheduleExceptionId, row[f"{prefix}opened_by"]),
        obsolete_since=row[f"{prefix}obsolete_since"],
    )


def _optional(kind: Any, id: UUID | None) -> Any:  # noqa: ANN401
    return None if id is None else kind(id)


def slot_row(slot: Slot) -> Row:
    return {
        "id": slot.id,
        "schedule_id": slot.schedule_id,
        "practitioner_id": slot.practitioner_id,
        "location_id": slot.location_id,
        "starts_at": slot.period.start,
        "ends_at": slot.period.end,
        "timezone": slot.timezone,
        "status": slot.status,
        "capacity": slot.capacity,
        "booked": slot.booked,
        "service_types": slot.service_types,
        "version": slot.version,
        "generation_run_id": None,
        "source_event_id": None,
        "blocked_by": slot.blocked_by,
        "blocked_reason": slot.blocked_reason,
        "opened_by": slot.opened_by,
        "obsolete_since": slot.obsolete_since,
    }


def blocking_row(slot: Slot) -> Row:
    return {
        "id": slot.id,
        "status": slot.status,
        "blocked_by": slot.blocked_by,
        "blocked_reason": slot.blocked_reason,
        "version": slot.version,
    }


def claim_from(values: Sequence[Any]) -> Claim:
    """From the JSON array that `reading_for_booking` builds of a claim."""
    appointment_id, kind, actor_id, share_id, start, end, until, over, expires = values
    return Claim(
        appointment_id=AppointmentId(UUID(appointment_id)),
        kind=ActorKind(kind),
        actor_id=UUID(actor_id),
        share_id=UUID(share_id),
        period=Period(datetime.fromisoformat(start), datetime.fromisoformat(end)),
        until=datetime.fromisoformat(until),
        overbooked=over,
        expires_at=None if expires is None else datetime.fromisoformat(expires),
    )


def claim_row(claim: Claim) -> Row:
    return {
        "appointment_id": claim.appointment_id,
        "actor_kind": int(claim.kind),
        "actor_id": claim.actor_id,
        "share_id": claim.share_id,
        "starts_at": claim.period.start,
        "ends_at": claim.period.end,
        "until": claim.until,
        "overbooked": claim.overbooked,
        "expires_at": claim.expires_at,
    }


def appointment_from(row: Row) -> Appointment:
    by = row["cancelled_by"]
    return Appointment(
        id=AppointmentId(row["id"]),
        patient_id=PatientId(row["patient_id"]),
        practitioner_id=PractitionerId(row["practitioner_id"]),
        location_id=LocationId(row["location_id"]),
        schedule_id=ScheduleId(row["schedule_id"]),
        slot_ids=tuple(SlotId(id) for id in row["slot_ids"]),
        period=Period(row["starts_at"], row["ends_at"]),
        timezone=row["timezone"],
        appointment_type=row["appointment_type"],
        status=Status(row["status"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        reason=row["reason"],
        notes=row["notes"],
        resources=tuple(
            Resource(ActorKind(kind), UUID(id))
            for kind, id in orjson.loads(row["resources"])
        ),
        overbooked=row["overbooked"],
        override_reason=row["override_reason"],
        hold_expires_at=row["hold_expires_at"],
        held_by=row["held_by"],
        series_id=_optional(SeriesId, row["series_id"]),
        series_index=row["series_index"],
        status_reason_code=row["status_reason_code"],
        status_comment=row["status_comment"],
        cancelled_by=None if by is None else Initiator(by),
        sub_file_id=row["sub_file_id"],
        version=row["version"],
    )


def appointment_row(appointment: Appointment) -> Row:
    return {
        "id": appointment.id,
        "patient_id": appointment.patient_id,
        "practitioner_id": appointment.practitioner_id,
        "location_id": appointment.location_id,
        "schedule_id": appointment.schedule_id,
        "slot_ids": appointment.slot_ids,
        "starts_at": appointment.period.start,
        "ends_at": appointment.period.end,
        "timezone": appointment.timezone,
        "appointment_type": appointment.appointment_type,
        "status": appointment.status,
        "reason": appointment.reason,
        "notes": appointment.notes,
        "resources": [(int(one.kind), one.id) for one in appointment.resources],
        "overbooked": appointment.overbooked,
        "override_reason": appointment.override_reason,
        "hold_expires_at": appointment.hold_expires_at,
        "held_by": appointment.held_by,
        "series_id": appointment.series_id,
        "series_index": appointment.series_index,
        "status_reason_code": appointment.status_reason_code,
        "status_comment": appointment.status_comment,
        "cancelled_by": appointment.cancelled_by,
        "sub_file_id": appointment.sub_file_id,
        "created_at": appointment.created_at,
        "updated_at": appointment.updated_at,
        "version": appointment.version,
    }
