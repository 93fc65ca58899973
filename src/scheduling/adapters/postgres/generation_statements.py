"""The statements of slot generation. Arrays carry many slots in one."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Interval,
    LargeBinary,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    delete,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import JSON_TEXT, TENANT
from scheduling.adapters.postgres.directory import settings_columns
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.domain.status import Status

Row = Mapping[str, Any]

_INSTANT = DateTime(timezone=True)
_SCHEDULE = bindparam("schedule_id", type_=Uuid())
_SINCE, _UNTIL = given("since", _INSTANT), given("until", _INSTANT)
_TIMEZONE = given("timezone", Text())
_IDS = given("ids", ARRAY(Uuid()))
_ONE, _NONE = literal_column("1", Integer), literal_column("0", Integer)

_slots = t.slots
_OF_IT = and_(_slots.c.tenant_id == TENANT, _slots.c.schedule_id == _SCHEDULE)
_THESE = and_(_slots.c.tenant_id == TENANT, _slots.c.id == func.any(_IDS))
_OWN = or_(_slots.c.generation_run_id.is_not(None), _slots.c.opened_by.is_not(None))
_STORED: tuple[ColumnElement[Any], ...] = (
    _slots.c.id,
    _slots.c.starts_at,
    _slots.c.ends_at,
    _slots.c.timezone,
    _slots.c.status,
    _slots.c.capacity,
    _slots.c.booked,
    _slots.c.service_types,
    _slots.c.blocked_by,
    _slots.c.obsolete_since.is_not(None).label("obsolete"),
    _OWN.label("own"),
)


def part_of(row: Row, table: Table) -> Row | None:
    """Return the columns of one table of a join under their own names; None: there was
    no such row.
    """
    names = _names_of(table)
    if row[names["id"]] is None:
        return None
    return {name: row[label] for name, label in names.items()}


@cache
def _names_of(table: Table) -> Mapping[str, str]:
    return {c.name: f"{table.name}_{c.name}" for c in table.c}


def _all_of(table: Table) -> list[ColumnElement[Any]]:
    return [table.c[name].label(label) for name, label in _names_of(table).items()]


@cache
def reading_facts() -> Statement:
    schedules, roles, locations = t.schedules, t.practitioner_roles, t.locations
    runs, others = t.generation_runs, t.generation_runs.alias("others")
    followed = select(func.max(others.c.role_version)).where(
        others.c.tenant_id == TENANT, others.c.schedule_id == _SCHEDULE
    )
    return compiled(
        select(
            *_all_of(roles),
            *_all_of(locations),
            *_all_of(runs),
            *settings_columns(),
            followed.scalar_subquery().label("followed"),
        )
        .select_from(schedules)
        .join(
            locations,
            and_(
                locations.c.tenant_id == TENANT,
                locations.c.id == schedules.c.location_id,
            ),
        )
        .outerjoin(
            roles,
            and_(
                roles.c.tenant_id == TENANT,
                roles.c.id == schedules.c.practitioner_role_id,
            ),
        )
        .outerjoin(t.settings, t.settings.c.tenant_id == TENANT)
        .outerjoin(
            runs,
            and_(
                runs.c.tenant_id == TENANT,
                runs.c.schedule_id == schedules.c.id,
                runs.c.source_event_id == given("source_event_id", Text()),
            ),
        )
        .where(schedules.c.tenant_id == TENANT, schedules.c.id == _SCHEDULE)
    )


@cache
def digesting() -> Statement:
    """As `desired_slots.digest_of` does; PostgreSQL's instants count from 2000, too."""
    start, end = _slots.c.starts_at, _slots.c.ends_at
    unit, new_line = func.chr(literal_column("31")), func.chr(literal_column("10"))
    kinds = func.array_to_string(_slots.c.service_types, unit)
    one = (
        func.timestamptz_send(start, type_=LargeBinary)
        .concat(func.timestamptz_send(end))
        .concat(func.int4send(_slots.c.capacity))
        .concat(_bytes(func.concat(kinds, new_line)))
    )
    nothing = literal_column("''::bytea", LargeBinary)
    slots = func.string_agg(one, aggregate_order_by(nothing, start, end))
    as_made = and_(
        _OWN,
        _slots.c.timezone == _TIMEZONE,
        _slots.c.blocked_by.is_(None),
        _slots.c.obsolete_since.is_(None),
        _slots.c.status != literal_column("'entered-in-error'"),
    )
    told = _bytes(func.concat(_TIMEZONE, new_line)).concat(
        func.coalesce(slots, nothing)
    )
    return compiled(
        select(
            func.count().label("count"),
            func.coalesce(func.bool_and(as_made), literal_column("true")).label(
                "as_made"
            ),
            func.encode(func.sha256(told), literal_column("'hex'")).label("digest"),
        ).where(_OF_IT, start > _SINCE)
    )


