"""What has the last word on slots that storage holds for bookable."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache

from scheduling.application.ports.availability import Candidate
from scheduling.application.ports.identity import Caller
from scheduling.domain.availability import BookingWindow, why_not_offered
from scheduling.domain.errors import PatientNotFound
from scheduling.domain.identifiers import PatientId
from scheduling.domain.settings import CalendarRules, Settings


def demand_own_patient(caller: Caller, patient_id: PatientId | None) -> None:
    """A patient's own token asks for that patient, and knows no other."""
    if patient_id is not None and not caller.sees(patient_id):
        raise PatientNotFound(patient_id)


def admitted(
    found: Iterable[Candidate], settings: Settings, now: datetime
) -> list[Candidate]:
    """Keep what the availability function admits; what is asked once per zone and rules
    is kept by them.
    """

    @cache
    def window_of(
        zone: str, horizon_days: int | None, notice: int | None
    ) -> BookingWindow:
        rules = CalendarRules(horizon_days, notice)
        return BookingWindow.of(settings, rules, now=now, timezone=zone)

    return [
        one
        for one in found
        if why_not_offered(
            one.start,
            window=window_of(
                one.timezone, one.horizon_days, one.minimum_notice_minutes
            ),
            has_seat=one.remaining > 0,
        )
        is None
    ]
