"""A patient's visits to call off, and what was written about the patient, cleared.

Stored answers and dead letters have no column that says whose they are: those that name
the patient's id are found by looking at all of the tenant's. They are kept for days,
and patients are deleted seldom.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    DateTime,
    Text,
    Update,
    Uuid,
    all_,
    and_,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.appointment_statements import appointments_with_slots
from scheduling.adapters.postgres.appointments import with_their_slots
from scheduling.adapters.postgres.batch import TENANT
from scheduling.adapters.postgres.statements import Statement, compiled, given
from scheduling.adapters.postgres.transaction import Transaction
from scheduling.application.ports.forgetting import ForgettingRepository
from scheduling.domain.appointment import Appointment
from scheduling.domain.identifiers import AppointmentId, PatientId
from scheduling.domain.slot import Slot


@cache
def _holding() -> Statement:
    """Conflicts with the share that a new appointment takes of its patient's row."""
    patients = t.patients
    return compiled(
        select(patients.c.id)
        .where(patients.c.tenant_id == TENANT, patients.c.id == given("id", Uuid))
        .with_for_update(),
        locks=True,
    )


@cache
def _visits() -> Statement:
    one = t.appointments.c
    booked = one.status.in_(_codes("booked", "confirmed", "arrived"))
    asked = and_(
        one.patient_id == given("patient_id", Uuid),
        or_(
            one.status.in_(_codes("proposed", "pending")),
            and_(booked, one.starts_at > given("now", DateTime(timezone=True))),
        ),
    )
    return compiled(appointments_with_slots(asked), locks=True)


def _codes(*codes: str) -> list[ColumnElement[Any]]:
    return [literal_column(f"'{code}'") for code in codes]


@cache
def _forgetting() -> Statement:
    cleared = [_texts(), _answers(), _letters()]
    done = [
        one.returning(literal_column("1").label("one")).cte(f"cleared_{number}")
        for number, one in enumerate(cleared)
    ]
    return compiled(select(literal_column("1")).add_cte(*done), locks=True)


def _texts() -> Update:
    visits = t.appointments
    written = [
        visits.c[name]
        for name in ("reason", "notes", "override_reason", "status_comment")
    ]
    return (
        update(visits)
        .where(
            visits.c.tenant_id == TENANT,
            visits.c.patient_id == given("id", Uuid),
            visits.c.id != all_(given("but", ARRAY(Uuid))),
            or_(*(text.is_not(None) for text in written)),
        )
        .values(
            # Who read it before may not write it back.
            version=visits.c.version + literal_column("1"),
            **{text.name: null() for text in written},
        )
    )


def _answers() -> Update:
    answers = t.idempotency_keys
    return (
        update(answers)
        .where(answers.c.tenant_id == TENANT, _names_the_patient(answers.c.body))
        .values(body=literal_column(r"'{}'::bytea"))
    )


def _letters() -> Update:
    letters = t.dead_letters
    return (
        update(letters)
        .where(letters.c.tenant_id == TENANT, _names_the_patient(letters.c.body))
        .values(
            body=literal_column("''::bytea"),
            detail=literal_column("'emptied: the patient was deleted'"),
        )
    )


def _names_the_patient(body: Column[bytes]) -> ColumnElement[bool]:
    """In whatever case it was written; escaped, since it can be any bytes."""
    readable = func.encode(body, literal_column("'escape'"), type_=Text)
    name = given("name", Text)
    return func.strpos(func.lower(readable), name) > literal_column("0")


@dataclass(frozen=True, slots=True)
class PostgresForgetting(ForgettingRepository):
    transaction: Transaction

    async def hold(self, id: PatientId) -> None:
        await self.transaction.rows(_holding(), id=id)

    async def visits(
        self, id: PatientId, now: datetime
    ) -> Sequence[tuple[Appointment, tuple[Slot, ...]]]:
        rows = await self.transaction.rows(_visits(), patient_id=id, now=now)
        return with_their_slots(rows)

    async def forget(self, id: PatientId, *, but: Collection[AppointmentId]) -> None:
        await self.transaction.rows(_forgetting(), id=id, but=list(but), name=str(id))
