"""A Monday at nine, to be explained."""

from datetime import datetime, time
from typing import Any
from uuid import uuid4

from scheduling.domain.calendar_hours import CalendarHours
from scheduling.domain.claim import ActorKind, Claim
from scheduling.domain.explaining import (
    Circumstances,
    Question,
    Stretch,
    explain,
)
from scheduling.domain.identifiers import AppointmentId
from scheduling.domain.period import Period
from scheduling.domain.schedule import Day, WeeklyRule
from scheduling.domain.settings import (
    NO_RULES_OF_ITS_OWN,
    Settings,
)
from scheduling.domain.slot import Slot
from tests.builders import EIGHT, a_schedule, a_slot, between

SCHEDULE = a_schedule()
NINE = between("09:00", "09:30")
WEEKDAYS = WeeklyRule(
    days=(Day.MON, Day.TUE), start=time(9), end=time(12), slot_minutes=30
)


def a_calendar(**told: Any) -> CalendarHours:  # noqa: ANN401
    return CalendarHours(
        **{
            "schedule_id": SCHEDULE.id,
            "location_active": True,
            "assignments": (),
            "timezone": "UTC",
            "rules": NO_RULES_OF_ITS_OWN,
            "weekly": (WEEKDAYS,),
            **told,
        }
    )


def slot(period: Period = NINE, **told: Any) -> Slot:  # noqa: ANN401
    return a_slot(period, schedule=SCHEDULE, **told)


def claim(on: Slot | None = None, period: Period = NINE, **told: Any) -> Claim:  # noqa: ANN401
    """Somebody's time with the practitioner, in that slot or elsewhere."""
    period = on.period if on else period
    return Claim(
        **{
            "appointment_id": AppointmentId(uuid4()),
            "kind": ActorKind.PRACTITIONER,
            "actor_id": SCHEDULE.practitioner_id,
            "share_id": on.id if on else uuid4(),
            "period": period,
            "until": period.end,
            **told,
        }
    )


def explained(
    *slots: Slot,
    period: Period = NINE,
    now: datetime = EIGHT,
    settings: Settings | None = None,
    question: Question | None = None,
    **known: Any,  # noqa: ANN401
) -> list[Stretch]:
    circumstances = Circumstances(
        **{
            "practitioner_active": True,
            "calendars": (a_calendar(),),
            "slots": slots,
            "claims": (),
            "taken": {},
            **known,
        }
    )
    return explain(
        question or Question(),
        circumstances,
        period,
        settings=settings or Settings(),
        now=now,
    )


def reasons(*slots: Slot, **known: Any) -> set[str]:  # noqa: ANN401
    """Why the first slot is not offered."""
    stretches = explained(*slots, **known)
    return set(next(one for one in stretches if one.slot_id == slots[0].id).reasons)
