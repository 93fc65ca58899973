"""The earliest slots that can be had, in one statement."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.offering import (
    INSTANT,
    PLACE,
    SLOTS_AT_PLACES,
    can_be_had,
    remaining,
)
from scheduling.adapters.postgres.statements import Statement, compiled, given


@cache
def searching(
    filters: frozenset[str], *, limited: bool, for_patient: bool
) -> Statement:
    """The columns of a Candidate, in their order, by start and id.

    One statement for each set of filters: `$1 IS NULL OR …` would keep PostgreSQL from
    its indexes. Slots are walked by start and judged one by one until there are enough.
    Where certain people or places are asked for, each is walked for itself: in the
    index their slots stand behind each other.

    `for_patient`: `may_book` comes with each row, and in a row of its own where nothing
    can be had.
    """
    walked, conditions = _walk(filters)
    found = _first(
        select(
            *_OF_SLOT,
            remaining().label("remaining"),
            t.slots.c.service_types,
            PLACE.c.horizon_days,
            PLACE.c.minimum_notice_minutes,
        )
        .select_from(SLOTS_AT_PLACES)
        .where(
            t.slots.c.tenant_id == TENANT,
            t.slots.c.starts_at >= given("start", INSTANT),
            t.slots.c.starts_at < given("end", INSTANT),
            *conditions,
            *can_be_had(limited=limited, for_patient=for_patient),
        ),
        t.slots.c,
    )
    if walked is not None:
        of_each = found.lateral("of_each")
        found = _first(
            select(*of_each.c).select_from(walked.join(of_each, true())), of_each.c
        )
    if not for_patient:
        return compiled(found)
    asks = select(may_book().label("may_book")).subquery("asks")
    of_all = found.lateral("of_all")
    return compiled(
        select(*of_all.c, asks.c.may_book)
        .select_from(asks.outerjoin(of_all, asks.c.may_book))
        .order_by(of_all.c.starts_at, of_all.c.id)
    )


_OF_SLOT = tuple(
    t.slots.c[name]
    for name in (
        "id",
        "schedule_id",
        "practitioner_id",
        "location_id",
        "starts_at",
        "ends_at",
        "timezone",
    )
)


def _first(found: Select[Any], columns: Any) -> Select[Any]:  # noqa: ANN401  # of either collection
    return found.order_by(columns.starts_at, columns.id).limit(given("limit", Integer))


def may_book() -> ColumnElement[bool]:
    patients = t.patients
    return exists().where(
        patients.c.tenant_id == TENANT,
        patients.c.id == given("patient_id", Uuid),
        patients.c.active,
    )


def _walk(filters: frozenset[str]) -> tuple[FromClause | None, list[Any]]:
    """Return whose slots are walked, and what they are asked besides."""
    slots, practitioners = t.slots, t.practitioners
    asked: dict[str, ColumnElement[bool]] = {
        "practitioners": literal_column("true"),
        "locations": slots.c.location_id == any_(given("locations", ARRAY(Uuid))),
        "specialty": given("specialty", Text) == any_(PLACE.c.specialties),
        "service_type": serves(),
        "after_id": tuple_(slots.c.starts_at, slots.c.id)
        > tuple_(given("after_start", INSTANT), given("after_id", Uuid)),
    }
    walked: FromClause | None = None
    if "practitioners" in filters:
        walked = _each_of("practitioners")
        asked["practitioners"] = slots.c.practitioner_id == walked.c.id
    elif "specialty" in filters:
        walked = (
            select(practitioners.c.id)
            .where(
                practitioners.c.tenant_id == TENANT,
                given("specialty", Text) == any_(practitioners.c.specialties),
            )
            .subquery("specialists")
        )
        asked["specialty"] = slots.c.practitioner_id == walked.c.id
    elif "locations" in filters:
        walked = _each_of("locations")
        asked["locations"] = slots.c.location_id == walked.c.id
    return walked, [one for name, one in asked.items() if name in filters]


def _each_of(name: str) -> FromClause:
    return (
        func.unnest(given(name, ARRAY(Uuid)))
        .table_valued(Column("id", Uuid))
        .render_derived(name="walked")
    )


def serves() -> ColumnElement[bool]:
    """Who names no service types serves any."""
    service_types = t.slots.c.service_types
    return or_(
        service_types == literal_column("'{}'::text[]"),
        given("service_type", Text) == any_(service_types),
    )
