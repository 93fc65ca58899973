"""Which instants a question is about."""

from datetime import datetime

from scheduling.application.ports.appointment_lists import Whose
from scheduling.application.ports.unit_of_work import UnitOfWork
from scheduling.application.steps.zone_asked_for import zone_asked_for
from scheduling.domain.local_days import Span
from scheduling.domain.period import Period


async def period_asked_for(
    work: UnitOfWork, span: Span, timezone: str | None, whose: Whose
) -> Period:
    """Return the period of a span; a zone is looked for only where it is of days."""
    if isinstance(span.start, datetime):
        return span.in_zone("UTC").period
    return span.in_zone(await zone_asked_for(work, timezone, whose)).period
