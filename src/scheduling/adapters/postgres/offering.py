"""Whether a slot can be had, as conditions on its row.

They are the rules of `domain.availability`, so that storage can stop at the first slots
that pass instead of handing out thousands that do not. A property test holds the two
together. All are asked of `slots` joined with PLACE; days are those of the slot's zone.

How long a question takes does not depend on how many seats have been booked around it:
each is answered by a probe or two of an index, also where a group session has left
thousands of claims.
"""

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Interval,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.selectable import LateralFromClause

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.claimed import (
    LONGEST_CLAIM,
    around,
    claimed_by,
    kind,
)
from scheduling.adapters.postgres.limits import counted
from scheduling.adapters.postgres.seats import is_open
from scheduling.adapters.postgres.statements import given
from scheduling.domain.claim import ActorKind

INSTANT = DateTime(timezone=True)
NOW = given("now", INSTANT)

_ZERO: ColumnElement[int] = literal_column("0")
_YES: ColumnElement[bool] = literal_column("true")
_NO: ColumnElement[bool] = literal_column("false")
_ONE: ColumnElement[int] = literal_column("1")
_A_DAY: ColumnElement[Any] = literal_column("interval '1 day'")
_A_WEEK: ColumnElement[Any] = literal_column("interval '7 days'")
_CHANGE: ColumnElement[Any] = literal_column("interval '3 hours'")
"""No clock is changed by more at once."""


def _place() -> LateralFromClause:
    """Who works where, in which schedule. The limit of one row is a fence: else the
    planner would walk all of a tenant's places and read all of their slots, and sort
    them, where a few of the first that come by start are enough.
    """
    slots, schedules = t.slots, t.schedules
    practitioners, locations = t.practitioners, t.locations
    return (
        select(
            practitioners.c.specialties,
            and_(practitioners.c.active, locations.c.active).label("is_open"),
            schedules.c.horizon_days,
            schedules.c.minimum_notice_minutes,
            schedules.c.limit_per_day,
            schedules.c.limit_per_week,
        )
        .where(
            schedules.c.tenant_id == TENANT,
            schedules.c.id == slots.c.schedule_id,
            practitioners.c.tenant_id == TENANT,
            practitioners.c.id == slots.c.practitioner_id,
            locations.c.tenant_id == TENANT,
            locations.c.id == slots.c.location_id,
        )
        .limit(_ONE)
        .correlate(slots)
        .lateral("place")
    )


PLACE = _place()
"""Of the slot: whether practitioner and location are active, and the schedule's own
rules.
"""
SLOTS_AT_PLACES = t.slots.join(PLACE, true())


def can_be_had(*, limited: bool, for_patient: bool) -> list[ColumnElement[bool]]:
    """All that booking asks; cheap questions first.

    `limited`: the organisation has limits; those of a schedule are always asked.
    """
    is_free = [
        is_there(),
        not_(_runs_into_another()),
        not_(_begins_with_another()),
        not_(_is_run_into()),
        not_(_lies_upon_overbooked()),
        *([not_(_patient_is_taken())] if for_patient else []),
        *([_practitioner_takes_more()] if limited else []),
    ]
    return [
        t.slots.c.starts_at > NOW,
        # Most slots of a busy week have no seat and need no more asking: what stands in
        # a CASE is asked in this order, and before the place is looked up.
        case((has_seat(), and_(*is_free)), else_=_NO),
        PLACE.c.is_open,
        *inside_window(),
        _schedule_takes_more(),
    ]


def local(instant: ColumnElement[Any]) -> ColumnElement[Any]:
    """An instant on the wall of the slot's clinic."""
    return func.timezone(t.slots.c.timezone, instant)


