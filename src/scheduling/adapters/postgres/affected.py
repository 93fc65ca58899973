"""Appointments that keep their time where hours have gone, with whose they are."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select

from scheduling.adapters.postgres import tables as t
from scheduling.adapters.postgres.batch import TENANT
from scheduling.application.ports.schedule_exceptions import Affected
from scheduling.domain.identifiers import AppointmentId, PatientId
from scheduling.domain.period import Period
from scheduling.domain.status import Status


def whose() -> tuple[ColumnElement[Any], ...]:
    """Columns of a statement that reads appointments: the patient, and their name."""
    patient_id, patients = t.appointments.c.patient_id, t.patients
    name = (
        select(patients.c.name)
        .where(patients.c.tenant_id == TENANT, patients.c.id == patient_id)
        .scalar_subquery()
    )
    return patient_id, name.label("patient_name")


def affected_from(row: Mapping[str, Any]) -> Affected:
    return Affected(
        id=AppointmentId(row["id"]),
        period=Period(row["starts_at"], row["ends_at"]),
        status=Status(row["status"]),
        patient_id=PatientId(row["patient_id"]),
        patient_name=row["patient_name"],
    )
