"""What is read of the waitlist: pages of it, and who waits for freed time."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.assignments import assignment_json
from scheduling.adapters.postgres.batch import JSON_TEXT, TENANT
from scheduling.adapters.postgres.claimed import (
    around,
    claimed_by,
    claims_json,
    kind,
)
from scheduling.adapters.postgres.directory import settings_columns
from scheduling.adapters.postgres.limits import counted
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.waitlist_offer_statements import (
    named_entries,
)
from scheduling.domain.claim import ActorKind
from scheduling.domain.freed_time import (
    MOST_CANDIDATES,
)

_INSTANT = DateTime(timezone=True)
_NOBODY: ColumnElement[Any] = literal_column("'{}'::uuid[]")
_ANYTHING: ColumnElement[Any] = literal_column("'{}'::text[]")

ENTRY_COLUMNS = tuple(c.name for c in t.waitlist_entries.c if c.name != "tenant_id")


@cache
def paging(filters: frozenset[str]) -> Statement:
    """A page of entries, oldest first; one statement for each set of filters, so that
    each has its index.
    """
    entries = t.waitlist_entries
    conditions: dict[str, ColumnElement[bool]] = {
        "status": entries.c.status == given("status", Text),
        "patient_id": entries.c.patient_id == given("patient_id", Uuid),
        "after_id": tuple_(entries.c.created_at, entries.c.id)
        > tuple_(given("after_created_at", _INSTANT), given("after_id", Uuid)),
    }
    return compiled(
        named_entries()
        .where(*(conditions[name] for name in conditions if name in filters))
        .limit(given("limit", Integer))
    )


@cache
def reading_who_is_known() -> Statement:
    """Whether the patient is active, and which of the practitioners and locations are
    there.
    """
    patients = t.patients

    def among(table: Any, ids: str) -> Any:  # noqa: ANN401
        return (
            select(func.array_agg(table.c.id))
            .where(
                table.c.tenant_id == TENANT,
                table.c.id == any_(given(ids, ARRAY(Uuid))),
            )
            .scalar_subquery()
            .label(ids)
        )

    active = (
        select(patients.c.active)
        .where(
            patients.c.tenant_id == TENANT, patients.c.id == given("patient_id", Uuid)
        )
        .scalar_subquery()
    )
    return compiled(
        select(
            active.label("patient_active"),
            among(t.practitioners, "practitioner_ids"),
            among(t.locations, "location_ids"),
        )
    )


@cache
def reading_who_waits() -> Statement:
    """For each freed time what a booking of it would have to know, and who waits for
    it: a row for each, in their order.

    Two lists come in as JSON: the freed times, and the stretches that they consist of,
    with the number of theirs.
    """
    freed, practitioners, locations = _freed(), t.practitioners, t.locations
    schedules = t.schedules
    return compiled(
        select(
            *settings_columns(),
            practitioners.c.active.label("practitioner_active"),
            locations.c.active.label("location_active"),
            schedules.c.horizon_days.label("schedule_horizon_days"),
            schedules.c.minimum_notice_minutes.label("schedule_notice_minutes"),
            schedules.c.limit_per_day,
            schedules.c.limit_per_week,
            _assignments(freed).label("assignments"),
            _claims(freed).label("claims"),
            _starts(freed).label("starts"),
            _waiting(freed).label("waiting"),
        )
        .select_from(freed)
        .outerjoin(t.settings, t.settings.c.tenant_id == TENANT)
        .join(practitioners, _with_id(practitioners, freed.c.practitioner_id))
        .join(locations, _with_id(locations, freed.c.location_id))
        .join(schedules, _with_id(schedules, freed.c.schedule_id))
        .order_by(freed.c.number)
    )


def _freed() -> FromClause:
    columns = (
        Column("number", Integer),
        Column("patient_ids", ARRAY(Uuid)),
        *(
            Column(name, Uuid)
            for name in (
                "practitioner_id",
                "location_id",
                "schedule_id",
            )
        ),
        *(
            Column(name, _INSTANT)
            for name in (
                "first_end",
                "last_start",
                "starts_at",
                "ends_at",
                "claims_until",
                "weeks_start",
                "weeks_end",
            )
        ),
    )
    return (
        func.json_to_recordset(given("freed", JSON_TEXT))
        .table_valued(*columns)
        .render_derived(name="freed", with_types=True)
    )


def _with_id(table: Any, id: ColumnElement[Any]) -> ColumnElement[bool]:  # noqa: ANN401
    return and_(table.c.tenant_id == TENANT, table.c.id == id)


def _stays(appointment_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether it is none of those that give their time back: what they held is still
    there when this is read.
    """
    return appointment_id != all_(given("leaving", ARRAY(Uuid)))


