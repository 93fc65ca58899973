"""From rows to domain values and back. Nothing is decided here."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import orjson

from scheduling.domain.appointment import Appointment, Initiator, Status
from scheduling.domain.claim import ActorKind, Claim, Resource
from scheduling.domain.directory import (
    ContactPreferences,
    Location,
    Patient,
    Practitioner,
)
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule import (
    Day,
    NotAvailable,
    PractitionerRole,
    Schedule,
    WeeklyRule,
)
from scheduling.domain.settings import Limits, Settings
from scheduling.domain.slot import Slot, SlotStatus

Row = Mapping[str, Any]


def settings_from(row: Row) -> Settings:
    """A tenant that set nothing has the defaults: its row is all null."""
    if row["buffer_minutes"] is None:
        return Settings()
    return Settings(
        buffer_minutes=row["buffer_minutes"],
        minimum_notice_minutes=row["minimum_notice_minutes"],
        horizon_days=row["horizon_days"],
        hold_minutes=row["hold_minutes"],
        reminder_offsets_minutes=tuple(row["reminder_offsets_minutes"]),
        no_show_grace_minutes=row["no_show_grace_minutes"],
        limits=Limits(
            row["limit_per_practitioner_day"], row["limit_per_practitioner_week"]
        ),
        timezone=row["settings_timezone"],
        version=row["settings_version"],
        updated_at=row["settings_updated_at"],
    )


def settings_row(settings: Settings) -> Row:
    return {
        "buffer_minutes": settings.buffer_minutes,
        "minimum_notice_minutes": settings.minimum_notice_minutes,
        "horizon_days": settings.horizon_days,
        "hold_minutes": settings.hold_minutes,
        "reminder_offsets_minutes": settings.reminder_offsets_minutes,
        "no_show_grace_minutes": settings.no_show_grace_minutes,
        "limit_per_practitioner_day": settings.limits.per_practitioner_day,
        "limit_per_practitioner_week": settings.limits.per_practitioner_week,
        "timezone": settings.timezone,
        "version": settings.version,
        "updated_at": settings.updated_at,
    }


def _kept(entry: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "id": entry.id,
        "version": entry.version,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }


def _kept_from(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("version", "created_at", "updated_at")}


def practitioner_from(row: Row) -> Practitioner:
    return Practitioner(
        id=PractitionerId(row["id"]),
        name=row["name"],
        active=row["active"],
        specialties=tuple(row["specialties"]),
        **_kept_from(row),
    )


def practitioner_row(entry: Practitioner) -> Row:
    return {
        **_kept(entry),
        "name": entry.name,
        "active": entry.active,
        "specialties": entry.specialties,
    }


def location_from(row: Row) -> Location:
    return Location(
        id=LocationId(row["id"]),
        name=row["name"],
        code=row["code"],
        timezone=row["timezone"],
        country=row["country"],
        subdivision=row["subdivision"],
        active=row["active"],
        **_kept_from(row),
    )


def location_row(entry: Location) -> Row:
    return {
        **_kept(entry),
        "name": entry.name,
        "code": entry.code,
        "timezone": entry.timezone,
        "country": entry.country,
        "subdivision": entry.subdivision,
        "active": entry.active,
    }


def patient_from(row: Row) -> Patient:
    return Patient(
        id=PatientId(row["id"]),
        name=row["name"],
        active=row["active"],
        file_number=row["file_number"],
        phone=row["phone"],
        email=row["email"],
        preferences=preferences_from(row),
        **_kept_from(row),
    )


def preferences_from(row: Row) -> ContactPreferences:
    return ContactPreferences(
        whatsapp=bool(row["prefers_whatsapp"]),
        sms=bool(row["prefers_sms"]),
        email=bool(row["prefers_email"]),
    )


def patient_row(entry: Patient) -> Row:
    return {
        **_kept(entry),
        "name": entry.name,
        "active": entry.active,
        "file_number": entry.file_number,
        "phone": entry.phone,
        "email": entry.email,
        "prefers_whatsapp": entry.preferences.whatsapp,
        "prefers_sms": entry.preferences.sms,
        "prefers_email": entry.preferences.email,
    }


def rules_from(text: str) -> tuple[WeeklyRule, ...]:
    return tuple(
        WeeklyRule(
            days=tuple(Day(day) for day in rule["days"]),
            start=time.fromisoformat(rule["start"]),
            end=time.fromisoformat(rule["end"]),
            slot_minutes=rule["slot_minutes"],
            capacity=rule["capacity"],
            service_types=tuple(rule["service_types"]),
            valid_from=_date(rule["valid_from"]),
            valid_to=_date(rule["valid_to"]),
        )
        for rule in orjson.loads(text)
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def rules_json(rules: tuple[WeeklyRule, ...]) -> list[Row]:
    return [
        {
            "days": rule.days,
            "start": rule.start.isoformat("minutes"),
            "end": rule.end.isoformat("minutes"),
            "slot_minutes": rule.slot_minutes,
            "capacity": rule.capacity,
            "service_types": rule.service_types,
            "valid_from": rule.valid_from,
            "valid_to": rule.valid_to,
        }
        for rule in rules
    ]


def role_from(row: Row) -> PractitionerRole:
    return PractitionerRole(
        id=PractitionerRoleId(row["id"]),
        practitioner_id=PractitionerId(row["practitioner_id"]),
        location_id=LocationId(row["location_id"]),
        active=row["active"],
        specialties=tuple(row["specialties"]),
        service_types=tuple(row["service_types"]),
        timezone=row["timezone"],
        period_start=row["period_start"],
        period_end=row["period_end"],
        availability=rules_from(row["availability"]),
        not_available=tuple(
            NotAvailable(
                period=Period(
                    datetime.fromisoformat(away["start"]),
                    datetime.fromisoformat(away["end"]),
                ),
                description=away["description"],
            )
            for away in orjson.loads(row["not_available"])
        ),
        **_kept_from(row),
    )


def role_row(role: PractitionerRole) -> Row:
    return {
        **_kept(role),
        "practitioner_id": role.practitioner_id,
        "location_id": role.location_id,
        "active": role.active,
        "specialties": role.specialties,
        "service_types": role.service_types,
        "timezone": role.timezone,
        "period_start": role.period_start,
        "period_end": role.period_end,
        "availability": rules_json(role.availability),
        "not_available": [
            {
                "start": away.period.start,
                "end": away.period.end,
                "description": away.description,
            }
            for away in role.not_available
        ],
    }


def schedule_from(row: Row) -> Schedule:
    role_id = row["practitioner_role_id"]
    return Schedule(
        id=ScheduleId(row["id"]),
        practitioner_id=PractitionerId(row["practitioner_id"]),
        location_id=LocationId(row["location_id"]),
        timezone=row["timezone"],
        practitioner_role_id=None if role_id is None else PractitionerRoleId(role_id),
        availability=rules_from(row["availability"]),
        horizon_days=row["horizon_days"],
        **_kept_from(row),
    )


def schedule_row(schedule: Schedule) -> Row:
    return {
        **_kept(schedule),
        "practitioner_id": schedule.practitioner_id,
        "location_id": schedule.location_id,
        "practitioner_role_id": schedule.practitioner_role_id,
        "timezone": schedule.timezone,
        "availability": rules_json(schedule.availability),
        "horizon_days": schedule.horizon_days,
    }


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
    )


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
    }


def claim_from(values: Sequence[Any]) -> Claim:
    """From the JSON array that `reading_for_booking` builds of a claim."""
    appointment_id, kind, actor_id, share_id, start, end, until, overbooked = values
    return Claim(
        appointment_id=AppointmentId(UUID(appointment_id)),
        kind=ActorKind(kind),
        actor_id=UUID(actor_id),
        share_id=UUID(share_id),
        period=Period(datetime.fromisoformat(start), datetime.fromisoformat(end)),
        until=datetime.fromisoformat(until),
        overbooked=overbooked,
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
        "status_reason_code": appointment.status_reason_code,
        "status_comment": appointment.status_comment,
        "cancelled_by": appointment.cancelled_by,
        "sub_file_id": appointment.sub_file_id,
        "created_at": appointment.created_at,
        "updated_at": appointment.updated_at,
        "version": appointment.version,
    }
