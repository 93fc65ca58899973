"""Who works where: roles, as far as booking and search ask."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func

from scheduling.adapters.postgres import tables as t
from scheduling.domain.availability import Assignment
from scheduling.domain.period import Period


def assignment_json() -> ColumnElement[Any]:
    """One role as `assignment_from` reads it."""
    roles = t.practitioner_roles
    return func.json_build_array(
        roles.c.practitioner_id,
        roles.c.location_id,
        roles.c.active,
        roles.c.period_start,
        roles.c.period_end,
        roles.c.not_available,
    )


def assignment_from(values: list[Any]) -> tuple[tuple[UUID, UUID], Assignment]:
    """Return (practitioner, location) and the assignment of one to the other."""
    practitioner_id, location_id, active, start, end, away = values
    return (UUID(practitioner_id), UUID(location_id)), Assignment(
        active,
        None if start is None else date.fromisoformat(start),
        None if end is None else date.fromisoformat(end),
        tuple(
            Period(
                datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])
            )
            for one in away
        ),
    )