def _local_day(instant: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(local(instant), Date)


def inside_window() -> list[ColumnElement[bool]]:
    """Neither too soon nor too far ahead; the horizon's last day is inclusive."""
    slots = t.slots
    own_notice = func.make_interval(
        *(_ZERO,) * 5, PLACE.c.minimum_notice_minutes, type_=Interval
    )
    ahead = _local_day(slots.c.starts_at) - _local_day(NOW)
    return [
        slots.c.starts_at >= NOW + func.coalesce(own_notice, given("notice", Interval)),
        ahead <= func.coalesce(PLACE.c.horizon_days, given("horizon", Integer)),
    ]


def lapsed_seats() -> ColumnElement[int]:
    """Seats that are counted for holds which have run out and were not swept yet."""
    slots, claims = t.slots, t.claims
    found = (
        select(func.count())
        .where(
            claimed_by(slots.c.practitioner_id, kind(ActorKind.PRACTITIONER)),
            claims.c.starts_at == slots.c.starts_at,
            claims.c.share_id == slots.c.id,
            claims.c.expires_at <= NOW,
        )
        .scalar_subquery()
    )
    return case((slots.c.booked == _ZERO, _ZERO), else_=cast(found, Integer))


def has_seat() -> ColumnElement[bool]:
    slots = t.slots
    return and_(
        is_open(slots),
        or_(
            slots.c.booked < slots.c.capacity,
            slots.c.booked - lapsed_seats() < slots.c.capacity,
        ),
    )


def remaining() -> ColumnElement[int]:
    slots = t.slots
    return slots.c.capacity - func.greatest(slots.c.booked - lapsed_seats(), _ZERO)


def is_there() -> ColumnElement[bool]:
    """Some role covers the day and is not away; where there is no role at all, the
    schedule is the assignment: nothing aggregates to null.
    """
    slots, roles = t.slots, t.practitioner_roles
    day = _local_day(slots.c.starts_at)
    covers = and_(
        roles.c.active,
        func.coalesce(roles.c.period_start <= day, _YES),
        func.coalesce(roles.c.period_end >= day, _YES),
        or_(
            roles.c.not_available == cast(literal_column("'[]'"), JSONB),
            not_(_is_away()),
        ),
    )
    return (
        select(func.bool_or(covers))
        .where(
            roles.c.tenant_id == TENANT,
            roles.c.practitioner_id == slots.c.practitioner_id,
            roles.c.location_id == slots.c.location_id,
        )
        .scalar_subquery()
        .is_not(_NO)
    )


def _is_away() -> ColumnElement[bool]:
    away = (
        func.jsonb_to_recordset(t.practitioner_roles.c.not_available)
        .table_valued(Column("start", INSTANT), Column("end", INSTANT))
        .render_derived(name="away", with_types=True)
    )
    return (
        select(literal_column("1"))
        .select_from(away)
        .where(
            away.c.start < t.slots.c.ends_at,
            away.c.end > t.slots.c.starts_at,
        )
        .correlate(t.practitioner_roles, t.slots)
        .exists()
    )


def _there_are(*claims: ColumnElement[bool]) -> ColumnElement[bool]:
    """As EXISTS, which the planner would make an anti-join of: at its worst it then
    hashes all claims of a tenant to judge the first few slots.
    """
    one = select(_YES).select_from(t.claims).where(*claims)
    return one.limit(_ONE).scalar_subquery().is_not(None)


def _of_practitioner() -> ColumnElement[bool]:
    """The practitioner's claims that stand, whichever slot they are of."""
    return and_(
        claimed_by(t.slots.c.practitioner_id, kind(ActorKind.PRACTITIONER)), stands()
    )


def stands() -> ColumnElement[bool]:
    """Any claim but a hold's that has run out."""
    expires_at = t.claims.c.expires_at
    return or_(expires_at.is_(None), expires_at > NOW)


def _runs_into_another() -> ColumnElement[bool]:
    """Time begins after the slot does: within it, or within the buffer behind it. The
    slot's own claims begin with it.
    """
    slots, claims = t.slots, t.claims
    return _there_are(
        _of_practitioner(),
        claims.c.starts_at > slots.c.starts_at,
        claims.c.starts_at < slots.c.ends_at + given("buffer", Interval),
    )


def _begins_with_another() -> ColumnElement[bool]:
    """Of those that begin at one instant one speaks for all: claims of one practitioner
    exclude each other (`ex_claims_no_overlap`), unless they are of one slot.
    """
    slots, claims = t.slots, t.claims
    whose = (
        select(claims.c.share_id)
        .where(
            _of_practitioner(),
            claims.c.starts_at == slots.c.starts_at,
            not_(claims.c.overbooked),
        )
        .limit(_ONE)
        .scalar_subquery()
    )
    return func.coalesce(whose != slots.c.id, _NO)


def _is_run_into() -> ColumnElement[bool]:
    """What began before the slot lasts, with its buffer, into it. Only what began last
    can, for the same reason.
    """
    slots, claims = t.slots, t.claims
    until_of_last = (
        select(claims.c.until)
        .where(
            _of_practitioner(),
            claims.c.starts_at < slots.c.starts_at,
            claims.c.starts_at > slots.c.starts_at - LONGEST_CLAIM,
            not_(claims.c.overbooked),
        )
        .order_by(claims.c.starts_at.desc(), claims.c.until.desc())
        .limit(_ONE)
        .scalar_subquery()
    )
    return func.coalesce(until_of_last > slots.c.starts_at, _NO)


def _lies_upon_overbooked() -> ColumnElement[bool]:
    """Those exclude nothing. They are few, and have an index of their own."""
    slots, claims = t.slots, t.claims
    return _there_are(
        _of_practitioner(),
        claims.c.share_id != slots.c.id,
        claims.c.overbooked,
        claims.c.starts_at <= slots.c.starts_at,
        claims.c.starts_at > slots.c.starts_at - LONGEST_CLAIM,
        claims.c.until > slots.c.starts_at,
    )


def _patient_is_taken() -> ColumnElement[bool]:
    return _there_are(
        claimed_by(given("patient_id", Uuid), kind(ActorKind.PATIENT)),
        around(t.slots.c.starts_at, t.slots.c.ends_at),
        stands(),
    )


def _practitioner_takes_more() -> ColumnElement[bool]:
    return _takes_more(given("per_day", Integer), given("per_week", Integer))


def _schedule_takes_more() -> ColumnElement[bool]:
    return _takes_more(
        PLACE.c.limit_per_day,
        PLACE.c.limit_per_week,
        t.appointments.c.schedule_id == t.slots.c.schedule_id,
    )


def _takes_more(
    per_day: ColumnElement[int],
    per_week: ColumnElement[int],
    *of: ColumnElement[bool],
) -> ColumnElement[bool]:
    """Nothing is counted where nothing is limited."""
    here = local(t.slots.c.starts_at)
    midnight = func.date_trunc(literal_column("'day'"), here)
    monday = func.date_trunc(literal_column("'week'"), here)
    return and_(
        _fewer_than(per_day, midnight, midnight + _A_DAY, *of),
        _fewer_than(per_week, monday, monday + _A_WEEK, *of),
    )


def _fewer_than(
    limit: ColumnElement[int],
    first: ColumnElement[Any],
    end: ColumnElement[Any],
    *of: ColumnElement[bool],
) -> ColumnElement[bool]:
    """Count from one wall time to another. Which instants they are is plain but around
    them, where the clock may be changed: only there each wall time is read.
    """
    slots, appointments = t.slots, t.appointments
    starts_at = appointments.c.starts_at
    opens, closes = (func.timezone(slots.c.timezone, wall) for wall in (first, end))
    found = (
        select(func.count())
        .select_from(appointments)
        .where(
            appointments.c.tenant_id == TENANT,
            appointments.c.practitioner_id == slots.c.practitioner_id,
            starts_at > opens - _CHANGE,
            starts_at < closes + _CHANGE,
            or_(
                and_(starts_at >= opens + _CHANGE, starts_at < closes - _CHANGE),
                and_(local(starts_at) >= first, local(starts_at) < end),
            ),
            *counted(),
            *of,
        )
        .scalar_subquery()
    )
    return case((limit.is_(None), _YES), else_=found < limit)