def _assignments(freed: FromClause) -> Any:  # noqa: ANN401
    roles = t.practitioner_roles
    return (
        select(func.json_agg(assignment_json()))
        .where(
            roles.c.tenant_id == TENANT,
            roles.c.practitioner_id == freed.c.practitioner_id,
            roles.c.location_id == freed.c.location_id,
        )
        .scalar_subquery()
    )


def _claims(freed: FromClause) -> Any:  # noqa: ANN401
    """The practitioner's."""
    return (
        select(claims_json())
        .where(
            claimed_by(freed.c.practitioner_id, kind(ActorKind.PRACTITIONER)),
            around(freed.c.starts_at, freed.c.claims_until),
            _stays(t.claims.c.appointment_id),
        )
        .scalar_subquery()
    )


def _starts(freed: FromClause) -> Any:  # noqa: ANN401
    """What limits count, by schedule; read only where a limit is set."""
    appointments, settings, schedules = t.appointments, t.settings, t.schedules
    limited = or_(
        settings.c.limit_per_practitioner_day.is_not(None),
        settings.c.limit_per_practitioner_week.is_not(None),
        schedules.c.limit_per_day.is_not(None),
        schedules.c.limit_per_week.is_not(None),
    )
    return (
        select(
            func.json_agg(
                func.json_build_array(
                    appointments.c.schedule_id, appointments.c.starts_at
                )
            )
        )
        .where(
            limited,
            appointments.c.tenant_id == TENANT,
            appointments.c.practitioner_id == freed.c.practitioner_id,
            appointments.c.starts_at >= freed.c.weeks_start,
            appointments.c.starts_at < freed.c.weeks_end,
            _stays(appointments.c.id),
            *counted(),
        )
        .correlate(freed, settings, schedules)
        .scalar_subquery()
    )


def _waiting(freed: FromClause) -> Any:  # noqa: ANN401
    """The best of those whom a stretch suits, each with the patient's claims around."""
    entries, patients = t.waitlist_entries, t.patients
    best = (
        select(entries)
        .join(patients, _with_id(patients, entries.c.patient_id))
        .where(
            entries.c.tenant_id == TENANT,
            entries.c.status == literal_column("'waiting'"),
            entries.c.latest >= freed.c.first_end,
            entries.c.earliest <= freed.c.last_start,
            entries.c.patient_id != all_(freed.c.patient_ids),
            or_(
                entries.c.practitioner_ids == _NOBODY,
                freed.c.practitioner_id == any_(entries.c.practitioner_ids),
            ),
            or_(
                entries.c.location_ids == _NOBODY,
                freed.c.location_id == any_(entries.c.location_ids),
            ),
            patients.c.active,
            _some_stretch_suits(freed),
        )
        .order_by(entries.c.priority.desc(), entries.c.created_at, entries.c.id)
        .limit(literal_column(str(MOST_CANDIDATES)))
        .correlate(freed)
        .subquery("best")
    )
    their_claims = (
        select(claims_json())
        .where(
            claimed_by(best.c.patient_id, kind(ActorKind.PATIENT)),
            around(freed.c.starts_at, freed.c.ends_at),
            _stays(t.claims.c.appointment_id),
        )
        .correlate(best, freed)
        .scalar_subquery()
    )
    return (
        select(
            func.json_agg(
                func.json_build_array(
                    their_claims, *(best.c[name] for name in ENTRY_COLUMNS)
                )
            )
        )
        .select_from(best)
        .correlate(freed)
        .scalar_subquery()
    )


def _some_stretch_suits(freed: FromClause) -> ColumnElement[bool]:
    """The window holds it, it is for that service, and the patient has no other
    appointment then. A hold that has run out is none.
    """
    entries, claims = t.waitlist_entries, t.claims
    stretches = (
        func.json_to_recordset(given("stretches", JSON_TEXT))
        .table_valued(
            Column("number", Integer),
            Column("starts_at", _INSTANT),
            Column("ends_at", _INSTANT),
            Column("service_types", ARRAY(Text)),
        )
        .render_derived(name="stretches", with_types=True)
    )
    elsewhere = exists().where(
        claimed_by(entries.c.patient_id, kind(ActorKind.PATIENT)),
        around(stretches.c.starts_at, stretches.c.ends_at),
        _stays(claims.c.appointment_id),
        or_(
            claims.c.expires_at.is_(None), claims.c.expires_at > given("now", _INSTANT)
        ),
    )
    return (
        exists()
        .where(
            stretches.c.number == freed.c.number,
            entries.c.earliest <= stretches.c.starts_at,
            entries.c.latest >= stretches.c.ends_at,
            or_(
                entries.c.service_type.is_(None),
                stretches.c.service_types == _ANYTHING,
                entries.c.service_type == any_(stretches.c.service_types),
            ),
            ~elsewhere.correlate(entries, stretches),
        )
        .correlate(entries, freed)
    )
