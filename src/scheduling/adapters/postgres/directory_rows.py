"""Rows of the directory, settings and schedules, to domain values and back."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import orjson

from scheduling.domain.directory import (
    ContactPreferences,
    Location,
    Patient,
    Practitioner,
)
from scheduling.domain.identifiers import (
    LocationId,
    PatientId,
    PractitionerId,
    PractitionerRoleId,
    ScheduleId,
)
from scheduling.domain.patient_search import words_of
from scheduling.domain.period import Period
from scheduling.domain.schedule import (
    Day,
    NotAvailable,
    PractitionerRole,
    Schedule,
    WeeklyRule,
)
from scheduling.domain.settings import CalendarLimits, Limits, Settings

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
        waitlist_offers=row["waitlist_offers"],
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
        "waitlist_offers": settings.waitlist_offers,
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
        observes_public_holidays=row["observes_public_holidays"],
        closed_days=tuple(row["closed_days"]),
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
        "observes_public_holidays": entry.observes_public_holidays,
        "closed_days": entry.closed_days,
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
        language=row["language"],
        deleted_at=row["deleted_at"],
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
        "language": entry.language,
        "deleted_at": entry.deleted_at,
    }


def patient_word_rows(entry: Patient) -> list[Row]:
    return [
        {"patient_id": entry.id, "word": word, "version": entry.version}
        for word in sorted(words_of(entry))
    ]


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
        deleted_at=row["deleted_at"],
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
        "deleted_at": role.deleted_at,
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
        minimum_notice_minutes=row["minimum_notice_minutes"],
        limits=CalendarLimits(row["limit_per_day"], row["limit_per_week"]),
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
        "minimum_notice_minutes": schedule.minimum_notice_minutes,
        "limit_per_day": schedule.limits.per_day,
        "limit_per_week": schedule.limits.per_week,
    }
