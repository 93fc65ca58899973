"""What is read of appointments: the facts of a booking, and the thing as it stands."""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Interval,
    Select,
    Uuid,
    and_,
    any_,
    case,
    func,
    literal_column,
    select,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.assignments import assignment_json
from scheduling.adapters.postgres.batch import (
    JSON_TEXT,
    TENANT,
)
from scheduling.adapters.postgres.claimed import (
    around,
    claimed_by,
    claims_json,
    kind,
)
from scheduling.adapters.postgres.directory import settings_columns
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.turns import turn_with
from scheduling.domain.claim import ActorKind

_INSTANT = DateTime(timezone=True)


@cache
def reading_for_booking(*, holding: bool = False) -> Statement:
    """All that a booking decision by slot needs, in one row with the slot's columns;
    and, for a hold, how many the patient has.

    Everything hangs on one row that is always there, so that what is missing (patient,
    slot, practitioner) comes back as null and the domain names it.
    """
    slots = t.slots
    one: FromClause = select(literal_column("1").label("one")).subquery("asked")
    serves = and_(slots.c.tenant_id == TENANT, slots.c.id == given("slot_id", Uuid))
    return compiled(
        _facts(
            one.outerjoin(slots, serves),
            _Place(slots.c.practitioner_id, slots.c.location_id),
            _Time(slots.c.starts_at, slots.c.ends_at),
            *(slots.c[name].label(f"slot_{name}") for name in SLOT_COLUMNS),
            *(_live_holds() if holding else ()),
        )
    )


@cache
def reading_for_bookings(*, holding: bool = False) -> Statement:
    """The same by start, for any number of periods of one practitioner and patient: a
    row for each, in their order, with all slots that may serve as one JSON value.
    """
    periods = (
        func.json_to_recordset(given("periods", JSON_TEXT))
        .table_valued(
            Column("number", Integer),
            Column("starts_at", _INSTANT),
            Column("ends_at", _INSTANT),
        )
        .render_derived(name="periods", with_types=True)
    )
    place = _Place(given("practitioner_id", Uuid), given("location_id", Uuid))
    time = _Time(periods.c.starts_at, periods.c.ends_at)
    of_slots = _slots_that_serve(place, time)
    live_holds = _live_holds() if holding else ()
    statement = _facts(periods, place, time, of_slots, *live_holds)
    return compiled(statement.order_by(periods.c.number))


def _live_holds() -> tuple[ColumnElement[int]]:
    claims = t.claims
    counted = (
        select(func.count(claims.c.appointment_id.distinct()))
        .where(
            claimed_by(given("patient_id", Uuid), kind(ActorKind.PATIENT)),
            claims.c.expires_at > given("now", _INSTANT),
        )
        .scalar_subquery()
    )
    return (counted.label("live_holds"),)


class _Place(NamedTuple):
    practitioner_id: ColumnElement[Any]
    location_id: ColumnElement[Any]


class _Time(NamedTuple):
    start: ColumnElement[Any]
    end: ColumnElement[Any]


def _facts(
    asked: FromClause, place: _Place, time: _Time, *of_slots: ColumnElement[Any]
) -> Select[Any]:
    practitioners, locations = t.practitioners, t.locations
    practitioner_id, location_id = place
    start, end = time
    return (
        select(
            t.patients.c.active.label("patient_active"),
            t.patients.c.prefers_whatsapp,
            t.patients.c.prefers_sms,
            t.patients.c.prefers_email,
            *settings_columns(),
            practitioners.c.active.label("practitioner_active"),
            locations.c.active.label("location_active"),
            locations.c.timezone.label("location_timezone"),
            _assignments(practitioner_id, location_id).label("assignments"),
            _calendars(practitioner_id, location_id).label("calendars"),
            *of_slots,
            _claims_of_practitioner(practitioner_id, start, end).label("claims"),
            _claims_of_others(start, end).label("other_claims"),
        )
        .select_from(asked)
        .outerjoin(
            t.patients,
            and_(
                t.patients.c.tenant_id == TENANT,
                t.patients.c.id == given("patient_id", Uuid),
            ),
        )
        .outerjoin(t.settings, t.settings.c.tenant_id == TENANT)
        .outerjoin(
            practitioners,
            and_(
                practitioners.c.tenant_id == TENANT,
                practitioners.c.id == practitioner_id,
            ),
        )
        .outerjoin(
            locations,
            and_(locations.c.tenant_id == TENANT, locations.c.id == location_id),
        )
    )


SLOT_COLUMNS = tuple(c.name for c in t.slots.c if c.name != "tenant_id")


def _slots_that_serve(place: _Place, time: _Time) -> Any:  # noqa: ANN401
    """All in one value: a row for each would repeat the claims with each."""
    slots = t.slots
    return (
        select(
            func.json_agg(
                aggregate_order_by(
                    func.json_build_array(*(slots.c[name] for name in SLOT_COLUMNS)),
                    slots.c.starts_at,
                    slots.c.id,
                )
            )
        )
        .where(
            slots.c.tenant_id == TENANT,
            slots.c.practitioner_id == place.practitioner_id,
            slots.c.location_id == place.location_id,
            slots.c.starts_at >= time.start,
            slots.c.starts_at < time.end,
        )
        .scalar_subquery()
        .label("slots")
    )


def _buffer() -> ColumnElement[Any]:
    """By CASE: PostgreSQL does not hold COALESCE for leakproof, and a bound that it is
    in would keep no row out of an index scan under row level security.
    """
    zero: ColumnElement[int] = literal_column("0")
    set_one = t.settings.c.buffer_minutes
    minutes = case((set_one.is_(None), zero), else_=set_one)
    return func.make_interval(zero, zero, zero, zero, zero, minutes, type_=Interval)


