"""What limits a day and a week count."""

from functools import cache

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Uuid,
    any_,
    literal_column,
    or_,
    select,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.statements import Statement, compiled, given

_INSTANT = DateTime(timezone=True)
_COUNTED = ("pending", "booked", "confirmed", "arrived", "in-progress", "completed")


def counted() -> tuple[ColumnElement[bool], ...]:
    """Past appointments count, cancelled ones do not, nor holds that have run out."""
    appointments = t.appointments
    return (
        appointments.c.status.in_([literal_column(f"'{one}'") for one in _COUNTED]),
        or_(
            appointments.c.status != literal_column("'pending'"),
            appointments.c.hold_expires_at.is_(None),
            appointments.c.hold_expires_at > given("now", _INSTANT),
        ),
    )


@cache
def reading_starts() -> Statement:
    """When practitioners have appointments, and on which schedule.

    `own` is one to leave out (it is being moved, or used up); null for none.
    """
    appointments = t.appointments
    return compiled(
        select(
            appointments.c.practitioner_id,
            appointments.c.schedule_id,
            appointments.c.starts_at,
        ).where(
            appointments.c.tenant_id == TENANT,
            appointments.c.practitioner_id == any_(given("practitioners", ARRAY(Uuid))),
            appointments.c.starts_at >= given("start", _INSTANT),
            appointments.c.starts_at < given("end", _INSTANT),
            appointments.c.id.is_distinct_from(given("own", Uuid)),
            *counted(),
        )
    )
