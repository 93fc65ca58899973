"""Whole days of a practitioner's or a location's slots, and where there is anything to
be had.
"""

from functools import cache

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.claimed import LONGEST_CLAIM
from scheduling.adapters.postgres.offering import (
    INSTANT,
    PLACE,
    SLOTS_AT_PLACES,
    can_be_had,
    lapsed_seats,
    local,
)
from scheduling.adapters.postgres.searching import serves
from scheduling.adapters.postgres.seats import as_shown, is_open
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.application.ports.availability import Owner

_NONE: ColumnElement[int] = literal_column("0")


@cache
def listing(
    owner: Owner, *, limited: bool, in_own_days: bool, further: bool
) -> Statement:
    """The columns of a SlotInList, in their order, by start and id; `known` comes with
    each row, and in a row of its own where nothing is found.

    `in_own_days`: `first_day` and `day_after` are days on the wall of each slot's own
    clinic; `start` and `end` are then far enough around them.
    """
    slots = t.slots
    table = t.practitioners if owner == "practitioner" else t.locations
    asked = select(
        select(literal_column("1"))
        .select_from(table)
        .where(table.c.tenant_id == TENANT, table.c.id == given("owner_id", Uuid))
        .exists()
        .label("known")
    ).subquery("asked")
    conditions = [
        slots.c.tenant_id == TENANT,
        slots.c[f"{owner}_id"] == given("owner_id", Uuid),
        slots.c.starts_at > given("start", INSTANT) - LONGEST_CLAIM,
        slots.c.starts_at < given("end", INSTANT),
        slots.c.ends_at > given("start", INSTANT),
        slots.c.status != literal_column("'entered-in-error'"),
    ]
    if in_own_days:
        midnight = cast(given("first_day", Date), DateTime)
        conditions += [
            cast(local(slots.c.starts_at), Date) < given("day_after", Date),
            local(slots.c.ends_at) > midnight,
        ]
    if further:
        conditions.append(
            tuple_(slots.c.starts_at, slots.c.id)
            > tuple_(given("after_start", INSTANT), given("after_id", Uuid))
        )
    is_offered = and_(*can_be_had(limited=limited, for_patient=False))
    found = (
        select(
            slots.c.id,
            slots.c.schedule_id,
            slots.c.practitioner_id,
            slots.c.location_id,
            slots.c.starts_at,
            slots.c.ends_at,
            slots.c.timezone,
            as_shown(t.slots, _left()).label("status"),
            slots.c.capacity,
            (slots.c.capacity - _left()).label("booked"),
            _open_seats().label("remaining"),
            slots.c.service_types,
            slots.c.version,
            func.coalesce(is_offered, literal_column("false")).label("offered"),
        )
        .select_from(SLOTS_AT_PLACES)
        .where(*conditions)
        .order_by(slots.c.starts_at, slots.c.id)
        .limit(given("limit", Integer))
        .lateral("found")
    )
    return compiled(
        select(*found.c, asked.c.known)
        .select_from(asked.outerjoin(found, true()))
        .order_by(found.c.starts_at, found.c.id)
    )


def _left() -> ColumnElement[int]:
    """Seats that nobody has; below none where the capacity was lowered."""
    return t.slots.c.capacity - func.greatest(t.slots.c.booked - lapsed_seats(), _NONE)


def _open_seats() -> ColumnElement[int]:
    return case((is_open(t.slots), func.greatest(_left(), _NONE)), else_=_NONE)


@cache
def counting_by_location(
    filters: frozenset[str], *, limited: bool, further: bool
) -> Statement:
    """The columns of an OpenLocation, in their order, by the first start and id, of the
    locations at which there is anything on `day` of their own walls.
    """
    slots, places = t.slots, t.locations.alias("places")
    asked: dict[str, ColumnElement[bool]] = {
        "service_type": serves(),
        "specialty": given("specialty", Text) == any_(PLACE.c.specialties),
    }
    of_place = (
        select(
            func.count().label("offered"), func.min(slots.c.starts_at).label("first")
        )
        .select_from(SLOTS_AT_PLACES)
        .where(
            slots.c.tenant_id == TENANT,
            slots.c.location_id == places.c.id,
            slots.c.starts_at >= given("start", INSTANT),
            slots.c.starts_at < given("end", INSTANT),
            cast(func.timezone(places.c.timezone, slots.c.starts_at), Date)
            == given("day", Date),
            *(condition for name, condition in asked.items() if name in filters),
            *can_be_had(limited=limited, for_patient=False),
        )
        .lateral("of_place")
    )
    after = tuple_(given("after_start", INSTANT), given("after_id", Uuid))
    return compiled(
        select(
            places.c.id,
            places.c.name,
            places.c.timezone,
            of_place.c.offered,
            of_place.c.first,
        )
        .select_from(places.join(of_place, of_place.c.offered > _NONE))
        .where(
            places.c.tenant_id == TENANT,
            places.c.active,
            *([tuple_(of_place.c.first, places.c.id) > after] if further else []),
        )
        .order_by(of_place.c.first, places.c.id)
        .limit(given("limit", Integer))
    )