def _bytes(text: ColumnElement[str]) -> ColumnElement[bytes]:
    return func.convert_to(text, literal_column("'UTF8'"), type_=LargeBinary)


@cache
def reading_slots() -> Statement:
    return compiled(
        select(*_STORED)
        .where(_OF_IT, _slots.c.starts_at >= _SINCE, _slots.c.starts_at < _UNTIL)
        .order_by(_slots.c.starts_at, _slots.c.id)
        .limit(given("limit", Integer()))
    )


@cache
def reading_slots_in_progress() -> Statement:
    now = given("now", _INSTANT)
    return compiled(
        select(*_STORED)
        .where(
            _OF_IT,
            _slots.c.starts_at > given("earliest", _INSTANT),
            _slots.c.starts_at <= now,
            _slots.c.ends_at > now,
        )
        .order_by(_slots.c.starts_at, _slots.c.id)
    )


@cache
def locking_slots() -> Statement:
    """In the one order in which all lock slots."""
    return compiled(
        select(*_STORED)
        .where(_THESE)
        .order_by(_slots.c.starts_at, _slots.c.id)
        .with_for_update(),
        locks=True,
    )


@cache
def reading_occupants() -> Statement:
    appointments = t.appointments
    return compiled(
        select(
            appointments.c.id,
            appointments.c.slot_ids,
            appointments.c.hold_expires_at.is_not(None).label("is_hold"),
        )
        .where(
            appointments.c.tenant_id == TENANT,
            appointments.c.practitioner_id == given("practitioner_id", Uuid()),
            appointments.c.schedule_id == _SCHEDULE,
            appointments.c.starts_at >= given("start", _INSTANT),
            appointments.c.starts_at < given("end", _INSTANT),
            appointments.c.status.in_(
                [literal_column(f"'{one}'") for one in Status if one.takes_time]
            ),
        )
        .order_by(appointments.c.starts_at, appointments.c.id)
    )


@cache
def retiring() -> Statement:
    return compiled(delete(_slots).where(_THESE), locks=True)


@cache
def marking_obsolete() -> Statement:
    """No new version: who is in it is to change nothing."""
    now = given("now", _INSTANT)
    return compiled(update(_slots).where(_THESE).values(obsolete_since=now), locks=True)


def _given_lists() -> Any:  # noqa: ANN401
    return (
        func.json_to_recordset(bindparam("lists", type_=JSON_TEXT))
        .table_valued(column("number", Integer), column("types", ARRAY(Text())))
        .render_derived(name="lists", with_types=True)
    )


