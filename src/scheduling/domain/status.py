"""The steps of an appointment's life, and which follows which.

FHIR R4's `appointmentstatus` with two more: `confirmed` (booked, and the patient said
yes) and `in-progress`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no-show"
    ENTERED_IN_ERROR = "entered-in-error"

    @property
    def takes_time(self) -> bool:
        """Whether the appointment holds its seat and its actors' time."""
        return self in _TAKING_TIME

    @property
    def keeps_time(self) -> bool:
        """As `takes_time`; and `completed` keeps the past as it was."""
        return self in _TAKING_TIME or self is Status.COMPLETED


_TAKING_TIME = frozenset(
    {
        Status.PENDING,
        Status.BOOKED,
        Status.CONFIRMED,
        Status.ARRIVED,
        Status.IN_PROGRESS,
    }
)

TRANSITIONS: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.PROPOSED: frozenset({Status.PENDING, Status.BOOKED, Status.CANCELLED}),
        Status.PENDING: frozenset({Status.BOOKED, Status.CANCELLED}),
        Status.BOOKED: frozenset(
            {Status.CONFIRMED, Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW}
        ),
        Status.CONFIRMED: frozenset({Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW}),
        Status.ARRIVED: frozenset(
            {Status.IN_PROGRESS, Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW}
        ),
        Status.IN_PROGRESS: frozenset({Status.COMPLETED}),
        Status.COMPLETED: frozenset(),
        Status.CANCELLED: frozenset(),
        Status.NO_SHOW: frozenset(),
        Status.ENTERED_IN_ERROR: frozenset(),
    }
)
"""What follows what. With the right to, also: no-show → arrived on the same local
day, and anything but entered-in-error → entered-in-error."""


MOVABLE = frozenset({Status.PENDING, Status.BOOKED, Status.CONFIRMED})
"""What can be given another time; a proposal has none yet, and a visit that began
happens when it happens."""

CLOSED = frozenset({Status.CANCELLED, Status.NO_SHOW, Status.ENTERED_IN_ERROR})
