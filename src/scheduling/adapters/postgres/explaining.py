"""All that is needed to explain a practitioner's time, in one row."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.assignments import assignment_from, assignment_json
from scheduling.adapters.postgres.batch import JSON_TEXT, TENANT
from scheduling.adapters.postgres.claimed import LONGEST_CLAIM, claimed_by
from scheduling.adapters.postgres.directory_rows import rules_from
from scheduling.adapters.postgres.limits import counted
from scheduling.adapters.postgres.offering import INSTANT
from scheduling.adapters.postgres.schedule_exceptions import hours_from
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.domain.calendar_hours import CalendarHours
from scheduling.domain.claim import SOMEBODY, ActorKind, Claim
from scheduling.domain.explaining import Circumstances
from scheduling.domain.identifiers import (
    AppointmentId,
    LocationId,
    PractitionerId,
    ScheduleId,
    SlotId,
)
from scheduling.domain.period import Period
from scheduling.domain.schedule_exception import Deviation, ExceptionKind
from scheduling.domain.settings import CalendarLimits, CalendarRules
from scheduling.domain.slot import Slot, SlotStatus

_PRACTITIONER = given("practitioner_id", Uuid)
_START, _END = given("start", INSTANT), given("end", INSTANT)
_LONGEST_EXCEPTION: ColumnElement[Any] = literal_column("interval '368 days'")
_TWO_DAYS: ColumnElement[Any] = literal_column("interval '2 days'")
_WEEK: ColumnElement[Any] = literal_column("interval '9 days'")
"""Of a slot that begins a day before the range, or ends a day after it."""


@cache
def reading_circumstances(*, at_location: bool) -> Statement:
    """What is not there comes back as null: the practitioner, the location, and the
    patient who asks, where nobody asks.
    """
    return compiled(
        select(
            _active(t.practitioners, _PRACTITIONER).label("practitioner_active"),
            _active(t.locations, given("location_id", Uuid)).label("location_active"),
            _active(t.patients, given("patient_id", Uuid)).label("patient_active"),
            _calendars(at_location=at_location).label("calendars"),
            _slots(at_location=at_location).label("slots"),
            _claims().label("claims"),
            case((_is_limited(), _taken())).label("taken"),
        )
    )


def _active(table: Any, id: ColumnElement[Any]) -> ColumnElement[bool]:  # noqa: ANN401
    return (
        select(table.c.active)
        .where(table.c.tenant_id == TENANT, table.c.id == id)
        .scalar_subquery()
    )


def _is_at(table: Any, *, at_location: bool) -> list[ColumnElement[bool]]:  # noqa: ANN401
    return [
        table.c.tenant_id == TENANT,
        table.c.practitioner_id == _PRACTITIONER,
        *([table.c.location_id == given("location_id", Uuid)] if at_location else []),
    ]


def _calendars(*, at_location: bool) -> ColumnElement[Any]:
    schedules, roles, exceptions = (
        t.schedules,
        t.practitioner_roles,
        t.schedule_exceptions,
    )
    assignments = (
        select(func.json_agg(assignment_json()))
        .where(
            roles.c.tenant_id == TENANT,
            roles.c.practitioner_id == _PRACTITIONER,
            roles.c.location_id == schedules.c.location_id,
        )
        .scalar_subquery()
    )
    said = func.json_build_array(
        exceptions.c.kind,
        exceptions.c.on_date,
        exceptions.c.starts_at,
        exceptions.c.ends_at,
        cast(exceptions.c.windows, Text),
        exceptions.c.service_types,
    )
    deviations = (
        select(
            func.json_agg(
                aggregate_order_by(said, exceptions.c.created_at, exceptions.c.id)
            )
        )
        .where(
            exceptions.c.tenant_id == TENANT,
            exceptions.c.schedule_id == schedules.c.id,
            exceptions.c.starts_at > _START - _LONGEST_EXCEPTION,
            exceptions.c.starts_at < _END + _TWO_DAYS,
            exceptions.c.ends_at > _START - _TWO_DAYS,
        )
        .scalar_subquery()
    )
    one = func.json_build_array(
        schedules.c.id,
        schedules.c.timezone,
        cast(schedules.c.availability, Text),
        schedules.c.horizon_days,
        schedules.c.minimum_notice_minutes,
        schedules.c.limit_per_day,
        schedules.c.limit_per_week,
        t.locations.c.active,
        assignments,
        deviations,
    )
    return (
        select(func.json_agg(one))
        .select_from(
            schedules.join(
                t.locations,
                and_(
                    t.locations.c.tenant_id == TENANT,
                    t.locations.c.id == schedules.c.location_id,
                ),
            )
        )
        .where(*_is_at(schedules, at_location=at_location))
        .scalar_subquery()
    )


def _slots(*, at_location: bool) -> ColumnElement[Any]:
    slots = t.slots
    one = func.json_build_array(
        slots.c.id,
        slots.c.schedule_id,
        slots.c.location_id,
        slots.c.starts_at,
        slots.c.ends_at,
        slots.c.timezone,
        slots.c.status,
        slots.c.capacity,
        slots.c.booked,
        slots.c.service_types,
        slots.c.obsolete_since,
    )
    return (
        select(func.json_agg(one))
        .where(
            *_is_at(slots, at_location=at_location),
            slots.c.starts_at > _START - LONGEST_CLAIM,
            slots.c.starts_at < _END,
            slots.c.ends_at > _START,
        )
        .scalar_subquery()
    )


def _claims() -> ColumnElement[Any]:
    """Around the slots that meet the range. All seats of a slot are one, so that a
    group's hundreds are not sent; but holds are told apart, which lapse one by one.
    """
    claims = t.claims
    actors = (
        func.json_to_recordset(given("actors", JSON_TEXT))
        .table_valued(Column("kind", Integer), Column("id", Uuid))
        .render_derived(name="actors", with_types=True)
    )
    hold = case((claims.c.expires_at.is_not(None), claims.c.appointment_id))
    found = (
        select(
            claims.c.actor_kind,
            claims.c.actor_id,
            claims.c.share_id,
            claims.c.starts_at,
            claims.c.ends_at,
            claims.c.until,
            claims.c.expires_at,
            hold.label("hold"),
        )
        .distinct()
        .select_from(
            actors.join(
                claims,
                and_(
                    claimed_by(actors.c.id, actors.c.kind),
                    claims.c.starts_at > _START - LONGEST_CLAIM - LONGEST_CLAIM,
                    claims.c.starts_at < _END + LONGEST_CLAIM,
                ),
            )
        )
        .subquery("found")
    )
    told = [column for column in found.c if column.name != "hold"]
    return select(func.json_agg(func.json_build_array(*told))).scalar_subquery()


def _is_limited() -> ColumnElement[bool]:
    schedules = t.schedules
    return or_(
        given("limited", Boolean),
        exists().where(
            schedules.c.tenant_id == TENANT,
            schedules.c.practitioner_id == _PRACTITIONER,
            func.num_nonnulls(schedules.c.limit_per_day, schedules.c.limit_per_week)
            > literal_column("0"),
        ),
    )


def _taken() -> ColumnElement[Any]:
    appointments = t.appointments
    one = func.json_build_array(appointments.c.schedule_id, appointments.c.starts_at)
    return (
        select(func.json_agg(one))
        .where(
            appointments.c.tenant_id == TENANT,
            appointments.c.practitioner_id == _PRACTITIONER,
            appointments.c.starts_at > _START - _WEEK,
            appointments.c.starts_at < _END + _WEEK,
            *counted(),
        )
        .scalar_subquery()
    )


def circumstances_from(row: Any, practitioner_id: PractitionerId) -> Circumstances:  # noqa: ANN401  # asyncpg's Record
    taken: dict[ScheduleId, list[datetime]] = {}
    for schedule_id, start in _listed(row["taken"]):
        taken.setdefault(ScheduleId(UUID(schedule_id)), []).append(_instant(start))
    return Circumstances(
        practitioner_active=row["practitioner_active"],
        calendars=tuple(_calendar_from(one) for one in _listed(row["calendars"])),
        slots=tuple(_slot_from(one, practitioner_id) for one in _listed(row["slots"])),
        claims=tuple(_claim_from(one) for one in _listed(row["claims"])),
        taken={id: tuple(starts) for id, starts in taken.items()},
    )


def _listed(json: str | None) -> Sequence[Any]:
    return () if json is None else orjson.loads(json)


_instant = datetime.fromisoformat


def _calendar_from(values: list[Any]) -> CalendarHours:
    id, timezone, weekly, horizon, notice, a_day, a_week, active, roles, said = values
    return CalendarHours(
        schedule_id=ScheduleId(UUID(id)),
        location_active=active,
        assignments=tuple(assignment_from(role)[1] for role in roles or ()),
        timezone=timezone,
        rules=CalendarRules(horizon, notice, CalendarLimits(a_day, a_week)),
        weekly=rules_from(weekly),
        deviations=tuple(_deviation_from(one) for one in said or ()),
    )


def _deviation_from(values: list[Any]) -> Deviation:
    kind, on_date, start, end, windows, service_types = values
    return Deviation(
        kind=ExceptionKind(kind),
        period=Period(_instant(start), _instant(end)),
        on_date=None if on_date is None else date.fromisoformat(on_date),
        windows=tuple(hours_from(windows)),
        service_types=tuple(service_types),
    )


def _slot_from(values: list[Any], practitioner_id: PractitionerId) -> Slot:
    id, schedule, location, start, end, zone, status, capacity, booked, types, gone = (
        values
    )
    return Slot(
        id=SlotId(UUID(id)),
        schedule_id=ScheduleId(UUID(schedule)),
        practitioner_id=practitioner_id,
        location_id=LocationId(UUID(location)),
        period=Period(_instant(start), _instant(end)),
        timezone=zone,
        status=SlotStatus(status),
        capacity=capacity,
        booked=booked,
        service_types=tuple(types),
        obsolete_since=None if gone is None else _instant(gone),
    )


def _claim_from(values: list[Any]) -> Claim:
    """Whose appointment it is, is not told."""
    kind, actor_id, share_id, start, end, until, expires = values
    return Claim(
        appointment_id=AppointmentId(SOMEBODY),
        kind=ActorKind(kind),
        actor_id=UUID(actor_id),
        share_id=UUID(share_id),
        period=Period(_instant(start), _instant(end)),
        until=_instant(until),
        expires_at=None if expires is None else _instant(expires),
    )