def _assignments(
    practitioner_id: ColumnElement[Any], location_id: ColumnElement[Any]
) -> Any:  # noqa: ANN401
    roles = t.practitioner_roles
    return (
        select(func.json_agg(assignment_json()))
        .where(
            roles.c.tenant_id == TENANT,
            roles.c.practitioner_id == practitioner_id,
            roles.c.location_id == location_id,
        )
        .scalar_subquery()
    )


def _calendars(
    practitioner_id: ColumnElement[Any], location_id: ColumnElement[Any]
) -> Any:  # noqa: ANN401
    """The schedules there, with what each decides otherwise than its organisation."""
    schedules = t.schedules
    return (
        select(
            func.json_agg(
                func.json_build_array(
                    schedules.c.id,
                    schedules.c.horizon_days,
                    schedules.c.minimum_notice_minutes,
                    schedules.c.limit_per_day,
                    schedules.c.limit_per_week,
                )
            )
        )
        .where(
            schedules.c.tenant_id == TENANT,
            schedules.c.practitioner_id == practitioner_id,
            schedules.c.location_id == location_id,
        )
        .scalar_subquery()
    )


def _claims_of_practitioner(
    practitioner_id: ColumnElement[Any],
    start: ColumnElement[Any],
    end: ColumnElement[Any],
) -> Any:  # noqa: ANN401
    return (
        select(claims_json())
        .where(
            claimed_by(practitioner_id, kind(ActorKind.PRACTITIONER)),
            around(start, end + _buffer()),
        )
        .scalar_subquery()
    )


def _claims_of_others(start: ColumnElement[Any], end: ColumnElement[Any]) -> Any:  # noqa: ANN401
    """Of the patient and the named resources, handed in as JSON."""
    others = (
        func.json_to_recordset(given("others", JSON_TEXT))
        .table_valued(Column("kind", Integer), Column("id", Uuid))
        .render_derived(name="others", with_types=True)
    )
    return (
        select(claims_json())
        .select_from(others)
        .join(
            t.claims,
            and_(claimed_by(others.c.id, others.c.kind), around(start, end)),
        )
        .scalar_subquery()
    )


@cache
def reading_with_slots(by: str, *, also: bool = False) -> Statement:
    """Appointments and their slots, locked: the appointments by id, then the slots by
    start, as all who lock both do. `by`: `ids`, or `series_id`. With `also`, these
    slots are locked among the others, and not told.
    """
    appointments = t.appointments
    asked = (
        appointments.c.id == any_(given("ids", ARRAY(Uuid)))
        if by == "ids"
        else appointments.c.series_id == given("series_id", Uuid)
    )
    return compiled(appointments_with_slots(asked, also=also), locks=True)


@cache
def reading_to_move() -> Statement:
    """One appointment and its slots, locked as by `reading_with_slots`, but before that
    the practitioners that a move concerns, by name, in one order for all: its own, the
    slot's and the one named, as far as there are.

    Its condition asks for the locks, so they are there before a row is touched; and a
    row that is locked is read as it then is, not as it was when the statement began.
    """
    waited = _waiting().cte("waited")
    them = and_(
        t.appointments.c.id == given("id", Uuid),
        select(waited.c.number).scalar_subquery() >= literal_column("0"),
    )
    names = select(waited.c.names).scalar_subquery().label("kept_waiting")
    return compiled(appointments_with_slots(them, names), locks=True)


def _waiting() -> Select[Any]:
    appointments, slots = t.appointments, t.slots
    concerned = union(
        select(appointments.c.practitioner_id).where(
            appointments.c.tenant_id == TENANT, appointments.c.id == given("id", Uuid)
        ),
        select(slots.c.practitioner_id).where(
            slots.c.tenant_id == TENANT, slots.c.id == given("slot_id", Uuid)
        ),
        select(given("practitioner_id", Uuid)),
    ).subquery("concerned")
    id = next(iter(concerned.c))
    in_order = (
        select(id.label("id")).where(id.is_not(None)).order_by(id).subquery("in_order")
    )
    columns: list[ColumnElement[Any]] = [
        func.count(turn_with(in_order.c.id)).label("number"),
        func.array_agg(in_order.c.id).label("names"),
    ]
    return select(*columns).select_from(in_order)


def appointments_with_slots(
    asked: ColumnElement[bool], *more: ColumnElement[Any], also: bool = False
) -> Select[Any]:
    appointments, slots = t.appointments, t.slots
    them = (
        select(appointments)
        .where(appointments.c.tenant_id == TENANT, asked)
        .order_by(appointments.c.id)
        .with_for_update(key_share=True)
        .cte("them")
    )
    theirs = select(func.unnest(them.c.slot_ids))
    ids = union_all(theirs, select(func.unnest(given("also", ARRAY(Uuid)))))
    of_them = (
        select(slots)
        .where(slots.c.tenant_id == TENANT, slots.c.id.in_(ids if also else theirs))
        .order_by(slots.c.starts_at, slots.c.id)
        .with_for_update(key_share=True)
        .cte("of_them")
    )
    return (
        select(
            them,
            *(c.label(f"slot_{c.name}") for c in of_them.c if c.name != "tenant_id"),
            *more,
        )
        .select_from(them)
        .outerjoin(of_them, of_them.c.id == any_(them.c.slot_ids))
        .order_by(them.c.id, of_them.c.starts_at)
    )


@cache
def reading_series() -> Statement:
    appointments = t.appointments
    return compiled(
        select(appointments)
        .where(
            appointments.c.tenant_id == TENANT,
            appointments.c.series_id == given("series_id", Uuid),
        )
        .order_by(appointments.c.series_index)
    )
