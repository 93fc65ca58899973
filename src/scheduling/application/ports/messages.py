"""What news from outside says, once it is understood. Ids, codes and the data that we
keep; the envelope around it is `ports/inbox.ReceivedEvent`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from scheduling.domain.identifiers import PractitionerRoleId, ScheduleId


class Aggregate(NamedTuple):
    """Whose news it is: of one, older news never comes after newer."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(ABC):
    """The data of one type of event."""

    @property
    @abstractmethod
    def aggregate(self) -> Aggregate | None:
        """None where each stands for itself, and order does not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarNews(Message):
    """Our own: what a calendar is made from has changed, or it was published.

    `role_version` is that of the role, where the calendar follows one. Which run has
    seen it is known by the runs, not by the inbox: several of its news share a version.
    """

    schedule_id: ScheduleId
    practitioner_role_id: PractitionerRoleId | None
    role_version: int | None

    @property
    def aggregate(self) -> Aggregate | None:
        return None
