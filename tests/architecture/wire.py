"""One example of every event, with the type that listeners know it by."""

from typing import Any
from uuid import uuid4

from scheduling.domain.events import (
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentStatusChanged,
    Event,
    SchedulePublished,
    SlotOpened,
)
from scheduling.domain.identifiers import SlotId
from tests.builders import EIGHT, between


def every(kind: type[Any]) -> set[type[Any]]:
    """Return a class and all that derive from it, each once.

    A dataclass with slots is made twice; the one that its module shows is meant.
    """
    found = {kind}.union(*(every(one) for one in kind.__subclasses__()))
    return {one for one in found if _shown(one)}


def _shown(kind: type) -> bool:
    module = __import__(kind.__module__, fromlist=["_"])
    return getattr(module, kind.__name__, None) is kind


OF_AN_APPOINTMENT: dict[str, Any] = {
    "occurred_at": EIGHT,
    "version": 2,
    "appointment_id": uuid4(),
    "patient_id": uuid4(),
    "practitioner_id": uuid4(),
    "location_id": uuid4(),
    "slot_ids": (uuid4(), uuid4()),
    "period": between("09:00", "10:00"),
    "timezone": "Africa/Cairo",
    "appointment_type": "consultation",
}

OF_A_SCHEDULE: dict[str, Any] = {
    "occurred_at": EIGHT,
    "version": 1,
    "schedule_id": uuid4(),
    "practitioner_id": uuid4(),
    "location_id": uuid4(),
    "timezone": "Africa/Cairo",
}

EVENTS: tuple[tuple[str, Event], ...] = (
    (
        "appointment.created",
        AppointmentCreated(status="booked", overbooked=False, **OF_AN_APPOINTMENT),
    ),
    (
        "appointment.proposed",
        AppointmentCreated(status="proposed", overbooked=False, **OF_AN_APPOINTMENT),
    ),
    *(
        (
            f"appointment.{status}",
            AppointmentStatusChanged(
                old_status="booked", new_status=status, **OF_AN_APPOINTMENT
            ),
        )
        for status in (
            "confirmed",
            "arrived",
            "in-progress",
            "completed",
            "no-show",
            "entered-in-error",
        )
    ),
    (
        "appointment.cancelled",
        AppointmentCancelled(
            old_status="booked",
            new_status="cancelled",
            reason_code="weather",
            initiated_by="staff",
            **OF_AN_APPOINTMENT,
        ),
    ),
    ("schedule.published", SchedulePublished(**OF_A_SCHEDULE)),
    (
        "slot.opened",
        SlotOpened(
            slot_id=SlotId(uuid4()),
            period=between("09:00", "10:00"),
            remaining=1,
            **OF_A_SCHEDULE,
        ),
    ),
)