@cache
def updating() -> Statement:
    lists = _given_lists()
    rows = (
        func.unnest(
            _IDS,
            given("capacities", ARRAY(Integer())),
            given("kinds", ARRAY(Integer())),
        )
        .table_valued("id", "capacity", "kind")
        .render_derived(name="rows")
    )
    by_seats = case(
        (_slots.c.booked >= rows.c.capacity, literal_column("'busy'")),
        else_=literal_column("'free'"),
    )
    gives_seats = or_(
        _slots.c.status.in_([literal_column("'free'"), literal_column("'busy'")]),
        and_(
            _slots.c.status == literal_column("'busy-unavailable'"),
            _slots.c.blocked_by.is_not(None),
        ),
    )
    return compiled(
        update(_slots)
        .where(
            _slots.c.tenant_id == TENANT,
            _slots.c.id == rows.c.id,
            rows.c.kind == lists.c.number,
        )
        .values(
            timezone=_TIMEZONE,
            capacity=rows.c.capacity,
            service_types=lists.c.types,
            status=case((gives_seats, by_seats), else_=_slots.c.status),
            blocked_by=null(),
            obsolete_since=null(),
            version=_slots.c.version + _ONE,
        ),
        locks=True,
    )


@cache
def making() -> Statement:
    lists = _given_lists()
    rows = (
        func.unnest(
            given("starts", ARRAY(_INSTANT)),
            given("minutes", ARRAY(Integer())),
            given("numbers", ARRAY(Integer())),
            given("capacities", ARRAY(Integer())),
            given("kinds", ARRAY(Integer())),
            given("openers", ARRAY(Uuid())),
        )
        .table_valued("start", "minutes", "number", "capacity", "kind", "opener")
        .render_derived(name="rows")
    )
    numbers = (
        func.generate_series(_NONE, rows.c.number - _ONE)
        .table_valued(column("nth", Integer))
        .render_derived(name="numbers")
    )

    def after(number: ColumnElement[int]) -> ColumnElement[Any]:
        """Minutes are elapsed ones, whatever a wall shows."""
        a_minute = literal_column("interval '1 minute'", Interval)
        return rows.c.start + rows.c.minutes * number * a_minute

    values: dict[str, Any] = {
        "tenant_id": TENANT,
        "id": func.uuidv7(),
        "schedule_id": _SCHEDULE,
        "practitioner_id": given("practitioner_id", Uuid()),
        "location_id": given("location_id", Uuid()),
        "starts_at": after(numbers.c.nth),
        "ends_at": after(numbers.c.nth + _ONE),
        "timezone": _TIMEZONE,
        "status": literal_column("'free'"),
        "capacity": rows.c.capacity,
        "booked": _NONE,
        "service_types": lists.c.types,
        "version": _ONE,
        "generation_run_id": given("run_id", Uuid()),
        "source_event_id": given("source_event_id", Text()),
        "opened_by": rows.c.opener,
    }
    return compiled(
        insert(_slots).from_select(
            list(values),
            select(*values.values())
            .select_from(rows)
            .join(lists, lists.c.number == rows.c.kind)
            .join(numbers, true()),
        ),
        locks=True,
    )


@cache
def paging_runs(*, further: bool) -> Statement:
    runs = t.generation_runs
    position = tuple_(runs.c.started_at, runs.c.id)
    after = tuple_(given("after_start", _INSTANT), given("after_id", Uuid()))
    return compiled(
        select(runs)
        .where(
            runs.c.tenant_id == TENANT,
            runs.c.schedule_id == _SCHEDULE,
            *([position < after] if further else []),
        )
        .order_by(runs.c.started_at.desc(), runs.c.id.desc())
        .limit(given("limit", Integer()))
    )


@cache
def paging_calendars(*, further: bool) -> Statement:
    schedules = t.schedules
    after = schedules.c.id > given("after_id", Uuid())
    return compiled(
        select(schedules.c.id)
        .where(schedules.c.tenant_id == TENANT, *([after] if further else []))
        .order_by(schedules.c.id)
        .limit(given("limit", Integer()))
    )


@cache
def counting_calendars() -> Statement:
    return compiled(
        select(func.count().label("count")).where(t.schedules.c.tenant_id == TENANT)
    )
