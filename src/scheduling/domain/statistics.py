"""What became of a period's appointments, in figures.

Every appointment that begins in the period counts once, on the local day on which it
starts, whatever became of it. Not counted are those entered in error, which never were,
and holds, live or run out, which are a seat kept and not yet an appointment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from scheduling.domain.identifiers import PractitionerId
from scheduling.domain.status import Status

COUNTED = frozenset(Status) - {Status.ENTERED_IN_ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Counts of appointments by what they are asked for; what has none is left out,
    but for days, which have no counts then.

    `new_patients` have their first counted appointment at the organisation, with
    whomever and wherever, in the period; `returning_patients` had one before it. Both
    have one in the period that is counted here.
    """

    by_status: Mapping[Status, int]
    by_type: Mapping[str, int]
    by_day: Mapping[date, Mapping[Status, int]]
    by_hour: Mapping[int, int]
    """By the hour on the wall in which they start, 0 to 23."""

    by_practitioner: Mapping[PractitionerId, Mapping[Status, int]]
    new_patients: int
    returning_patients: int

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    @property
    def per_day_average(self) -> float:
        """Over all days of the period, also those without an appointment."""
        return self.total / len(self.by_day)

    @property
    def no_show_rate(self) -> float | None:
        return no_show_rate(self.by_status)


def no_show_rate(by_status: Mapping[Status, int]) -> float | None:
    """Return the share of no-shows in all who came or should have: no-show and
    completed. None where there is neither.
    """
    missed = by_status.get(Status.NO_SHOW, 0)
    over = missed + by_status.get(Status.COMPLETED, 0)
    return missed / over if over else None
