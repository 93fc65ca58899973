"""When somebody who was expected is held not to come."""

from datetime import datetime, timedelta

from scheduling.domain.appointment import Appointment
from scheduling.domain.period import Period
from scheduling.domain.settings import Settings
from scheduling.domain.status import Status

EXPECTED = frozenset({Status.BOOKED, Status.CONFIRMED})

LOOKS_BACK = timedelta(days=7)
"""What began longer ago is for people to say: visits that were taken over from another
system, or a week in which nothing ran, are not all missed at once.
"""


def given_up(settings: Settings, now: datetime) -> Period:
    """Return when visits began whose patients are not waited for any more."""
    latest = now - settings.no_show_grace
    return Period(latest - LOOKS_BACK, latest + timedelta.resolution)


def missed(
    appointment: Appointment, settings: Settings, *, now: datetime
) -> Appointment | None:
    """Return it as a no-show; None where its patient may still come, or is here."""
    period = given_up(settings, now)
    if appointment.status not in EXPECTED:
        return None
    if not period.start <= appointment.period.start < period.end:
        return None
    return appointment.become(Status.NO_SHOW, now=now)
