"""Which folder a visit names, as a write; `batch` lists it in its place."""

from typing import Any

from sqlalchemy import Update, Uuid, update

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.statements import given

_VISITS = t.appointments

FILED = tuple(
    _VISITS.c[name] for name in ("id", "patient_id", "location_id", "sub_file_id")
)


def file_visits(rows: Any) -> Update:  # noqa: ANN401  # a FROM clause
    """No step of the visit, so no version: whoever changes it now need not know. One
    that has moved to another clinic names the folder there.
    """
    return (
        update(_VISITS)
        .where(
            _VISITS.c.tenant_id == given("tenant_id", Uuid),
            _VISITS.c.id == rows.c.id,
            _VISITS.c.patient_id == rows.c.patient_id,
            _VISITS.c.location_id == rows.c.location_id,
            _VISITS.c.sub_file_id.is_distinct_from(rows.c.sub_file_id),
        )
        .values(sub_file_id=rows.c.sub_file_id)
    )
